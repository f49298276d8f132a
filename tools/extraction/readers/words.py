"""Values that are chosen from words the caller lists: enumerations and booleans."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tools.extraction.readers.labels import find_labels, value_after
from tools.extraction.readers.source import Candidate, Source

_YES = frozenset("yes true y ja oui sí si x ✓ ☑ ✔ 1 on included enabled".split())
_NO = frozenset("no false n nein non none 0 off ☐ excluded disabled".split())


def literals(source: Source, schema: Mapping[str, Any], labels: Sequence[str]) -> list[Candidate]:
    """The options of an enumeration that the text names; surer where one is the value of the field's label."""
    options = [schema["const"]] if "const" in schema else list(schema.get("enum", ()))
    named = [option for option in options if isinstance(option, str | int | float) and not isinstance(option, bool)]
    beside = [value for label in find_labels(source, labels) if (value := value_after(source, label))]
    found: list[Candidate] = []
    for option in named:
        words = [re.escape(word) for word in re.split(r"[\s_\-]+", str(option)) if word]
        if not words:
            continue
        pattern = re.compile(r"(?<![^\W_])" + r"[\s_\-]{0,3}".join(words) + r"(?![^\W_])", re.IGNORECASE)
        for match in list(pattern.finditer(source.text))[:20]:
            labelled = any(
                start <= match.start() < start + max(40, len(str(option))) and match.end() <= end
                for start, end, _ in beside
            )
            # A longer option that covers this one ("not paid" over "paid") wins by its length.
            found.append(
                Candidate(
                    option, match.start(), match.end(), (0.85 if labelled else 0.4) + min(0.1, 0.002 * len(str(option)))
                )
            )
    return [
        one
        for one in found
        if not any(o.start <= one.start and one.end <= o.end and o.end - o.start > one.end - one.start for o in found)
    ]


def booleans(source: Source, labels: Sequence[str]) -> list[Candidate]:
    """A yes or no that stands beside one of the labels."""
    found: list[Candidate] = []
    for label in find_labels(source, labels):
        if value := value_after(source, label):
            start, end, cue = value
            match = re.match(r"[\w✓✔☑☐]+", source.text[start:end])
            word = match.group().lower() if match else ""
            if word in _YES or word in _NO:
                found.append(Candidate(word in _YES, start, start + len(word), cue))
    return found
