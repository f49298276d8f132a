from __future__ import annotations

from finetune.evaluation.baselines import base_prompts, numbers_logistic
from finetune.labels import LabelSpace
from finetune.rows import Row
from tools.fraud.number_levels import fit_number_levels
from tools.fraud.prompt import FRAUD, LabelPrompt, load_prompt

LABELS = LabelSpace(("yes", "no"), ("FRAUD", "LEGITIMATE"))
PROMPT = LabelPrompt("own.v1", "Is this fraud?")


def row(number: int, label: str, **attributes: object) -> Row:
    return Row(f"row {number}", label, number, attributes)


def test_without_training_rows_only_zero_shot_is_asked() -> None:
    assert base_prompts(PROMPT, None, LABELS) == {"base_model": PROMPT}


def test_examples_are_training_rows_of_each_class_in_turn() -> None:
    train = [row(number, "no" if number % 5 else "yes") for number in range(20)]
    asked = base_prompts(PROMPT, train, LABELS)["base_few_shot"]
    assert [example.label for example in asked.examples] == ["FRAUD", "LEGITIMATE"] * 2
    said = {one.text: one.label for one in train}
    assert [said[example.narrative] for example in asked.examples] == ["yes", "no"] * 2
    assert len({example.narrative for example in asked.examples}) == 4
    roles = [message.role for message in asked.messages("new")]
    assert roles == ["system", *["user", "assistant"] * 4, "user"]
    assert asked == base_prompts(PROMPT, train, LABELS)["base_few_shot"]


def test_a_class_of_one_row_gives_one_example() -> None:
    train = [row(0, "yes"), *(row(number, "no") for number in range(1, 9))]
    asked = base_prompts(PROMPT, train, LABELS)["base_few_shot"]
    assert sorted(example.label for example in asked.examples) == ["FRAUD", "LEGITIMATE", "LEGITIMATE"]


def test_transactions_come_with_the_company_s_rules() -> None:
    train = [row(0, "yes", transaction={"amount": 5}), row(1, "no", transaction={"amount": 7})]
    asked = base_prompts(load_prompt(), train, LABELS)["base_few_shot"]
    assert "Blacklisted merchants:" in asked.instruction
    assert asked.instruction.startswith(load_prompt().instruction)
    assert FRAUD in {example.label for example in asked.examples}


def test_numbers_of_a_template_are_read_as_their_table() -> None:
    rows = [Row(f"The balance is {n}, orders {n % 11}.", "yes" if n > 70 else "no", n) for n in range(100)]
    train, test = rows[::2], rows[1::2]
    levels = fit_number_levels([one.text for one in train])
    assert levels is not None
    truth = [LABELS.index(one.label) for one in test]
    scored = numbers_logistic(test, truth, train, LABELS, levels)
    assert scored.probabilities.shape == (50, 2)
    assert (scored.decided == scored.truth).mean() > 0.9
