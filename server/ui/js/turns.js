/** One turn on the page: the analyst's message and, as the run's events arrive, the answer to it. */

import { announce } from "./announcer.js";
import { el, icon } from "./dom.js";
import { percent } from "./format.js";
import { render } from "./markdown.js";
import { errorNotice } from "./notices.js";
import { resultContent, resultFooter } from "./results.js";
import { badge, ROUTES } from "./routes.js";

const LONG_MESSAGE = 600;

/**
 * A turn's `node`; feed it a run's events with `apply`, or end it with `fail`. `onAsk(text)`: a suggestion was chosen;
 * `onRetry()`: the message is to be sent again. `stored`: the turn has ended before, and more may have come of it, such as
 * `feedback` and `corrections`.
 */
export function createTurn(turn, { onAsk, onRetry }) {
  const { message, attachments = [], feedback = null, stored = false, corrections = {} } = turn;
  const head = el("div", { class: "answer-head" });
  const status = el("p", { class: "status" });
  const content = el("div", { class: "answer-content" });
  const answer = el("div", { class: "answer", "aria-busy": "true" }, head, status, content);
  const node = el(
    "article",
    { class: "turn", "aria-label": message.slice(0, 80) },
    question(message, attachments),
    answer,
  );
  const draft = draftView(content);

  const say = (text) => {
    status.replaceChildren(el("span", { class: "spinner", "aria-hidden": "true" }), text);
    if (!status.isConnected) content.before(status);
  };
  /** Every reading of a run from its first event starts from an empty answer. */
  const begin = () => {
    draft.clear();
    content.replaceChildren();
    answer.setAttribute("aria-busy", "true");
    say("Routing…");
  };
  const settle = (...nodes) => {
    draft.stop();
    status.remove();
    answer.removeAttribute("aria-busy");
    content.replaceChildren(...nodes);
  };
  const stopped = () => settle(...draft.nodes(), el("p", { class: "muted stopped" }, "Stopped."));

  const handlers = {
    run: begin,
    // The server was cut off; what it had begun to say it says anew.
    restart: begin,
    route: ({ routed_to: route, confidence }) => {
      head.replaceChildren(badge(route, confidence));
      say(`${ROUTES[route].working}…`);
      announce(`Routed to ${ROUTES[route].name}, ${percent(confidence)}`);
    },
    status: ({ text }) => say(text),
    token: ({ text }) => {
      status.remove();
      draft.add(text);
    },
    result: (result) => {
      head.replaceChildren(
        badge(result.route, result.route === result.routed_to ? result.confidence : null),
        detour(result),
        result.degraded
          ? el("span", { class: "tag", title: "A model did not answer; something simpler did." }, "degraded")
          : "",
        result.cached
          ? el("span", { class: "muted", title: "The same question over the same documents was answered before." }, "from cache")
          : "",
      );
      settle(...resultContent(result, { message, stored, corrections }, onAsk));
      answer.append(resultFooter(result, feedback));
      announce(`${ROUTES[result.route].name}: ${result.answer}`);
    },
    error: ({ code, message: text, trace_id: traceId }) =>
      code.includes("cancel") ? stopped() : fail({ code, message: text, traceId }),
    end: () => answer.hasAttribute("aria-busy") && stopped(),
  };
  const fail = (error, retry = onRetry) => settle(...draft.nodes(), errorNotice(error, retry));

  say("Sending…");
  return { node, say, fail, apply: ({ event, data }) => handlers[event]?.(data) };
}

function question(message, attachments) {
  const text = el("div", { class: "bubble" }, message);
  const files = attachments.map(({ title }) => el("span", { class: "file-tag" }, icon("file"), title));
  return el(
    "div",
    { class: "question" },
    files.length ? el("div", { class: "file-tags" }, files) : null,
    text,
    foldable(text, message),
  );
}

function foldable(text, message) {
  if (message.length < LONG_MESSAGE && message.split("\n").length < 12) return null;
  text.classList.add("folded");
  const toggle = el("button", { type: "button", class: "text-button", "aria-expanded": "false" }, "Show all");
  toggle.addEventListener("click", () => {
    const folded = text.classList.toggle("folded");
    toggle.textContent = folded ? "Show all" : "Show less";
    toggle.setAttribute("aria-expanded", String(!folded));
  });
  return toggle;
}

/** Where the graph went on to another node than the router chose. */
const detour = ({ route, routed_to: first }) =>
  route === first ? "" : el("span", { class: "muted" }, `after trying ${ROUTES[first].name}`);

/** The draft that tokens build up, drawn at most once a frame. */
function draftView(content) {
  let text = "";
  let frame = 0;
  const nodes = () => (text ? [el("div", { class: "prose draft" }, render(text))] : []);
  const draw = () => {
    frame = 0;
    content.replaceChildren(...nodes());
  };
  return {
    nodes,
    add: (piece) => {
      text += piece;
      frame ||= requestAnimationFrame(draw);
    },
    stop: () => cancelAnimationFrame(frame),
    clear: () => {
      text = "";
    },
  };
}
