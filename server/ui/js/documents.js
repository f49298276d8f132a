/** The documents pane of the sidebar, and dropping files anywhere on the page. */

import { deleteButton } from "./controls.js";
import { byId, el, icon, iconButton, reconcile } from "./dom.js";
import { count, percent } from "./format.js";
import { openDocument } from "./panel.js";

/** Shows `library` in the sidebar; `onAttach({documentId, title})` puts a document on the next message. */
export function setUpDocuments(library, onAttach) {
  const list = el("ul", { class: "items documents" });
  byId("documents").append(list);
  const actions = { library, onAttach };
  library.addEventListener("change", () => {
    const uploads = library.uploads.map(({ key, title, state, share, error }) => ({
      key,
      title,
      state,
      share,
      error,
      upload: true,
    }));
    const documents = library.documents.map((document) => ({ key: document.document_id, ...document }));
    reconcile(list, [...uploads, ...documents], (item) =>
      item.upload ? uploadItem(item, library) : documentItem(item, actions),
    );
    byId("document-count").textContent = library.documents.length || "";
  });
  pickFiles("choose-files", "library-files", (files) => library.upload(files));
}

/** Connects a button with a hidden file input. */
export function pickFiles(buttonId, inputId, onFiles) {
  const input = byId(inputId);
  byId(buttonId).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    onFiles([...input.files]);
    input.value = "";
  });
}

/** Files dropped on the conversation go to `onAttach(files)`, files dropped on the sidebar to `onStore(files)`. */
export function setUpDrops({ onAttach, onStore }) {
  const overlay = byId("drop-overlay");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const onSidebar = byId("sidebar").contains(event.target);
    overlay.hidden = onSidebar;
    byId("drop-zone").classList.toggle("over", onSidebar);
  });
  const reset = () => {
    overlay.hidden = true;
    byId("drop-zone").classList.remove("over");
  };
  document.addEventListener("dragleave", (event) => !event.relatedTarget && reset());
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    reset();
    (byId("sidebar").contains(event.target) ? onStore : onAttach)([...event.dataTransfer.files]);
  });
}

function uploadItem({ key, title, state, share, error }, library) {
  const failed = state === "failed";
  return el(
    "li",
    { class: "item", data: { state } },
    icon(failed ? "alert" : "upload"),
    el(
      "div",
      { class: "item-main" },
      el("span", { class: "item-title" }, title),
      failed ? el("span", { class: "item-error", role: "alert" }, error) : progressBar(share, title),
    ),
    failed ? iconButton("close", `Dismiss ${title}`, () => library.dismiss(key)) : null,
  );
}

const progressBar = (share, title) =>
  el(
    "span",
    { class: "item-progress" },
    el("progress", { value: share, max: 1, "aria-label": `Uploading ${title}` }),
    percent(share),
  );

function documentItem(document, { library, onAttach }) {
  const { document_id: documentId, title, status } = document;
  const ready = status === "indexed";
  return el(
    "li",
    { class: "item", data: { state: status } },
    icon(status === "failed" ? "alert" : "file"),
    el(
      "div",
      { class: "item-main" },
      ready
        ? el(
            "button",
            { type: "button", class: "item-title", title, on: { click: () => openDocument(document) } },
            title,
          )
        : el("span", { class: "item-title", title }, title),
      statusLine(document),
    ),
    ready ? iconButton("attach", `Attach ${title} to the next message`, () => onAttach({ documentId, title })) : null,
    deleteButton(`Delete ${title}`, () => library.remove(documentId)),
  );
}

function statusLine({ status, error, pages, chunks }) {
  if (status === "failed") return el("span", { class: "item-error" }, error.message);
  if (status === "indexed")
    return el(
      "span",
      { class: "item-meta" },
      [pages && count(pages, "page"), count(chunks, "passage")].filter(Boolean).join(" · "),
    );
  return el(
    "span",
    { class: "item-progress" },
    el("progress", { "aria-label": "Indexing" }),
    status === "queued" ? "Waiting" : "Indexing",
  );
}
