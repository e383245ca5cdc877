// Numbers and times as the page writes them. Every time is event time, in UTC, and says so.
const MINUS = "\u2212";
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const DAY = new Intl.DateTimeFormat("en-GB",
  { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const WHOLE = new Intl.NumberFormat("en-GB");
const COMPACT = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });

export const seconds = (iso) => Date.parse(iso) / 1000;
const iso = (epoch) => new Date(epoch * 1000).toISOString();

/** As an address holds it: to the second, in UTC. */
export const moment = (epoch) => `${iso(epoch).slice(0, 19)}Z`;

export const time = (epoch) => iso(epoch).slice(11, 16);
export const clock = (epoch) => iso(epoch).slice(11, 19);
export const day = (epoch) => DAY.format(epoch * 1000);
export const shortDay = (epoch) => SHORT_DAY.format(epoch * 1000);

/** From when to when: a whole day by its date, an hour with its date, what is shorter without. */
export function span(start, end) {
  if (end - start >= DAY_SECONDS) return `${day(start)}${end - start > DAY_SECONDS ? ` to ${day(end - 1)}` : ""} UTC`;
  return `${end - start >= HOUR_SECONDS ? `${shortDay(start)}, ` : ""}${time(start)}–${time(end)} UTC`;
}

export const whole = (number) => WHOLE.format(number);
export const compact = (number) => COMPACT.format(number);
/** A part of a whole in percent; never all of it, nor nothing, unless it is just that. */
export function portion(part, whole) {
  const share = whole ? part / whole : 0;
  if (share > 0 && share < 0.005) return "< 1 %";
  return share < 1 && share >= 0.995 ? "> 99 %" : percent(share);
}

export const percent = (part) => `${Math.round(part * 100)} %`;

export function signed(number, digits = 2) {
  const text = Math.abs(number).toFixed(digits);
  if (Number(text) === 0) return text;
  return (number < 0 ? MINUS : "+") + text;
}

export function duration(length) {
  const minutes = Math.max(0, Math.round(length / 60));
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""}`;
}

export function lag(length) {
  return length < 120 ? `${Math.max(0, Math.round(length))} s` : duration(length);
}

export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** `image_led_crisis` as `Image led crisis`. */
export const words = (name) => sentence(name.replaceAll("_", " "));

const CHANNELS = { x: "X", youtube: "YouTube", tiktok: "TikTok" };
const NAMES = {
  lang: new Intl.DisplayNames("en", { type: "language", fallback: "none" }),
  country: new Intl.DisplayNames("en", { type: "region", fallback: "none" }),
};

export const channelName = (channel) => CHANNELS[channel] ?? words(channel);

/** `de` as `German`, `GB` as `United Kingdom`; what has no name keeps its code. */
export function sliceName(dimension, value) {
  if (dimension === "channel") return channelName(value);
  try {
    return NAMES[dimension].of(value) ?? words(value);
  } catch {
    return words(value); // not a code at all, such as "unknown"
  }
}

export const numberOfPosts = (count) => `${whole(count)} ${count === 1 ? "post" : "posts"}`;

export function moodWord(valence) {
  if (valence <= -0.6) return "Very negative";
  if (valence <= -0.2) return "Negative";
  if (valence < 0.2) return "Mixed";
  return valence < 0.6 ? "Positive" : "Very positive";
}
