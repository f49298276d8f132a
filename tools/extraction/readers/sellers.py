"""Who a sentence of a receipt or an invoice says sold what it lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.names import FORM
from tools.extraction.readers.source import Candidate, Source
from tools.extraction.readers.trades import TRADES

_THROUGH = (
    r"(?:(?:receipt|bill|invoice|slip|ticket|voucher|order(?:ed|ing)?|purchased?|shopp(?:ing|ed)|bought|payment|paid|visit(?:ed)?|din(?:ing|ed)|eating|parking|fuelling|"
    r"staying|thanks|greetings|again)\s+(?:from|with|at|to|by|in)|paid\s+\S+\s+(?:\S+\s+)?to|choosing|visiting|regards,|welcome(?:\s+back)?\s+to|"
    r"(?:owned|operated|managed|run|issued|sold(?:\s+to\s+you)?|provided)\s+(?:by|on\s+behalf\s+of)\s*:?|"
    r"(?:business|brand|trading\s+name|division|subsidiary)\s+of|"
    r"(?:einkauf|besuch|bestellung|zahlung)\s+(?:bei|beim|im|in|an)(?:\s+(?:der|die|das))?|(?:visite|achats?|commande|paiement)\s+(?:chez|à|au|dans)|"
    r"(?:compra|comprar|visita|pedido|pago)\s+(?:en|a|con)|grazie\s+(?:da|per\s+aver\s+scelto)|(?:acquisto|visita|ordine)\s+(?:da|presso|con)|"
    r"(?:bezoek|aankoop|bestelling|betaling)\s+(?:aan|bij)|(?:handlat?|handlade|köp|køb|besøg|besök)\s+(?:hos|på|i))"
)
_NAME = (
    r"[A-ZÀ-Þ][\w'’&.-]*(?:,?[ ](?:[A-ZÀ-Þ(][\w'’&.()-]*|&|and|of|de|the|la|el|plc|"
    r"(?:z\so\.o|a\.s|s\.r\.o|d\.o\.o)\.?)(?!\w)){0,10}"
)
_SOLD_BY = re.compile(rf"\b(?i:{misreadable(_THROUGH)})\s+(?P<name>{_NAME})")
_THANKS = re.compile(rf"(?m:^)[^\w\n]*(?P<name>{_NAME})\s+(?:thanks|thank|wishes|welcomes|says|appreciates)\b")
_AT_LINE_END = re.compile(
    r"(?P<lead>.{2,45}?)\s+(?P<word>(?i:by|at|from|with|of|chez|bei|hos|presso|da|en|van|von))(?:\s+the)?:?[ ]+"
    rf"(?P<name>{_NAME})[ \t.,!]*$"
)
_TELLS = re.compile(r"\b(?-i:[a-z]{3,})|(?:ed|ing|bill|receipt|slip|invoice|order|purchase)$", re.IGNORECASE)
_TRAILING = re.compile(
    rf"(?P<lead>(?:.{{0,44}}?[\s])?(?:(?!(?:and|of|the|de|la|du|der)\s)[a-z][\w'’]*|#?\d+|[^\s]*[:|"
    rf"/>»=#–—*-]))[ \t]+(?P<name>{_NAME})[ \t.]*$"
)
_NOT_BY = re.compile(
    misreadable(
        r"\b(?:served|paid|printed|powered|processed|software|signed|approved|cashier|customer|client|guest|waiter|staff|clerk|member|"
        r"(?:your|first|last)\s+name|bill\s+to|ship|deliver\w*|sold\s+to|attn|country|city|currency|method|type|status|"
        r"made\s+in|designed|hours|sales?\s*person)\b"
    ),
    re.IGNORECASE,
)
"""What else than the seller a line may name at its end."""
_ENDS = 6
"""Filled lines at either end of the text in which a name at a line's end may be the seller's."""
_LONGEST_LINE = 120
_LEGAL_FORM = re.compile(rf"(?:^|[\s,.)])(?:{FORM})\.?$", re.IGNORECASE)
_NOBODY = re.compile(
    r"^(?:credit|debit|card|bank|gift)$|\b(?:customers?|client|invoice|receipt|order|tel|phone|date|(?:debit|credit|bank|gift)\s+card|cash(?!\W*(?:and\b)?\W*carry)|visa|mastercard|american\s+express|maestro|www)\b|^(?:we|us|our|your|you|the\s+(?:family|shop|store|club))\b",
    re.IGNORECASE,
)
_TRADE = re.compile(rf"\b(?:{TRADES})$", re.IGNORECASE)
_CUE = 0.42
_LINE_END_CUE, _LEGAL_BONUS = 0.38, 0.08


def sellers(source: Source) -> Sequence[Candidate]:
    """Who a sentence says sold it: `Thank you for your order with Acme Ltd.`, `Run by Acme Ltd`, `Acme thanks you`."""
    found: list[Candidate] = []
    for match in (*_SOLD_BY.finditer(source.text), *_THANKS.finditer(source.text)):
        name = match["name"]
        if not _LEGAL_FORM.search(name) or name.endswith(("!", ",")):
            name = name.rstrip(".,!")
        if sum(char.isalpha() for char in name) >= 3 and not _NOBODY.search(name):
            found.append(Candidate(name, match.start("name"), match.start("name") + len(name), _CUE))
    return [*found, *_at_line_ends(source)]


def _at_line_ends(source: Source) -> Iterator[Candidate]:
    """Names that a line near the top or the foot ends in, whatever it says before: `Supplied by Acme Ltd`."""
    filled = [line for line in source.lines if line.text.strip()]
    for line in dict.fromkeys((*filled[:_ENDS], *filled[-_ENDS:])):
        for pattern in (_AT_LINE_END, _TRAILING) if len(line.text) <= _LONGEST_LINE else ():
            match = pattern.match(source.text, line.start, line.end)
            if match and not _NOT_BY.search(match["lead"]) and not _NOBODY.search(match["name"]) and _is_named(match):
                formed = _LEGAL_FORM.search(match["name"])
                name = match["name"] if formed else match["name"].rstrip(".,")
                cue = _LINE_END_CUE + (_LEGAL_BONUS if formed else 0.0)
                yield Candidate(name, match.start("name"), match.start("name") + len(name), cue)


def _is_named(match: re.Match[str]) -> bool:
    """A legal form or a trade says that it is a company, or two words behind a preposition that is none of its own."""
    name = match["name"]
    if match.re is _TRAILING:
        if not re.search(r"[^\W\d]{2}", match["lead"]):
            return False
        return _LEGAL_FORM.search(name) is not None or _TRADE.search(name) is not None
    told = match["word"].lower() in ("by", "from") or _TELLS.search(match["lead"])
    return bool(told) and (len(name.split()) > 1 or _LEGAL_FORM.search(name) is not None)
