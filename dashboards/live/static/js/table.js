// The charts' newest values as a table, for whoever cannot see a canvas.
import { inOrder } from "./colours.js";
import { byId, el } from "./dom.js";
import { percent, signed, span, whole } from "./format.js";

const ROWS = 12;

export class Table {
  constructor(store) {
    this.store = store;
  }

  render(topics) {
    if (!topics.has("windows") && !topics.has("brand")) return;
    const windows = this.store.windows().slice(-ROWS).reverse();
    const key = `${this.store.brand}|${windows[0]?.start}|${windows[0]?.pane}`;
    if (!windows.length || key === this.drawn) return;
    this.drawn = key;
    const emotions = inOrder(Object.keys(windows[0].mood));
    const head = ["Window", "Valence", "Lowest", "Highest", "Negative", "Posts", ...emotions];
    byId("table").replaceChildren(
      el("caption", {}, `${this.store.brand}: the newest ${windows.length} windows`),
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, windows.map((window) => this.#row(window, emotions))));
  }

  #row(window, emotions) {
    const cells = [signed(window.valence), signed(window.valence_low), signed(window.valence_high),
      percent(window.negative), whole(window.posts), ...emotions.map((name) => percent(window.mood[name]?.[0] ?? 0))];
    return el("tr", {}, el("th", { scope: "row" }, span(window.start, window.end)), cells.map((text) => el("td", {}, text)));
  }
}
