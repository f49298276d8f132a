/** The text that an extraction was read from, with the evidence of its fields marked. */

import { getDocumentText } from "./api.js";
import { el } from "./dom.js";
import { humanise } from "./format.js";
import { errorNotice } from "./notices.js";
import { codePointOffsets, locate, markSpans } from "./passages.js";

/**
 * The source with every evidence span marked faintly; `show(path, scroll)` marks one strongly and names it, `mark()`
 * marks anew when `fields` have changed. A stored turn comes without its source text, which then is the attached document or the message itself.
 */
export function sourceView({ source_text: stored, document_id: documentId, fields }, message) {
  const caption = el("p", { class: "source-caption", "aria-live": "polite" }, "Source");
  const body = el("div", { class: "source-text", tabindex: 0, role: "region", "aria-label": "Source text" });
  const inner = el("div", { class: "source-inner" }, caption, body);
  const node = el("aside", { class: "source", "aria-label": "Source" }, inner);
  let marks = new Map();
  let known = null;
  const fill = (text) => {
    known = text;
    const marked = markSpans(text, evidenceSpans(text, fields));
    marks = marked.marks;
    body.replaceChildren(...marked.nodes);
  };
  const show = (path, scroll) => {
    body.querySelectorAll("mark.active").forEach((mark) => mark.classList.remove("active"));
    const active = marks.get(path) ?? [];
    active.forEach((mark) => mark.classList.add("active"));
    caption.replaceChildren("Source · ", el("strong", {}, pathLabel(path)), pageNote(fields[path].evidence.page));
    node.classList.add("in-use");
    if (active.length) reveal(body, active[0], scroll);
  };
  const text = stored ?? (documentId === null ? message : null);
  if (text !== null) fill(text);
  else fetchText(documentId).then(fill, (error) => body.replaceChildren(errorNotice(error)));
  return { node, show, mark: () => known !== null && fill(known) };
}

const fetchText = async (documentId) => (await getDocumentText(documentId)).text;

const pathLabel = (path) =>
  path
    .split(".")
    .map((part) => humanise(part.replace(/\[(\d+)\]/g, (_, index) => ` ${Number(index) + 1}`)))
    .join(" \u203a ");
const pageNote = (page) => (page ? `, page ${page}` : "");

/** Offsets count code points of the source; where they do not lead to the quote, the quote is searched for. */
function evidenceSpans(text, fields) {
  const offset = codePointOffsets(text);
  return Object.entries(fields).flatMap(([path, { evidence }]) => {
    if (!evidence) return [];
    const span = { start: offset(evidence.start), end: offset(evidence.end) };
    const found = text.slice(span.start, span.end) === evidence.quote ? span : locate(text, evidence.quote);
    return found ? [{ ...found, key: path }] : [];
  });
}

/** Scrolls inside the source only, so that the page itself stays where the reader is. */
function reveal(body, mark, always) {
  const top = mark.getBoundingClientRect().top - body.getBoundingClientRect().top;
  const hidden = top < 0 || top > body.clientHeight - mark.offsetHeight;
  if (hidden || always) body.scrollTo({ top: body.scrollTop + top - body.clientHeight / 3 });
}
