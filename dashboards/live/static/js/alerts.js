// The alerts panel: worst first, each with why and what to do.
import { byId, el, reconcile, segmented, setText } from "./dom.js";
import { Facts } from "./facts.js";
import { duration, seconds, time, words } from "./format.js";
import { said } from "./handling.js";
import { linkToAlert } from "./route.js";
import { markSeverity, STATUS } from "./severity.js";
import { byUrgency } from "./store.js";

const SHOWN = 30;
const SHOWN_POSTS = 2; // so that the advice stays in sight

function body(alert) {
  const facts = new Facts(alert, "h4");
  const open = el("a", { class: "open-incident", href: linkToAlert(alert.alert_id) }, "Open the incident");
  return [facts.terms(), facts.evidence(SHOWN_POSTS), facts.advice(), facts.signals(), open].filter(Boolean);
}

export class Alerts {
  constructor(store) {
    this.store = store;
    this.list = byId("alerts");
    byId("alerts-filter").append(segmented("Whose alerts", { all: "All", brand: "This brand" },
      store.view.alerts, (alerts) => store.set({ alerts })));
  }

  render(topics) {
    if (!["alerts", "feedback", "view", "brand", "run"].some((topic) => topics.has(topic))) return;
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
    const handled = this.store.handling(alert.alert_id).map((feedback) => ` · ${said(feedback)}`).join("");
    setText(card.querySelector(".alert-meta b"), STATUS[alert.status]);
    setText(card.querySelector(".alert-meta span"),
      `${alert.title.startsWith(alert.brand) ? "" : ` · ${alert.brand}`} · ${words(alert.kind)} · since ${time(since)} UTC, ${duration(until - since)}${handled}`);
    if (card.dataset.revision === `${alert.revision}${alert.final}`) return;
    card.dataset.revision = `${alert.revision}${alert.final}`;
    card.toggleAttribute("data-firing", firing);
    markSeverity(card.querySelector(".severity"), alert.severity);
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
