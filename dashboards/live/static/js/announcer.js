// Says a new alert aloud, once, to whoever listens rather than looks.
import { byId } from "./dom.js";
import { seconds, time, words } from "./format.js";

export class Announcer {
  constructor(store) {
    this.store = store;
    this.known = null;
  }

  render(topics) {
    if (!topics.has("alerts") || !this.store.id) return; // what the first snapshot holds is not new
    const firing = [...this.store.alerts.values()].filter((alert) => alert.status === "firing");
    const fresh = firing.filter((alert) => this.known && !this.known.has(alert.alert_id));
    this.known = new Set([...this.store.alerts.keys()]);
    if (fresh.length) byId("announcer").textContent = fresh.map(sentence).join(" ");
  }
}

const sentence = (alert) =>
  `New alert for ${alert.brand}: ${words(alert.kind)}, severity ${alert.severity} of 10, ` +
  `since ${time(seconds(alert.since))} UTC. ${alert.title}.`;
