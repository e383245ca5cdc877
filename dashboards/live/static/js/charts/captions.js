// What stands over each chart: title, choices, legend, and the values at the cursor.
import { emotionToken } from "../colours.js";
import { el, reconcile, segmented, setText } from "../dom.js";
import { duration, percent, shortDay, time } from "../format.js";

const [HOUR, DAY] = [3_600, 86_400];
const NAMES = { 0: "Minutes", [HOUR]: "Hours", [DAY]: "Days" };
const ALL = { text: "All", seconds: Infinity };

/** How far back can be shown, by the length of the windows that are drawn. */
export function rangesOf(length) {
  if (length >= DAY) return { hour: { text: "7 d", seconds: 7 * DAY }, six: { text: "30 d", seconds: 30 * DAY }, all: ALL };
  if (length >= HOUR) return { hour: { text: "1 d", seconds: DAY }, six: { text: "7 d", seconds: 7 * DAY }, all: ALL };
  return { hour: { text: "1 h", seconds: HOUR }, six: { text: "6 h", seconds: 6 * HOUR }, all: ALL };
}

const texts = (choices) => Object.fromEntries(Object.entries(choices).map(([name, { text }]) => [name, text]));
const MEASURES = { valence: "Valence", negative: "Negative posts" };
const FORMS = { stream: "Stream", lines: "Lines" };

/** When a window began, as short as it can be said. */
const moment = (window, length) => (length >= DAY ? shortDay(window.start) : `${length ? `${shortDay(window.start)}, ` : ""}${time(window.start)}`);

/** Replace what a choice holds; whoever had its button in hand has it still. */
function keepFocus(choice, children) {
  const held = choice.contains(document.activeElement) ? document.activeElement.dataset.value : null;
  choice.replaceChildren(...children);
  if (held !== null) choice.querySelector(`[data-value="${held}"]`)?.focus();
}

const key = (token, text) => el("span", {}, el("span", { class: "swatch", "--swatch": `var(${token})` }), text);

export class Captions {
  constructor(board) {
    this.board = board;
    this.store = board.store;
    this.readouts = {};
    this.windows = el("span", { class: "choice" });
    this.range = el("span", { class: "choice" });
    this.chips = el("div", { class: "chips", role: "group", "aria-label": "Emotions shown" });
  }

  of(name) {
    return el("figcaption", {}, ...this[`_${name}`]());
  }

  render() {
    const { window } = this.store;
    if (!window) return;
    this.#choices();
    for (const [name, readout] of Object.entries(this.readouts)) {
      const [value, note] = this.board.parts[name].readout(this.board, window);
      setText(readout.at, `${moment(window, this.store.length)} UTC `);
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
      this.windows,
      this.range,
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

  /** Which windows can be drawn, and how far back: made anew where that has changed. */
  #choices() {
    const { length, lengths, view } = this.store;
    const offered = [lengths, length].join("|");
    if (offered === this.offered) return;
    this.offered = offered;
    const names = Object.fromEntries([0, ...lengths].map((one) => [one, NAMES[one] ?? duration(one)]));
    keepFocus(this.windows, lengths.length === 0 ? [] :
      [segmented("Windows drawn", names, String(length), (chosen) => this.store.drawLength(Number(chosen)))]);
    keepFocus(this.range, [segmented("Time shown", texts(rangesOf(length)), view.range, (range) => this.store.set({ range }))]);
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
