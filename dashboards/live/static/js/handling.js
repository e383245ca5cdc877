// What people did about an alert, in words. Their times are of the clock, not of the posts.
import { seconds, shortDay, time } from "./format.js";

const VERDICTS = { true: "a true alarm", false: "a false alarm", duplicate: "a duplicate" };

const clockTime = (iso) => `${shortDay(seconds(iso))} ${time(seconds(iso))} UTC`;

/** As `acknowledged by Ada`. */
export function said(feedback) {
  if (feedback.action === "verdict") return `judged ${VERDICTS[feedback.verdict]} by ${feedback.by}`;
  if (feedback.action === "snooze") return `snoozed until ${clockTime(feedback.until)} by ${feedback.by}`;
  return `acknowledged by ${feedback.by}`;
}

export const saidAt = (feedback) => clockTime(feedback.at);
