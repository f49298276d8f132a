/** What stands on a fraud card about its review: that it waits, what became of it, or what the person decided. */

import { ApiError, getReview } from "./api.js";
import { el } from "./dom.js";
import { LABELS, reviewNote } from "./fraud.js";
import { openReview } from "./reviewpanel.js";

/**
 * The note of a finished turn; undefined where it has no review of its own. Of a `stored` turn it tells what has become
 * of the question; while a run is ending, its review is about to be written.
 */
export function noteOf({ interrupt, review, run_id: runId }, stored) {
  if (interrupt) return waitingNote(runId, stored);
  return review ? reviewNote(verdict(review)) : undefined;
}

/** The decision in words. */
export const verdict = ({ label, overridden, comment }) =>
  `${overridden ? "Overridden" : "Confirmed"} by a person: ${LABELS[label]}${comment ? `. “${comment}”` : ""}`;

function waitingNote(runId, stored) {
  const state = el("span", {}, "Waits for a person’s decision.");
  const open = el(
    "button",
    { type: "button", class: "text-button", on: { click: () => openReview(runId) } },
    "Open the review",
  );
  if (stored) tellState(runId, state, open);
  return reviewNote(state, " ", open);
}

async function tellState(runId, state, open) {
  try {
    const { status, outcome } = await getReview(runId);
    if (status === "escalated") state.textContent = "Escalated, and waits for a person’s decision.";
    if (outcome) state.textContent = verdict(outcome);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 404) return; // it may well be there
    state.textContent = "Its review is gone.";
    open.remove();
  }
}
