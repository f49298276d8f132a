/** An extraction: a table of fields beside the source text, in which the evidence of the field at hand is marked. */

import { copyButton } from "./controls.js";
import { el, svg } from "./dom.js";
import { humanise, percent } from "./format.js";
import { sourceView } from "./sources.js";

/**
 * `extraction` as the API gives it; `fields` maps paths such as `line_items[0].amount` to value, evidence and confidence.
 * `message` is what the analyst sent: the source where no document was attached.
 */
export function extractionCard(extraction, message) {
  const source = sourceView(extraction, message);
  const show = source.show;
  const table = el(
    "table",
    { class: "fields" },
    el("caption", { class: "visually-hidden" }, "Extracted fields"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["Field", "Value", "Confidence"].map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el("tbody", {}, rows(extraction.data, "", extraction.fields, show)),
  );
  return el(
    "section",
    { class: "card extraction", "aria-label": "Extraction" },
    header(extraction),
    el("div", { class: "extraction-body" }, el("div", { class: "table-scroll" }, table), source.node),
    extraction.warnings.length
      ? el(
          "ul",
          { class: "warnings" },
          extraction.warnings.map((text) => el("li", {}, text)),
        )
      : null,
  );
}

function header({ schema, data, fields, model }) {
  const all = Object.values(fields);
  const found = all.filter(({ value }) => value !== null).length;
  return el(
    "header",
    { class: "card-head" },
    el("h3", {}, humanise(schema)),
    el("span", { class: "muted" }, `${found} of ${all.length} values found`),
    el("span", { class: "spacer" }),
    el("span", { class: "muted model", title: "Model" }, model),
    copyButton("Copy as JSON", () => JSON.stringify(data, null, 2)),
  );
}

/** Table rows of an object: one for each value, a heading for each nested object, a sub-table for each list of objects. */
function rows(object, prefix, fields, show) {
  return Object.entries(object).flatMap(([name, value]) => {
    const path = prefix + name;
    if (isListOfObjects(value)) return subTable(path, name, value, fields, show);
    if (Array.isArray(value) && value.length)
      return value.map((_, index) => row(`${path}[${index}]`, `${humanise(name)} ${index + 1}`, fields, show));
    if (isObject(value)) return [groupRow(name), ...rows(value, `${path}.`, fields, show)];
    return row(path, humanise(name), fields, show);
  });
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isListOfObjects = (value) => Array.isArray(value) && value.length > 0 && value.every(isObject);
const groupRow = (name) => el("tr", { class: "group" }, el("th", { scope: "colgroup", colspan: 3 }, humanise(name)));

function row(path, label, fields, show) {
  const field = fields[path] ?? { value: null, evidence: null, confidence: null, reason: null };
  const node = el(
    "tr",
    { data: { path }, class: path.includes(".") ? "nested" : "" },
    el("th", { scope: "row" }, label),
    el("td", {}, valueOf(field, label)),
    el("td", { class: "confidence" }, field.value === null ? "" : confidenceBar(field.confidence)),
  );
  return highlightsOn(node, path, field, show);
}

function subTable(path, name, items, fields, show) {
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const kind = (column) => (items.every((item) => typeof (item[column] ?? 0) === "number") ? "number" : "");
  const cell = (index, column) => {
    const at = `${path}[${index}].${column}`;
    const field = fields[at] ?? { value: items[index][column] ?? null, evidence: null, confidence: null, reason: null };
    const title = field.value === null ? null : `Confidence ${percent(field.confidence)}`;
    const node = el(
      "td",
      { class: kind(column), data: { path: at }, title },
      valueOf(field, `${humanise(column)} ${index + 1}`, true),
    );
    return highlightsOn(node, at, field, show);
  };
  const table = el(
    "table",
    { class: "sub-table" },
    el("caption", {}, `${humanise(name)} (${items.length})`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        columns.map((column) => el("th", { class: kind(column), scope: "col" }, humanise(column))),
      ),
    ),
    el(
      "tbody",
      {},
      items.map((_, index) =>
        el(
          "tr",
          {},
          columns.map((column) => cell(index, column)),
        ),
      ),
    ),
  );
  return el(
    "tr",
    { class: "sub-row" },
    el(
      "td",
      { colspan: 3 },
      el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": humanise(name) }, table),
    ),
  );
}

function valueOf({ value, evidence, reason }, label, terse = false) {
  if (value === null) {
    const why = reason ? humanise(reason) : "No value";
    return el("span", { class: "null", title: why }, terse ? "\u2013" : why);
  }
  const text = typeof value === "boolean" ? (value ? "Yes" : "No") : String(value);
  if (!evidence) return text;
  return el("button", { type: "button", class: "value", "aria-label": `${label}: ${text}. Show in the source` }, text);
}

/** Pointing at a row shows its evidence; focusing or clicking its value also scrolls the source there. */
function highlightsOn(node, path, { evidence }, show) {
  if (!evidence) return node;
  node.classList.add("has-evidence");
  node.addEventListener("mouseenter", () => show(path, false));
  node.addEventListener("focusin", () => show(path, true));
  node.addEventListener("click", () => show(path, true));
  return node;
}

function confidenceBar(share) {
  const level = share >= 0.8 ? "high" : share >= 0.5 ? "middling" : "low";
  const bar = svg("svg", { class: "bar", viewBox: "0 0 40 4", data: { level }, "aria-hidden": "true" }, [
    svg("rect", { class: "bar-track", width: 40, height: 4, rx: 2 }),
    svg("rect", { class: "bar-fill", width: 40 * share, height: 4, rx: 2 }),
  ]);
  return el("span", { class: "with-bar" }, bar, percent(share));
}
