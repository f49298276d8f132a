"""What kind of document a text looks like: weighted features of its vocabulary, in several languages, and shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Final

_READ_CHARS = 20_000
_FLAGS = re.IGNORECASE | re.MULTILINE
_SLIP_WIDTH, _SLIP_LINES = 36, 5
_LETTER_CHARS, _RECORD_CHARS, _ARTICLE_CHARS = 5000, 1800, 4000
_WIDE_LINE = 200

_FORMAL = (
    r"\A(?:.{0,90}\n){0,8}.{0,70}\b(?:agreement|contract|deed|lease|vertrag|contrato?|contratto"
    r"|overeenkomst)\b.{0,20}$"
    r"|\bhere(?:inafter|after|by|to|of)\b|\b(?:this|the present) (?:agreement|contract|deed)\b|\bagree(?:d"
    r"|s)? as follows\b"
    r"|in witness whereof|\([^()\n]{0,40}[\"“][A-Z][\w -]+[\"”][^()\n]{0,40}\)"
)
_WORDS: Final[Mapping[str, Mapping[str, float]]] = {
    "contract": {
        r"\bagreement\b|\bcontract\b|\bdeed\b|\bvertrag\b|\bcontrato?\b|\bcontratto\b|\bovereenkomst\b|\bumowa\b": 1,
        r"\A(?:.{0,90}\n){0,8}.{0,70}\b(?:agreement|contract|deed|lease|vertrag|contrato?|contratto"
        r"|overeenkomst)\b.{0,20}$": 1,
        r"govern(?:ed|ing) (?:by|law)|\blaws? of\b|applicable law|proper law|law (?:and|or) (?:forum"
        r"|jurisdiction)": 1.5,
        r"hereinafter|hereafter|hereto|herein|hereby|hereof|hereunder|referred to as|(?:nachstehend|ci-après)\b": 1.5,
        r"\bpart(?:y|ies)\b|\bparteien\b|\bles parties\b|\blas partes\b": 1,
        r"\bterminat(?:e|ed|ion)\b|\bnotice\b|\bkündig": 0.5,
        r"effective (?:date|as of|from)|with effect from|commencement|(?:comes?|enters?) into (?:force|effect)": 1,
        r"\bliabilit|\bindemni|\bhaftung\b|\bresponsabilit": 0.5,
        r"in witness whereof|\bwhereas\b|now,? therefore|agree(?:d|s)? (?:as follows|on the following|that)": 1.5,
        r"\(\s*(?:\w+ ){0,4}[\"“][A-Z][\w -]+[\"”]": 1.5,
        r"\b(?:by and between|between|among)\b[\s\S]{0,240}\band\b[\s\S]{0,240}[\"“(]": 0.5,
        r"^\W{0,6}(?:clause|article|art\.|section|§) ?\w{1,4}\b|^\W{0,6}\d{1,2}[.)] [A-Z]": 0.5,
        r"\bshall\b[\s\S]*\bshall\b|\b(?:initial )?term of\b|\bduration\b": 0.5,
        r"\bprivacy\b|\bcookies?\b|\byour (?:personal )?(?:information|data)\b": -3,
        r"\b(?:liability|duration|period|term|notice)\b[\s\S]{0,1500}\b(?:law|party|parties)\b": 0.5,
        r"\bdear (?:sir|madam|customer|team)|\bsincerely\b|\bmy (?:card|account|statement)\b": -2,
    },
    "invoice": {
        r"\binvoice\b|\brechnung\b|\bfacture\b|\bfactura\b|\bfattura\b|\bfactuur\b|\bfaktura\b": 1.5,
        r"\b(?:invoice|inv|rechnung\w*|facture|factura|factuur|bill)\s*\.?(?:no|number|#|nr|n°|date|total|id|to)\b": 1,
        r"bill(?:ed)? to|sold to|invoiced? to|invoice for|\bship to|\bkunden?\b|\bclient\b"
        r"|\bcustomer\b(?!['’]?s? (?:copy|service|care))": 1.5,
        r"due date|payment due|\bdue (?:by|on|in|within)|\bpay(?:able|ment)?\b.{0,20}\b(?:by|before|until"
        r"|within)\b.{0,12}\d"
        r"|net \d\d\b|\bdeadline\b|settle .{0,20}\bby\b|zahlbar|fällig|échéance|vencimiento|scadenza|vervaldatum": 2.5,
        r"\biban\b|\bbic\b|\bswift\b|sort code|bank (?:details|account)|account n(?:o|umber)|bankverbindung": 2,
        r"\bsub-?\s?total\b|\bnet (?:total|amount|sum|value)\b|zwischensumme|sous-total": 0.5,
        r"\bvat\b|\btax\b|\bmwst\b|\btva\b|\biva\b|\bbtw\b": 0.5,
        r"unit (?:price|cost)|\brate\b|\bhours\b|\bprice each\b": 1,
        r"\bsupplier\b|\bvendor\b|\bissued by\b|\blieferant\b|\bfournisseur\b|\bproveedor\b|\bfornitore\b": 1,
        r"remit|purchase order|\bp\.?o\.? (?:no|number)|(?:your|our) ref|\bservices? (?:rendered|provided)": 1,
        r"\bamount due\b|\bbalance due\b|\btotal due\b": 0.5,
        r"\bchange\b(?: due)?\W{1,20}(?:\w{1,3}\W?)?\d|\btendered\b|\bcashier\b|rückgeld|\bkembali\b": -2,
        r"simplified tax invoice|factura simplificada": -1.5,
    },
    "receipt": {
        r"\breceipt\b|kassen(?:bon|zettel|beleg)|\bquittung\b|ticket de caisse|\breçu\b|\brecibo\b|\bricevuta\b"
        r"|\bscontrino\b|\bkassabon\b|\bkvitto?\w*\b|\bparagon\b|\bresit\b|simplified tax invoice"
        r"|factura simplificada|till slip|guest check": 2,
        r"\bcash (?:bill|sales?|memo|inv(?:oice)?)\b|\bsales? (?:slip|voucher|draft)\b|\b(?:merchant|customer"
        r"|cardholder)(?:['’]?s)? (?:copy|slip)\b"
        r"|\bcounterfoil\b|\bstub\b|\bticket\b": 1.5,
        r"\bcashier\b|\btill\b|\bpos\b|\bclerk\b|\bserver\b|\bwaiter\b|\boperator\b|\bsales?person\b|\bterminal\b"
        r"|\btable\b"
        r"|\bkassierer\b|\bkasse\b|\bcaissi?er?\b|\bcajer[oa]\b|\bcassa\b|\bcrew\b|\bcounter\b": 1.5,
        r"\bchange\b(?: due)?\W{1,20}(?:\w{1,3}\W?)?\d|\btender(?:ed)?\b|cash (?:received|paid|tend)|rückgeld"
        r"|wechselgeld"
        r"|\bmonnaie\b|\bcambio\b|\bkembali\b|\bbaki\b|\bwisselgeld\b": 2,
        r"\bcash\b|\bvisa\b|master ?card|\bamex\b|debit card|credit card|apple pay|\bespèces\b|\befectivo\b"
        r"|\bcontanti\b"
        r"|\btunai\b|\bmaestro\b|\bgirocard\b|^\W{0,6}bar\b": 1,
        r"paid (?:by|with|in|on)|payment (?:by|method|type|mode)|(?:means|mode|way) of payment|zahlungsart"
        r"|forma de pago"
        r"|mode de (?:paiement|règlement)|\bthanks\b.{0,20}\b(?:shopping|order|purchase)": 1,
        r"\bro?u?nd(?:ing|ed)?\b.{0,20}(?:adj|total|amt|\d|$)": 1,
        r"\bthank(?:s| you)\b|come again|see you|vielen dank|\bmerci\b|\bgracias\b|\bgrazie\b|terima kasih|dank u"
        r"|bedankt": 1,
        r"goods sold|refund|returnable|\bexchange|guarantee|warranty|welcome|have a (?:nice|good)": 0.5,
        r"\btotal\b|\bsumme\b|\bgesamt|\bà payer\b|\ba pagar\b|\btotale\b|\btotaal\b|\bjumlah\b": 0.5,
        r"\bqty\b|\bquantity\b|\bitems?\b|\bpcs\b|\b\d+ ?x ": 0.5,
        r"(?:^|\D)(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m)?\b": 1,
        r"\b(?:gst|vat|tax|sst|reg|co)\.? ?(?:id|no|reg)\b|\bust-?id|\bsiret\b|\bnif\b|\brfc\b": 0.5,
        r"\b(?:tel|phone|fax|hotline|www)\b": 0.5,
        r"\bapproval\b|\bapproved\b|\bauth\b|\b[at]id\b|\bpin\b|[*x]{4}[*x -]*\d{4}": 0.5,
        r"due date|payment due|net \d\d days|\biban\b|sort code|bill(?:ed)? to|invoiced? to|remit|zahlbar"
        r"|fällig": -1.5,
        r"\bdear (?:sir|madam|customer|team)|\bsincerely\b|\bmy (?:card|account|statement)\b|\bhereby\b"
        r"|\bhereinafter\b": -2,
    },
    "dispute_letter": {
        r"\bdear\b|to whom it may concern|\bsehr geehrte|\bmadame\b|\bmonsieur\b|\bestimad[oa]s?\b|\bgeachte\b"
        r"|\bgentile\b"
        r"|\bladies and gentlemen\b|^\W{0,6}(?:hello|hi|good (?:morning|afternoon|day))\b": 1.5,
        r"sincerely|regards|faithfully|best wishes|yours truly|respectfully|many thanks|^\W{0,6}thanks?\b"
        r"|freundlichen grüßen|cordialement|salutations|atentamente|saludos|groeten|saluti": 1.5,
        r"\bdisput(?:e|ed|ing|es)\b|\bcomplain|\bobject to\b|\bcontest\b|\bchallenge\b|\breklam|\bcontesto\b"
        r"|\bwiderspr": 1.5,
        r"unauthori[sz]ed|charged? (?:me )?twice|double charge|did(?:n[’']t| not) (?:make|authori[sz]e|receive|order"
        r"|place)"
        r"|recogni[sz]e|never (?:arrived|received|delivered|bought|ordered|used|authori[sz]ed)|\bfraudulent": 2,
        r"\b(?:i|we)\b.{0,60}\b(?:refund|chargeback|reverse|money back|credit(?:ed)?)": 1,
        r"\b(?:card|last four|ending)\b.{0,40}\d{4}": 1,
        r"\b(?:i|we) (?:have|did|was|were|am|filled|bought|paid|ordered|never|cancel|write|request|ask|noticed|found"
        r"|saw)": 1,
        r"\bmy (?:card|account|statement|money|name|bank|bill)\b": 1,
        r"\b(?:refund|money back|chargeback|reimburse|reverse|reversal|rückerstatt|rembours|reembolso)": 1,
        r"\b(?:i|we|my)\b.{0,80}\b(?:charge|payment|purchase|debit|transaction|booking)": 1,
        r"\bhereinafter\b|\bhereto\b|\bprivacy\b|\bcookies?\b|\bin witness whereof\b": -2,
    },
    "transaction": {
        r"transaction[ _-]?(?:id|no|number|ref\w*|code)|\btxn?[ _]?(?:id)?\b|\btrn\b|\bbooking (?:id|reference)": 2.5,
        r"\bmerchant\b|\bpayee\b|\bbeneficiary\b": 1.5,
        r"\bmcc\b|merchant[ _]category|\bcategory\b": 2,
        r"\bchannel\b|entry[ _]mode|card[- ]not[- ]present|\bcontactless\b|\bchip\b|\be-?commerce\b": 1.5,
        r"customer[ _-]?(?:id|no|number|ref)|\bcardholder\b|\bclient[ _]id|account[ _](?:id|number|no)\b": 1,
        r"timestamp|date[ _/]*(?:and)?[ _/]*time|\bdatetime\b": 1.5,
        r"^\W{0,6}[\"']?(?:transaction[ _])?(?:amount|amt|value)\b[\"']?[ \t]*[:=|]?": 1,
        r"\A\s*[\[{]": 1,
        r"\b(?:payment|purchase|card|transaction|authori[sz]ation)\b": 1,
        r"\b(?:paid|charged|booked|declined|used at|debited|approved|spent)\b": 1,
        r"\b(?:transaction|payment|customer)\b.{0,20}\b(?:id|no|number|reference|advice)\b": 0.5,
        r"\b(?:country|city)\b[\"']?\s*[:=|]": 1,
        r"\byour (?:card|payment|account|balance|customer number)\b|\bnotification\b|\balert\b": 1,
        r"\bdear (?:sir|madam|team)|sincerely|regards|faithfully|\bhereinafter\b|\bprivacy\b|\b(?:my|i) ": -2,
        r"\bcashier\b|\bqty\b|\bchange due\b|\bsub-?total\b|\binvoice\b|\breceipt\b": -1,
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Page:
    """The beginning of a text and its shape."""

    text: str

    @cached_property
    def lines(self) -> Sequence[str]:
        """Lines that are not empty."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @cached_property
    def prices(self) -> int:
        """Amounts with two decimals."""
        return len(re.findall(r"(?<!\d)\d{1,3}(?:[,. ]?\d{3})*[.,]\d\d(?!\d)", self.text))

    @property
    def is_slip(self) -> bool:
        """Many short lines, or columns, with prices, as tills print them."""
        cells = [cell for line in self.lines for cell in re.split(r"\s{3,}", line)]
        return len(cells) >= _SLIP_LINES and median(map(len, cells)) <= _SLIP_WIDTH and self.prices > 0

    @property
    def ends_in_prices(self) -> bool:
        """At least three lines end in an amount."""
        return sum(re.search(r"\d[.,]\d\d\W{0,3}[A-Z]{0,3}$", line) is not None for line in self.lines) > 2

    @property
    def is_formal(self) -> bool:
        """Titled, opened or worded as what binds its parties."""
        return re.search(_FORMAL, self.text, _FLAGS) is not None

    @property
    def is_prose(self) -> bool:
        """Half of the text stands in long lines or sentences that run on, without prices."""
        long = sum(len(line) for line in self.lines if len(line) > 60)
        return 2 * long > len(self.text)

    @property
    def is_labelled(self) -> bool:
        """Most lines are a label and its value, or the text is a record of a program."""
        labelled = sum(
            re.match(r"[|\s]*[\"']?[A-Za-z][\w /-]{1,30}[\"']?\s*[:=|]\s*\S", line) is not None for line in self.lines
        )
        return 2 * labelled > len(self.lines) or re.match(r"\s*[\[{]\s*[{\"]", self.text) is not None


Shape = Callable[[_Page], bool]
_SHAPES: Final[Sequence[tuple[Shape, Mapping[str, float]]]] = (
    (lambda page: page.is_slip and not page.is_labelled, {"receipt": 1.0, "invoice": -1.0, "contract": -1.0}),
    (lambda page: page.is_slip and page.prices > 2, {"receipt": 0.5}),
    (lambda page: not page.is_formal, {"contract": -2.0}),
    (lambda page: page.ends_in_prices, {"receipt": 0.5, "invoice": 0.5, "transaction": -1.0}),
    (lambda page: page.prices > 4, {"receipt": 0.5, "invoice": 0.5, "transaction": -1.0}),
    (lambda page: page.is_prose, {"receipt": -1.5, "invoice": -0.5}),
    (lambda page: page.is_prose and page.prices == 0, {"receipt": -2.0, "invoice": -1.5, "transaction": -1.5}),
    (lambda page: page.is_labelled and page.prices < 4, {"transaction": 0.5}),
    (lambda page: len(page.text) > _RECORD_CHARS, {"transaction": -3.0}),
    (lambda page: len(page.text) > _LETTER_CHARS, {"dispute_letter": -3.0}),
    (lambda page: len(page.text) > _ARTICLE_CHARS and page.prices < 3, {"receipt": -3.0, "invoice": -2.0}),
)
KINDS: Final = tuple(_WORDS)


def affinity(text: str) -> Mapping[str, float]:
    """How much a text looks like each built-in kind of document: the sum of the weights of the features it shows."""
    page = _Page(text[:_READ_CHARS])
    looks = {
        kind: sum(weight for pattern, weight in features.items() if re.search(pattern, page.text, _FLAGS))
        for kind, features in _WORDS.items()
    }
    for shape, weights in _SHAPES:
        if shape(page):
            looks = {kind: score + weights.get(kind, 0.0) for kind, score in looks.items()}
    return looks
