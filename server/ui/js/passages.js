/** Finding and marking spans of a document's text. */

import { el } from "./dom.js";

const PAGE_BREAK = "\f";
const PREFIX = 80;

/**
 * Where `quote` stands in `text`, as UTF-16 offsets `{start, end}`, or null. White space, hyphenation marks and quote
 * characters may differ. Where it stands more than once, `page` (from 1) decides.
 */
export function locate(text, quote, page = null) {
  return occurrence(text, quote.trim(), page) ?? occurrence(text, quote.trim().slice(0, PREFIX), page);
}

function occurrence(text, quote, page) {
  if (!quote) return null;
  let first = null;
  for (const { index: start, 0: match } of text.matchAll(tolerant(quote))) {
    const span = { start, end: start + match.length };
    if (page === null || pageAt(text, start) === page) return span;
    first ??= span;
  }
  return first;
}

const pageAt = (text, offset) => text.slice(0, offset).split(PAGE_BREAK).length;

/** A pattern for the quote in any layout: white space may differ, soft hyphens may stand in words, quotes may be curly. */
function tolerant(quote) {
  const words = quote.split(/\s+/).map((word) => [...word].map(characterPattern).join("\u00ad*"));
  return new RegExp(words.join("\\s+"), "giu");
}

function characterPattern(character) {
  if (/['\u2018\u2019]/.test(character)) return "['\u2018\u2019]";
  if (/["\u201c\u201d]/.test(character)) return '["\u201c\u201d]';
  return character.replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
}

/** Converts code-point offsets, as Python counts, to this text's UTF-16 offsets. */
export function codePointOffsets(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (offset) => offset;
  const offsets = [0];
  for (const character of text) offsets.push(offsets.at(-1) + character.length);
  return (offset) => offsets[Math.min(offset, offsets.length - 1)];
}

/**
 * The text as nodes, cut at every span's ends. `spans`: `[{start, end, key}]`, which may overlap. Returns the nodes and
 * `marks`, a map from each key to its `<mark>` elements.
 */
export function markSpans(text, spans) {
  const cuts = [...new Set([0, text.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const marks = new Map(spans.map(({ key }) => [key, []]));
  const nodes = cuts.slice(0, -1).map((start, index) => {
    const piece = text.slice(start, cuts[index + 1]);
    const covering = spans.filter((span) => span.start <= start && start < span.end);
    if (!covering.length) return document.createTextNode(piece);
    const mark = el("mark", {}, piece);
    for (const { key } of covering) marks.get(key).push(mark);
    return mark;
  });
  return { nodes, marks };
}

/** The document's pages as sections with the span (if any) marked; a document without page breaks is one section. */
export function pagesOf(text, span) {
  const pages = cut(text, PAGE_BREAK);
  return pages.map(({ piece, start }, index) => {
    const heading = pages.length > 1 && el("h3", { class: "page-number" }, `Page ${index + 1}`);
    const lines = cut(piece, "\n").map((line) => lineOf(line.piece, start + line.start, span));
    return el("section", { class: "page" }, heading, el("div", { class: "page-text" }, lines));
  });
}

/** One line of a page, with a class that sets Markdown headings and tables apart; its text stays as it is. */
function lineOf(text, offset, span) {
  const kind = text.startsWith("#") ? "line-heading" : text.startsWith("|") ? "line-table" : "";
  const inside = span && span.start < offset + text.length && span.end > offset;
  if (!inside) return el("div", { class: kind }, text || "\n");
  const local = { start: Math.max(0, span.start - offset), end: Math.min(text.length, span.end - offset), key: "span" };
  return el("div", { class: kind }, markSpans(text, [local]).nodes);
}

/** The pieces of `text` between separators of one character, with their offsets. */
function cut(text, separator) {
  let start = 0;
  return text.split(separator).map((piece) => {
    const at = start;
    start += piece.length + separator.length;
    return { piece, start: at };
  });
}
