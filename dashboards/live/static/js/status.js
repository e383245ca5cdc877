// The top line: title, event time, and one word on how things stand.
import { byId, setText } from "./dom.js";
import { clock, day } from "./format.js";

const WORDS = {
  waiting: ["Waiting for posts", "quiet"],
  running: ["Live", "live"],
  stalled: ["Pipeline silent", "trouble"],
  ended: ["Ended", "quiet"],
};

export class Status {
  constructor(store) {
    this.store = store;
  }

  render() {
    const { run, eventTime } = this.store;
    const title = run?.title ?? "Moodwire";
    setText(byId("title"), title);
    document.title = title;
    setText(byId("clock"), eventTime ? `${clock(eventTime)} UTC` : "");
    setText(byId("clock-day"), eventTime ? day(eventTime) : "");
    const [word, tone] = this.#words();
    byId("status").dataset.tone = tone;
    setText(byId("status-text"), word);
  }

  #words() {
    const { connection, run } = this.store;
    if (connection === "connecting") return ["Connecting", "quiet"];
    if (connection === "reconnecting") return ["Reconnecting", "trouble"];
    const [word, tone] = WORDS[run?.status ?? "waiting"];
    const replayed = run?.status === "running" && run.speed;
    return [replayed ? `${word} · replay ${run.speed}×` : word, tone];
  }
}
