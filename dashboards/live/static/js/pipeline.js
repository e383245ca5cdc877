// How far posts got through the pipeline, and what became of the others.
import { byId, el, reconcile, setText } from "./dom.js";
import { clock, lag, whole } from "./format.js";

const FLOW = { read: "Read", cleaned: "Cleaned", readings: "Readings", trends: "Trend panes", alerts: "Alert states" };
const POST_STAGES = new Set(["read", "cleaned", "readings"]);
const LONGEST_LAG_SECONDS = 6 * 3600; // beyond it a run reads history, not the present

export const total = (causes) => causes.reduce((sum, cause) => sum + cause.count, 0);

function losses(stages) {
  return [
    ["Duplicates dropped", stages.duplicates],
    ["Named no watched brand", stages.unmatched],
    ["Dead letters", total(stages.dead_letters)],
    ["Images not usable", total(stages.media_faults)],
    ...(stages.sink_retries ? [["Writes repeated", stages.sink_retries]] : []),
  ];
}

export class Pipeline {
  constructor(store) {
    this.store = store;
    this.losses = el("dl", { class: "losses" });
    byId("losses").append(this.losses);
    setInterval(() => this.#showLag(), 1000);
  }

  render(topics) {
    if (!topics.has("run")) return;
    this.#showLag();
    if (!this.store.stages || this.store.stages === this.drawn) return;
    this.drawn = this.store.stages;
    reconcile(byId("flow"), Object.keys(FLOW), (stage) => stage, (stage) => this.#create(stage),
      (row, stage) => this.#update(row, stage));
    const rows = losses(this.drawn);
    this.losses.replaceChildren(...rows.flatMap(([name, count]) => [el("dt", {}, name), el("dd", {}, whole(count))]));
  }

  #create(stage) {
    const bar = el("span", { class: "flow-bar" }, el("span"));
    bar.style.visibility = POST_STAGES.has(stage) ? "visible" : "hidden";
    return el("li", {}, el("span", { class: "flow-name" }, FLOW[stage]), bar, el("span", { class: "flow-count" }));
  }

  #update(row, stage) {
    const count = this.drawn[stage];
    const part = Math.min(1, count / Math.max(1, this.drawn.read));
    row.querySelector(".flow-bar").style.setProperty("--part", `${part * 100}%`);
    setText(row.querySelector(".flow-count"), whole(count));
  }

  #showLag() {
    const { run } = this.store;
    setText(byId("lag"), this.#lagText(run));
    byId("lag").title = "How far behind the clock the watermark stands: posts older than it count as late.";
  }

  #lagText(run) {
    if (run?.watermark === null || run?.watermark === undefined) return "no watermark yet";
    const behind = Date.now() / 1000 - run.watermark;
    const mark = `watermark ${clock(run.watermark)} UTC`;
    if (run.unreadable_lines) return `${mark} · ${whole(run.unreadable_lines)} unreadable lines`;
    if (run.speed || Math.abs(behind) > LONGEST_LAG_SECONDS) return mark;
    return `${mark} · lag ${lag(behind)}`;
  }
}
