/** Numbers, names and times as an analyst reads them. */

const WORDS_IN_CAPITALS = new Set(["id", "iban", "bic", "vat", "mcc", "pan", "cvv", "ip", "atm", "url", "kyc", "cnp"]);

/** `total_amount` -> "Total amount", `merchant_id` -> "Merchant ID". */
export function humanise(name) {
  const words = String(name)
    .replace(/[_-]+/g, " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .trim()
    .toLowerCase()
    .split(" ");
  const text = words.map((word) => (WORDS_IN_CAPITALS.has(word) ? word.toUpperCase() : word)).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const percent = (share) => `${Math.round(share * 100)}%`;

export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 1 : 0)} s`;
}

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

export const cost = (dollars) =>
  dollars ? `$${dollars < 0.01 ? dollars.toFixed(5) : dollars.toFixed(2)}` : "none (local model)";

/** Unix time in seconds: today's as a clock, this year's as a day, older ones with the year. */
export function when(seconds, now = new Date()) {
  const date = new Date(seconds * 1000);
  if (date.toDateString() === now.toDateString())
    return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString([], { day: "numeric", month: "short", year });
}

/** "Today", "Yesterday", "Last 7 days" or "Earlier", of a Unix time in seconds. */
export function period(seconds, now = new Date()) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - seconds * 1000) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days <= 7 ? "Last 7 days" : "Earlier";
}
