// The accent scale and the emotions, read from the theme in force.
export const EMOTIONS = ["anger", "disgust", "fear", "sadness", "neutral", "surprise", "joy"];
const SPARE = ["--image", "--focus", "--middle"];

export const token = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `#rrggbb` with an opacity, as canvas and CSS take it. */
export function faded(hex, opacity) {
  const channel = (start) => parseInt(hex.slice(start, start + 2), 16);
  return `rgb(${channel(1)} ${channel(3)} ${channel(5)} / ${opacity})`;
}

/** Emotions from the most negative to the most positive; ones we do not know come last. */
export function inOrder(names) {
  const place = (name) => (EMOTIONS.includes(name) ? EMOTIONS.indexOf(name) : EMOTIONS.length);
  return [...names].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

export function emotionToken(name) {
  if (EMOTIONS.includes(name)) return `--${name}`;
  return SPARE[name.length % SPARE.length];
}

/** The colour of a valence as a CSS value that follows the theme. */
export function moodColour(valence) {
  const end = valence < 0 ? "--negative" : "--positive";
  const share = Math.round(Math.min(1, Math.abs(valence) / 0.5) * 100);
  return `color-mix(in oklab, var(${end}) ${share}%, var(--middle))`;
}

/** Top to bottom from positive to negative, between the values 1 and -1 of a chart's scale. */
export function moodGradient(chart, opacity = 1) {
  const top = chart.valToPos(1, "y", true);
  const bottom = chart.valToPos(-1, "y", true);
  if (!Number.isFinite(top) || !Number.isFinite(bottom)) return token("--middle");
  const gradient = chart.ctx.createLinearGradient(0, top, 0, bottom);
  gradient.addColorStop(0.2, faded(token("--positive"), opacity));
  gradient.addColorStop(0.5, faded(token("--middle"), opacity));
  gradient.addColorStop(0.75, faded(token("--negative"), opacity));
  return gradient;
}
