// What the address says: a brand, a moment of it, or one incident. Whoever gets the link sees the same.
import { moment, seconds } from "./format.js";

/** `#brand=Aerolume&at=2026-11-23T14:12:00Z` or `#alert=ID`; null where it says nothing of these. */
export function readRoute() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const at = seconds(parts.get("at") ?? "");
  const route = { brand: parts.get("brand"), at: Number.isFinite(at) ? at : null, alert: parts.get("alert") };
  return route.brand || route.at !== null || route.alert || location.hash === "" ? route : null;
}

export function linkTo(brand, at = null) {
  const then = at === null ? "" : `&at=${moment(at)}`;
  return `#brand=${encodeURIComponent(brand)}${then}`;
}

export const linkToAlert = (id) => `#alert=${encodeURIComponent(id)}`;
