/** Says in the header that the server is still getting ready (loading models, indexing the samples) or cannot be reached. */

import { ApiError, isReady } from "./api.js";
import { byId } from "./dom.js";

const POLL_MS = 2000;

/** Polls until the server is ready, then calls `onReady()` if it was not at first. */
export async function watchReadiness(onReady) {
  const note = byId("readiness");
  for (let waited = false; ; waited = true) {
    const state = await probe();
    if (state === "ready") {
      note.hidden = true;
      if (waited) onReady();
      return;
    }
    note.textContent = state === "starting" ? "Getting ready…" : "Server unreachable";
    note.hidden = false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function probe() {
  try {
    return (await isReady()) ? "ready" : "starting";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return "unreachable";
  }
}
