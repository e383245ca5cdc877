// A line without axes: where a valence came from.
import { svg } from "./dom.js";

const POINTS = 90;
const [WIDTH, HEIGHT] = [200, 40]; // the page's gradient `mood-scale` spans this height
const REACH = 0.8; // the valence at the upper edge; what lies beyond is drawn there

export function sparkline() {
  const middle = svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 });
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
    "aria-hidden": "true" }, middle, svg("path"));
}

/** Draw the last complete windows into `spark`. */
export function drawSparkline(spark, windows) {
  const last = windows.filter((window) => window.timing !== "early").slice(-POINTS);
  const step = WIDTH / Math.max(1, last.length - 1);
  const level = (valence) => (HEIGHT / 2) * (1 - Math.max(-REACH, Math.min(REACH, valence)) / REACH);
  const points = last.map((window, place) => `${(place * step).toFixed(1)} ${level(window.valence).toFixed(1)}`);
  spark.querySelector("path").setAttribute("d", points.length ? `M${points.join("L")}` : "");
}
