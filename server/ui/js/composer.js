/** The message box: Enter sends, Shift+Enter breaks the line; documents attached to the next message are shown as chips. */

import { announce } from "./announcer.js";
import { byId, el, icon, iconButton, reconcile } from "./dom.js";
import { percent } from "./format.js";

const HINT = "Enter sends, Shift+Enter starts a new line. Answers come from your documents.";
const TALLEST_PX = 220;

export class Composer {
  /** `library` knows how far attached documents are; `onSend(message, attachments)`; `onStop()`. */
  constructor({ library, onSend, onStop }) {
    this.library = library;
    this.onSend = onSend;
    this.attachments = [];
    this.busy = false;
    this.input = byId("message");
    this.input.addEventListener("input", () => this.#fit());
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    byId("stop").addEventListener("click", onStop);
    library.addEventListener("change", () => this.#showAttachments());
    this.#hint(HINT);
  }

  /** While a run is at work the send button is a stop button. */
  setBusy(busy) {
    const focused = [byId("send"), byId("stop")].includes(document.activeElement);
    this.busy = busy;
    byId("send").hidden = busy;
    byId("stop").hidden = !busy;
    if (focused) this.input.focus();
  }

  /** Attaches a document, `{documentId, title}`, or an upload of the library that is to become one. */
  attach(attachment) {
    if (attachment.documentId && this.attachments.some(({ documentId }) => documentId === attachment.documentId))
      return;
    this.attachments.push(attachment);
    announce(`${attachment.title} attached to the next message`);
    this.#showAttachments();
    this.input.focus();
  }

  #onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const message = this.input.value.trim();
    if (!message || this.busy) return;
    const waiting = this.attachments.find((attachment) => this.library.progress(attachment).state !== "indexed");
    if (waiting) {
      this.#hint(`${waiting.title} is not ready yet. Wait a moment, or remove it.`);
      announce(byId("composer-hint").textContent);
      return;
    }
    const attachments = this.attachments;
    this.attachments = [];
    this.input.value = "";
    this.#fit();
    this.#showAttachments();
    this.onSend(message, attachments);
  }

  #showAttachments() {
    const items = this.attachments.map((attachment, index) => ({
      key: String(index),
      title: attachment.title,
      ...this.library.progress(attachment),
    }));
    byId("attachments").hidden = !items.length;
    if (items.every(({ state }) => state === "indexed")) this.#hint(HINT);
    reconcile(byId("attachments"), items, (item) => this.#chip(item));
  }

  #chip({ key, title, state, share, error }) {
    const note = {
      uploading: `uploading ${percent(share)}`,
      queued: "waiting",
      indexing: "indexing…",
      indexed: null,
      failed: error,
    }[state];
    const remove = () => {
      this.attachments.splice(Number(key), 1);
      this.#showAttachments();
      this.input.focus();
    };
    return el(
      "li",
      { class: "chip", data: { state } },
      icon("file"),
      el("span", { class: "chip-title" }, title),
      note && el("span", { class: "chip-note" }, note),
      iconButton("close", `Remove ${title}`, remove),
    );
  }

  #hint(text) {
    byId("composer-hint").textContent = text;
    byId("composer-hint").classList.toggle("urgent", text !== HINT);
  }

  #fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, TALLEST_PX)}px`;
  }
}
