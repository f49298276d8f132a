/** The caller's documents: the list as the server has it, uploads under way, and polling while anything is being indexed. */

import { ApiError, deleteDocument, errorFrom, listDocuments, UPLOAD_URL } from "./api.js";
import { toast } from "./announcer.js";
import { withKey } from "./key.js";

const POLL_MS = 900;
const AT_ONCE = 2;

/** Fires `change` whenever `documents` or `uploads` did. */
export class Library extends EventTarget {
  constructor() {
    super();
    this.documents = [];
    this.uploads = []; // {key, title, state: uploading|failed|stored, share, error, documentId}
    this.waiting = [];
    this.active = 0;
    this.timer = 0;
    this.made = 0;
  }

  /** Asks the server for the list, and again as long as some document is not done. */
  async refresh() {
    clearTimeout(this.timer);
    try {
      this.documents = await listDocuments();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error);
      return;
    }
    this.#changed();
    clearTimeout(this.timer);
    if (this.documents.some(({ status }) => status === "queued" || status === "indexing")) {
      this.timer = setTimeout(() => this.refresh(), POLL_MS);
    }
  }

  /** Starts uploading files, a few at once; returns one upload for each, which can be attached to a message. */
  upload(files) {
    const uploads = [...files].map((file) => ({
      key: `upload-${(this.made += 1)}`,
      title: file.name,
      state: "uploading",
      share: 0,
      error: null,
      documentId: null,
    }));
    uploads.forEach((upload, index) => this.waiting.push({ upload, file: files[index] }));
    this.uploads.unshift(...uploads);
    this.#changed();
    this.#next();
    return uploads;
  }

  /** How far an attachment or upload is: `{state: uploading|queued|indexing|indexed|failed, share, error}`. */
  progress({ state, share = 1, error = null, documentId }) {
    if (state === "uploading" || state === "failed") return { state, share, error };
    const document = this.documents.find(({ document_id: id }) => id === documentId);
    return { state: document?.status ?? "queued", share: 1, error: document?.error?.message ?? null };
  }

  /** Takes a failed upload off the list. */
  dismiss(key) {
    this.uploads = this.uploads.filter((upload) => upload.key !== key);
    this.#changed();
  }

  async remove(documentId) {
    try {
      await deleteDocument(documentId);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error);
    }
    await this.refresh();
  }

  #next() {
    while (this.active < AT_ONCE && this.waiting.length) {
      this.active += 1;
      this.#send(this.waiting.shift());
    }
  }

  async #send({ upload, file }) {
    await this.#sent(upload, await withKey((headers) => this.#transfer(upload, file, headers)));
  }

  /** fetch() cannot tell how much of a body was sent, XMLHttpRequest can. */
  #transfer(upload, file, headers) {
    const request = new XMLHttpRequest();
    request.open("POST", UPLOAD_URL);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      upload.share = total ? loaded / total : 0;
      this.#changed();
    });
    const form = new FormData();
    form.append("file", file);
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => resolve(request));
      request.send(form);
    });
  }

  async #sent(upload, { status, responseText }) {
    this.active -= 1;
    this.#next();
    if (status >= 200 && status < 300) {
      upload.documentId = JSON.parse(responseText).document_id;
      upload.state = "stored";
      await this.refresh();
      this.dismiss(upload.key); // the document's own row takes over
    } else {
      upload.state = "failed";
      upload.error = errorFrom(status, responseText).message;
      this.#changed();
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
