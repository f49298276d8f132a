"""DOCX to Markdown-like text: heading styles, lists, tables, headers, footers, notes; no deleted or hidden text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tools.errors import DocumentError
from tools.knowledge.parsers import markup
from tools.knowledge.parsers.archive import member_names, read_members
from tools.knowledge.parsers.raw import ParseLimits, RawDocument, RawPage

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BODY = "word/document.xml"
_STYLES = "word/styles.xml"
_CORE = "docProps/core.xml"
_PARTS = re.compile(r"word/(header|footer|footnotes|endnotes)\d*\.xml")
_HEADING_STYLE = re.compile(r"(?i)heading\s*([1-9])")
_SKIPPED = frozenset({_FALLBACK, f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}pPr", f"{_W}sectPr"})
_TEXT = f"{_W}t"
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def parse(data: bytes, limits: ParseLimits) -> RawDocument:
    """Read a DOCX file; the title is the document property.

    Raises:
        DocumentError: `archive_bomb` or `corrupt_document`.
    """
    notes = sorted(name for name in member_names(data, limits) if _PARTS.fullmatch(name))
    members = read_members(data, {_BODY, _STYLES, _CORE, *notes}, limits)
    roots = {name: _parse_xml(content) for name, content in members.items()}
    levels = _heading_levels(roots[_STYLES]) if _STYLES in roots else {}
    headers = [name for name in notes if "header" in name]
    order = [*headers, _BODY, *(name for name in notes if name not in headers)]
    sections = ["\n\n".join(_blocks(roots[name], levels)) for name in order]
    # Odd, even and first-page headers usually say the same.
    text = "\n\n".join(dict.fromkeys(section for section in sections if section.strip()))
    title = roots[_CORE].findtext(_DC_TITLE) if _CORE in roots else None
    return RawDocument([RawPage(text)], title=title)


def _parse_xml(content: bytes) -> Element:
    if b"<!DOCTYPE" in content:
        raise _corrupt()
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError:
        raise _corrupt() from None


def _corrupt() -> DocumentError:
    return DocumentError(
        "The Word file is damaged. Open it in a word processor, save it again and upload the new copy.",
        code="corrupt_document",
    )


def _heading_levels(styles: Element) -> dict[str, int]:
    """Map style ids, which are localised, to heading levels by the styles' built-in names."""
    levels: dict[str, int] = {}
    for style in styles.iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        value = name.get(f"{_W}val", "") if name is not None else ""
        match = _HEADING_STYLE.fullmatch(value)
        if match:
            levels[style.get(f"{_W}styleId", "")] = int(match.group(1))
        elif value.lower() == "title":
            levels[style.get(f"{_W}styleId", "")] = 1
    return levels


def _blocks(container: Element, levels: dict[str, int]) -> Iterator[str]:
    listed: list[str] = []
    for child in _children(container):
        text = _table(child) if child.tag == f"{_W}tbl" else _paragraph(child, levels)
        if text.startswith("- "):
            listed.append(text)
            continue
        if listed:
            yield "\n".join(listed)
            listed = []
        if text.strip():
            yield text
    if listed:
        yield "\n".join(listed)


def _children(container: Element) -> Iterator[Element]:
    """Yield paragraphs and tables in order, through content controls, text boxes and other wrappers."""
    for child in container:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag not in _SKIPPED:
            yield from _children(child)


def _paragraph(paragraph: Element, levels: dict[str, int]) -> str:
    text = _text(paragraph).strip()
    properties = paragraph.find(f"{_W}pPr")
    if properties is None or not text:
        return text
    style = properties.find(f"{_W}pStyle")
    style_id = style.get(f"{_W}val", "") if style is not None else ""
    match = _HEADING_STYLE.fullmatch(style_id)
    level = levels.get(style_id) or (int(match.group(1)) if match else None)
    if level:
        return markup.heading(text, level)
    return f"- {markup.one_line(text)}" if properties.find(f"{_W}numPr") is not None else text


def _text(element: Element) -> str:
    return "".join(_runs(element))


def _runs(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == _TEXT:
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag in _SKIPPED or child.find(f"{_W}rPr/{_W}vanish") is not None:
            continue
        else:
            yield from _runs(child)
            if child.tag == f"{_W}p":
                yield "\n"


def _table(table: Element) -> str:
    rows = [[_text(cell) for cell in row.iter(f"{_W}tc")] for row in table.iter(f"{_W}tr")]
    return markup.table(rows)
