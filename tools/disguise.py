"""Undo how a text hides its words from a pattern: look-alike letters, invisible characters, spaced-out letters."""

from __future__ import annotations

import re
import unicodedata

from tools.knowledge.unicode import without_invisible

# Cyrillic and Greek letters that look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "авсԁеіјкӏмнорԛѕтухуАВСЕНІЈКМОРЅТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαικνρυ",
    "abcdeijklmhopqstyxyABCEHIJKMOPSTXYABEZHIKMNOPTYXoaikvpu",
)
_SPACED_OUT = re.compile(r"(?<![^\W_])(?:[^\W\d_][ ._*-]){3,}[^\W\d_](?![^\W_])")
_SEPARATORS = re.compile(r"[ ._*-]")


def undisguised(text: str) -> str:
    """The text as a reader sees it, in Latin letters: for detectors, never for display."""
    seen = unicodedata.normalize("NFKC", without_invisible(text))
    plain = unicodedata.normalize("NFKD", seen.translate(_LOOK_ALIKES))
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return _SPACED_OUT.sub(lambda match: _SEPARATORS.sub("", match[0]), bare)
