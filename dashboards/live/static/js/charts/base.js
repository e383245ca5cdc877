// What the three charts share: one time axis, one cursor, one look.
import { token } from "../colours.js";
import { shortDay, time } from "../format.js";

const SYNC = "time";
const GUTTER = 44;
const RIGHT = 12;
const DAY_SECONDS = 86_400;

/** Hours and minutes, and the day where one begins. */
const labels = (chart, splits) =>
  splits.map((epoch) => (epoch % DAY_SECONDS === 0 ? shortDay(epoch) : time(epoch)));

function timeAxis(show) {
  return { show, stroke: token("--ink-3"), font: `11px ${token("--font")}`, size: 28, gap: 8, space: 64, values: labels,
    grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
}

function valueAxis(axis) {
  return { stroke: token("--ink-3"), font: `11px ${token("--font")}`, size: GUTTER, gap: 8,
    grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, ...axis };
}

/** uPlot options of a chart in the group; `own` says what is particular to it. */
export function options(board, own) {
  return {
    width: board.width, height: own.height, padding: [own.top ?? 8, RIGHT, own.timeAxis ? 0 : 4, 0],
    tzDate: (epoch) => uPlot.tzDate(new Date(epoch * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, sync: { key: SYNC, setSeries: false },
      points: { show: own.points ?? false } },
    scales: { x: { time: true, range: () => board.timeRange() }, y: own.scale },
    axes: [{ ...timeAxis(true), ...(own.timeAxis ? {} : { size: 0, values: () => [] }) }, valueAxis(own.axis)],
    series: [{}, ...own.series],
    bands: own.bands ?? [],
    hooks: { drawClear: own.behind ?? [], draw: own.above ?? [], setCursor: [(chart) => board.pointAt(chart)] },
  };
}

/** A line without points. */
export const line = (stroke, more = {}) => ({ stroke, width: 2, points: { show: false }, ...more });
/** An edge of a band, not drawn itself. */
export const edge = () => ({ stroke: "transparent", width: 0, points: { show: false } });
