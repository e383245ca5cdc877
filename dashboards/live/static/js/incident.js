// One incident by itself: its course, what people did about it, its evidence and the advice.
import { Actions } from "./actions.js";
import { leadBack, showAlone } from "./alone.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { Facts } from "./facts.js";
import { day, duration, seconds, sentence, time, words } from "./format.js";
import { said, saidAt } from "./handling.js";
import { linkTo } from "./route.js";
import { markSeverity, STATUS } from "./severity.js";

const TOPICS = ["alerts", "feedback", "incident", "run"];
const SHOWN_POSTS = 6;

/** What a state of an alert was against the one before. */
function turned(turn, before) {
  if (turn.status !== "firing") return STATUS[turn.status];
  if (!before) return "First told";
  if (before.status !== "firing") return "Fires again";
  return turn.severity > before.severity ? "Graver" : "Milder";
}

export class Incident {
  constructor(store) {
    this.store = store;
    this.root = byId("incident");
    this.actions = new Actions(store);
    byId("incident-actions").append(this.actions.root);
  }

  render(topics) {
    if (!TOPICS.some((topic) => topics.has(topic))) return;
    const { incident } = this.store;
    this.#turnTo(incident);
    if (incident === null || !this.store.id) return;
    const alert = this.store.alerts.get(incident);
    byId("incident-missing").hidden = alert !== undefined;
    byId("incident-body").hidden = alert === undefined;
    byId("incident-moment").hidden = alert === undefined;
    this.root.toggleAttribute("data-missing", alert === undefined);
    leadBack(byId("incident-back"), alert?.brand);
    if (!alert) return setText(byId("incident-title"), "No such alert");
    this.#showHead(alert);
    this.#showHandling(alert);
    const state = `${alert.alert_id}|${alert.revision}|${alert.final}`;
    if (state === this.drawn) return;
    this.drawn = state;
    this.#showFacts(alert);
    this.#fetchCourse(alert, state);
  }

  /** Open, close or change the view; the reader's focus goes along. */
  #turnTo(incident) {
    if (incident === this.shown) return;
    const before = this.shown ?? null;
    this.shown = incident;
    this.drawn = null;
    showAlone(this.root, incident !== null, before !== null);
    this.actions.reset();
    if (incident !== null) setText(byId("incident-title"), "Incident");
  }

  #showHead(alert) {
    const firing = alert.status === "firing";
    const since = seconds(alert.since);
    const until = firing ? this.store.eventTime ?? seconds(alert.updated_at) : seconds(alert.resolved_at ?? alert.updated_at);
    this.root.toggleAttribute("data-firing", firing);
    markSeverity(byId("incident-severity"), alert.severity);
    setText(byId("incident-title"), alert.title);
    setText(byId("incident-status"), STATUS[alert.status]);
    setText(byId("incident-meta"),
      ` · ${alert.brand} · ${words(alert.kind)} · since ${day(since)} ${time(since)} UTC, ${duration(until - since)}`);
    byId("incident-moment").setAttribute("href", linkTo(alert.brand, since));
  }

  #showHandling(alert) {
    const list = this.store.handling(alert.alert_id);
    byId("handling-empty").hidden = list.length > 0;
    reconcile(byId("handling"), list, (feedback) => `${feedback.action}/${feedback.at}`, (feedback) =>
      el("li", {}, el("span", { class: "when" }, saidAt(feedback)),
        el("span", {}, sentence(said(feedback)), feedback.note ? el("q", {}, feedback.note) : null)));
    byId("incident-actions").hidden = !this.store.acts;
    byId("incident-readonly").hidden = this.store.acts;
  }

  #showFacts(alert) {
    const facts = new Facts(alert, "h3");
    const parts = [facts.advice(), facts.terms(), facts.evidence(SHOWN_POSTS), facts.signals()];
    byId("incident-facts").replaceChildren(...parts.filter(Boolean));
  }

  async #fetchCourse(alert, state) {
    const answer = await fetch(`/api/turns?${new URLSearchParams({ alert: alert.alert_id })}`).catch(() => null);
    if (!answer?.ok || this.drawn !== state) return;
    const turns = await answer.json();
    const row = (when, what) => el("li", {}, el("span", { class: "when" }, `${time(seconds(when))} UTC`), el("span", {}, what));
    byId("course").replaceChildren(row(alert.since, "Began"), ...turns.map((turn, place) =>
      row(turn.at, `${turned(turn, turns[place - 1])}, severity ${turn.severity}`)));
  }
}
