// Posts per window, the negative part of them in its own colour.
import { faded, token } from "../colours.js";
import { compact, percent, whole } from "../format.js";
import { options } from "./base.js";
import { column, times } from "./columns.js";
import { pin, rules, shades } from "./incidents.js";

const bars = (fill) => ({ stroke: "transparent", width: 0, fill, points: { show: false },
  paths: uPlot.paths.bars({ size: [0.72, 20, 1] }) });

export const volume = {
  title: () => "Posts per window",

  data: (board, rows) => [times(rows), column(rows, (row) => row.posts),
    column(rows, (row) => row.posts * row.negative)],

  options(board) {
    return options(board, {
      height: 104, timeAxis: true,
      scale: { range: (chart, low, high) => [0, Math.max(4, (high ?? 0) * 1.08)] },
      axis: { values: (chart, splits) => splits.map(compact), space: 32 },
      series: [bars(faded(token("--middle"), 0.45)), bars(token("--negative"))],
      behind: [shades(board)], above: [rules(board), pin(board)],
    });
  },

  readout: (board, window) => [whole(window.posts), `${percent(window.negative)} negative`],
};
