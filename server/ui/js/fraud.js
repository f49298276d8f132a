/** A scored transaction: gauge, label, red flags with their evidence, reasoning and the model that scored. */

import { el, icon, svg } from "./dom.js";
import { humanise } from "./format.js";

const SHORT_HASH = 12;
const BORDERLINE = "Borderline: a person should decide this one.";

/** A label as people say it. */
export const LABELS = { FRAUD: "Fraud", LEGITIMATE: "Legitimate" };

/** `fraud` as the API gives it (design section 5); `note`, if given, says what became of a borderline score. */
export function fraudCard(fraud, note = fraud.needs_review ? reviewNote(BORDERLINE) : null) {
  return el(
    "section",
    { class: "card fraud", data: { label: fraud.label }, "aria-label": "Fraud score" },
    el(
      "div",
      { class: "fraud-head" },
      gauge(fraud.risk_score),
      el(
        "div",
        { class: "fraud-verdict" },
        el(
          "p",
          { class: "verdict" },
          icon(fraud.label === "FRAUD" ? "alert" : "check"),
          LABELS[fraud.label],
        ),
        el(
          "p",
          { class: "probability" },
          "Probability of fraud ",
          el("strong", {}, fraud.probability.toFixed(3)),
          " ",
          calibration(fraud),
        ),
        note,
      ),
    ),
    flags(fraud.red_flags),
    el("h4", {}, "Reasoning"),
    el("p", { class: "reasoning" }, fraud.reasoning),
    modelLine(fraud.model),
  );
}

/** A half circle from 0 to 100; the number stands inside it. */
function gauge(score) {
  const arc = "M 12 62 A 50 50 0 0 1 112 62";
  const filled =
    score > 0 && svg("path", { class: "gauge-fill", d: arc, pathLength: 100, "stroke-dasharray": `${score} 100` });
  return svg(
    "svg",
    { class: "gauge", viewBox: "0 0 124 78", role: "img", "aria-label": `Risk score ${score} of 100` },
    svg("path", { class: "gauge-track", d: arc }),
    filled,
    svg("text", { class: "gauge-score", x: 62, y: 56, "text-anchor": "middle" }, String(score)),
    svg("text", { class: "gauge-end", x: 12, y: 76, "text-anchor": "middle" }, "0"),
    svg("text", { class: "gauge-end", x: 62, y: 72, "text-anchor": "middle" }, "risk score"),
    svg("text", { class: "gauge-end", x: 112, y: 76, "text-anchor": "middle" }, "100"),
  );
}

function calibration({ calibrated }) {
  const title = calibrated
    ? "Of all transactions scored like this, about this share is fraud."
    : "The model’s raw score: use it to rank transactions, not as a rate of fraud.";
  return el("span", { class: "tag", title }, calibrated ? "calibrated" : "uncalibrated");
}

/** A line beside a borderline score. */
export const reviewNote = (...content) => el("p", { class: "review" }, icon("flag"), content);

function flags(redFlags) {
  if (!redFlags.length) return el("p", { class: "muted no-flags" }, "No red flags were computed for this transaction.");
  const items = redFlags.map(({ code, evidence }) =>
    el(
      "li",
      {},
      icon("flag"),
      el(
        "div",
        {},
        el("span", { class: "flag-name", title: code }, humanise(code)),
        el("span", { class: "flag-evidence" }, evidence),
      ),
    ),
  );
  return [el("h4", {}, `Red flags (${redFlags.length})`), el("ul", { class: "flags" }, items)];
}

function modelLine({ base, adapter, sha256 }) {
  const hash = sha256 && el("code", { title: sha256 }, sha256.slice(0, SHORT_HASH));
  return el(
    "p",
    { class: "model-line" },
    "Model ",
    base,
    " · ",
    adapter ? `adapter ${adapter}` : "no adapter",
    hash && " · ",
    hash,
  );
}
