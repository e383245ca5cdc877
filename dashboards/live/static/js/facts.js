// What is known of an alert, part by part: its words, its posts, the advice, the numbers behind it.
import { el } from "./dom.js";
import { percent, signed, whole, words } from "./format.js";
import { alphaLegend, postItem } from "./posts.js";

const SIGNALS = { volume: "People posting", share_negative: "Share negative", image_valence: "Valence of images" };
const STEP = / (?=\d+\. )| (?=Wording to start from:)/;

/** A signal's number in the unit that its name says. */
function measured(name, value) {
  if (/share|ratio/.test(name)) return percent(value);
  return /valence/.test(name) ? signed(value) : whole(Math.round(value));
}

function signalTable(alert) {
  const row = (signal) => el("tr", {}, el("th", { scope: "row" }, SIGNALS[signal.name] ?? words(signal.name)),
    el("td", {}, measured(signal.name, signal.value)), el("td", {}, measured(signal.name, signal.expected)),
    el("td", {}, signal.score.toFixed(1)));
  const head = ["Signal", "Seen", "Expected", "Score"].map((name) => el("th", { scope: "col" }, name));
  return el("table", { class: "signals" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, alert.signals.map(row)));
}

const posts = (list) => el("ul", { class: "post-list" }, list.map(postItem));

/** The first posts at once, the others on request. */
function evidence(list, shown) {
  const [first, rest] = [list.slice(0, shown), list.slice(shown)];
  const more = rest.length ? el("details", { class: "more" },
    el("summary", {}, `${rest.length} more ${rest.length === 1 ? "post" : "posts"}`), posts(rest)) : null;
  return [posts(first), more, alphaLegend()];
}

const terms = (list) => el("ul", { class: "terms" }, list.map((term) => el("li", {}, term)));

/** Parts of an alert under headings of a level such as `h4`; those that hold nothing are left out. */
export class Facts {
  constructor(alert, heading) {
    this.alert = alert;
    this.heading = heading;
  }

  #part(title, kind, ...content) {
    return el("div", { class: kind }, el(this.heading, {}, title), ...content);
  }

  terms() {
    const { cause_terms: list } = this.alert;
    return list.length ? this.#part("What the posts speak of", null, terms(list)) : null;
  }

  evidence(shown) {
    const { evidence: list } = this.alert;
    return list.length ? this.#part("Evidence", null, ...evidence(list, shown)) : null;
  }

  advice() {
    const { recommendation, playbook } = this.alert;
    if (!recommendation) return null;
    return this.#part("Recommended", "advice", recommendation.split(STEP).map((step) => el("p", {}, step)),
      playbook ? el("p", { class: "quiet" }, `Playbook: ${playbook}`) : null);
  }

  signals() {
    return this.alert.signals.length ? this.#part("What departed from normal", null, signalTable(this.alert)) : null;
  }
}
