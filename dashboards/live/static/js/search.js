// Posts by words, or like another: asked of the server, and asked again while it is still placing posts.
import { leadBack, showAlone } from "./alone.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { day, numberOfPosts, seconds, signed, whole } from "./format.js";
import { alphaLegend, postItem } from "./posts.js";
import { linkTo, linkToSearch } from "./route.js";

const AGAIN_MILLISECONDS = 1_500;
const TITLES = { text: "By their text", image: "By their image", post: "By all they have" };
const OFF = "This page does not search: whoever serves it turned that off.";

/** A post that was found: also how close it is, and the moment of each brand that it is about. */
function foundItem(found) {
  const { post } = found;
  const at = seconds(post.created_at);
  const moments = found.brands.map((brand) => [" · ", el("a", { href: linkTo(brand, at) }, `${brand} at that moment`)]);
  const item = postItem(post);
  item.append(el("p", { class: "post-meta found-meta" },
    el("span", { title: "Cosine in the space that texts and images share; 1 is the same" }, `closeness ${signed(found.similarity)}`),
    ` · ${day(at)}`, moments.flat(), found.alike ? ` · ${found.alike} more ${found.alike === 1 ? "says" : "say"} the same` : null));
  return item;
}

function list(nearest) {
  return el("div", { class: "found-list" }, el("h3", {}, TITLES[nearest.by]), nearest.found.length
    ? el("ul", { class: "post-list" }, nearest.found.map(foundItem))
    : el("p", { class: "quiet" }, "None yet."));
}

export class Search {
  constructor(store) {
    this.store = store;
    this.root = byId("found");
    this.words = byId("search-words");
    this.legend = alphaLegend();
    this.legend.hidden = true;
    byId("found-lists").after(this.legend);
    byId("search-box").addEventListener("submit", (event) => this.#submit(event));
  }

  render(topics) {
    if (!["search", "brand", "run"].some((topic) => topics.has(topic))) return;
    const { search, brand } = this.store;
    leadBack(byId("found-back"), brand);
    if (search === this.shown && !this.due) return;
    if (search !== this.shown) this.#turnTo(search);
    this.due = search !== null && !this.store.id; // nobody has told yet whether there is a search
    if (search === null || this.due) return;
    if (this.store.searches) this.#ask(search);
    else setText(byId("found-state"), OFF);
  }

  #submit(event) {
    event.preventDefault();
    const words = this.words.value.trim();
    if (!words) return this.words.focus();
    if (location.hash === linkToSearch(words)) this.#ask(this.store.search);
    else location.hash = linkToSearch(words);
  }

  #turnTo(search) {
    const before = this.shown ?? null;
    this.shown = search;
    clearTimeout(this.timer);
    showAlone(this.root, search !== null, before !== null);
    if (search === null) return;
    const words = new URLSearchParams(search).get("words");
    this.words.value = words ?? "";
    setText(byId("found-title"), words === null ? "Posts like this one" : `Posts near \u201c${words}\u201d`);
    this.#clear();
  }

  #clear(why = "") {
    this.drawn = null;
    this.legend.hidden = true;
    for (const part of ["found-like", "found-lists", "found-progress"]) byId(part).replaceChildren();
    setText(byId("found-state"), why);
  }

  async #ask(search) {
    clearTimeout(this.timer);
    const answer = await fetch(`/api/search?${search}`, { cache: "no-store" }).catch(() => null);
    if (this.shown !== search) return;
    if (answer?.status === 429) return this.#askLater(search, "Many searches at once. Trying again in a moment.");
    if (!answer?.ok) return this.#clear(`Not searched: ${answer ? await answer.text() : "the server could not be reached"}.`);
    const found = await answer.json();
    if (this.shown !== search) return;
    this.#show(found);
    if (found.stage === "loading" || found.waiting) this.#askLater(search);
  }

  #askLater(search, why = null) {
    if (why !== null) setText(byId("found-state"), why);
    this.timer = setTimeout(() => (document.hidden ? this.#askLater(search) : this.#ask(search)), AGAIN_MILLISECONDS);
  }

  #show(found) {
    if (found.stage === "loading") return setText(byId("found-state"), "The model loads: a few seconds, at the first search.");
    const known = found.posts + found.waiting;
    setText(byId("found-state"), known ? "" : "This run has no post to be found yet.");
    setText(byId("found-progress"), found.waiting
      ? `Posts are being read, the newest first: ${whole(found.posts)} of ${whole(known)} can be found so far.`
      : known ? `Among the newest ${numberOfPosts(found.posts)} of the run.` : "");
    const drawn = JSON.stringify([found.like, found.nearest]);
    if (drawn === this.drawn) return; // links keep the reader's focus
    this.drawn = drawn;
    reconcile(byId("found-like"), found.like ? [found.like] : [], (post) => `${post.channel}/${post.post_id}`, postItem);
    byId("found-lists").replaceChildren(...(known ? found.nearest.map(list) : []));
    this.legend.hidden = !known;
  }
}
