// What stands over each chart: title, choices, legend, and the values at the cursor.
import { emotionToken } from "../colours.js";
import { el, reconcile, segmented, setText } from "../dom.js";
import { percent, time } from "../format.js";

const RANGES = { hour: "1 h", six: "6 h", all: "All" };
const MEASURES = { valence: "Valence", negative: "Negative posts" };
const FORMS = { stream: "Stream", lines: "Lines" };

const key = (token, text) => el("span", {}, el("span", { class: "swatch", "--swatch": `var(${token})` }), text);

export class Captions {
  constructor(board) {
    this.board = board;
    this.store = board.store;
    this.readouts = {};
    this.chips = el("div", { class: "chips", role: "group", "aria-label": "Emotions shown" });
  }

  of(name) {
    return el("figcaption", {}, ...this[`_${name}`]());
  }

  render() {
    const { window } = this.store;
    if (!window) return;
    for (const [name, readout] of Object.entries(this.readouts)) {
      const [value, note] = this.board.parts[name].readout(this.board, window);
      setText(readout.at, `${time(window.start)} UTC `);
      setText(readout.value, value);
      setText(readout.note, ` ${note}`);
    }
    reconcile(this.chips, this.board.emotionNames, (emotion) => emotion,
      (emotion) => this.#chip(emotion), (chip, emotion) => this.#value(chip, emotion, window));
  }

  _valence() {
    const { view } = this.store;
    return [
      el("h3", { class: "hidden" }, "Mood over time"),
      segmented("Measure", MEASURES, view.measure, (measure) => this.store.set({ measure })),
      segmented("Time shown", RANGES, view.range, (range) => this.store.set({ range })),
      this.#readout("valence"),
    ];
  }

  _emotions() {
    return [el("h3", {}, "Emotions"), this.chips,
      segmented("Drawn as", FORMS, this.store.view.emotions, (emotions) => this.store.set({ emotions }))];
  }

  _volume() {
    return [el("h3", {}, "Posts per window"),
      el("span", { class: "legend" }, key("--negative", "negative"), key("--middle", "all")),
      this.#readout("volume")];
  }

  #readout(name) {
    const parts = { at: el("span"), value: el("b"), note: el("span") };
    this.readouts[name] = parts;
    return el("span", { class: "readout" }, parts.at, parts.value, parts.note);
  }

  #chip(emotion) {
    return el("button", { class: "chip", type: "button", onclick: () => this.#toggle(emotion) },
      el("span", { class: "swatch", "--swatch": `var(${emotionToken(emotion)})` }), emotion, el("b"));
  }

  #value(chip, emotion, window) {
    chip.setAttribute("aria-pressed", String(!this.store.view.hidden.has(emotion)));
    setText(chip.querySelector("b"), percent(window.mood[emotion]?.[0] ?? 0));
  }

  #toggle(emotion) {
    const hidden = new Set(this.store.view.hidden);
    if (!hidden.delete(emotion)) hidden.add(emotion);
    if (hidden.size < this.board.emotionNames.length) this.store.set({ hidden });
  }
}
