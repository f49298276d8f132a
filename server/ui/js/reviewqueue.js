/** The open reviews: fraud scores that wait for a person. A change is told as "change", a decision as "decided". */

import { ApiError, decideReview, listReviews } from "./api.js";

const POLL_MS = 60_000;

class ReviewQueue extends EventTarget {
  reviews = [];
  total = 0;
  /** Why the queue could not be read the last time, or null. */
  error = null;
  #asked = 0;

  /** Reads the queue now, from time to time, and when somebody comes back to the page. */
  watch() {
    this.refresh();
    setInterval(() => document.hidden || this.refresh(), POLL_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  async refresh() {
    const turn = (this.#asked += 1);
    try {
      const { reviews, total } = await listReviews();
      if (turn !== this.#asked) return; // a later question is on its way, with a later answer
      Object.assign(this, { reviews, total, error: null });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Sends a decision, `{decision, comment?}`; throws an `ApiError` where it does not count. */
  async decide(runId, decision) {
    try {
      const review = await decideReview(runId, decision);
      this.dispatchEvent(new CustomEvent("decided", { detail: review }));
      return review;
    } finally {
      await this.refresh();
    }
  }
}

/** The one queue of the page. */
export const queue = new ReviewQueue();
