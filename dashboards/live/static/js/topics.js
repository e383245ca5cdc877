// What people talk about in the newest hours of the chosen brand; the posts of a topic come once it is opened.
import { moodColour } from "./colours.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { moodWord, numberOfPosts, percent, portion, seconds, signed, span, time, whole } from "./format.js";
import { postItem } from "./posts.js";

const SHOWN = 8;
const OTHER = "other";
const HINT = "The share of negative posts and the valence are over posts that the model was sure of";

/** Each topic once, as of the newest hour that it was in. */
function newest(hours) {
  const found = new Map();
  for (const topic of hours.flat()) {
    if (topic.topic_id !== OTHER && !found.has(topic.topic_id)) found.set(topic.topic_id, topic);
  }
  return [...found.values()];
}

const name = (topic) => topic.terms.join(", ") || "no telling words";

export class Topics {
  constructor(store) {
    this.store = store;
    this.list = byId("topics");
  }

  render(topics) {
    if (!["topics", "brand"].some((topic) => topics.has(topic))) return;
    const hours = this.store.hoursOfTopics();
    const [hour] = hours;
    byId("topics-panel").hidden = !hour?.length;
    if (!hour?.length) return this.list.replaceChildren();
    const start = seconds(hour[0].window_start);
    setText(byId("topics-hour"), span(start, seconds(hour[0].window_end)));
    reconcile(this.list, newest(hours).slice(0, SHOWN), (topic) => `${topic.brand}|${topic.topic_id}`,
      (topic) => this.#create(topic), (item, topic) => this.#update(item, topic, seconds(topic.window_start) < start));
    const other = hour.find((topic) => topic.topic_id === OTHER);
    setText(byId("topics-other"), other
      ? `${portion(other.posts, other.posts_of_hour)} of ${whole(other.posts_of_hour)} posts are about nothing that many share.` : "");
  }

  #create(topic) {
    const posts = el("ul", { class: "post-list" });
    return el("li", { class: "topic" }, el("details", {
      ontoggle: (event) => event.target.open && this.#fetch(event.target.closest("li"), posts) },
    el("summary", {}, el("span", { class: "topic-name" }, el("b"), el("span", { class: "topic-new" }, "new")),
      el("span", { class: "topic-facts", title: HINT })), posts));
  }

  #update(item, topic, isPast) {
    item.topic = topic;
    item.toggleAttribute("data-past", isPast);
    item.style.setProperty("--mood", moodColour(topic.valence.mean));
    setText(item.querySelector("b"), name(topic));
    item.querySelector(".topic-new").hidden = !topic.is_new;
    setText(item.querySelector(".topic-facts"), [
      numberOfPosts(topic.posts), `${moodWord(topic.valence.mean)} ${signed(topic.valence.mean)}`,
      `${percent(topic.share_negative.mean)} negative`,
      isPast ? `last at ${time(seconds(topic.window_start))}` : `since ${time(seconds(topic.first_seen))} UTC`].join(" · "));
    if (item.querySelector("details").open) this.#fetch(item, item.querySelector("ul"));
  }

  async #fetch(item, list) {
    const { topic } = item;
    const wanted = `${topic.window_start}|${topic.pane_index}|${topic.final}`;
    if (item.dataset.shown === wanted) return;
    item.dataset.shown = wanted;
    const query = new URLSearchParams({ brand: topic.brand, start: seconds(topic.window_start), topic: topic.topic_id });
    const answer = await fetch(`/api/topic?${query}`).catch(() => null);
    if (!answer?.ok) return delete item.dataset.shown;
    const posts = await answer.json();
    if (item.dataset.shown === wanted) reconcile(list, posts, (post) => `${post.channel}/${post.post_id}`, postItem);
  }
}
