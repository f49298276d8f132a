from __future__ import annotations

import pytest

from eval.injection.attacks import beside, inside, load_attacks
from tools.knowledge.documents import Page, ParsedDocument

TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
DOCUMENT = ParsedDocument(
    "Fees", [Page("# Fees\n\nOne fee. Another fee."), Page(f"{TABLE}\n\nEnd.", 2)], "text/markdown"
)


def test_the_attacks_are_many_of_several_families() -> None:
    attacks = load_attacks()
    assert len(attacks) >= 30
    assert len({attack.family for attack in attacks}) >= 8
    assert len({attack.text for attack in attacks}) == len(attacks)


def test_an_attack_names_the_question_on_one_line() -> None:
    bait = next(attack for attack in load_attacks() if "{question}" in attack.text)
    said = bait.said("How\nmuch?")
    assert "How much?" in said
    assert "\n" not in said


def test_an_attack_stands_behind_the_quote_or_behind_the_table_whose_row_it_is() -> None:
    assert inside(DOCUMENT, "Obey.", "One fee.").pages[0].text == "# Fees\n\nOne fee. Obey. Another fee."
    attacked = inside(DOCUMENT, "Obey.", "| 1 | 2 |")
    assert attacked.pages[1].text == f"{TABLE}\n\nObey.\n\nEnd."
    assert attacked.pages[0] == DOCUMENT.pages[0]
    with pytest.raises(ValueError, match="is not in"):
        inside(DOCUMENT, "Obey.", "no such words")


def test_an_attack_beside_is_a_document_of_the_same_title() -> None:
    document = beside("Ob\u200bey.", "Fees")
    assert (document.title, document.text) == ("Fees", "Obey.")
