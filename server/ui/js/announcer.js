/** What assistive technology is told: one polite live region for progress, toasts for failures outside a conversation. */

import { byId, el, iconButton } from "./dom.js";

const TOAST_MS = 10_000;

/** Reads `text` out when the reader is free; a later call replaces one not yet read. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Shows a failure that has no place of its own on the page. */
export function toast(error) {
  const trace = error.traceId ? el("span", { class: "trace" }, `Trace ${error.traceId}`) : null;
  const node = el(
    "div",
    { class: "toast" },
    el("p", {}, error.message, trace),
    iconButton("close", "Dismiss", () => node.remove()),
  );
  byId("toasts").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}
