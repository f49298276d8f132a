/** Thumbs up or down for an answer, with an optional comment. The score is stored at once, the comment when it is sent. */

import { announce, toast } from "./announcer.js";
import { sendFeedback } from "./api.js";
import { el, iconButton } from "./dom.js";

const LABELS = { 1: "Good answer", [-1]: "Bad answer" };

/** `given`: feedback stored before, `{score, comment}`, or null. Returns the two buttons and the place of the comment form. */
export function feedbackControls(runId, given) {
  const place = el("div", { class: "comment-place" });
  const buttons = [1, -1].map((score) =>
    iconButton(score > 0 ? "up" : "down", LABELS[score], () => rate(score), { "aria-pressed": "false" }),
  );
  const press = (score) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String([1, -1][index] === score)));
  const rate = async (score) => {
    if (!(await store({ run_id: runId, score }))) return;
    press(score);
    place.replaceChildren(commentForm(runId, score, place));
    announce("Feedback stored. You can add a comment.");
  };
  if (given) press(given.score);
  return { buttons, place };
}

function commentForm(runId, score, place) {
  const input = el("input", {
    type: "text",
    "aria-label": "Comment on this answer",
    placeholder: score > 0 ? "What was good about it? (optional)" : "What was wrong with it? (optional)",
  });
  const submit = async (event) => {
    event.preventDefault();
    const comment = input.value.trim();
    if (comment && !(await store({ run_id: runId, score, comment }))) return;
    place.replaceChildren(el("p", { class: "muted" }, "Thank you."));
    announce("Comment stored");
  };
  return el(
    "form",
    { class: "comment", on: { submit } },
    input,
    el("button", { type: "submit", class: "button" }, "Send"),
  );
}

async function store(feedback) {
  try {
    await sendFeedback(feedback);
    return true;
  } catch (error) {
    toast(error);
    return false;
  }
}
