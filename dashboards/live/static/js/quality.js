// What of the stream was usable: what became of the posts, what was refused and why, what the rest is worth.
import { leadBack, showAlone } from "./alone.js";
import { byId, el, reconcile, setText } from "./dom.js";
import { portion, sliceName, whole, words } from "./format.js";
import { total } from "./pipeline.js";

const LANGUAGES = 8;
const TOO_LATE = "too_late";

const sum = (list, field) => list.reduce((all, one) => all + one[field], 0);
const listCommand = (cause) => `moodwire dead-letters list out --stage ${cause.stage} --cause ${cause.cause}`;

/** A bar: its name, how many, of how many, and what else is to be said. */
const bar = (name, count, of, note = null) => ({ name, count, of, note });

/** A bar of windows: they overlap, so that a share of their posts means something and a count does not. */
const shareBar = (...parts) => ({ ...bar(...parts), shareAlone: true });

/** What became of each post that was taken in. */
function course(stages, ended) {
  const { read, readings, duplicates } = stages;
  const refused = total(stages.dead_letters);
  const rest = Math.max(0, read - readings - duplicates - refused);
  return [bar("Taken in", read, read), bar("Accepted and read", readings, read), bar("Duplicates dropped", duplicates, read),
    bar("Refused", refused, read), ...(rest ? [bar(ended ? "Not accounted for" : "Still on their way", rest, read)] : [])];
}

const refusals = (stages) => stages.dead_letters.map((cause) =>
  bar(`${words(cause.cause)} · ${cause.stage}`, cause.count, total(stages.dead_letters), listCommand(cause)));

const checks = (stages) => stages.expectations.map((check) => bar(words(check.cause), check.count, stages.cleaned));

/** Posts that were read, and tell less than others. */
function worth(stages, hour) {
  const tooLate = total(stages.dead_letters.filter((cause) => cause.cause === TOO_LATE));
  return [
    ...(hour.length ? [shareBar("The model was not sure (last hour)", sum(hour, "abstained"), sum(hour, "posts"))] : []),
    bar("Named no watched brand", stages.unmatched, stages.readings),
    bar("Too late for any window", tooLate, stages.read),
    ...(stages.late ? [bar("Windows told again for late posts", stages.late, stages.trends)] : []),
    ...stages.media_faults.map((cause) => bar(`Image not used: ${words(cause.cause).toLowerCase()}`, cause.count, stages.read)),
  ];
}

/** Languages of the last hour's posts. */
function languages(hour) {
  const posts = Map.groupBy(hour, (window) => window.value);
  const all = sum(hour, "posts");
  const most = [...posts].map(([code, windows]) => [code, sum(windows, "posts")]).sort((a, b) => b[1] - a[1]);
  return most.slice(0, LANGUAGES).map(([code, count]) => shareBar(sliceName("lang", code), count, all));
}

export class Quality {
  constructor(store) {
    this.store = store;
    this.root = byId("quality-view");
    this.parts = {
      course: this.#part("What became of the posts"),
      refusals: this.#part("Refused, by cause and stage", "Nothing refused: every post could be read.",
        "Shares of the refused. Each command lists its posts; ", el("code", {}, "out"),
        " stands for the run\u2019s folder. For a run on Flink put ", el("code", {}, "--settings FILE"), " in its place."),
      checks: this.#part("Expectations that failed", "Every post that was checked met every expectation.",
        "Shares of the posts that were checked. A post can fail several, and is refused for the first."),
      worth: this.#part("Late, unsure, or of no brand"),
      languages: this.#part("Languages in the last hour", "No window by language yet."),
    };
  }

  render(topics) {
    if (!["quality", "brand", "run", "windows"].some((topic) => topics.has(topic))) return;
    const { quality, brand } = this.store;
    leadBack(byId("quality-back"), brand);
    if (quality !== (this.shown ?? false)) showAlone(this.root, quality, this.shown ?? false);
    this.shown = quality;
    if (quality) this.#draw(this.store.stages);
  }

  #part(title, nothing = "", ...note) {
    const [list, empty] = [el("ul", { class: "bars" }), el("p", { class: "nothing" }, nothing)];
    const remark = el("p", { class: "quiet" }, note);
    byId("quality-parts").append(el("section", { class: "quality-part" }, el("h3", {}, title), list, empty, remark));
    return { list, empty, remark };
  }

  #draw(stages) {
    setText(byId("quality-lead"), this.#lead(stages));
    byId("quality-parts").hidden = !stages;
    if (!stages) return;
    const ended = this.store.run?.status === "ended";
    this.#show("course", stages.read ? course(stages, ended) : []);
    this.#show("refusals", refusals(stages));
    this.#show("checks", checks(stages));
    this.#show("worth", worth(stages, this.store.lastHour()));
    this.#show("languages", languages(this.store.lastHour("lang")));
  }

  #lead(stages) {
    if (!stages?.read) return total(stages?.dead_letters ?? []) || this.store.windows().length
      ? "Nobody counts the posts of this run; here is what its records tell." : "No post has been taken in yet.";
    const refused = total(stages.dead_letters);
    return `${whole(stages.readings)} of ${whole(stages.read)} posts became readings, ${portion(stages.readings, stages.read).replaceAll(" ", "\u00a0")}. `
      + (refused ? `${whole(refused)} ${refused === 1 ? "was" : "were"} refused.` : "Nothing was refused.");
  }

  #show(name, bars) {
    const { list, empty, remark } = this.parts[name];
    empty.hidden = bars.length > 0 || !empty.textContent;
    remark.hidden = bars.length === 0;
    reconcile(list, bars, (one) => one.name, (one) => this.#create(one), (row, one) => this.#update(row, one));
  }

  #create({ note }) {
    return el("li", {}, el("span", { class: "bar-name" }), el("span", { class: "bar-count" }), el("span", { class: "bar-share" }),
      el("span", { class: "flow-bar", "aria-hidden": "true" }, el("span")), note ? el("code", {}, note) : null);
  }

  #update(row, { name, count, of, shareAlone }) {
    const [label, number, share, line] = row.children;
    setText(label, name);
    setText(number, shareAlone ? "" : whole(count));
    setText(share, of ? portion(count, of) : "");
    line.style.setProperty("--part", `${Math.min(1, count / Math.max(1, of)) * 100}%`);
  }
}
