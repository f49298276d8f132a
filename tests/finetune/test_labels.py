from __future__ import annotations

import pytest

from finetune.errors import RowsError
from finetune.labels import LabelSpace, find_classes, make_prompt


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["0", "1", "0"], ("1", "0")),
        (["1", "1", "0"], ("1", "0")),
        (["good", "bad", "good"], ("bad", "good")),
        (["LEGITIMATE", "FRAUD"], ("FRAUD", "LEGITIMATE")),
        (["left", "right", "left"], ("right", "left")),
        (["a", "b", "c", "a"], ("b", "c", "a")),
    ],
)
def test_the_positive_class_comes_first(labels: list[str], expected: tuple[str, ...]) -> None:
    assert find_classes(labels) == expected


def test_the_positive_class_can_be_named() -> None:
    assert find_classes(["good", "bad"], positive="good") == ("good", "bad")
    with pytest.raises(RowsError, match="no_such"):
        find_classes(["good", "bad"], positive="no_such")


@pytest.mark.parametrize(
    ("labels", "code"), [(["1", "1"], "one_class"), (list(map(str, range(30))), "too_many_classes")]
)
def test_labels_that_cannot_be_learned(labels: list[str], code: str) -> None:
    with pytest.raises(RowsError) as caught:
        find_classes(labels)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("task", "classes", "words"),
    [
        ("fraud", ("1", "0"), ("FRAUD", "LEGITIMATE")),
        ("churn", ("1", "0"), ("YES", "NO")),
        ("risk", ("bad", "good"), ("bad", "good")),
        ("topic", ("card lost", "card stolen", "other"), ("A", "B", "C")),
        ("clash", ("bad", "big", "good"), ("A", "B", "C")),
    ],
)
def test_words_differ_in_their_first_token(task: str, classes: tuple[str, ...], words: tuple[str, ...]) -> None:
    prompt, space = make_prompt(task, classes, first_token=lambda word: ord(word[0]))
    assert prompt.labels == space.words == words
    if words[0] == "A":
        assert "A means " + classes[0] in prompt.instruction


def test_labels_of_another_file_are_understood() -> None:
    space = LabelSpace(("1", "0"), ("FRAUD", "LEGITIMATE"))
    assert [space.index(label) for label in ("1", "LEGITIMATE", "fraud", "good")] == [0, 1, 0, 1]
    with pytest.raises(RowsError, match="perhaps"):
        space.index("perhaps")
