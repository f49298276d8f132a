/** The empty state: what can be asked, with one example for each route. */

import { el } from "./dom.js";
import { badge } from "./routes.js";

const INVOICE = `INVOICE
Northwind Terminals Ltd
14 Harbour Road, Bristol

Invoice number: 2024-0418
Invoice date: 18 April 2024
Due date: 18 May 2024
Bill to: Larkmoor Cards

Description            Quantity   Unit price   Amount
Card terminal T5              2       189.00   378.00
On-site installation          1        95.00    95.00

Subtotal: 473.00 EUR
VAT 19%: 89.87 EUR
Total: 562.87 EUR`;

const PAYMENT = `Card-not-present payment of 1,840.00 EUR at Voltaro Electronics in Lagos, Nigeria at 03:12.
The customer lives in Ireland and usually spends 45 EUR. First purchase at this merchant, 6 transactions in the last hour.`;

const EXAMPLES = [
  { route: "knowledge", title: "How long do debit card holders have to dispute a transaction?" },
  { route: "extraction", title: "Extract the fields of this invoice", detail: INVOICE },
  { route: "fraud", title: "Is this card payment fraudulent?", detail: PAYMENT },
  { route: "unknown", title: "Who will win the next football World Cup?" },
];

/** `onAsk(text)` is called with the example that was chosen. */
export function emptyState(onAsk) {
  const cards = EXAMPLES.map(({ route, title, detail }) => {
    const text = detail ? `${title}\n\n${detail}` : title;
    const props = { type: "button", class: "example", title: text, on: { click: () => onAsk(text) } };
    return el("li", {}, el("button", props, badge(route), el("span", {}, title)));
  });
  return el(
    "section",
    { class: "welcome" },
    el("h2", {}, "What would you like to look into?"),
    el(
      "p",
      { class: "muted" },
      "Ask about your documents, turn an invoice or contract into fields (or any document into your own: paste a JSON Schema above it), or score a card transaction. Answers show their evidence, and say so when there is none.",
    ),
    el("ul", { class: "examples" }, cards),
  );
}
