// Which model reads, and the card that tells of it: elements that the server found in Markdown, never markup.
import { leadBack, showAlone } from "./alone.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { portion, whole } from "./format.js";
import { linkToModel } from "./route.js";

const HOW = "A card is a Markdown file, card.md, in the checkpoint\u2019s folder; its first heading names the model. "
  + "docs/models.md, \u201cModel cards\u201d, says how to write one.";

/** An element of a card. What may be wide can be scrolled, by keyboard too. */
function build(node) {
  if (typeof node === "string") return node;
  const [tag, href, children] = node;
  const made = el(tag, href ? { href, rel: "noreferrer" } : {}, children.map(build));
  if (tag === "table") return el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Table" }, made);
  return tag === "pre" ? el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Code" }, made) : made;
}

export class ModelCard {
  constructor(store) {
    this.store = store;
    this.root = byId("model-view");
    this.asked = null;
  }

  render(topics) {
    if (!["model", "brand", "run", "windows"].some((topic) => topics.has(topic))) return;
    const { model, brand } = this.store;
    const shown = model !== null;
    leadBack(byId("model-back"), brand);
    if (shown !== (this.shown ?? false)) showAlone(this.root, shown, this.shown ?? false);
    this.shown = shown;
    if (shown && this.store.id) this.#draw(model || this.#inUse);
  }

  /** The model of the newest window; where there is none, the one that read most. */
  get #inUse() {
    const newest = this.store.lastHour().reduce((last, window) => (last && last.start > window.start ? last : window), null);
    return newest?.model || this.store.stages?.readers[0]?.model || null;
  }

  #draw(chosen) {
    const inUse = this.#inUse;
    setText(byId("model-lead"), this.#lead(chosen, inUse));
    this.#drawReaders(chosen);
    if (chosen !== this.asked) this.#ask(chosen);
  }

  #lead(chosen, inUse) {
    if (chosen === null) return "No post has been read yet.";
    const readings = this.#readers.find((reader) => reader.model === chosen)?.readings ?? 0;
    const made = readings ? ` It made ${whole(readings)} readings of this run.` : "";
    if (chosen === inUse) return `${chosen} reads the posts.${made}`;
    return `${chosen} is not the model that reads now${inUse ? `, which is ${inUse}` : ""}.${made}`;
  }

  get #readers() {
    return this.store.stages?.readers ?? [];
  }

  /** Links to each model that read, where it was more than one. */
  #drawReaders(chosen) {
    const readers = this.#readers.length > 1 ? this.#readers : [];
    const all = readers.reduce((sum, reader) => sum + reader.readings, 0);
    reconcile(byId("readers"), readers, (reader) => reader.model,
      (reader) => el("li", {}, el("a", { href: linkToModel(reader.model) }, reader.model), " ", el("span", { class: "quiet" })),
      (row, reader) => {
        row.firstElementChild.toggleAttribute("data-chosen", reader.model === chosen);
        setText(row.lastElementChild, `${portion(reader.readings, all)} of the readings`);
      });
  }

  async #ask(model) {
    this.asked = model;
    byId("card").replaceChildren();
    if (model === null) return setText(byId("card-state"), "");
    setText(byId("card-state"), "Its card is being fetched.");
    const answer = await fetch(`/api/card?${new URLSearchParams({ model })}`).catch(() => null);
    const told = answer?.ok ? await answer.json() : null;
    if (this.asked !== model) return;
    if (!told) {
      this.asked = undefined; // the next update asks again
      return setText(byId("card-state"), "Its card could not be fetched.");
    }
    byId("card").replaceChildren(...told.card.map(build));
    setText(byId("card-state"), told.card.length ? "" : this.#missing(model, told.others));
  }

  #missing(model, others) {
    const known = others.length ? ` Those that are here tell of other models: ${others.join(", ")}.` : "";
    return `There is no card of ${model} here.${known} ${HOW}`;
  }
}
