"""The wordings in which people mention a transaction's facts."""

from __future__ import annotations

import re

from tools.fraud import values

_NAME = r"[A-Z0-9][\w'’&.\-]*(?:[ ]+(?:(?:&|of|the|de|du|la|le|and)[ ]+)?[A-Z0-9][\w'’&.\-]*){0,5}"
_PLACE = r"[A-Z][\w'’\-]*(?:[ ]+(?:(?:of|and|the|de|do|la)[ ]+)?[A-Z][\w'’\-]*){0,3}"
_UNIT_OF_MONEY = r"(?:[€$£¥₹₦]|\b(?:EUR|USD|GBP|CHF|JPY|INR|NGN|PLN|SEK|NOK|DKK|CAD|AUD|euros?|dollars?|pounds?)\b)"
_SUM = (
    rf"(?:{_UNIT_OF_MONEY}\s?)?(?:{values.NUMBER})(?:\s?{_UNIT_OF_MONEY})?"
    r"(?![\d:%h]|\s*(?:times|x|km|min|days?|hours?)\b)"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_LAST = r"(?:(?:the|her|his|their|its|a|an)\s+)?(?:customer['’]s\s+)?(?:last|previous|prior|earlier|preceding)"


TRANSACTION_ID = re.compile(
    r"\b(?i:transaction|txn|trx|tx)(?:\s+(?i:id|no\.?|number))?\s*[:#]?\s*"
    r"(?P<id>(?=[\w-]*\d)[A-Z]{1,6}[-_]?[\w-]{2,30})\b"
)
CUSTOMER = re.compile(
    r"\b(?i:customer|client|cardholder)(?:\s+(?i:id|no\.?|number))?\s*[:#]?\s*(?P<id>(?=[\w-]*\d)[A-Z0-9][\w-]{1,30})\b"
)
CODE = re.compile(
    r"\b(?i:(?:transaction|txn|trx|internal|processing|reason|response)\s+)?(?i:code)\s*(?i:is|was|:|=)?\s*"
    r"(?P<code>(?=[A-Z-]*\d|[A-Z]{2})[A-Z0-9][A-Z0-9-]{0,23})\b"
)

CARD_AGE = re.compile(
    rf"\bcard\s+(?:(?:is|was|only|just|about|aged?|issued|opened|activated|created|received)\s+)*"
    rf"(?P<age>{values.DURATION})(?:\s+(?:old|ago|earlier|before|of\s+age))?\b"
    rf"|(?P<older>{values.DURATION})[\s-]old\s+(?:credit\s|debit\s|virtual\s)?card\b",
    re.IGNORECASE,
)
DISTANCE = re.compile(
    rf"(?P<km>{values.DISTANCE})(?:\s+(?:away\s+)?(?:from|since|of|off|after)\s+{_LAST}|\s+away|\s+apart|\s+further)",
    re.IGNORECASE,
)
SINCE_LAST = re.compile(
    rf"(?P<span>{values.DURATION})\s+(?:after|since|from)\s+(?:{_LAST}|(?:a|an|another|one)\s+(?:\w+\s+)?"
    rf"(?:purchase|payment|transaction|withdrawal|charge))"
    rf"|{_LAST}\s+(?:\w+\s+)?(?:was\s+|is\s+|made\s+)?(?P<ago>{values.DURATION})\s+(?:ago|earlier|before)",
    re.IGNORECASE,
)
COUNT = re.compile(
    rf"\b(?P<count>{values.COUNT})\s*"
    r"(?:(?:other|more|card|online|similar|small|failed|declined)\s+)*"
    r"(?:(?:transaction|purchase|payment|charge|attempt|authori[sz]ation|withdrawal|txn|tx|swipe|use)s?|times)?\s*"
    r"(?:(?:in|within|over|during|for)\s+)?(?:(?:the|an?|one|this)\s+)?(?:(?:last|past|previous|same)\s+)?"
    r"(?P<window>1\s?h(?:our)?|60\s?min(?:ute)?s?|hour|24\s?h(?:ours?|rs?)?|day|today|7\s?d(?:ays?)?|seven\s+days|week)\b"
    r"(?!\s*(?:old|ago|after|since|later|earlier|before))(?<!\d\sday)(?<!\d\shour)(?<!\d\sweek)",
    re.IGNORECASE,
)
COUNT_WINDOWS = (
    ("1h", "count_1h"),
    ("60", "count_1h"),
    ("h", "count_1h"),
    ("24", "count_24h"),
    ("d", "count_24h"),
    ("t", "count_24h"),
    ("7", "count_7d"),
    ("s", "count_7d"),
    ("w", "count_7d"),
)

USUAL = re.compile(
    rf"\b(?:usual(?:ly)?|typical(?:ly)?|normal(?:ly)?|average|avg|mean|median)(?:\s+(?!at\b|in\b)[a-z'’]+){{0,4}}?"
    rf"\s*[:=]?\s*(?:(?:~|about|around|roughly|some)\s*)?(?P<sum>{_SUM})"
    rf"|(?P<before>{_SUM})\s+(?:on\s+average|is\s+(?:usual|typical|normal))",
    re.IGNORECASE,
)
AMOUNT = re.compile(
    rf"\b(?:amount(?:ing)?(?:\s+(?:of|to|is|was))?|(?:purchase|payment|charge|transaction|withdrawal|transfer|sale)\s+of"
    rf"|charged|paid|pays|spent|spends|withdrew|withdraws|worth|for)\s*[:=]?\s*(?P<sum>{_SUM})"
    rf"|(?:^|(?<!\d):)\s*(?P<leading>{_SUM})(?=\s+(?:at|to|in|on|from)\b)",
    re.IGNORECASE,
)

DATE = re.compile(
    rf"(?<!\d)(?P<date>\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+\d{{4}}|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})(?!\d)",
    re.IGNORECASE,
)
CLOCK = re.compile(
    r"(?<![\d:.,])(?P<clock>(?:[01]?\d|2[0-3])[:h][0-5]\d(?::[0-5]\d)?(?:\s*[ap]\.?m\b)?"
    r"|(?:1[0-2]|0?[1-9])\s*[ap]\.?m\b)|\b(?P<word>noon|midnight)\b",
    re.IGNORECASE,
)

CARD_NOT_PRESENT = re.compile(r"\bcard[- ]not[- ]present\b|\bcnp\b", re.IGNORECASE)
NEW_MERCHANT = re.compile(
    r"\b(?:first(?:[- ]time)?(?:\s+(?:purchase|payment|transaction))?\s+(?:at|with|from)\s+(?:this|the|that)\s+"
    r"(?:merchant|shop|store|retailer|seller)|new\s+merchant|first\s+time\s+(?:here|there)"
    r"|(?:merchant|shop|store)\s+(?:is\s+)?(?:new|never\s+(?:used|seen))"
    r"|never\s+(?:bought|shopped|paid|used)[a-z ]{0,30}before)\b",
    re.IGNORECASE,
)
KNOWN_MERCHANT = re.compile(
    r"\b(?:(?:known|regular|usual|familiar|trusted)\s+(?:merchant|shop|store)"
    r"|(?:shopped|bought|paid)\s+(?:here|there|at\s+this\s+(?:merchant|shop|store))\s+before)\b",
    re.IGNORECASE,
)
NEW_CATEGORY = re.compile(
    r"\b(?:new\s+category|first(?:[- ]time|\s+purchase)?\s+in\s+(?:this|the|that)\s+category)\b", re.IGNORECASE
)
KNOWN_CATEGORY = re.compile(r"\b(?:known|usual|regular|familiar)\s+category\b", re.IGNORECASE)

HOME = re.compile(
    r"\b(?i:home\s+country|home|lives\s+in|living\s+in|based\s+in|resident\s+(?:of|in)|resides\s+in"
    r"|(?:customer|cardholder|client|card)\s+(?:is\s+)?(?:from|issued\s+in)|issued\s+in)\s*(?i:is|:|=)?\s*(?i:in\s+)?"
    rf"(?:the\s+)?(?P<place>{_PLACE}(?:,\s*{_PLACE})?)"
)
PLACE = re.compile(rf"\b(?i:in)\s+(?:the\s+)?(?P<place>{_PLACE})(?:\s*[,(]\s*(?P<rest>{_PLACE}))?")
MERCHANT = re.compile(
    r"\b(?i:at|to|from|with|by|merchant|shop|store|on)\s+(?:(?i:the\s+)?(?i:merchant|shop|store)\s+)?"
    r"(?:called\s+|named\s+)?"
    r"(?:\"(?P<quoted>[^\"\n\x00]{2,60})\"|“(?P<curled>[^”\n\x00]{2,60})”"
    rf"|(?P<domain>[A-Za-z0-9][\w-]*\.(?:com|net|org|io|shop|store|de|fr|uk|co)\b)|(?P<name>(?!\d+\b){_NAME}))"
)
NOT_A_MERCHANT = re.compile(
    r"(?i:atm|pos|night|home|customer|the|this|it|merchant|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march|april|may|june|july|august|september|october|november|december)"
)
SHOP = re.compile(
    r"\b(?:at|in|from)\s+(?:an?|some|the)\s+(?P<category>(?:[a-z]+[ -]){0,2}(?:store|shop|station|restaurant|hotel"
    r"|casino|supermarket|pharmacy|bar|cafe|dealer|exchange|retailer|market|airline|jewell?er))\b",
    re.IGNORECASE,
)
CATEGORY = re.compile(
    r"\b(?:merchant\s+category|category|mcc)\s*(?:code)?\s*(?:is|:|=)?\s*"
    r"(?P<category>\d{4}|[a-z][a-z_/&-]*(?:\s(?!at|in|on|for)[a-z]+)?)"
    r"|\((?P<bracketed>electronics|grocery|groceries|travel|fuel|jewell?ery|gambling|gaming|restaurants?|clothing|crypto"
    r"|gift\scards|airlines?|hotels?|pharmacy|luxury)\)",
    re.IGNORECASE,
)
