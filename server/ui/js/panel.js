/** The side panel: a document's text with a cited passage marked, or a review. On narrow screens it is a modal bottom sheet. */

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
  byId("close-panel").addEventListener("click", closePanel);
  panel.addEventListener("click", (event) => event.target === panel && closePanel());
  panel.addEventListener("cancel", (event) => {
    event.preventDefault();
    closePanel();
  });
  document.addEventListener(
    "keydown",
    (event) => event.key === "Escape" && !event.defaultPrevented && panel.open && closePanel(),
  );
  NARROW.addEventListener("change", closePanel);
}

/** Opens the panel; `load()` gives the nodes that take the place of the sentence `waiting`. */
export async function openPanel({ title, subtitle = "", waiting, load }) {
  const turn = (shown += 1);
  const body = byId("panel-body");
  byId("panel-title").textContent = title;
  byId("panel-subtitle").textContent = subtitle;
  body.replaceChildren(el("p", { class: "loading" }, waiting));
  show();
  const content = await load();
  if (turn !== shown) return; // something else was opened meanwhile
  body.replaceChildren(...content);
  const mark = body.querySelector("mark");
  if (mark) mark.scrollIntoView({ block: "center" });
  else body.scrollTop = 0;
}

const open = ({ id, title, place, page, quote }) =>
  openPanel({ title, subtitle: place, waiting: "Loading the document…", load: () => load(id, quote, page) });

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

/** Puts the panel away; the focus goes back to where it was, or to the sidebar's tab where that is gone. */
export function closePanel() {
  const panel = byId("panel");
  if (!panel.open) return;
  panel.close();
  if (opener && !opener.isConnected) opener = document.querySelector("[role=tab][aria-selected=true]");
  opener?.focus();
  opener = null;
}
