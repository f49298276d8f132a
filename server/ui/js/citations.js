/** Citations: the numbered buttons inside an answer and the list of sources below it. */

import { el, icon } from "./dom.js";
import { openCitation } from "./panel.js";

/** For `markdown.render`: the button for `[n]`, or null where the answer has no such citation. */
export function citationMarks(citations) {
  const byNumber = new Map(citations.map((citation) => [citation.n, citation]));
  return (n) => {
    const citation = byNumber.get(n);
    if (!citation) return null;
    const label = `Source ${n}: ${citation.title}${pageOf(citation)}`;
    return el(
      "button",
      { type: "button", class: "cite", "aria-label": label, title: label, on: { click: () => openCitation(citation) } },
      String(n),
    );
  };
}

/** The cited passages, one row each, with the beginning of the quote. */
export function sourceList(citations) {
  if (!citations.length) return null;
  const items = citations.map((citation) =>
    el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "source-item", on: { click: () => openCitation(citation) } },
        el("span", { class: "cite-number" }, String(citation.n)),
        el(
          "span",
          { class: "source-title" },
          icon("file"),
          citation.title,
          el("span", { class: "muted" }, pageOf(citation)),
        ),
        el("span", { class: "source-quote" }, citation.quote),
      ),
    ),
  );
  return el("section", { class: "sources", "aria-label": "Sources" }, el("h3", {}, "Sources"), el("ol", {}, items));
}

/** The sources as lines of plain text, for the clipboard. */
export const citationLines = (citations) =>
  citations.map((citation) => `[${citation.n}] ${citation.title}${pageOf(citation)}`);

const pageOf = ({ page }) => (page ? `, page ${page}` : "");
