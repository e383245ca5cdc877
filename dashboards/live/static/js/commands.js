// What can be said to the page: each command is a link, or a button or place, that the page has anyway.
import { duration, seconds, time, words } from "./format.js";
import { likeness, rank, termsOf } from "./matching.js";
import { linkTo, linkToAlert, linkToLike, linkToModel, linkToSearch } from "./route.js";
import { STATUS } from "./severity.js";
import { byUrgency } from "./store.js";

const SHOWN = 8;
const A_SLIP = 0.7;
const LIKE_THESE = 12; // posts of alerts that can be asked for by their words
const [HOUR, DAY] = [3_600, 86_400];
const LENGTHS = { 0: ["Minutes", "short"], [HOUR]: ["Hours", "hourly"], [DAY]: ["Days", "daily"] };
const [ALERT, WORST, NEWEST] = ["incident problem issue", "worst gravest severe serious biggest top most", "newest latest last recent"];
const PLACES = ["first", "second", "third", "fourth", "fifth"];
const CHOICES = { "Sliced by": "split break broken down", "Time shown": "last past hours days" };
export const PANELS = {
  "#mood": ["Charts", "mood valence emotions posts graph curve"],
  ".alerts": ["Alerts", "list incidents all"],
  "#topics-panel": ["Topics", "subjects people talk talking"],
  ".slices": ["Where", "by channel language country slices segments markets"],
  ".voices": ["Voices", "posts quotes examples said newest window"],
  ".pipeline": ["Pipeline", "stages counts lag watermark duplicates losses"],
};

const TIME = /(?:\bat\s+)?\b([01]?\d|2[0-3]):([0-5]\d)\b(?:\s*([ap])\.?m\b\.?)?/i;
const BEFORE = /^(?:(?:please|hey|okay|ok|moodwire|(?:can|could|would|will) you|i(?: would|'d|\u2019d)? (?:want|like) to|let me|let us|let(?:'|\u2019)s)[\s,]+)+/i;
const AFTER = /(?:[\s,]+(?:please|thanks|thank you|for me|now)|[\s.!?,])+$/i;
const SEARCH = /^(?:(?:search|look|looking)(?: up)?(?: the)?(?: posts?)?(?: for| about)?|(?:find|show)(?: me)?(?: the)? posts?(?: about| near| with| that say)|find(?: me)?|posts? (?:about|near|that say))\s+(.+)$/i;
const LIKE = /^(?:(?:find|show|open)\s+)?(?:me\s+)?(?:posts?\s+)?(?:like|similar to)\s+([\w-]+)\/(\S+)$/i;

function command(sort, name, kind, also, how) {
  return { sort, name, kind, key: how.href ?? how.target, terms: termsOf(name, `${also} ${kind}`), ...how }; // `how` may name its own
}

/** The gravest first: by brand, kind, title, words, and how they rank among those of their brand. */
function alerts(store) {
  const all = [...store.alerts.values()].sort(byUrgency);
  const newest = [...all].sort((a, b) => seconds(b.since) - seconds(a.since));
  const leads = (list, alert) => list.find(({ brand }) => brand === alert.brand) === alert;
  const made = all.map((alert, place) => command("alert", alert.title,
    `${STATUS[alert.status]} alert of ${alert.brand}, severity ${alert.severity} of 10`,
    [ALERT, words(alert.kind), ...alert.cause_terms, PLACES[place], leads(all, alert) && WORST, leads(newest, alert) && NEWEST].filter(Boolean).join(" "),
    { href: linkToAlert(alert.alert_id) }));
  made[all.indexOf(newest[0])]?.terms.push(...termsOf(NEWEST, "")); // of all, and so before those of single brands
  return made;
}

/** The chosen one last: it is in sight. */
const brands = (store) => [...store.brands.filter((brand) => brand !== store.brand), ...(store.brand ? [store.brand] : [])]
  .map((brand) => command("brand", brand, "Brand", "", { href: linkTo(brand), brand, length: 0 }));

/** Hours and days of each brand that has them; those of the chosen one first. */
function lengths(store) {
  const own = [...store.brands].sort((a, b) => Number(b === store.brand) - Number(a === store.brand));
  const of = (length, brand) => {
    const [name, also] = LENGTHS[length] ?? [duration(length), ""];
    return command("length", `${name} of ${brand}`, "Windows", also, { href: linkTo(brand, null, length), brand, length });
  };
  const had = (brand) => [...store.rollups.keys()].filter((length) => store.rollups.get(length).has(brand)).sort((a, b) => a - b);
  return own.flatMap((brand) => [...had(brand), ...(brand === store.brand ? [0] : [])].map((length) => of(length, brand)));
}

function views(store) {
  const readers = store.stages?.readers ?? [];
  return [
    command("view", "Data quality", "View", "posts refused rejected dead letters lost late usable languages expectations why", { href: "#quality" }),
    command("view", "Model", "View", "card reads reading reader version", { href: "#model" }),
    ...readers.map(({ model }) => command("view", `Model ${model}`, "View", "card version", { href: linkToModel(model) })),
  ];
}

/** Posts behind alerts, by what they say. */
const likes = (store) => [...store.alerts.values()].sort(byUrgency).flatMap((alert) => alert.evidence).slice(0, LIKE_THESE)
  .map((post) => command("search", `Posts like \u201c${post.text}\u201d`, "Search", "", { href: linkToLike(post), isLike: true,
    terms: termsOf("posts like", `similar ${post.text}`) }));

/** What the page holds by itself: `topics` and `choices` are what stands there, `panels` those that are shown. */
function places({ panels, topics, choices, theme }) {
  return [
    ...panels.map((target) => command("place", PANELS[target][0], "On this page", PANELS[target][1], { target })),
    ...topics.map(({ key, text }) => command("place", text, "Topic", "subject", { target: `#topics [data-key='${key.replace(/['\\]/g, "\\$&")}']` })),
    ...choices.map(({ group, value, text }) => command("choice", text, group, CHOICES[group] ?? "",
      { key: `${group}: ${text}`, target: `.segmented[aria-label="${group}"] [data-value="${value}"]` })),
    command("page", theme, "Page", "mode appearance colours", { target: "#theme" }),
  ];
}

/** Everything that can be said now; of things that are called alike the first goes before. */
export function commandsOf(store, page) {
  return [
    ...alerts(store), ...brands(store), ...lengths(store), ...views(store), ...places(page),
    command("page", "Back to all brands", "Page", "home main overview everything start close", { key: "#", href: "#" }),
    ...(store.searches ? [command("search", "Search posts", "Search", "find box words", { target: "#search-words" }), ...likes(store)] : []),
  ];
}

/** The last moment of that time of day that the posts have reached. */
function momentOf([, hours, minutes, half], now) {
  const hour = half ? (Number(hours) % 12) + (half.toLowerCase() === "p" ? 12 : 0) : Number(hours);
  const at = Math.floor(now / DAY) * DAY + hour * HOUR + Number(minutes) * 60;
  return at > now ? at - DAY : at;
}

/** What asks for a search by its very words. */
function asked(text) {
  const like = LIKE.exec(text);
  if (like) return command("search", `Posts like ${like[1]}/${like[2]}`, "Search", "", { href: linkToLike({ channel: like[1], post_id: like[2] }) });
  const search = SEARCH.exec(text.replace(/^\w+/, (word) => (likeness(word.toLowerCase(), "search", false) >= A_SLIP ? "search" : word)));
  return search ? searchFor(search[1]) : null;
}

const searchFor = (text) => command("search", `Search posts for \u201c${text}\u201d`, "Search", "", { href: linkToSearch(text) });
const unranked = (one, sure) => ({ command: one, score: Number(sure), sure, words: new Map() });
const firstOfEach = (all, keyOf) => [...Map.groupBy(all, keyOf).values()].map(([first]) => first);

/** The best commands for what was typed or said; the last resort is to search posts for it. Nothing said: one of each sort. */
export function suggest(text, commands, store) {
  const said = text.trim().replace(BEFORE, "").replace(AFTER, "");
  if (!said) return firstOfEach(commands, ({ sort }) => sort).map((one) => unranked(one, false)).slice(0, SHOWN);
  const meant = store.searches ? asked(said) : null;
  const search = store.searches && !meant ? [unranked(searchFor(said), false)] : [];
  const ranked = firstOfEach(rankAt(said, commands, store), (one) => one.command.key).slice(0, SHOWN - 1);
  return [...(meant ? [unranked(meant, true)] : []), ...ranked, ...search];
}

/** Commands by rank; where a time of day was said with a brand, the brand at that moment. */
function rankAt(said, commands, store) {
  const meant = /\b(?:like|similar)\b/i.test(said) ? commands : commands.filter(({ isLike }) => !isLike);
  const at = store.eventTime === null ? null : TIME.exec(said);
  const moment = at && momentOf(at, store.eventTime);
  const there = at ? rank(said.replace(TIME, " ").trim() || store.brand, commands.filter(({ brand }) => brand)) : [];
  if (!there.length) return rank(said, meant);
  return there.map((one) => {
    const { name, brand, length } = one.command;
    const href = linkTo(brand, moment, length);
    return { ...one, command: { ...one.command, name: `${name} at ${time(moment)} UTC`, key: href, href } };
  });
}
