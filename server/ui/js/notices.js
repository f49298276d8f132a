/** Failures shown where they happened. */

import { copyButton } from "./controls.js";
import { el, icon } from "./dom.js";

/** A failure in words, with its code and the trace id to report; `retry`, if given, becomes a button. */
export function errorNotice(error, retry = null) {
  const trace =
    error.traceId &&
    el(
      "span",
      { class: "trace" },
      `Trace ${error.traceId}`,
      copyButton("Copy the trace id", () => error.traceId),
    );
  const again =
    retry && el("button", { type: "button", class: "button", on: { click: retry } }, icon("retry"), "Try again");
  return el(
    "div",
    { class: "notice", role: "alert" },
    icon("alert"),
    el(
      "div",
      {},
      el("p", {}, error.message),
      el("p", { class: "notice-meta" }, error.code && el("code", {}, error.code), trace),
    ),
    again,
  );
}
