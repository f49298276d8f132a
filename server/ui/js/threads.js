/** The list of conversations in the sidebar. The one on screen is named by the address's hash, so that a reload keeps it. */

import { toast } from "./announcer.js";
import { ApiError, deleteThread, listThreads } from "./api.js";
import { deleteButton } from "./controls.js";
import { byId, el, reconcile } from "./dom.js";
import { period, when } from "./format.js";

/** The thread that the address names, or null. */
export const threadInAddress = () => new URLSearchParams(location.hash.slice(1)).get("thread");

/** Names a thread in the address without a step in the browser's history. */
export const putInAddress = (threadId) => history.replaceState(null, "", addressOf(threadId));

/** The address of a thread; null is a new conversation. */
export const addressOf = (threadId) =>
  threadId === null ? location.pathname : `#thread=${encodeURIComponent(threadId)}`;

/** Asks for the threads and shows them, newest first; `onDeleted(id)` is called after one was deleted. Returns them. */
export async function showThreads(current, onDeleted) {
  let threads;
  try {
    threads = await listThreads();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error);
    return [];
  }
  const pane = byId("threads");
  if (!pane.firstElementChild) pane.append(el("ul", { class: "items" }));
  reconcile(pane.firstElementChild, grouped(threads, current), (item) =>
    item.heading ? headingItem(item) : threadItem(item, onDeleted),
  );
  return threads;
}

function grouped(threads, current) {
  const items = [];
  let last = null;
  for (const thread of threads) {
    const heading = period(thread.updated_at);
    if (heading !== last) items.push({ key: `heading-${heading}`, heading });
    items.push({ key: thread.thread_id, ...thread, current: thread.thread_id === current });
    last = heading;
  }
  return items.length ? items : [{ key: "none", heading: "No conversations yet" }];
}

const headingItem = ({ heading }) => el("li", { class: "items-heading" }, heading);

function threadItem({ thread_id: id, title, updated_at: updated, current }, onDeleted) {
  const remove = async () => {
    try {
      await deleteThread(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error);
      return;
    }
    onDeleted(id);
  };
  return el(
    "li",
    { class: "item thread" },
    el(
      "a",
      { class: "item-main", href: addressOf(id), "aria-current": current ? "page" : null },
      el("span", { class: "item-title", title }, title),
      el("span", { class: "item-meta" }, when(updated)),
    ),
    deleteButton(`Delete conversation ${title}`, remove),
  );
}
