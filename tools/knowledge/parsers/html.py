"""HTML to Markdown-like text: headings, lists and tables survive, scripts and hidden text do not."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PageElement, PreformattedString

from tools.knowledge.parsers import markup
from tools.knowledge.parsers.encoding import decode
from tools.knowledge.parsers.raw import ParseLimits, RawDocument, RawPage

_DROPPED = frozenset(
    "script style template noscript iframe object embed svg math canvas audio video select button input nav"
    " title".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote body dd div dl dt figcaption figure footer form header hr main ol p pre section"
    " summary details ul table tr td th caption".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CHARSET = re.compile(rb"(?i)charset\s*=\s*[\"']?([\w-]+)")
_HIDDEN_STYLE = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_AROUND_LINE_END = re.compile(r"(?<! ) *+\n *+")
_HEAD = 2048
_MAX_CELL = 600
_INLINE_OPENINGS = {"li": "\n- ", "br": "\n"}


def parse(data: bytes, _limits: ParseLimits) -> RawDocument:
    """Read an HTML file; the title is the `<title>` element. Raises `DocumentError` `bad_encoding`."""
    declared = _CHARSET.search(data[:_HEAD])
    return parse_markup(decode(data, declared.group(1).decode("ascii") if declared else None))


def parse_markup(source: str) -> RawDocument:
    """Read HTML that is already text, as in a mail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(source, "html.parser")
    title = markup.one_line(soup.title.get_text()) if soup.title else None
    for element in soup.find_all(_is_invisible):
        element.decompose()
    for element in soup.find_all(["pre", *_HEADINGS]):
        kept = element.get_text() if element.name == "pre" else _heading_text(element)
        element.replace_with(_Verbatim(f"\n\n{kept}\n\n"))
    # Innermost tables first: a table that only lays out a page must still see the real table inside it as text.
    for table in reversed(soup.find_all("table")):
        if (text := _table_text(table)) is not None:
            table.replace_with(_Verbatim(f"\n\n{text}\n\n"))
    text = _AROUND_LINE_END.sub("\n", "".join(_fragments(soup)))
    return RawDocument([RawPage(text)], title=title or None)


class _Verbatim(NavigableString):
    """Text that keeps its line ends."""


def _is_invisible(element: Tag) -> bool:
    return (
        element.name in _DROPPED
        or element.has_attr("hidden")
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN_STYLE.search(str(element.get("style", ""))))
    )


def _heading_text(element: Tag) -> str:
    text = element.get_text()
    return markup.heading(text, _HEADINGS[element.name]) if text.strip() else ""


def _table_text(table: Tag) -> str | None:
    """Return a pipe table, or `None` for a table that is used for page layout."""
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]
    is_data = any(len(row) > 1 for row in rows) and all(len(cell) <= _MAX_CELL for row in rows for cell in row)
    return markup.table(rows) if is_data else None


def _fragments(soup: BeautifulSoup) -> Iterator[str]:
    """Walk the tree in document order without recursion: hostile pages nest thousands of elements."""
    path: list[tuple[str, Iterator[PageElement]]] = [("", iter(soup.contents))]
    while path:
        name, children = path[-1]
        child = next(children, None)
        if child is None:
            path.pop()
            yield "\n\n" if name in _BLOCKS else "\n" * (name == "li")
        elif isinstance(child, Tag):
            path.append((child.name, iter(child.contents)))
            yield "\n\n" if child.name in _BLOCKS else _INLINE_OPENINGS.get(child.name, "")
        elif isinstance(child, _Verbatim):
            yield str(child)
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            yield _SPACE.sub(" ", child)
