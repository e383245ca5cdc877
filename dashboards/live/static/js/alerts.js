// The alerts panel: worst first, each with why and what to do.
import { byId, el, reconcile, segmented, setText } from "./dom.js";
import { duration, seconds, signed, percent, time, whole, words } from "./format.js";
import { alphaLegend, postItem } from "./posts.js";
import { byUrgency } from "./store.js";

const SHOWN = 30;
const SHOWN_POSTS = 2;
const HIGH_SEVERITY = 7;
const STATUS = { firing: "Firing", resolved: "Resolved", withdrawn: "Withdrawn" };

const SIGNALS = { volume: "People posting", share_negative: "Share negative", image_valence: "Valence of images" };
const STEP = / (?=\d+\. )| (?=Wording to start from:)/;

/** A signal's number in the unit that its name says. */
function measured(name, value) {
  if (/share|ratio/.test(name)) return percent(value);
  return /valence/.test(name) ? signed(value) : whole(Math.round(value));
}

function signals(alert) {
  const row = (signal) => el("tr", {}, el("th", { scope: "row" }, SIGNALS[signal.name] ?? words(signal.name)),
    el("td", {}, measured(signal.name, signal.value)), el("td", {}, measured(signal.name, signal.expected)),
    el("td", {}, signal.score.toFixed(1)));
  const head = ["Signal", "Seen", "Expected", "Score"].map((name) => el("th", { scope: "col" }, name));
  return el("table", { class: "signals" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, alert.signals.map(row)));
}

const part = (title, ...content) => el("div", {}, el("h4", {}, title), ...content);
const posts = (list) => el("ul", { class: "post-list" }, list.map(postItem));

/** The first posts at once, so that the advice stays in sight; the others on request. */
function evidence(list) {
  const [first, rest] = [list.slice(0, SHOWN_POSTS), list.slice(SHOWN_POSTS)];
  const more = rest.length ? el("details", { class: "more" },
    el("summary", {}, `${rest.length} more ${rest.length === 1 ? "post" : "posts"}`), posts(rest)) : null;
  return part("Evidence", posts(first), more, alphaLegend());
}

function advice(alert) {
  return el("div", { class: "advice" }, el("h4", {}, "Recommended"),
    alert.recommendation.split(STEP).map((step) => el("p", {}, step)),
    alert.playbook ? el("p", { class: "quiet" }, `Playbook: ${alert.playbook}`) : null);
}

const terms = (list) => part("What the posts speak of",
  el("ul", { class: "terms" }, list.map((term) => el("li", {}, term))));

function body(alert) {
  return [
    alert.cause_terms.length ? terms(alert.cause_terms) : null,
    alert.evidence.length ? evidence(alert.evidence) : null,
    alert.recommendation ? advice(alert) : null,
    alert.signals.length ? part("What departed from normal", signals(alert)) : null,
  ].filter(Boolean);
}

export class Alerts {
  constructor(store) {
    this.store = store;
    this.list = byId("alerts");
    byId("alerts-filter").append(segmented("Whose alerts", { all: "All", brand: "This brand" },
      store.view.alerts, (alerts) => store.set({ alerts })));
  }

  render(topics) {
    if (!["alerts", "view", "brand", "run"].some((topic) => topics.has(topic))) return;
    const { view, brand } = this.store;
    const shown = [...this.store.alerts.values()].sort(byUrgency)
      .filter((alert) => view.alerts === "all" || alert.brand === brand).slice(0, SHOWN);
    const firing = shown.filter((alert) => alert.status === "firing").length;
    setText(byId("alerts-count"), firing ? `${firing} firing` : "");
    byId("alerts-empty").hidden = shown.length > 0;
    reconcile(this.list, shown, (alert) => alert.alert_id, () => this.#create(), (card, alert) => this.#update(card, alert));
    this.#openFirst(shown[0]);
  }

  #create() {
    return el("li", { class: "alert" }, el("details", {},
      el("summary", {}, el("span", { class: "severity" }), el("h3"), el("p", { class: "alert-meta" }, el("b"), el("span"))),
      el("div", { class: "alert-body" })));
  }

  #update(card, alert) {
    const firing = alert.status === "firing";
    const until = firing ? this.store.eventTime ?? seconds(alert.updated_at) : seconds(alert.resolved_at ?? alert.updated_at);
    const since = seconds(alert.since);
    setText(card.querySelector(".alert-meta b"), STATUS[alert.status]);
    setText(card.querySelector(".alert-meta span"),
      `${alert.title.startsWith(alert.brand) ? "" : ` · ${alert.brand}`} · ${words(alert.kind)} · since ${time(since)} UTC, ${duration(until - since)}`);
    if (card.dataset.revision === `${alert.revision}${alert.final}`) return;
    card.dataset.revision = `${alert.revision}${alert.final}`;
    card.toggleAttribute("data-firing", firing);
    const severity = card.querySelector(".severity");
    severity.toggleAttribute("data-high", alert.severity >= HIGH_SEVERITY);
    severity.setAttribute("aria-label", `Severity ${alert.severity} of 10`);
    severity.title = `Severity ${alert.severity} of 10`;
    setText(severity, String(alert.severity));
    setText(card.querySelector("h3"), alert.title);
    card.querySelector(".alert-body").replaceChildren(...body(alert));
  }

  /** The worst firing alert opens by itself, once; after that the reader decides. */
  #openFirst(alert) {
    if (alert?.status !== "firing" || this.opened === alert.alert_id) return;
    this.opened = alert.alert_id;
    this.list.firstElementChild.querySelector("details").open = true;
  }
}
