/** The four routes: their names, what the page says while each works, and their badges. */

import { el, icon } from "./dom.js";
import { percent } from "./format.js";

export const ROUTES = {
  knowledge: { name: "Knowledge", working: "Reading passages in your documents" },
  extraction: { name: "Extraction", working: "Extracting fields" },
  fraud: { name: "Fraud", working: "Scoring the transaction" },
  unknown: { name: "I don’t know", working: "Looking for what can be answered" },
};

/** A coloured label with icon and text; `confidence` (0..1, of the router's decision) may be left out. */
export function badge(route, confidence = null) {
  const share =
    confidence === null
      ? null
      : el("span", { class: "badge-share", title: "The router’s confidence" }, percent(confidence));
  return el("span", { class: "badge", data: { route } }, icon(route), ROUTES[route].name, share);
}
