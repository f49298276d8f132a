from __future__ import annotations

import re
from importlib import resources
from itertools import pairwise

import pytest
import yaml

from eval.extraction.documents import LabelledDocument, Scalar
from eval.extraction.generator import KINDS, Side, generate
from eval.extraction.generator.grammar import load_grammar
from eval.extraction.generator.world import load_world
from tools.extraction.records import BUILT_IN
from tools.extraction.schemas import resolve_schema

SIDES: tuple[Side, ...] = ("train", "held_out")
# What every company, street and currency shares is nobody's template.
_COMMON_WORDS = 3


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", re.sub(r"<[^>]*>|\{[^}]*\}|\[[^\]]*\]", " ", text).lower()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_sides_share_no_wording_and_no_layout(kind: str) -> None:
    train, held_out = (load_grammar(side, kind) for side in SIDES)
    sentences = [{words(text) for options in grammar.values() for text in options} for grammar in (train, held_out)]
    shared = {text for text in sentences[0] & sentences[1] if len(text.split()) > _COMMON_WORDS}
    assert shared == set()
    layouts = [{text for name, options in grammar.items() if name.startswith(("prose", "form")) for text in options}
               for grammar in (train, held_out)]  # fmt: skip
    assert not layouts[0] & layouts[1]


def test_the_sides_share_no_names() -> None:
    train, held_out = (load_world(side).words for side in SIDES)
    assert train.keys() >= held_out.keys()
    # Legal forms, and words for how things are paid, are everybody's.
    for name in held_out.keys() - {"legal_forms", "payment_methods", "channels"}:
        shared = {str(word).lower() for word in train[name]} & {str(word).lower() for word in held_out[name]}
        assert shared == set(), name


@pytest.mark.parametrize("side", SIDES)
def test_documents_come_again_with_the_same_seed(side: Side) -> None:
    first, second = (list(generate(side, 10, 4)) for _ in range(2))
    assert first == second
    assert [one.text for one in generate(side, 10, 5)] != [one.text for one in first]
    assert {one.schema for one in first} == set(KINDS) == set(BUILT_IN)


@pytest.mark.parametrize("side", SIDES)
def test_gold_texts_stand_in_the_document_and_name_fields_of_the_schema(side: Side) -> None:
    for document in generate(side, 200, 1):
        flowed = " ".join(document.text.split())
        paths = resolve_schema(document.schema).root.members
        for path, value in document.gold.items():
            assert re.split(r"[.\[]", path)[0] in paths
            for cell in cells(value):
                if isinstance(cell, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d.*|[A-Z]{3}|\d+ \w+", cell):
                    assert cell in flowed, (document.id, path, cell)


@pytest.mark.parametrize("side", SIDES)
def test_fields_are_missing_and_texts_are_noisy(side: Side) -> None:
    documents = list(generate(side, 300, 2))
    values = [value for one in documents for path, value in one.gold.items() if "[]" not in path]
    assert 0.2 < sum(value is None for value in values) / len(values) < 0.5
    assert any(broken(one) for one in documents)
    assert len({one.text for one in documents}) == len(documents)


def broken(document: LabelledDocument) -> bool:
    """A gold text runs over the end of a line."""
    texts = [cell for value in document.gold.values() for cell in cells(value) if isinstance(cell, str)]
    return any(text not in document.text and text in " ".join(document.text.split()) for text in texts)


def cells(value: object) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)  # type: ignore[return-value]


@pytest.mark.parametrize("side", SIDES)
def test_templates_name_what_there_is(side: Side) -> None:
    folder = resources.files("eval.extraction.generator").joinpath("templates", side)
    for kind in KINDS:
        grammar = yaml.safe_load(folder.joinpath(f"{kind}.yaml").read_text(encoding="utf-8"))
        used = {name for options in grammar.values() for text in options
                for name in re.findall(r"\{(?:\*\w+:)?(\w+)\}", text)}  # fmt: skip
        values = {name for name in grammar if name.endswith("_wording")}
        layouts = {name for name in grammar if name.startswith(("prose", "form"))}
        assert used <= grammar.keys()
        assert grammar.keys() - used == values | layouts


def test_amounts_of_an_invoice_add_up() -> None:
    for document in generate("held_out", 40, 3, ["invoice"]):
        net, tax, total = (document.gold[name] for name in ("subtotal", "tax", "total"))
        if all(isinstance(value, float) for value in (net, tax, total)):
            assert abs(float(str(net)) + float(str(tax)) - float(str(total))) < 0.006


def test_blank_lines_are_closed_up() -> None:
    for document in generate("train", 50, 6):
        assert all(first or second for first, second in pairwise(document.text.split("\n\n\n")))
