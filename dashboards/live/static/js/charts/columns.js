// Windows as the columns that charts draw, all over one time axis.
const GAP = 1.6; // in steps: beyond it the line breaks rather than bridge a silence

/** The usual distance between window starts. */
function stepOf(windows) {
  const steps = windows.slice(1).map((window, place) => window.start - windows[place].start);
  return steps.sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 60;
}

/** `windows` with an empty place wherever one or more are missing. */
export function withGaps(windows) {
  const step = stepOf(windows);
  const rows = [];
  for (const window of windows) {
    const last = rows.at(-1);
    if (last && window.start - last.start > GAP * step) rows.push({ start: last.start + step, empty: true });
    rows.push(window);
  }
  return rows;
}

export const column = (rows, pick) => rows.map((row) => (row.empty ? null : pick(row)));
export const times = (rows) => rows.map((row) => row.start);

/** Split a measure in two lines that meet: windows that are complete, and those still filling. */
export function settledAndEarly(rows, pick) {
  const first = rows.findIndex((row) => row.timing === "early");
  const from = first < 0 ? rows.length : first;
  return [
    column(rows, (row) => (row.timing === "early" ? null : pick(row))),
    rows.map((row, place) => (row.empty || place < from - 1 ? null : pick(row))),
  ];
}

/**
 * Running sums of the shown emotions, the last one first, so that areas are drawn back to front.
 * A post may hold several emotions or none, so probabilities do not add up to one: shares do.
 */
export function stacked(rows, emotions) {
  const mean = (row, name) => row.mood?.[name]?.[0] ?? 0;
  const totals = rows.map((row) => emotions.reduce((sum, name) => sum + mean(row, name), 0));
  const sums = rows.map(() => 0);
  const layers = emotions.map((name) => rows.map((row, place) => {
    if (row.empty || totals[place] === 0) return null;
    sums[place] += mean(row, name) / totals[place];
    return sums[place];
  }));
  return layers.reverse();
}
