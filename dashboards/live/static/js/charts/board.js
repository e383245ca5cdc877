// Three charts over one time axis, with one cursor that mouse, touch and keyboard move.
import { inOrder } from "../colours.js";
import { byId, el } from "../dom.js";
import { withGaps } from "./columns.js";
import { emotions } from "./emotions.js";
import { Captions, rangesOf } from "./captions.js";
import { Scrubber } from "./scrubber.js";
import { valence } from "./valence.js";
import { volume } from "./volume.js";

const SHORTEST_SECONDS = 1_800;
const LEAST_SHOWN = 6;
const NARROW_PIXELS = 560;

export class Board {
  constructor(store) {
    this.store = store;
    this.root = byId("charts");
    this.root.dataset.empty = "";
    this.parts = { valence, emotions, volume };
    this.charts = {};
    this.captions = new Captions(this);
    this.plots = Object.fromEntries(Object.keys(this.parts).map((name) => [name, el("div", { class: "plot", "aria-hidden": "true" })]));
    for (const name of Object.keys(this.parts)) {
      this.root.append(el("figure", { class: "chart" }, this.captions.of(name), this.plots[name]));
    }
    this.scrubber = new Scrubber(this);
    new ResizeObserver(() => this.#resize()).observe(this.root);
  }

  render(topics) {
    this.rows = withGaps(this.store.drawn());
    if (!this.rows.length) return;
    delete this.root.dataset.empty;
    this.alerts = [...this.store.alerts.values()].filter((alert) => alert.brand === this.store.brand);
    this.emotionNames = inOrder(Object.keys(this.rows.at(-1).mood));
    if (topics.has("theme") || this.#shape() !== this.built) this.#build();
    else if (["windows", "alerts", "brand", "view"].some((topic) => topics.has(topic))) this.#feed();
    else if (topics.has("pinned")) Object.values(this.charts).forEach((chart) => chart.redraw(false));
    this.captions.render();
    this.scrubber.render();
  }

  get width() {
    return Math.max(200, Math.floor(this.root.clientWidth));
  }

  get narrow() {
    return this.width < NARROW_PIXELS;
  }

  get emotionsShown() {
    return this.emotionNames.filter((name) => !this.store.view.hidden.has(name));
  }

  /** From the chosen range back to the newest window; a young run still spans half an hour, or six hours or days. */
  timeRange() {
    const { length, view } = this.store;
    const [first, last] = [this.rows[0].start, this.rows.at(-1).start];
    const shown = Math.min(rangesOf(length)[view.range].seconds, Math.max(last - first, length * LEAST_SHOWN, SHORTEST_SECONDS));
    return [last - shown - length / 2, last + length / 2]; // the bars of long windows are wide
  }

  pointAt(chart) {
    if (this.quiet) return;
    const row = chart.cursor.idx === null || chart.cursor.left < 0 ? null : this.rows[chart.cursor.idx];
    this.store.point("cursor", row && !row.empty ? row.start : null);
  }

  /** Put the cursor of all charts on a window, as the keyboard does. */
  showCursor(place) {
    const chart = this.charts.valence;
    chart.setCursor({ left: chart.valToPos(this.rows[place].start, "x"), top: 1 });
  }

  pin() {
    this.store.point("pinned", this.store.cursor);
  }

  #shape() {
    const { measure, emotions: form } = this.store.view;
    return [measure, form, this.narrow, ...this.emotionsShown].join("|");
  }

  #build() {
    this.built = this.#shape();
    for (const [name, part] of Object.entries(this.parts)) {
      this.charts[name]?.destroy();
      this.charts[name] = new uPlot(part.options(this), part.data(this, this.rows), this.plots[name]);
      this.charts[name].over.addEventListener("click", () => this.pin());
    }
  }

  #feed() {
    this.quiet = true;
    for (const [name, part] of Object.entries(this.parts)) {
      this.charts[name].setData(part.data(this, this.rows));
    }
    this.quiet = false;
  }

  #resize() {
    if (!this.built || !this.root.clientWidth) return; // not there, or not in sight
    if (this.#shape() !== this.built) return this.#build();
    for (const chart of Object.values(this.charts)) chart.setSize({ width: this.width, height: chart.height });
  }
}

