// Posts that stand for one window: the newest, or the one pinned on the charts.
import { byId, el, reconcile, setText } from "./dom.js";
import { span } from "./format.js";
import { alphaLegend, postItem } from "./posts.js";
import { linkTo } from "./route.js";
import { settled, windowAt } from "./store.js";

export class Voices {
  constructor(store) {
    this.store = store;
    this.shown = "";
    this.unpin = el("button", { class: "chip", type: "button", onclick: () => store.point("pinned", null) }, "Back to newest");
    this.link = el("a", { class: "chip" }, "Link to this moment");
    byId("voices-unpin").append(this.link, this.unpin);
    this.legend = alphaLegend();
    this.legend.hidden = true;
    byId("voices").after(this.legend);
  }

  render(topics) {
    if (!["windows", "brand", "pinned", "view"].some((topic) => topics.has(topic))) return;
    const { brand, pinned, length } = this.store;
    const windows = this.store.drawn();
    const window = windowAt(windows, pinned) ?? settled(windows);
    this.unpin.hidden = this.link.hidden = pinned === null;
    if (!window) return;
    this.link.setAttribute("href", linkTo(brand, window.start, length));
    const wanted = `${brand}|${window.start}|${window.pane}|${length}`;
    if (wanted !== this.shown) this.#fetch(wanted, window, length);
  }

  async #fetch(wanted, window, length) {
    this.shown = wanted;
    const query = new URLSearchParams({ brand: window.brand, start: window.start, ...(length && { seconds: length }) });
    const answer = await fetch(`/api/window?${query}`).catch(() => null);
    if (!answer?.ok || this.shown !== wanted) return;
    const posts = await answer.json();
    setText(byId("voices-window"), span(window.start, window.end));
    this.legend.hidden = posts.length === 0;
    byId("voices-empty").hidden = posts.length > 0;
    reconcile(byId("voices"), posts, (post) => `${post.channel}/${post.post_id}/${post.valence}`, postItem);
  }
}
