/** An extraction: a table of fields beside the source text, in which the evidence of the field at hand is marked. */

import { announce } from "./announcer.js";
import { correctExtraction } from "./api.js";
import { copyButton } from "./controls.js";
import { correctable, correctedField, correctionTag } from "./corrections.js";
import { el, svg } from "./dom.js";
import { humanise, percent } from "./format.js";
import { sourceView } from "./sources.js";

const NOTHING = { value: null, evidence: null, confidence: null, reason: null };
// The lists of the built-in schemas with what their records hold, which an empty list does not show.
const ITEMS = { line_items: ["description", "quantity", "unit_price", "amount"] };
const LISTS = { invoice: ITEMS, receipt: ITEMS, contract: { parties: ["name", "role"] } };
const AT_TOP = /^[^.[\]]+$/;
const IN_LIST = /^([^.[\]]+)\[(\d+)\]\.(.+)$/;

/**
 * `extraction` as the API gives it; `fields` maps paths such as `line_items[0].amount` to value, evidence and confidence.
 * `message` is what the analyst sent: the source where no document was attached. With the run's id, `runId`, values can
 * be corrected; `corrections` are those that were stored before, by path.
 */
export function extractionCard(extraction, message, { runId = null, corrections = {} } = {}) {
  const fields = { ...extraction.fields };
  for (const [path, corrected] of Object.entries(corrections))
    fields[path] = correctedField(fields[path] ?? NOTHING, corrected);
  const source = sourceView({ ...extraction, fields }, message);
  const lists = LISTS[extraction.schema] ?? {};
  const absent = Object.keys(fields).filter((path) => AT_TOP.test(path) && !(path in extraction.data));
  const data = withAdded(extraction.data, Object.keys(corrections), lists);
  for (const name of absent) data[name] ??= null;
  const card = { data, absent, lists, fields, source, runId, counted: el("span", { class: "muted" }) };
  count(card);
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
    el("tbody", {}, rows(data, "", card)),
  );
  return el(
    "section",
    { class: "card extraction", "aria-label": "Extraction" },
    header(extraction, card),
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

function header({ schema, model }, card) {
  return el(
    "header",
    { class: "card-head" },
    el("h3", {}, humanise(schema)),
    card.counted,
    el("span", { class: "spacer" }),
    el("span", { class: "muted model", title: "Model" }, model),
    copyButton("Copy as JSON", () => JSON.stringify(copied(card), null, 2)),
  );
}

function count({ fields, counted }) {
  const all = Object.values(fields);
  counted.textContent = `${all.filter(({ value }) => value !== null).length} of ${all.length} values found`;
}

/** A copy of the data that has the records of lists which people added: those that `paths` lead to. */
function withAdded(data, paths, lists) {
  const copy = structuredClone(data);
  for (const [, name, index, column] of paths.map((path) => IN_LIST.exec(path)).filter(Boolean)) {
    const items = (copy[name] ??= []);
    while (items.length <= Number(index)) items.push(emptyRecord(lists[name] ?? [column]));
  }
  return copy;
}

const emptyRecord = (columns) => Object.fromEntries(columns.map((column) => [column, null]));
const isEmpty = (record) => isObject(record) && Object.values(record).every((value) => value === null);

/** The data with what people corrected in it, and without records in which nothing stands. */
function withCorrections(value, path, fields) {
  if (Array.isArray(value))
    return value
      .map((item, index) => withCorrections(item, `${path}[${index}]`, fields))
      .filter((item) => !isEmpty(item));
  if (!isObject(value)) return fields[path]?.correction ? fields[path].value : value;
  const prefix = path && `${path}.`;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withCorrections(item, prefix + name, fields)]),
  );
}

/** What is copied: optional fields of a schema of one's own that nobody filled stay out, as null might not fit it. */
function copied({ data, absent, fields }) {
  const all = Object.entries(withCorrections(data, "", fields));
  return Object.fromEntries(all.filter(([name, value]) => value !== null || !absent.includes(name)));
}

/** Table rows of an object: one for each value, a heading for each nested object, a sub-table for each list of objects. */
function rows(object, prefix, card) {
  return Object.entries(object).flatMap(([name, value]) => {
    const path = prefix + name;
    if (path in card.lists && !value?.length) return emptyList(path, name, card);
    if (isListOfObjects(value)) return subTable(path, name, value, card);
    if (Array.isArray(value) && value.length)
      return value.map((_, index) => row(`${path}[${index}]`, `${humanise(name)} ${index + 1}`, card));
    if (isObject(value)) return [groupRow(name), ...rows(value, `${path}.`, card)];
    return row(path, humanise(name), card);
  });
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isListOfObjects = (value) => Array.isArray(value) && value.length > 0 && value.every(isObject);
const groupRow = (name) => el("tr", { class: "group" }, el("th", { scope: "colgroup", colspan: 3 }, humanise(name)));

function row(path, label, card) {
  const field = card.fields[path] ?? NOTHING;
  const sure = field.value === null || field.confidence === null ? null : confidenceBar(field.confidence);
  const node = el(
    "tr",
    { data: { path }, class: path.includes(".") ? "nested" : "" },
    el("th", { scope: "row" }, label),
    el("td", {}, valueIn(path, label, false, card, () => row(path, label, card))),
    el("td", { class: "confidence" }, sure ?? correctionTag(field)),
  );
  return highlightsOn(node, path, field, card);
}

/** The row of a list that was read as empty, to which records can be added. */
function emptyList(path, name, card) {
  const node = row(path, humanise(name), card);
  const add = addButton(path, name, card, () => node);
  if (add) node.querySelector("td").append(add);
  return node;
}

/** A button that adds a record to a list of the schema; `place()` is the row that shows the list. */
function addButton(path, name, card, place) {
  if (card.runId === null || !(path in card.lists)) return null;
  const add = () => {
    const items = (card.data[path] ??= []);
    items.push(emptyRecord(card.lists[path]));
    const fresh = subTable(path, name, items, card);
    place().replaceWith(fresh);
    fresh.querySelector(`[data-path^="${path}[${items.length - 1}]"] .edit`).click();
  };
  return el("button", { type: "button", class: "text-button", on: { click: add } }, `Add to ${humanise(name)}`);
}

function subTable(path, name, items, card) {
  const columns = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const kind = (column) => (items.every((item) => typeof (item[column] ?? 0) === "number") ? "number" : "");
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
          columns.map((column) =>
            cell(`${path}[${index}].${column}`, `${humanise(column)} ${index + 1}`, kind(column), card),
          ),
        ),
      ),
    ),
  );
  const node = el(
    "tr",
    { class: "sub-row" },
    el(
      "td",
      { colspan: 3 },
      el("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": humanise(name) }, table),
      addButton(path, name, card, () => node),
    ),
  );
  return node;
}

function cell(path, label, kind, card) {
  const field = card.fields[path] ?? NOTHING;
  const title = field.value === null || field.confidence === null ? null : `Confidence ${percent(field.confidence)}`;
  const node = el(
    "td",
    { class: kind, data: { path }, title },
    valueIn(path, label, true, card, () => cell(path, label, kind, card)),
    correctionTag(field),
  );
  return highlightsOn(node, path, field, card);
}

/** A value that can be corrected where it stands in a run's answer; `again()` makes its row or cell anew. */
function valueIn(path, label, terse, card, again) {
  const field = card.fields[path] ?? NOTHING;
  const shown = valueOf(field, label, terse);
  if (card.runId === null || path in card.lists) return shown;
  const save = async (value, verbatim) => {
    const told = await correctExtraction({ run_id: card.runId, fields: { [path]: { value, verbatim } } });
    card.fields[path] = correctedField(field, told.fields[path]);
    card.source.mark();
    count(card);
    const fresh = again();
    place.closest("[data-path]").replaceWith(fresh);
    fresh.querySelector(".edit").focus();
    announce(`${label}: stored`);
  };
  const place = correctable(shown, { label, text: field.value === null ? "" : asText(field.value), save });
  return place;
}

const asText = (value) => (typeof value === "boolean" ? (value ? "Yes" : "No") : String(value));

function valueOf({ value, evidence, reason }, label, terse = false) {
  if (value === null) {
    const why = reason ? humanise(reason) : "No value";
    return el("span", { class: "null", title: why }, terse ? "\u2013" : why);
  }
  const text = asText(value);
  if (!evidence) return el("span", {}, text);
  return el("button", { type: "button", class: "value", "aria-label": `${label}: ${text}. Show in the source` }, text);
}

/** Pointing at a row shows its evidence; focusing or clicking its value also scrolls the source there. */
function highlightsOn(node, path, { evidence }, { source: { show } }) {
  if (!evidence) return node;
  node.classList.add("has-evidence");
  node.addEventListener("mouseenter", () => show(path, false));
  // Not under a button that is being pressed: the source would move it away.
  node.addEventListener("focusin", ({ target }) => target.closest(".edit") || show(path, true));
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
