/** The side panel that shows a document's text, with a cited passage marked. On narrow screens it is a modal bottom sheet. */

import { getDocumentText } from "./api.js";
import { byId, el } from "./dom.js";
import { errorNotice } from "./notices.js";
import { locate, pagesOf } from "./passages.js";

const NARROW = window.matchMedia("(max-width: 1080px)");

let opener = null;
let shown = 0;

/** Opens the cited document at the passage. Escape or the close button returns the focus to where it was. */
export function openCitation({ document_id: id, title, page, quote }) {
  return open({ id, title, place: page ? `Page ${page}` : "", page, quote });
}

/** Opens a document at its beginning. */
export const openDocument = ({ document_id: id, title }) => open({ id, title, place: "", page: null, quote: "" });

/** Connects the close button, Escape and clicks beside the sheet. */
export function setUpPanel() {
  const panel = byId("panel");
  byId("close-panel").addEventListener("click", close);
  panel.addEventListener("click", (event) => event.target === panel && close());
  panel.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  document.addEventListener(
    "keydown",
    (event) => event.key === "Escape" && !event.defaultPrevented && panel.open && close(),
  );
  NARROW.addEventListener("change", close);
}

async function open({ id, title, place, page, quote }) {
  const turn = (shown += 1);
  const body = byId("panel-body");
  byId("panel-title").textContent = title;
  byId("panel-subtitle").textContent = place;
  body.replaceChildren(el("p", { class: "loading" }, "Loading the document…"));
  show();
  const content = await load(id, quote, page);
  if (turn !== shown) return; // another document was opened meanwhile
  body.replaceChildren(...content);
  const mark = body.querySelector("mark");
  if (mark) mark.scrollIntoView({ block: "center" });
  else body.scrollTop = 0;
}

async function load(id, quote, page) {
  try {
    const { text } = await getDocumentText(id);
    const span = quote ? locate(text, quote, page) : null;
    const missing =
      quote && !span ? quoteOnly("The passage is not in the document’s present text. It was cited as:", quote) : null;
    return [missing, ...pagesOf(text, span)].filter(Boolean);
  } catch (error) {
    return [errorNotice(error), quote && quoteOnly("The passage was cited as:", quote)].filter(Boolean);
  }
}

const quoteOnly = (lead, quote) =>
  el("div", { class: "quote-only" }, el("p", {}, lead), el("blockquote", {}, el("mark", {}, quote)));

function show() {
  const panel = byId("panel");
  if (panel.open) return;
  opener = document.activeElement;
  if (NARROW.matches) panel.showModal();
  else panel.show();
}

function close() {
  const panel = byId("panel");
  if (!panel.open) return;
  panel.close();
  opener?.focus();
  opener = null;
}
