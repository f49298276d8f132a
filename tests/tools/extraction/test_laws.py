from __future__ import annotations

import pytest

from tests.tools.extraction.documents import CONTRACT
from tools.extraction.readers.laws import governing_laws
from tools.extraction.readers.source import Source


def best(text: str) -> object:
    return max(Source(text).read(governing_laws), key=lambda one: one.cue).value


@pytest.mark.parametrize(
    ("sentence", "law"),
    [
        (CONTRACT, "England and Wales"),
        ("This Agreement is governed by the laws of the State of New York, without regard to conflicts.", "New York"),
        ("It shall be construed in accordance with the laws of the Netherlands.", "Netherlands"),
        ("This contract is subject to German law.", "German"),
        ("This Agreement is to be construed according to the laws of the State of Illinois.", "Illinois"),
        (
            "This Agreement shall be governed by, construed and enforced in accordance with the internal laws of the "
            "Commonwealth of Massachusetts without regard to its principles of conflicts of laws.",
            "Massachusetts",
        ),
        ("THIS AGREEMENT SHALL BE GOVERNED BY THE LAWS OF THE STATE OF TEXAS WITHOUT REGARD TO ANY RULE.", "TEXAS"),
        ("All questions shall be governed by and construed under the laws of\nthe People's Republic of China.",
         "People's Republic of China"),
        ("The validity of this Agreement is governed exclusively by Swiss law; venue is Zug.", "Swiss"),
        ("The laws of New South Wales govern this Agreement.", "New South Wales"),
        ("This Agreement shall be deemed made under, and governed by, the laws of the State of Delaware, U.S.A. "
         "applicable to contracts made there.", "Delaware"),
        ("Law and venue. This Agreement is governed by Delaware law and the parties submit to its courts.", "Delaware"),
        ("Governing law: Japan. Disputes go to arbitration.", "Japan"),
        ("Applicable Law\nFrance\n", "France"),
        ("Governed by the laws of the Province of Ontario and the federal laws of Canada there.", "Ontario"),
    ],
)  # fmt: skip
def test_the_place_whose_law_governs(sentence: str, law: str) -> None:
    assert best(sentence) == law


@pytest.mark.parametrize(
    "sentence",
    [
        "The parties respect all laws of nature.",
        "Acme Inc., a corporation organized and existing under the laws of the State of Delaware.",
        "Each party shall comply with the export laws of the United States.",
        "Personal data are processed in compliance with the laws of Ireland.",
    ],
)
def test_other_laws_govern_nothing(sentence: str) -> None:
    assert Source(sentence).read(governing_laws) == []


def test_where_a_party_is_incorporated_is_not_what_governs() -> None:
    text = (
        "Acme Inc., organized under the laws of Nevada, and Beta Ltd agree.\n\n"
        "12.4 This Agreement is governed by the laws of Oregon."
    )
    assert best(text) == "Oregon"


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("The law of Denmark applies to this contract.", "Denmark"),
        ("Disputes are judged under the law of the Province of Alberta.", "Alberta"),
        ("Norway is the country whose law governs the contract.", "Norway"),
        ("Proper law: Mexico", "Mexico"),
        ("Both obey the laws of the Ports they call at.", None),
    ],
)
def test_laws_in_other_words(text: str, law: str | None) -> None:
    found = [str(one.value) for one in governing_laws(Source(text))]
    assert (found[0] if found else None) == law
