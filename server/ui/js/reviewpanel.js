/** A review in the side panel: the evidence, what has happened so far, and the form to decide. */

import { announce } from "./announcer.js";
import { ApiError, getReview } from "./api.js";
import { el } from "./dom.js";
import { when } from "./format.js";
import { fraudCard, LABELS } from "./fraud.js";
import { errorNotice } from "./notices.js";
import { closePanel, openPanel } from "./panel.js";
import { queue } from "./reviewqueue.js";
import { addressOf } from "./threads.js";

const OTHER = { FRAUD: "LEGITIMATE", LEGITIMATE: "FRAUD" };
const STEPS = { asked: "Asked", escalated: "Escalated", decided: "Decided", answered: "Added to the conversation" };

/** Opens the review of a run. */
export const openReview = (runId) =>
  openPanel({ title: "Review", waiting: "Loading the review…", load: () => load(runId) });

async function load(runId) {
  try {
    return content(await getReview(runId));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return [errorNotice(error, () => openReview(runId))];
  }
}

function content(review) {
  const { request, fraud, message, thread_id: threadId } = review;
  return [
    el("p", { class: "review-question" }, request.question),
    review.outcome ? null : decisionForm(review),
    fraudCard(fraud, null),
    section("What was scored", el("p", { class: "review-text" }, request.transaction)),
    section("Message", el("p", { class: "review-text" }, message)),
    section("History", el("ol", { class: "review-history" }, review.history.map(historyItem))),
    el("p", {}, el("a", { class: "text-button", href: addressOf(threadId) }, "Open the conversation")),
  ].filter(Boolean);
}

const section = (title, ...children) => el("section", { class: "review-part" }, el("h3", {}, title), children);

function historyItem({ action, at, by, details }) {
  const label = action === "decided" ? `: ${LABELS[details.label]}` : "";
  const comment = details.comment ? ` “${details.comment}”` : "";
  const who = action === "asked" || action === "answered" ? "" : `, by ${by}`;
  return el("li", {}, `${STEPS[action]}${label}, ${when(at)}${who}.${comment}`);
}

function decisionForm({ run_id: runId, status, request: { label } }) {
  const comment = el("textarea", { id: "review-comment", rows: 2, maxlength: 5000 });
  const failure = el("div", {});
  const decide = async (decision) => {
    buttons.disabled = true;
    failure.replaceChildren();
    try {
      const { outcome } = await queue.decide(runId, { decision, comment: comment.value });
      announce(outcome ? `Decided: ${LABELS[outcome.label]}` : "Escalated");
      closePanel();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      buttons.disabled = false;
      // Somebody was faster: there is nothing to try again, but the outcome to see.
      const again = error.status === 409 ? () => openReview(runId) : () => decide(decision);
      failure.replaceChildren(errorNotice(error, again));
    }
  };
  const choice = (decision, text) =>
    el("button", { type: "button", class: "button", data: { decision }, on: { click: () => decide(decision) } }, text);
  const buttons = el(
    "fieldset",
    { class: "review-buttons" },
    el("legend", { class: "visually-hidden" }, "Your decision"),
    choice("approve", `Approve: ${LABELS[label].toLowerCase()}`),
    choice("reject", `Reject: ${LABELS[OTHER[label]].toLowerCase()}`),
    status === "pending" ? choice("escalate", "Escalate") : null,
  );
  return el(
    "form",
    { class: "review-form", "aria-label": "Decide", on: { submit: (event) => event.preventDefault() } },
    el("label", { for: "review-comment" }, "Comment (optional)"),
    comment,
    buttons,
    failure,
  );
}
