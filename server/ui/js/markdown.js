/** A small, safe subset of Markdown as DOM nodes: paragraphs, headings, lists, code, bold and citations. Links stay text. */

import { el } from "./dom.js";

const INLINE = /(`[^`\n]+`)|(\*\*[^*\n]+\*\*)|( *\[\d{1,3}(?:\s*,\s*\d{1,3})*\])/;
const BULLET = /^\s*[-*\u2022]\s+/;
const NUMBER = /^\s*\d{1,3}[.)]\s+/;
const HEADING = /^#{1,6}\s+/;
const FENCE = /^\s*```/;

/** `citation(n)` returns the node for `[n]`, or null where there is no such citation: then the text stays as it is. */
export function render(text, citation = () => null) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  while (lines.length) {
    if (!lines[0].trim()) lines.shift();
    else blocks.push(block(lines, citation));
  }
  return blocks;
}

function block(lines, citation) {
  if (FENCE.test(lines[0])) return codeBlock(lines);
  if (HEADING.test(lines[0]))
    return el("p", { class: "heading" }, inline(lines.shift().replace(HEADING, ""), citation));
  if (BULLET.test(lines[0])) return list("ul", BULLET, lines, citation);
  if (NUMBER.test(lines[0])) return list("ol", NUMBER, lines, citation);
  const paragraph = take(
    lines,
    (line) => line.trim() && ![FENCE, HEADING, BULLET, NUMBER].some((start) => start.test(line)),
  );
  return el(
    "p",
    {},
    paragraph.flatMap((line, index) => [index ? el("br") : null, ...inline(line, citation)]),
  );
}

function codeBlock(lines) {
  lines.shift();
  const code = take(lines, (line) => !FENCE.test(line), 0);
  lines.shift();
  return el("pre", {}, el("code", {}, code.join("\n")));
}

function list(tag, marker, lines, citation) {
  const start = tag === "ol" ? parseInt(lines[0], 10) : null;
  const items = [];
  while (lines.length && marker.test(lines[0])) {
    const first = lines.shift().replace(marker, "");
    const rest = take(lines, (line) => /^\s{2,}\S/.test(line) && !BULLET.test(line) && !NUMBER.test(line), 0);
    items.push(el("li", {}, inline([first, ...rest.map((line) => line.trim())].join(" "), citation)));
  }
  return el(tag, { start }, items);
}

/** Moves lines off the front while they `belong`; the first `least` always do, so that every block consumes something. */
function take(lines, belong, least = 1) {
  const taken = [];
  while (lines.length && (taken.length < least || belong(lines[0]))) taken.push(lines.shift());
  return taken;
}

function inline(text, citation) {
  return text
    .split(INLINE)
    .filter(Boolean)
    .flatMap((piece) => {
      if (/^`[^`]+`$/.test(piece)) return el("code", {}, piece.slice(1, -1));
      if (/^\*\*[^*]+\*\*$/.test(piece)) return el("strong", {}, inline(piece.slice(2, -2), citation));
      if (/^ *\[[\d,\s]+\]$/.test(piece)) return citations(piece, citation);
      return piece;
    });
}

function citations(piece, citation) {
  const nodes = piece
    .trim()
    .slice(1, -1)
    .split(",")
    .map((number) => citation(Number(number)));
  return nodes.every(Boolean) ? nodes : piece;
}
