/** Puts the page together: conversation, composer, threads, documents, reviews and the side panel. */

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { pickFiles, setUpDocuments, setUpDrops } from "./documents.js";
import { byId } from "./dom.js";
import { setUpKey } from "./key.js";
import { Library } from "./library.js";
import { setUpPanel } from "./panel.js";
import { queue } from "./reviewqueue.js";
import { setUpReviews } from "./reviews.js";
import { watchReadiness } from "./readiness.js";
import { closeDrawer, setUpSidebar, showTab } from "./sidebar.js";
import { addressOf, putInAddress, showThreads, threadInAddress } from "./threads.js";

const NEW = "New conversation";

const library = new Library();
const conversation = new Conversation({ onBusy: (busy) => composer.setBusy(busy), onThread: onThreadChanged });
const composer = new Composer({
  library,
  onSend: (message, attachments) => conversation.ask(message, attachments),
  onStop: () => conversation.stop(),
});

async function onThreadChanged(threadId) {
  if (!threadId) return;
  queue.refresh();
  if (threadInAddress() !== threadId) putInAddress(threadId);
  const threads = await showThreads(threadId, onThreadDeleted);
  const thread = threads.find(({ thread_id: id }) => id === threadId);
  if (thread && threadInAddress() === threadId) setTitle(thread.title);
}

function onThreadDeleted(threadId) {
  if (threadInAddress() === threadId) startNew();
  else showThreads(threadInAddress(), onThreadDeleted);
}

function startNew() {
  history.pushState(null, "", addressOf(null));
  showAddress();
  byId("message").focus();
}

async function showAddress() {
  const threadId = threadInAddress();
  closeDrawer();
  showThreads(threadId, onThreadDeleted);
  if (threadId === null) {
    setTitle(NEW);
    conversation.start();
    return;
  }
  const title = await conversation.open(threadId);
  if (title && threadInAddress() === threadId) setTitle(title);
}

function setTitle(title) {
  byId("thread-title").textContent = title;
  document.title = title === NEW ? "Switchyard" : `${title} · Switchyard`;
}

function attachFiles(files) {
  library.upload(files).forEach((upload) => composer.attach(upload));
}

function storeFiles(files) {
  showTab("documents");
  library.upload(files);
}

setUpKey();
setUpSidebar();
setUpPanel();
setUpDocuments(library, (attachment) => {
  closeDrawer();
  composer.attach(attachment);
});
setUpReviews({ onDecided: ({ thread_id: threadId }) => threadInAddress() === threadId && conversation.open(threadId) });
setUpDrops({ onAttach: attachFiles, onStore: storeFiles });
pickFiles("attach", "attach-files", attachFiles);
for (const id of ["new-thread", "new-thread-short"]) byId(id).addEventListener("click", startNew);
document.querySelector(".skip-link").addEventListener("click", (event) => {
  event.preventDefault(); // the hash names the thread
  byId("message").focus();
});
window.addEventListener("hashchange", showAddress);
library.refresh();
watchReadiness(() => library.refresh());
queue.watch();
showAddress();
