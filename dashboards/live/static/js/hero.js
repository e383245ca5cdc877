// The chosen brand's name and its figures in one window.
import { byId, el, setText } from "./dom.js";
import { moodWord, percent, portion, signed, span, whole } from "./format.js";

const TIMING = { early: "still filling", on_time: "complete", late: "refined by late posts", final: "final" };

const tone = (valence) => (moodWord(valence) === "Mixed" ? "" : valence < 0 ? "negative" : "positive");

const change = (number) => (number === null ? "" : `${number < 0 ? "\u2212" : "+"}${whole(Math.abs(number))}`);

/** What is said of the number of posts. */
function postsHint(window, { velocity, acceleration }) {
  const said = [`${whole(window.clusters)} different texts, seen up to ${whole(window.reach)} times`];
  if (velocity !== null) said.push(`${change(velocity)} against the window before`);
  if (acceleration !== null) said.push(`a change that is itself ${change(acceleration)} against the one before`);
  return said.join("; ");
}

function figures(window, pace, voice) {
  const range = (low, high, text) => `${text(low)} to ${text(high)}`;
  return [
    ["Valence", signed(window.valence), moodWord(window.valence),
      `95 % interval ${range(window.valence_low, window.valence_high, signed)}`,
      tone(window.valence)],
    ["Negative posts", percent(window.negative), "",
      `95 % interval ${range(window.negative_low, window.negative_high, percent)}`],
    ["Posts", whole(window.posts), change(pace.velocity), postsHint(window, pace)],
    ["Share of voice", voice === null ? "–" : portion(window.posts, window.posts / voice), "",
      voice === null ? "There is no other brand" : "Of the posts about all brands in this window"],
    ["Authors", whole(window.authors), "", "Distinct pseudonymous authors"],
    ["With image", percent(window.posts ? window.with_image / window.posts : 0), "",
      window.image_valence === null ? "No image in this window" : `Valence of posts with an image ${signed(window.image_valence)}`],
    ["α image", window.image_weight.toFixed(2), "", "Mean weight of the image in reading posts that have one"],
  ];
}

export class Hero {
  constructor(store) {
    this.store = store;
    this.rows = new Map();
  }

  render(topics) {
    if (!["windows", "brand", "cursor", "pinned"].some((topic) => topics.has(topic))) return;
    const { window, brand } = this.store;
    if (!window) return;
    setText(byId("brand-name"), brand);
    setText(byId("window-label"), `${span(window.start, window.end)} · ${TIMING[window.timing]}`);
    for (const figure of figures(window, this.store.pace(window), this.store.shareOfVoice(window))) this.#show(...figure);
  }

  #show(name, value, note, hint, tone = "") {
    if (!this.rows.has(name)) this.rows.set(name, this.#create(name));
    const row = this.rows.get(name);
    row.title = hint;
    row.querySelector("dd").className = tone;
    setText(row.querySelector("b"), value);
    setText(row.querySelector("small"), note);
  }

  #create(name) {
    const row = el("div", {}, el("dt", {}, name), el("dd", {}, el("b"), el("small")));
    byId("figures").append(row);
    return row;
  }
}
