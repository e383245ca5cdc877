// The bar where one types or says what one wants to see. It knows no state of its own: commands are made when it opens.
import { commandsOf, PANELS, suggest } from "./commands.js";
import { byId, el, setText } from "./dom.js";
import { wordsOf } from "./matching.js";
import { linkTo } from "./route.js";
import { setUpVoice } from "./voice.js";

const NOTHING = "Nothing here is called that.";
const WORD = /([\p{L}\p{M}\p{N}]+)/u;

/** What stands on the page and can be asked for by its own words. */
function page() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    panels: Object.keys(PANELS).filter((selector) => !document.querySelector(selector).hidden),
    topics: all("#topics > li").map((item) => ({ key: item.dataset.key, text: item.querySelector("b").textContent })),
    choices: all(".segmented:not([aria-label='Windows drawn']) button").map((button) => ( // lengths have links
      { group: button.parentElement.getAttribute("aria-label"), value: button.dataset.value, text: button.textContent })),
    theme: byId("theme").getAttribute("aria-label"),
  };
}

/** A name with the words marked that were asked for. */
const marked = (name, asked) => name.split(WORD).map((part) => (wordsOf(part).some((word) => asked.has(word)) ? el("mark", {}, part) : part));

/** Why a command is offered beyond what is seen of it: other words that it goes by. */
function reason({ command, words }) {
  const seen = new Set(wordsOf(`${command.name} ${command.kind}`));
  const others = [...words].filter(([word]) => !seen.has(word) && wordsOf(command.name).join("") !== word).map(([, shown]) => shown);
  return others.length ? [" · also ", ...marked(others.join(", "), words)] : [];
}

export class CommandBar {
  constructor(store) {
    this.store = store;
    this.root = byId("command-bar");
    this.input = byId("command");
    this.list = byId("commands");
    this.state = byId("command-state");
    byId("open-bar").addEventListener("click", () => this.open());
    byId("close-bar").addEventListener("click", () => this.root.close());
    addEventListener("keydown", (event) => this.#shortcut(event));
    this.input.addEventListener("input", () => this.#suggest(this.input.value));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("click", (event) => event.target === this.root && this.root.close());
    this.root.addEventListener("close", () => this.voice?.stop());
    setUpVoice(byId("listen"), { hear: (texts, isFinal) => this.#hear(texts, isFinal), say: (text) => setText(this.state, text),
      names: () => this.store.brands }).then((voice) => { this.voice = voice; });
  }

  open() {
    this.commands = commandsOf(this.store, page());
    this.root.showModal();
    this.input.value = "";
    this.#suggest("");
    this.input.focus();
  }

  #shortcut(event) {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (this.root.open) this.root.close();
    else this.open();
  }

  #suggest(text) {
    this.found = suggest(text, this.commands, this.store);
    this.list.replaceChildren(...this.found.map((one, place) => this.#option(one, place)));
    this.list.hidden = this.found.length === 0;
    this.input.setAttribute("aria-expanded", String(this.found.length > 0));
    byId("command-help").hidden = text.trim() !== "";
    const isLost = text.trim() !== "" && this.found.every(({ sure, score }) => !sure && score === 0);
    setText(this.state, isLost ? NOTHING : "");
    this.#choose(text.trim() ? 0 : -1);
  }

  #option(one, place) {
    const { name, kind, key } = one.command;
    return el("li", { role: "option", id: `command-${place}`, "data-key": key, onclick: () => this.#take(one.command) },
      el("span", { class: "command-name", dir: "auto" }, marked(name, one.words)),
      el("span", { class: "command-kind" }, marked(kind, one.words), reason(one)));
  }

  /** Mark one suggestion as the one that Enter takes; -1 for none. */
  #choose(place) {
    this.chosen = place;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    const option = this.list.children[place];
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = this.found.length;
    if (event.isComposing) return;
    if (step && count) this.#choose(this.chosen < 0 ? (step < 0 ? count - 1 : 0) : (this.chosen + step + count) % count);
    else if (event.key === "Enter" && this.found[this.chosen]) this.#take(this.found[this.chosen].command);
    else return;
    event.preventDefault();
  }

  /** What was heard is shown like what is typed; where it is clear what is meant, it is done. */
  #hear(texts, isFinal) {
    const best = texts.map((text) => ({ text, first: suggest(text, this.commands, this.store)[0] }))
      .reduce((a, b) => ((b.first?.score ?? 0) > (a.first?.score ?? 0) ? b : a));
    this.input.value = best.text;
    this.#suggest(best.text);
    if (!isFinal) return setText(this.state, `Heard so far: \u201c${best.text}\u201d`);
    if (best.first?.sure) return this.#take(best.first.command);
    setText(this.state, `Not understood: \u201c${best.text}\u201d. Choose, say it again, or type it.`);
  }

  #take(command) {
    this.root.close();
    setText(byId("announcer"), command.name);
    if (command.href !== undefined) location.hash = command.href;
    else this.#bringToView(command.target);
  }

  /** Press the button or go to the place; where a view hides it, back to the brand first. */
  #bringToView(target) {
    if (document.querySelector(target)?.checkVisibility()) return reveal(target);
    addEventListener("hashchange", () => requestAnimationFrame(() => reveal(target)), { once: true });
    location.hash = linkTo(this.store.brand);
  }
}

function reveal(target) {
  const node = document.querySelector(target);
  if (!node) return;
  if (node.matches("button")) return node.click();
  const details = node.querySelector(":scope > details");
  if (details) details.open = true;
  const place = details?.firstElementChild ?? node;
  if (place.tabIndex < 0) place.tabIndex = -1;
  place.scrollIntoView({ block: "start" });
  place.focus({ preventScroll: true });
}
