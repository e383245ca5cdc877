// What the address says: a brand, a moment of it, one incident, a search, or what a run's readings are worth.
// Whoever gets the link sees the same.
import { moment, seconds } from "./format.js";

/** `#brand=Aerolume&at=2026-11-23T14:12:00Z`, with `&by=3600` where hours are drawn, `#alert=ID`, `#search=lost my bag`, `#like=x/123`, `#quality`, `#model` or
    `#model=VERSION`; null where it says nothing of these. */
export function readRoute() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const at = seconds(parts.get("at") ?? "");
  const route = { brand: parts.get("brand"), at: Number.isFinite(at) ? at : null, length: Number(parts.get("by")) || 0, alert: parts.get("alert"), search: asked(parts),
    quality: parts.has("quality"), model: parts.get("model") };
  const says = route.brand || route.at !== null || route.alert || route.search || route.quality || route.model !== null;
  return says || location.hash === "" ? route : null;
}

/** What is searched for, as the server is asked for it. */
function asked(parts) {
  const [channel, post] = (parts.get("like") ?? "").split(/\/(.*)/s);
  if (post) return new URLSearchParams({ channel, post_id: post }).toString();
  return parts.get("search") ? new URLSearchParams({ words: parts.get("search") }).toString() : null;
}

export function linkTo(brand, at = null, length = 0) {
  const then = at === null ? "" : `&at=${moment(at)}`;
  return `#brand=${encodeURIComponent(brand)}${then}${length ? `&by=${length}` : ""}`;
}

export const linkToAlert = (id) => `#alert=${encodeURIComponent(id)}`;
export const linkToSearch = (words) => `#search=${encodeURIComponent(words)}`;
export const linkToModel = (version) => `#model=${encodeURIComponent(version)}`;
export const linkToLike = (post) => `#like=${encodeURIComponent(`${post.channel}/${post.post_id}`)}`;
