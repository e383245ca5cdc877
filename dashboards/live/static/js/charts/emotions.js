// The seven emotion groups: a stream of their shares, or lines with their intervals.
import { emotionToken, faded, token } from "../colours.js";
import { percent } from "../format.js";
import { edge, line, options } from "./base.js";
import { column, stacked, times } from "./columns.js";
import { pin, rules } from "./incidents.js";

const colour = (name) => token(emotionToken(name));
const NO_ESTIMATE = [null, null, null];

function streamSeries(emotions) {
  return [...emotions].reverse().map((name) =>
    ({ stroke: token("--surface"), width: 1, fill: colour(name), points: { show: false } }));
}

function lineSeries(emotions) {
  return emotions.flatMap((name) => [edge(), edge(), line(colour(name), { width: 1.75 })]);
}

const lineBands = (emotions) => emotions.map((name, place) =>
  ({ series: [place * 3 + 1, place * 3 + 2], fill: faded(colour(name), 0.14) }));

function lineColumns(rows, emotions) {
  const pick = (name, part) => column(rows, (row) => (row.mood[name] ?? NO_ESTIMATE)[part]);
  return emotions.flatMap((name) => [pick(name, 2), pick(name, 1), pick(name, 0)]);
}

export const emotions = {
  title: () => "Emotions",

  data(board, rows) {
    const shown = board.emotionsShown;
    const columns = board.store.view.emotions === "stream" ? stacked(rows, shown) : lineColumns(rows, shown);
    return [times(rows), ...columns];
  },

  options(board) {
    const shown = board.emotionsShown;
    const stream = board.store.view.emotions === "stream";
    return options(board, {
      height: board.narrow ? 136 : 124,
      scale: { range: (chart, low, high) => [0, stream ? 1 : Math.min(1, Math.max(0.2, (high ?? 0) * 1.1))] },
      axis: { values: (chart, splits) => splits.map(percent), space: 48, grid: { show: !stream } },
      series: stream ? streamSeries(shown) : lineSeries(shown),
      bands: stream ? [] : lineBands(shown),
      above: [rules(board), pin(board)],
    });
  },
};
