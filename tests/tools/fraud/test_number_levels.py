from __future__ import annotations

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.fraud.number_levels import NumberLevels, fit_number_levels
from tools.fraud.prompt import LabelPrompt

TEXTS = [
    f"A client, balance {number}, cards {number % 3}, since 2020-01-{number % 28 + 1:02d}." for number in range(200)
]


def fitted() -> NumberLevels:
    levels = fit_number_levels(TEXTS)
    assert levels is not None
    return levels


def test_a_number_becomes_its_level() -> None:
    said = fitted().apply("A client, balance 100, cards 2, since 2020-01-05.")
    assert said == "A client, balance 50, cards 2, since 2020-01-05."


def test_words_that_say_nothing_are_left_out_of_known_clauses() -> None:
    levels = fit_number_levels([f"The client is a woman, the number of orders is {value}." for value in range(20)])
    assert levels is not None
    said = levels.apply("The client is a man, the number of orders is 0. The number of returns is 3.")
    assert said == "The client is a man, number orders 00. The number of returns is 3."


def test_numbers_are_read_in_a_fixed_order() -> None:
    levels = fitted()
    assert levels.numbers("A client, cards 2, balance 1,234.5.") == levels.numbers("balance 1,234.5; cards 2")
    assert sorted(map(str, levels.numbers("cards 1"))) == ["1.0", "nan"]
    assert all(map(math.isnan, levels.numbers("nothing, balance #, balance \0, cards")))


def test_what_lies_beyond_the_training_rows_is_the_end_of_the_scale() -> None:
    levels = fitted()
    assert levels.apply("balance -7") == "balance 00"
    assert levels.apply("balance 1,000,000.50") == "balance 99"


def test_numbers_far_out_and_close_together_stay_apart() -> None:
    values = [*range(100), *(10_000 * number for number in range(1, 11))]
    levels = fit_number_levels([f"amount {value}" for value in values])
    assert levels is not None
    said = [levels.apply(f"amount {value}") for value in (10, 40, 80, 20_000, 50_000, 90_000)]
    assert said == sorted(said)
    assert len(set(said)) == len(said)


def test_another_wording_is_left_as_it_is() -> None:
    text = "The balance of this client is 100; order TX-77, 3pm, 1.2.3"
    assert fitted().apply(text) == text


def test_texts_of_no_template_have_no_levels() -> None:
    assert fit_number_levels([]) is None
    assert fit_number_levels(["no number here"] * 20) is None
    assert fit_number_levels([f"{chr(97 + number % 26)} {number}" for number in range(200)]) is None
    mostly_free = [f"age {number}, {number} of type {chr(97 + number % 26)} and {number} more" for number in range(200)]
    assert fit_number_levels(mostly_free) is None


def test_a_prompt_with_levels_shows_them() -> None:
    prompt = LabelPrompt("label.v1", "Read.", levels=fitted())
    assert prompt.messages("balance 100")[-1].content == "balance 50"
    assert LabelPrompt("label.v1", "Read.").messages("balance 100")[-1].content == "balance 100"
    assert prompt.sha256 == LabelPrompt("label.v1", "Read.").sha256


def test_levels_survive_their_file() -> None:
    levels = fitted()
    assert NumberLevels.model_validate_json(levels.model_dump_json()) == levels


@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 2)), min_size=8, max_size=60, unique=True))
def test_levels_follow_the_order_of_the_values(values: list[float]) -> None:
    levels = fit_number_levels([f"paid {value:.2f} EUR" for value in values])
    assert levels is not None
    said = [int(levels.apply(f"paid {value:.2f} EUR").split()[1]) for value in sorted(values)]
    assert said == sorted(said)
    assert all(0 <= level <= 99 for level in said)


@given(st.text(alphabet=string.printable + "\0", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    levels = fitted()
    assert len(levels.numbers(text)) == 2
    assert levels.apply(f"balance 100\n{text}").startswith("balance 50\n")


@pytest.mark.parametrize(
    "written",
    ["14.03.{:04d}", "2020-{:02d}", "{:02d}:35", "TX-{}", "{}pm", "1.2.{}", "{},00", "{}/12", "DE{}", "12345,{:03d}"],
)
def test_what_is_no_plain_number_stays_as_it_is(written: str) -> None:
    texts = [f"since {written.format(value)}, paid {value}" for value in range(100)]
    levels = fit_number_levels(texts)
    assert levels is not None
    assert levels.apply(texts[7]).startswith(f"since {written.format(7)}, paid 0")


def test_lines_are_clauses() -> None:
    texts = [f"balance: {value}\norders: {value % 30}\nclient: {'xyz'[value % 3]}" for value in range(100)]
    levels = fit_number_levels(texts)
    assert levels is not None
    assert levels.apply("balance: 50\norders: 0\nclient: x") == "balance: 50\norders: 00\nclient: x"


def test_leaving_words_out_moves_no_number() -> None:
    texts = [f"type-a income n/a and {value} orders and {99 - value} cards" for value in range(100)]
    levels = fit_number_levels(texts)
    assert levels is not None
    assert levels.apply(texts[39]) == "type-a income n/a 39 orders 60 cards"


def test_a_sign_in_the_text_is_no_blank() -> None:
    texts = ["code # 5 x" if value % 2 else f"code {value} 7 x" for value in range(40)]
    assert fit_number_levels(texts) is None
