// The main chart: valence, or the share of negative posts, with its 95 % interval.
import { faded, moodGradient, token } from "../colours.js";
import { percent, signed } from "../format.js";
import { edge, line, options } from "./base.js";
import { column, settledAndEarly, times } from "./columns.js";
import { flags, pin, rules, shades } from "./incidents.js";

const MEASURES = {
  valence: {
    title: "Valence", name: "valence", text: signed, scale: { range: [-1, 1] },
    splits: [-1, -0.5, 0, 0.5, 1], stroke: (chart) => moodGradient(chart), fill: (chart) => moodGradient(chart, 0.24),
  },
  negative: {
    title: "Negative posts", name: "negative", text: percent, scale: { range: [0, 1] },
    splits: [0, 0.25, 0.5, 0.75, 1], stroke: () => token("--negative"), fill: () => faded(token("--negative"), 0.2),
  },
};

const measureOf = (board) => MEASURES[board.store.view.measure];

/** The level that a measure is read against. */
function baseline(chart) {
  const { ctx, bbox } = chart;
  const y = Math.round(chart.valToPos(0, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = token("--line-strong");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

export const valence = {
  title: (board) => measureOf(board).title,

  data(board, rows) {
    const { name } = measureOf(board);
    return [times(rows), column(rows, (row) => row[`${name}_high`]), column(rows, (row) => row[`${name}_low`]),
      ...settledAndEarly(rows, (row) => row[name])];
  },

  options(board) {
    const measure = measureOf(board);
    return options(board, {
      height: board.narrow ? 220 : 240, top: 24, scale: measure.scale,
      axis: { splits: () => measure.splits, values: (chart, splits) => splits.map((value) => measure.text(value, 1)) },
      series: [edge(), edge(), line(measure.stroke, { width: 2.25 }), line(measure.stroke, { dash: [4, 4] })],
      bands: [{ series: [1, 2], fill: measure.fill }],
      behind: [shades(board)], above: [baseline, rules(board), flags(board), pin(board)],
    });
  },

  readout(board, window) {
    const { name, text } = measureOf(board);
    return [text(window[name]), `95 % ${text(window[`${name}_low`])} to ${text(window[`${name}_high`])}`];
  },
};
