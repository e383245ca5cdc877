// The charts' cursor as a slider: arrow keys walk through the windows and have them read aloud.
import { el } from "../dom.js";
import { moodWord, percent, signed, span } from "../format.js";

export class Scrubber {
  constructor(board) {
    this.board = board;
    this.input = el("input", { class: "scrubber", type: "range", min: 0, step: 1,
      "aria-label": "Window on the charts; Enter shows its posts", oninput: () => this.#move(),
      onkeydown: (event) => event.key === "Enter" && board.pin() });
    board.root.prepend(this.input);
  }

  render() {
    const { rows, store } = this.board;
    const place = rows.findIndex((row) => row.start === store.window?.start);
    this.input.max = String(rows.length - 1);
    this.input.value = String(place);
    this.input.setAttribute("aria-valuetext", this.#text(store.window));
  }

  #move() {
    const place = Number(this.input.value);
    if (!this.board.rows[place].empty) this.board.showCursor(place);
  }

  #text(window) {
    if (!window) return "no window yet";
    return `${span(window.start, window.end)}: ${moodWord(window.valence)}, valence ${signed(window.valence)}, ` +
      `${percent(window.negative)} negative, ${window.posts} posts`;
  }
}
