// Acknowledge, snooze, judge. The token is typed once for this tab, sent in a header, never in an address.
import { el, setText } from "./dom.js";

const TOKEN = "moodwire-token";
const NAME = "moodwire-name";
const LENGTHS = { 60: "1 hour", 240: "4 hours", 1440: "1 day" };
const VERDICTS = { true: "True alarm", false: "False alarm", duplicate: "Duplicate" };

const field = (label, input) => el("label", { class: "field" }, el("span", {}, label), input);

export class Actions {
  constructor(store) {
    this.store = store;
    this.forgotten = 0; // how often
    this.name = el("input", { type: "text", autocomplete: "username", maxlength: 80, required: true,
      value: localStorage.getItem(NAME) ?? "" });
    this.note = el("input", { type: "text", autocomplete: "off", maxlength: 500 });
    this.token = el("input", { type: "password", autocomplete: "current-password" });
    this.tokenField = field("Token", this.token);
    this.known = el("div", { class: "field" }, el("span", {}, "Token"), this.#button("Forget the token", () => this.#forget("")));
    this.length = el("select", { "aria-label": "How long to snooze" },
      Object.entries(LENGTHS).map(([minutes, label]) => el("option", { value: minutes }, label)));
    this.outcome = el("p", { class: "outcome", role: "status" });
    this.root = el("form", { class: "act", onsubmit: (event) => event.preventDefault() },
      el("div", { class: "fields" }, field("Your name", this.name), field("Note, if any", this.note),
        this.tokenField, this.known), // one in the place of the other: no button moves under the reader's hand
      el("div", { class: "buttons" },
        this.#button("Acknowledge", () => this.#send({ action: "acknowledge" }), "act-main"),
        el("span", { class: "joined" }, this.#button("Snooze", () => this.#snooze()), this.length)),
      el("div", { class: "buttons", role: "group", "aria-label": "Verdict" }, Object.entries(VERDICTS)
        .map(([verdict, label]) => this.#button(label, () => this.#send({ action: "verdict", verdict })))),
      this.outcome);
    this.#showToken();
  }

  /** Say nothing of what was done about another alert. */
  reset() {
    setText(this.outcome, "");
    this.note.value = "";
  }

  #button(label, onclick, kind = "") {
    return el("button", { type: "button", class: `act-button ${kind}`, onclick }, label);
  }

  #snooze() {
    this.#send({ action: "snooze", minutes: Number(this.length.value) });
  }

  #showToken() {
    const known = sessionStorage.getItem(TOKEN) !== null;
    this.tokenField.hidden = known;
    this.token.required = !known;
    this.known.hidden = !known;
  }

  #forget(why) {
    this.forgotten += 1;
    sessionStorage.removeItem(TOKEN);
    this.token.value = "";
    this.#showToken();
    this.#say(why, why !== "");
  }

  #say(text, bad = false) {
    this.outcome.toggleAttribute("data-bad", bad);
    setText(this.outcome, text);
  }

  async #send(asked) {
    if (!this.root.reportValidity()) return;
    const { forgotten } = this;
    const token = sessionStorage.getItem(TOKEN) ?? this.token.value;
    const body = { alert_id: this.store.incident, by: this.name.value.trim(), note: this.note.value.trim(), ...asked };
    this.#say("Sending");
    const answer = await fetch("/api/feedback", {
      method: "POST",
      cache: "no-store",
      credentials: "omit",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    }).catch(() => null); // no server, or a token that no header can hold
    if (answer?.status === 201) return this.#done(forgotten === this.forgotten ? token : null);
    if (answer?.status === 401) return this.#forget("That is not the token.");
    const why = answer ? await answer.text() : "the server could not be reached";
    this.#say(`Not done: ${why}.`, true);
  }

  /** Keep the token that served, unless it was to be forgotten meanwhile. */
  #done(token) {
    if (token !== null) sessionStorage.setItem(TOKEN, token);
    localStorage.setItem(NAME, this.name.value.trim());
    this.token.value = "";
    this.note.value = "";
    this.#showToken();
    this.#say("Noted.");
  }
}
