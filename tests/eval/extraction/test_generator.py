from __future__ import annotations

import re
from importlib import resources
from itertools import pairwise

import pytest
import yaml

from eval.extraction.documents import LabelledDocument, Scalar
from eval.extraction.generator import KINDS, UNUSUAL_KINDS, Side, generate, generate_unusual
from eval.extraction.generator.grammar import load_grammar
from eval.extraction.generator.world import load_world
from tools.extraction.records import BUILT_IN
from tools.extraction.schemas import resolve_schema

SIDES: tuple[Side, ...] = ("train", "held_out")
# What every company, street and currency shares is nobody's template.
_COMMON_WORDS = 3


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", re.sub(r"<[^>]*>|\{[^}]*\}|\[[^\]]*\]", " ", text).lower()))


@pytest.mark.parametrize(
    ("kind", "folder"),
    [(kind, "") for kind in KINDS] + [(kind, "/unusual") for kind in (*UNUSUAL_KINDS, "invoice")],
)
@pytest.mark.parametrize("other", ["", "/unusual"])
def test_the_sides_share_no_wording_and_no_layout(kind: str, folder: str, other: str) -> None:
    if other and kind not in (*UNUSUAL_KINDS, "invoice"):
        return
    train, held_out = load_grammar(f"train{folder}", kind), load_grammar(f"held_out{other}", kind)
    sentences = [{words(text) for options in grammar.values() for text in options} for grammar in (train, held_out)]
    shared = {text for text in sentences[0] & sentences[1] if len(text.split()) > _COMMON_WORDS}
    assert shared == set()
    layouts = [{text for name, options in grammar.items() if name.startswith(("prose", "form")) for text in options}
               for grammar in (train, held_out)]  # fmt: skip
    assert not layouts[0] & layouts[1]


def test_the_sides_share_no_names() -> None:
    share_no_names("", {"legal_forms", "payment_methods", "channels"})


def test_the_sides_share_no_names_in_unusual_documents() -> None:
    # Currencies and ways to write a date are everybody's, too.
    common = {"legal_forms", "payment_methods", "channels", "currencies", "date_forms"}
    share_no_names("/unusual", common)


def share_no_names(folder: str, common: set[str]) -> None:
    train, held_out = (load_world(f"{side}{folder}").words for side in SIDES)
    assert train.keys() >= held_out.keys()
    # Legal forms, and words for how things are paid, are everybody's.
    for name in held_out.keys() - common:
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
    unusual = [*generate_unusual(side, 100, 1), *generate_unusual(side, 30, 1, ("invoice",))]
    for document in [*generate(side, 200, 1), *unusual]:
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
@pytest.mark.parametrize(("inner", "kinds"), [("", KINDS), ("unusual", (*UNUSUAL_KINDS, "invoice"))])
def test_templates_name_what_there_is(side: Side, inner: str, kinds: tuple[str, ...]) -> None:
    folder = resources.files("eval.extraction.generator").joinpath("templates", side, inner)
    for kind in kinds:
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


@pytest.mark.parametrize("side", SIDES)
def test_unusual_documents_come_in_many_layouts_and_some_in_capitals(side: Side) -> None:
    for kind in UNUSUAL_KINDS:
        assert sum(name.startswith(("prose", "form")) for name in load_grammar(f"{side}/unusual", kind)) >= 6
    documents = list(generate_unusual(side, 120, 7))
    assert documents == list(generate_unusual(side, 120, 7))
    assert any(one.text.isupper() for one in documents)


def test_invoices_have_numbers_that_look_like_an_iban() -> None:
    texts = [one.text for one in generate_unusual("held_out", 30, 8, ("invoice",))]
    assert any(re.search(r"[A-Z]{2}\d\dZZZ\d{11}", text) for text in texts)
    assert any(re.search(r"RF\d\d \d{4}", text) for text in texts)
