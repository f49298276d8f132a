"""Places that have a law of their own, and the adjectives that are made of them."""

from __future__ import annotations

import re

_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|District of Columbia|Florida|Georgia|"
    "Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|"
    "Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|"
    "North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Puerto Rico|Rhode Island|South Carolina|South Dakota|Tennessee|"
    "Texas|Utah|Vermont|Virginia|Washington, D\\.C\\.|Washington|West Virginia|Wisconsin|Wyoming|"
    "Alberta|British Columbia|Manitoba|New Brunswick|Newfoundland and Labrador|Nova Scotia|Ontario|"
    "Prince Edward Island|Quebec|Québec|Saskatchewan|New South Wales|Queensland|South Australia|Tasmania|Victoria|"
    "Western Australia"
)
_COUNTRIES = (
    "England and Wales|England & Wales|England|Wales|Scotland|Northern Ireland|Great Britain|United Kingdom|"
    "Republic of Ireland|Ireland|Jersey|Guernsey|Isle of Man|Gibraltar|Bermuda|Cayman Islands|British Virgin Islands|"
    "Bahamas|Barbados|Curaçao|Aruba|Belize|Panama|Marshall Islands|Liberia|Mauritius|Seychelles|"
    "United States of America|United States|Canada|Mexico|Brazil|Argentina|Chile|Colombia|Peru|Uruguay|Costa Rica|"
    "France|Germany|Austria|Switzerland|Liechtenstein|Luxembourg|Belgium|Netherlands|Denmark|Sweden|Norway|Finland|"
    "Iceland|Estonia|Latvia|Lithuania|Poland|Czech Republic|Czechia|Slovakia|Slovenia|Hungary|Romania|Bulgaria|Croatia|"
    "Serbia|Greece|Cyprus|Malta|Italy|Spain|Portugal|Turkey|Ukraine|Russian Federation|Russia|Georgia|Kazakhstan|"
    "Israel|Egypt|Morocco|Tunisia|Nigeria|Ghana|Kenya|South Africa|United Arab Emirates|Dubai|Abu Dhabi|"
    "Dubai International Financial Centre|DIFC|Saudi Arabia|Qatar|Kuwait|Bahrain|Oman|Jordan|Lebanon|Pakistan|India|"
    "Bangladesh|Sri Lanka|Nepal|Thailand|Vietnam|Malaysia|Singapore|Indonesia|Philippines|"
    "People['’]s Republic of China|P\\.R\\.C\\.|PRC|China|Hong Kong|Macau|Macao|Taiwan|Republic of China|"
    "Republic of Korea|South Korea|Korea|Japan|Australia|New Zealand|Fiji"
)
_ADJECTIVES = (
    "English and Welsh|English|Welsh|Scottish|Scots|Northern Irish|British|UK|U\\.K\\.|Irish|French|German|"
    "Austrian|Swiss|"
    "Liechtenstein|Belgian|Dutch|Danish|Swedish|Norwegian|Finnish|Icelandic|Estonian|Latvian|Lithuanian|Polish|Czech|"
    "Slovak|Slovenian|Hungarian|Romanian|Bulgarian|Croatian|Serbian|Greek|Cypriot|Maltese|Italian|Spanish|Portuguese|"
    "Turkish|Ukrainian|Russian|Georgian|Kazakh|Israeli|Egyptian|Moroccan|Tunisian|Nigerian|Ghanaian|Kenyan|"
    "South African|Emirati|Saudi|Qatari|Kuwaiti|Pakistani|Indian|Thai|Vietnamese|Malaysian|Singaporean|Singapore|"
    "Indonesian|Philippine|Chinese|PRC|Hong Kong|Taiwanese|Korean|Japanese|Australian|New Zealand|Canadian|Mexican|"
    "Brazilian|Argentine|Argentinian|Chilean|Colombian|Peruvian|Californian|Texan|American"
)


def _longest_first(names: str) -> str:
    parts = sorted(dict.fromkeys(names.split("|")), key=len, reverse=True)
    return "|".join(part.replace(" ", r"\s+") for part in parts)


JURISDICTION = re.compile(rf"(?:{_longest_first(f'{_STATES}|{_COUNTRIES}')})(?!\w)", re.IGNORECASE)
"""A country, or a part of one, that has a law of its own."""
NATIONAL = re.compile(rf"(?:{_longest_first(f'{_ADJECTIVES}|{_STATES}|{_COUNTRIES}')})(?!\w)", re.IGNORECASE)
"""What may stand before "law": `German`, `New York`."""
