// The brands as one group of radio buttons: arrow keys move, each with its mood in small.
import { byId, el, reconcile, setText } from "./dom.js";
import { moodColour } from "./colours.js";
import { moodWord, numberOfPosts, signed } from "./format.js";
import { drawSparkline, sparkline } from "./sparkline.js";
import { settled } from "./store.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
export class Brands {
  constructor(store) {
    this.store = store;
    this.root = byId("brands");
    this.root.addEventListener("keydown", (event) => this.#move(event));
  }

  render(topics) {
    if (!["windows", "alerts", "brand"].some((topic) => topics.has(topic))) return;
    const { brands } = this.store;
    this.root.hidden = brands.length === 0;
    reconcile(this.root, brands, (brand) => brand, (brand) => this.#create(brand),
      (card, brand) => this.#update(card, brand));
    this.#reveal();
  }

  // Where there are more brands than fit, a newly chosen one is brought into sight.
  #reveal() {
    const { brand } = this.store;
    const card = [...this.root.children].find((child) => child.dataset.key === brand);
    if (!card || brand === this.revealed) return;
    this.revealed = brand;
    const [inner, outer] = [card, this.root].map((part) => part.getBoundingClientRect());
    if (inner.left < outer.left || inner.right > outer.right) {
      this.root.scrollLeft += inner.left - outer.left - 16;
    }
  }

  #create(brand) {
    return el("button", { class: "brand", type: "button", role: "radio",
      onclick: () => this.store.choose(brand) },
      el("span", { class: "brand-name" }, el("span", { class: "dot" }), el("span", {}, brand)),
      el("span", { class: "brand-valence" }),
      el("span", { class: "brand-note" }), sparkline(), el("span", { class: "brand-alert" }));
  }

  #update(card, brand) {
    const windows = this.store.windows(brand);
    const newest = settled(windows);
    const worst = Math.max(0, ...this.store.firing(brand).map((alert) => alert.severity));
    const chosen = brand === this.store.brand;
    card.setAttribute("aria-checked", String(chosen));
    card.tabIndex = chosen ? 0 : -1;
    card.style.setProperty("--mood", moodColour(newest.valence));
    card.setAttribute("aria-label", `${brand}: ${moodWord(newest.valence)}, valence ` +
      `${signed(newest.valence)}, ${numberOfPosts(newest.posts)}${worst ? `, alert of severity ${worst}` : ""}`);
    setText(card.querySelector(".brand-valence"), signed(newest.valence));
    setText(card.querySelector(".brand-note"), numberOfPosts(newest.posts));
    setText(card.querySelector(".brand-alert"), worst ? `▲ ${worst}` : "");
    drawSparkline(card.querySelector(".spark"), windows);
  }

  #move(event) {
    const cards = [...this.root.children];
    const from = cards.indexOf(document.activeElement);
    const to = { Home: 0, End: cards.length - 1 }[event.key] ?? from + (STEPS[event.key] ?? 0);
    const next = cards[(to + cards.length) % cards.length];
    if (from < 0 || next === cards[from]) return;
    event.preventDefault();
    this.store.choose(next.dataset.key);
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
