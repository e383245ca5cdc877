// How grave an alert is, and how it stands.
import { setText } from "./dom.js";

const HIGH_SEVERITY = 7;
export const STATUS = { firing: "Firing", resolved: "Resolved", withdrawn: "Withdrawn" };

export function markSeverity(badge, severity) {
  badge.toggleAttribute("data-high", severity >= HIGH_SEVERITY);
  badge.setAttribute("role", "img");
  badge.setAttribute("aria-label", `Severity ${severity} of 10`);
  badge.title = `Severity ${severity} of 10`;
  setText(badge, String(severity));
}
