// The newest window by channel, language or country.
import { moodColour } from "./colours.js";
import { byId, el, reconcile, segmented, setText } from "./dom.js";
import { percent, signed, sliceName, whole } from "./format.js";
import { drawSparkline, sparkline } from "./sparkline.js";
import { settled } from "./store.js";

const SHOWN = 8;
const DIMENSIONS = { channel: "Channel", lang: "Language", country: "Country" };
const STALE_SECONDS = 3600;

const across = (valence) => `${((valence + 1) / 2) * 100}%`;

export class Slices {
  constructor(store) {
    this.store = store;
    byId("slices-choice").append(segmented("Sliced by", DIMENSIONS, store.view.dimension,
      (dimension) => store.set({ dimension })));
    this.body = el("tbody");
    this.head = el("th", { scope: "col" });
    const column = (name, kind = null) => el("th", { scope: "col", class: kind }, name);
    byId("slices").append(el("table", { class: "slice-table" }, el("thead", {}, el("tr", {}, this.head,
      column("Until now", "spark-cell"), column("95 % interval", "range-cell"), column("Valence"),
      column("Negative"), column("Posts"))), this.body));
  }

  render(topics) {
    if (!["windows", "brand", "view"].some((topic) => topics.has(topic))) return;
    const now = this.store.windows().at(-1)?.start ?? 0;
    const newest = this.store.slices(this.store.view.dimension).map(settled)
      .filter((window) => now - window.start < STALE_SECONDS)
      .sort((a, b) => b.posts - a.posts || a.value.localeCompare(b.value));
    byId("slices").hidden = newest.length === 0;
    byId("slices-empty").hidden = newest.length > 0;
    setText(this.head, DIMENSIONS[this.store.view.dimension]);
    setText(byId("slices-window"), newest.length > SHOWN ? `${SHOWN} of ${newest.length}` : "");
    reconcile(this.body, newest.slice(0, SHOWN), (window) => `${window.dimension}/${window.value}`,
      () => this.#create(), (row, window) => this.#update(row, window));
  }

  #create() {
    return el("tr", {}, el("th", { scope: "row" }), el("td", { class: "spark-cell" }, sparkline()),
      el("td", { class: "range-cell" }, el("span", { class: "range", "aria-hidden": "true" },
        el("span", { class: "range-band" }), el("span", { class: "range-mean" }))),
      el("td"), el("td"), el("td"));
  }

  #update(row, window) {
    const range = row.querySelector(".range");
    range.style.setProperty("--mood", moodColour(window.valence));
    range.style.setProperty("--low", across(window.valence_low));
    range.style.setProperty("--mean", across(window.valence));
    range.style.setProperty("--high", across(window.valence_high));
    const [name, spark, , valence, negative, posts] = row.children;
    drawSparkline(spark.firstElementChild, this.store.windows(window.brand, window.dimension, window.value));
    setText(name, sliceName(window.dimension, window.value));
    setText(valence, signed(window.valence));
    setText(negative, percent(window.negative));
    setText(posts, whole(window.posts));
  }
}
