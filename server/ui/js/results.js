/** A finished answer: prose with citations, the route's own card, and a quiet footer with actions and measurements. */

import { citationLines, citationMarks, sourceList } from "./citations.js";
import { copyButton } from "./controls.js";
import { el, icon } from "./dom.js";
import { extractionCard } from "./extraction.js";
import { feedbackControls } from "./feedback.js";
import { cost, count, duration, humanise } from "./format.js";
import { fraudCard } from "./fraud.js";
import { render } from "./markdown.js";
import { noteOf } from "./reviewnotes.js";
import { ROUTES } from "./routes.js";

/**
 * The nodes of `result`'s content; `message` is what it answers, `stored` says that it is of a turn that ended before,
 * `corrections` are those of its extraction, `onAsk(text)` is called when a suggestion is chosen.
 */
export function resultContent(result, { message, stored, corrections }, onAsk) {
  const prose = el("div", { class: "prose" }, render(result.answer, citationMarks(result.citations)));
  if (result.route === "unknown") return [unknownCard(prose, result, onAsk)];
  // The card says what an answer says that is the score's reasoning, alone or with word of the review.
  const repeated = result.fraud && (result.interrupt || result.answer.trim() === result.fraud.reasoning.trim());
  return [
    repeated ? null : prose,
    result.extraction && extractionCard(result.extraction, message, { runId: result.run_id, corrections }),
    result.fraud && fraudCard(result.fraud, noteOf(result, stored)),
    sourceList(result.citations),
    result.suggestions?.length ? suggestions(result.suggestions, onAsk) : null,
  ].filter(Boolean);
}

function unknownCard(prose, { reason, suggestions: texts = [] }, onAsk) {
  const why =
    reason &&
    el("p", { class: "reason" }, el("span", { class: "muted" }, "Why: "), isCode(reason) ? humanise(reason) : reason);
  return el(
    "section",
    { class: "card unknown", "aria-label": "No answer" },
    prose,
    why,
    texts.length ? suggestions(texts, onAsk) : null,
  );
}

const isCode = (text) => /^[a-z]+(_[a-z]+)*$/.test(text);

function suggestions(texts, onAsk) {
  const chips = texts.map((text) =>
    el(
      "li",
      {},
      el("button", { type: "button", class: "suggestion", on: { click: () => onAsk(text) } }, text, icon("arrow")),
    ),
  );
  return el("div", { class: "suggestions" }, el("h4", {}, "You could ask"), el("ul", {}, chips));
}

/** Thumbs, copy, and the run's measurements folded away. */
export function resultFooter(result, feedback) {
  const { buttons, place } = feedbackControls(result.run_id, feedback);
  return el(
    "footer",
    { class: "answer-foot" },
    el(
      "div",
      { class: "actions" },
      buttons,
      copyButton("Copy the answer", () => plainText(result)),
      measurements(result),
    ),
    place,
  );
}

function plainText({ answer, citations, extraction }) {
  const parts = [answer];
  if (extraction) parts.push(JSON.stringify(extraction.data, null, 2));
  if (citations.length) parts.push(["Sources:", ...citationLines(citations)].join("\n"));
  return parts.join("\n\n");
}

function measurements({ usage, timings, routed_to: routedTo, run_id: runId, trace_id: traceId }) {
  const tokens = usage.prompt_tokens + usage.completion_tokens;
  const facts = [
    ["First decision", ROUTES[routedTo].name],
    ["First token", timings.ttft_ms === null ? "none" : duration(timings.ttft_ms)],
    ["Total", duration(timings.total_ms)],
    ["Tokens", `${count(usage.prompt_tokens, "token")} in, ${count(usage.completion_tokens, "token")} out`],
    ["Cost", cost(usage.cost_usd)],
    ["Run", runId],
    ["Trace", traceId],
  ].filter(([, value]) => value !== null);
  return el(
    "details",
    { class: "measurements" },
    el(
      "summary",
      { title: "Measurements of this answer" },
      `${duration(timings.total_ms)}${tokens ? ` · ${count(tokens, "token")}` : ""}`,
    ),
    el(
      "dl",
      {},
      facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    ),
  );
}
