// Alerts on the charts: a shade from opening to end, a flag with the severity on the first chart.
import { faded, token } from "../colours.js";
import { seconds } from "../format.js";

const FLAG = 18;

function edges(chart, alert) {
  const end = alert.status === "firing" ? chart.scales.x.max : seconds(alert.resolved_at ?? alert.updated_at);
  const inside = (epoch) => Math.min(Math.max(epoch, chart.scales.x.min), chart.scales.x.max);
  const pixel = (epoch) => chart.valToPos(inside(epoch), "x", true);
  return [pixel(seconds(alert.since)), pixel(end)];
}

const shown = (board) => board.alerts.filter((alert) => alert.status !== "withdrawn");

function visible(chart, alert) {
  const [from, to] = edges(chart, alert);
  return seconds(alert.since) <= chart.scales.x.max && to > from;
}

const colourOf = (status) => token(status === "firing" ? "--negative" : "--middle");

/** Shades where alerts stood, warm while they do; where several did the shade is not deeper. */
export function shades(board) {
  return (chart) => {
    const alerts = shown(board).filter((candidate) => visible(chart, candidate));
    for (const status of ["resolved", "firing"]) {
      shade(chart, alerts.filter((alert) => alert.status === status), faded(colourOf(status), 0.08));
    }
  };
}

function shade(chart, alerts, colour) {
  const path = new Path2D();
  for (const alert of alerts) {
    const [from, to] = edges(chart, alert);
    path.rect(from, chart.bbox.top, to - from, chart.bbox.height);
  }
  chart.ctx.save();
  chart.ctx.fillStyle = colour;
  chart.ctx.fill(path, "nonzero");
  chart.ctx.restore();
}

function rule(chart, x, colour, dash) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** A rule where each alert opened. */
export function rules(board) {
  return (chart) => {
    for (const alert of shown(board).filter((candidate) => visible(chart, candidate))) {
      rule(chart, edges(chart, alert)[0], faded(colourOf(alert.status), 0.65), [3, 3]);
    }
  };
}

/** A rule where a window is pinned. */
export function pin(board) {
  return (chart) => {
    const at = board.store.pinned;
    if (at !== null && at >= chart.scales.x.min) rule(chart, chart.valToPos(at, "x", true), token("--ink"), []);
  };
}

/** The severity at the head of each rule; flags that would overlap stand side by side. */
export function flags(board) {
  return (chart) => {
    const size = FLAG * devicePixelRatio;
    let free = -Infinity;
    const alerts = shown(board).filter((candidate) => visible(chart, candidate));
    for (const alert of alerts.sort((a, b) => seconds(a.since) - seconds(b.since))) {
      const left = Math.max(edges(chart, alert)[0], free);
      drawFlag(chart, alert, left, size);
      free = left + size + 2 * devicePixelRatio;
    }
  };
}

function drawFlag(chart, alert, left, size) {
  const { ctx, bbox } = chart;
  const firing = alert.status === "firing";
  const top = bbox.top - size - 2 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = token(firing ? "--negative" : "--line-strong");
  ctx.beginPath();
  ctx.roundRect(left, top, size, size, 4 * devicePixelRatio);
  ctx.fill();
  ctx.fillStyle = token(firing ? "--page" : "--ink");
  ctx.font = `700 ${11 * devicePixelRatio}px ${token("--font")}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(String(alert.severity), left + size / 2, top + size / 2 + devicePixelRatio / 2);
  ctx.restore();
}
