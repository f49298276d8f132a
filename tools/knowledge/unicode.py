"""Repair of extracted text: normal form, ligatures, invisible characters, hyphenation at line ends.

Runs before chunking, so offsets are counted in the repaired text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_LINE_ENDS = "\u0085\u2028\u2029\v\f\x1c\x1d\x1e"
_INVISIBLE = re.compile(
    "[\u200b\u2060-\u2064\ufeff\u180e"  # zero-width spaces and joiners that no script needs
    "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # direction marks: they can hide or reverse what a reader sees
    "\U000e0000-\U000e007f"  # tag characters: invisible text
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]"  # control characters other than tab and line ends
)
# All patterns here are linear: possessive quantifiers, and no second try from inside a run.
# Arabic, Indic scripts and emoji need the (non-)joiner; beside a Latin character it is only noise.
_LATIN_JOINERS = re.compile(r"(?<=[\x00-\u024f])[\u200c\u200d]++|(?<![\u200c\u200d])[\u200c\u200d]++(?=[\x00-\u024f])")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \t]*\n[ \t]*)?")
_TRAILING_SPACE = re.compile(r"(?<![ \t])[ \t]++\n")
_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_END_HYPHEN = re.compile(r"(?<![^\W_])([^\W_]++)[-\u2010]\n[ \t]*([^\W_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_TRANSLATION = str.maketrans(_LIGATURES | dict.fromkeys(_SPACES, " ") | dict.fromkeys(_LINE_ENDS, "\n"))

# Words that keep their hyphen when a line ends behind them.
_COMPOUND_STARTS = frozenset(
    "all anti cross ex half high long low mid multi non one post pre re self semi short third two well".split()
)


def repair(text: str) -> str:
    """Return `text` in NFC without invisible characters, odd spaces, ligatures, NULs or lone surrogates.

    Line ends become `\\n`, at most one blank line stays in a row, and both ends are stripped.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_TRANSLATION)
    text = _SURROGATES.sub("\ufffd", text)
    text = without_invisible(text)
    text = unicodedata.normalize("NFC", _SOFT_HYPHEN.sub("", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("\n", text)).strip()


def without_invisible(text: str) -> str:
    """Return `text` without zero-width, direction, tag and control characters; joiners that scripts need stay."""
    return _LATIN_JOINERS.sub("", _INVISIBLE.sub("", text))


def vocabulary(texts: Iterable[str]) -> Set[str]:
    """Return the lower-case words of `texts`, hyphenated ones whole: what `join_hyphenated` decides by."""
    return {word.lower() for text in texts for word in _WORD.findall(text)}


def join_hyphenated(text: str, words: Set[str]) -> str:
    """Join words that a line end hyphenated, as in printed text.

    The hyphen goes unless the word needs it: the hyphenated form occurs elsewhere in `words`, it is a usual compound
    ("self-", "non-"), or a side is a number or capitalised. Then only the line end goes.
    """

    def joined(match: re.Match[str]) -> str:
        left, right = match.group(1), match.group(2)
        compound = f"{left}-{right}"
        breaks_inside_word = left[-1].islower() and right[0].islower()
        if not breaks_inside_word:
            return compound
        if (left + right).lower() in words:
            return left + right
        keeps_hyphen = compound.lower() in words or left.lower() in _COMPOUND_STARTS
        return compound if keeps_hyphen else left + right

    return _LINE_END_HYPHEN.sub(joined, text)
