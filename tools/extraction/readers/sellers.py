"""Who a sentence of a receipt or an invoice says sold what it lists."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.extraction.readers.misread import misreadable
from tools.extraction.readers.names import FORM
from tools.extraction.readers.source import Candidate, Source

_THROUGH = (
    r"(?:(?:receipt|order(?:ed|ing)?|purchased?|shopp(?:ing|ed)|bought|payment|paid|visit(?:ed)?|din(?:ing|ed)|eating|parking|fuelling|"
    r"staying|thanks|greetings|again)\s+(?:from|with|at|to|by|in)|paid\s+\S+\s+(?:\S+\s+)?to|choosing|visiting|regards,|welcome(?:\s+back)?\s+to|"
    r"(?:owned|operated|managed|run|issued|sold(?:\s+to\s+you)?|provided)\s+(?:by|on\s+behalf\s+of)\s*:?|"
    r"(?:business|brand|trading\s+name|division|subsidiary)\s+of|"
    r"(?:einkauf|besuch|bestellung|zahlung)\s+(?:bei|beim|im|in|an)(?:\s+(?:der|die|das))?|(?:visite|achats?|commande|paiement)\s+(?:chez|à|au|dans)|"
    r"(?:compra|comprar|visita|pedido|pago)\s+(?:en|a|con)|grazie\s+(?:da|per\s+aver\s+scelto)|(?:acquisto|visita|ordine)\s+(?:da|presso|con)|"
    r"(?:bezoek|aankoop|bestelling|betaling)\s+(?:aan|bij)|(?:handlat?|handlade|köp|køb|besøg|besök)\s+(?:hos|på|i))"
)
_NAME = (
    r"[A-ZÀ-Þ][\w'’&.-]*(?:,?[ ](?:[A-ZÀ-Þ(][\w'’&.()-]*|&|and|of|de|the|la|el|z\so\.o|a\.s|s\.r\.o|d\.o\.o"
    r"|plc)(?!\w)\.?)*"
)
_SOLD_BY = re.compile(rf"\b(?i:{misreadable(_THROUGH)})\s+(?P<name>{_NAME})")
_THANKS = re.compile(rf"(?m:^)\W*(?P<name>{_NAME})\s+(?:thanks|thank|wishes|welcomes|says|appreciates)\b")
_LEGAL_FORM = re.compile(rf"(?:^|[\s,.)])(?:{FORM})\.?$", re.IGNORECASE)
_NOBODY = re.compile(
    r"\b(?:customers?|client|invoice|receipt|order|tel|phone|date|cash(?!\W*(?:and\b)?\W*carry)|visa|mastercard|www)\b|^(?:we|us|our|your|you|the\s+(?:family|shop|store|club))\b",
    re.IGNORECASE,
)
_CUE = 0.42


def sellers(source: Source) -> Sequence[Candidate]:
    """Who a sentence says sold it: `Thank you for your order with Acme Ltd.`, `Run by Acme Ltd`, `Acme thanks you`."""
    found: list[Candidate] = []
    for match in (*_SOLD_BY.finditer(source.text), *_THANKS.finditer(source.text)):
        name = match["name"]
        if not _LEGAL_FORM.search(name) or name.endswith(("!", ",")):
            name = name.rstrip(".,!")
        if sum(char.isalpha() for char in name) >= 3 and not _NOBODY.search(name):
            found.append(Candidate(name, match.start("name"), match.start("name") + len(name), _CUE))
    return found
