// What the page knows: the server's updates folded in, and what the reader chose to look at.
import { seconds } from "./format.js";
import { linkTo, readRoute } from "./route.js";

const HOUR_SECONDS = 3600;
const TOPIC_HOURS = 3; // of a brand, as the server keeps
const NO_WINDOWS = [];

export class Store extends EventTarget {
  constructor() {
    super();
    this.view = { range: "all", measure: "valence", emotions: "stream", hidden: new Set(),
      alerts: "all", dimension: "channel" };
    const route = readRoute();
    this.view.length = route?.length ?? 0; // seconds of the long windows that are drawn; 0 for the short ones
    this.chosen = route?.brand ?? null;
    this.incident = route?.alert ?? null;
    this.search = route?.search ?? null;
    this.quality = route?.quality ?? false;
    this.model = route?.model ?? null; // the version that is asked for; empty for the one that reads now
    this.connection = "connecting";
    this.cursor = null;
    this.pinned = route?.at ?? null;
    this.explains = false;
    this.acts = false;
    this.searches = false;
    this.clear();
  }

  clear() {
    this.series = new Map();
    this.rollups = new Map(); // by length in seconds, then by brand
    this.alerts = new Map();
    this.feedback = new Map();
    this.topics = new Map();
    this.run = null;
    this.stages = null;
    this.followed = null;
  }

  /** Fold one update in; updates may repeat. */
  apply(update) {
    const before = this.brand;
    if (update.reset) this.clear();
    if (update.fields.length) this.fields = update.fields;
    this.limits = update.limits;
    this.id = update.id;
    this.explains = update.explains;
    this.acts = update.acts;
    this.searches = update.searches;
    for (const row of update.windows) this.#keep(this.#named(row));
    for (const row of update.rollups) this.#keepLong(this.#named(row), update.rollup_limit);
    for (const alert of update.alerts) this.alerts.set(alert.alert_id, alert);
    for (const given of update.feedback) this.feedback.set(`${given.alert_id}|${given.action}`, given);
    for (const topic of update.topics) this.#learn(topic);
    this.run = update.run ?? this.run;
    this.stages = update.stages ?? this.stages;
    this.#follow();
    const topics = { windows: update.windows.length + update.rollups.length, alerts: update.alerts.length || update.reset,
      feedback: update.feedback.length, topics: update.topics.length || update.reset, brand: this.brand !== before, run: true };
    this.changed(...Object.keys(topics).filter((topic) => topics[topic]));
  }

  changed(...topics) {
    this.dispatchEvent(new CustomEvent("change", { detail: topics }));
  }

  set(changes) {
    Object.assign(this.view, changes);
    this.changed("view");
  }

  /** Draw windows of another length; 0 for the short ones. */
  drawLength(length) {
    this.view.length = length;
    this.cursor = null;
    this.#tellAddress();
    this.changed("windows", "view", "pinned");
  }

  choose(brand) {
    this.chosen = brand;
    this.pinned = null;
    this.#tellAddress();
    this.changed("windows", "alerts", "brand");
  }

  /** Look at what the address says, after a link was followed or the address was changed. */
  turnToAddress() {
    const route = readRoute();
    if (!route) return; // a place within the page
    this.chosen = route.brand ?? this.chosen;
    this.pinned = route.at;
    this.view.length = route.length;
    this.incident = route.alert;
    this.search = route.search;
    this.quality = route.quality;
    this.model = route.model;
    this.changed("windows", "alerts", "brand", "view", "pinned", "incident", "search", "quality", "model");
  }

  point(place, value) {
    if (this[place] === value) return;
    this[place] = value;
    if (place === "pinned") this.#pin();
    this.changed(place);
  }

  /** The chosen brand; until one is chosen, the one with the worst alert. */
  get brand() {
    return this.series.has(`${this.chosen}||`) ? this.chosen : this.followed;
  }

  get brands() {
    return [...this.series.keys()].filter((key) => key.endsWith("||"))
      .map((key) => key.slice(0, -2)).sort((a, b) => a.localeCompare(b));
  }

  /** Windows of a brand, oldest first; of all its posts, or of one slice of them. */
  windows(brand = this.brand, dimension = "", value = "") {
    return this.series.get(`${brand}|${dimension}|${value}`) ?? [];
  }

  /** Lengths of the long windows that the chosen brand has, the shortest first. */
  get lengths() {
    return [...this.rollups.keys()].filter((length) => this.rollups.get(length).has(this.brand)).sort((a, b) => a - b);
  }

  /** The length that is drawn: the chosen one, if the brand has it. */
  get length() {
    return this.lengths.includes(this.view.length) ? this.view.length : 0;
  }

  /** The windows that are drawn, oldest first: short ones, or the hours or days of a brand. */
  drawn(brand = this.brand) {
    return this.length ? this.rollups.get(this.length).get(brand) ?? NO_WINDOWS : this.windows(brand);
  }

  slices(dimension) {
    const prefix = `${this.brand}|${dimension}|`;
    return [...this.series].filter(([key]) => key.startsWith(prefix)).map(([, windows]) => windows);
  }

  /** Windows of the last hour by the posts' time, of all brands: whole, or one dimension's slices of them. */
  lastHour(dimension = "") {
    const kept = [...this.series.values()].filter(([window]) => window.dimension === dimension)
      .map((windows) => windows.filter((window) => window.timing !== "early")).flat();
    const newest = kept.reduce((latest, window) => Math.max(latest, window.start), 0);
    return kept.filter((window) => window.start > newest - HOUR_SECONDS);
  }

  /** The window to speak of: under the cursor, pinned, or the newest that is complete. */
  get window() {
    const at = this.cursor ?? this.pinned;
    const windows = this.drawn();
    return windowAt(windows, at) ?? settled(windows);
  }

  /** What people talk about in the chosen brand's newest hours: the newest hour first, in it the largest topic. */
  hoursOfTopics() {
    const hours = this.topics.get(this.brand) ?? new Map();
    return [...hours].sort(([a], [b]) => b.localeCompare(a)).map(([, topics]) =>
      [...topics.values()].filter((topic) => topic.posts > 0).sort((a, b) => b.posts - a.posts));
  }

  /** Posts of a brand in the drawn window of that span: 0 where nobody posted, null where that is not known. */
  postsIn(start, end, brand = this.brand) {
    const windows = this.drawn(brand);
    const found = windows.findLast((window) => window.start === start); // the newest are asked for most
    if (found) return found.posts;
    return windows[0]?.start < start && !windows.some((window) => window.start < end && window.end > start) ? 0 : null;
  }

  /** By how many posts a window has more than the one before it, and how much that change has grown; null where not known. */
  pace(window) {
    const length = window.end - window.start;
    const [before, earlier] = [1, 2].map((back) => this.postsIn(window.start - back * length, window.end - back * length));
    const velocity = before === null ? null : window.posts - before;
    return { velocity, acceleration: velocity === null || earlier === null ? null : velocity - (before - earlier) };
  }

  /** The part of the posts about all brands that are about the chosen one; null where there is no other. */
  shareOfVoice(window) {
    const all = this.brands.map((brand) => this.postsIn(window.start, window.end, brand) ?? 0).reduce((sum, posts) => sum + posts, 0);
    return this.brands.length > 1 && all ? window.posts / all : null;
  }

  firing(brand) {
    return [...this.alerts.values()].filter((alert) => alert.status === "firing" && alert.brand === brand);
  }

  /** What people did about an alert, oldest first. */
  handling(alertId) {
    return [...this.feedback.values()].filter((given) => given.alert_id === alertId)
      .sort((a, b) => seconds(a.at) - seconds(b.at));
  }

  /** How far the posts' own time has come. */
  get eventTime() {
    return this.run?.watermark ?? this.windows().at(-1)?.end ?? null;
  }

  /** A pinned moment belongs to the brand that it was pinned of, and to the address. */
  #pin() {
    if (this.pinned !== null) this.chosen = this.brand;
    this.#tellAddress();
  }

  #tellAddress() {
    if (this.brand) history.replaceState(null, "", linkTo(this.brand, this.pinned, this.view.length));
  }

  #named(row) {
    return Object.fromEntries(this.fields.map((name, place) => [name, row[place]]));
  }

  #keep(window) {
    const key = `${window.brand}|${window.dimension}|${window.value}`;
    if (!this.series.has(key)) this.series.set(key, []);
    keep(this.series.get(key), window, this.limits[window.dimension ? 1 : 0]);
  }

  #keepLong(window, limit) {
    const length = window.end - window.start;
    if (!this.rollups.has(length)) this.rollups.set(length, new Map());
    const brands = this.rollups.get(length);
    if (!brands.has(window.brand)) brands.set(window.brand, []);
    keep(brands.get(window.brand), window, limit);
  }

  #learn(topic) {
    if (!this.topics.has(topic.brand)) this.topics.set(topic.brand, new Map());
    const hours = this.topics.get(topic.brand);
    if (!hours.has(topic.window_start)) hours.set(topic.window_start, new Map());
    hours.get(topic.window_start).set(topic.topic_id, topic);
    for (const hour of [...hours.keys()].sort().slice(0, -TOPIC_HOURS)) hours.delete(hour);
  }

  #follow() {
    const worst = (brand) => Math.max(0, ...this.firing(brand).map((alert) => alert.severity));
    const brands = this.brands;
    this.followed = brands.includes(this.followed) ? this.followed : brands[0] ?? null;
    for (const brand of brands) if (worst(brand) > worst(this.followed)) this.followed = brand;
  }
}

/** Put a window where its start belongs, in the place of an earlier state of it; the oldest go. */
function keep(windows, window, limit) {
  let place = windows.length;
  while (place > 0 && windows[place - 1].start >= window.start) place -= 1;
  windows.splice(place, windows[place]?.start === window.start ? 1 : 0, window);
  if (windows.length > limit) windows.splice(0, windows.length - limit);
}

/** The newest window whose end the watermark has passed, or the newest of all. */
export function settled(windows) {
  return windows.findLast((window) => window.timing !== "early") ?? windows.at(-1) ?? null;
}

/** Firing first, then the worse, then the newer. */
export function byUrgency(a, b) {
  const firing = (alert) => Number(alert.status === "firing");
  return firing(b) - firing(a) || (firing(a) ? b.severity - a.severity : 0) || seconds(b.since) - seconds(a.since);
}

/** The window that began at a time, or the last one before it. */
export function windowAt(windows, at) {
  return at === null ? null : windows.findLast((window) => window.start <= at) ?? null;
}
