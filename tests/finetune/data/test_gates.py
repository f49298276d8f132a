from __future__ import annotations

from dataclasses import replace

import pytest

from finetune.data.dataset import Example, Splits
from finetune.data.domain import DomainData
from finetune.data.gates import check, clean
from finetune.data.gates_domain import check_domain
from tools.fraud import FraudPolicy

WORDS = "amber birch cedar dahlia ember fern garnet hazel iris juniper kestrel linden maple nettle olive pebble".split()


def splits() -> Splits:
    """Four rows a split, half of them positive, every text and customer different."""

    def rows(start: int) -> list[Example]:
        return [
            Example(f"r{n}", f"{WORDS[n]} shop sold {n} cups", str(n % 2), f"c{n}", n) for n in range(start, start + 4)
        ]

    return {"train": rows(0), "validation": rows(4), "test": rows(8)}


def failed(data: Splits) -> set[str]:
    return {gate.name for gate in check(data) if not gate.passed}


def test_good_splits_pass_and_stay_as_they_are() -> None:
    assert failed(splits()) == set()
    assert clean(splits()).splits == splits()


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"group": "c8"}, "no customer in two splits"),
        ({"id": "r8"}, "ids are unique"),
        ({"text": "amber shop sold 8 cups"}, None),
        ({"text": f"{WORDS[8].upper()}  shop sold 8 cups"}, "no text in two splits"),
    ],
)
def test_what_two_splits_share_is_noticed(change: dict[str, str], gate: str | None) -> None:
    data = splits()
    data["train"][0] = replace(data["train"][0], **change)
    assert failed(data) == ({gate} if gate else set())


def test_missing_labels_and_empty_splits_are_noticed() -> None:
    data = splits()
    data["test"] = [example for example in data["test"] if example.label == "0"]
    assert "every split has every label" in failed(data)
    assert "every split has rows" in failed({**splits(), "test": []})


def test_uneven_labels_are_noticed() -> None:
    data = splits()
    data["train"] = [replace(example, label="1") for example in data["train"][:3]] + data["train"][3:]
    data["test"] = [replace(example, label="0") for example in data["test"][:3]] + data["test"][3:]
    assert "labels are spread alike" in failed(data)


def test_training_rows_that_a_held_out_split_holds_are_removed() -> None:
    data = splits()
    data["train"].append(replace(data["test"][0], id="copy", group="c0"))
    data["train"].append(replace(data["train"][1], id="again"))
    cleaned = clean(data)
    assert [example.id for example in cleaned.splits["train"]] == ["r0", "r1", "r2", "r3"]
    assert cleaned.report["duplicates_removed"]["train"] == {"exact": 1, "near": 0}
    assert cleaned.report["decontamination_removed"] == {"train": 1, "validation": 0}


@pytest.mark.parametrize("templated", [False, True])
def test_near_duplicates_are_removed_unless_a_template_made_the_texts(templated: bool) -> None:
    story = "the client bought a ticket and a cup of coffee at the station before the early train to the coast left"
    others = [f"{word} {' '.join(reversed(WORDS[at:]))} sold {at} cups" for at, word in enumerate(WORDS)]
    alike = [f"{story} {word}" for word in (WORDS if templated else WORDS[:2])]
    texts = alike + others
    data = splits()
    data["train"] = [Example(f"t{at}", text, "01"[at % 2], f"g{at}", at) for at, text in enumerate(texts)]
    cleaned = clean(data)
    assert cleaned.report["near_duplicates_kept"] is templated
    assert len(cleaned.splits["train"]) == len(texts) - (not templated)


def test_conflicting_labels_are_counted_and_personal_data_masked() -> None:
    data = splits()
    data["train"].append(replace(data["train"][0], id="conflict", label="1"))
    data["train"][1] = replace(data["train"][1], text="write to me@example.org about 3 cups")
    cleaned = clean(data)
    assert cleaned.report["conflicting_labels"] == 1
    assert cleaned.report["personal_data"] == {"found": {"email": 1}, "rows": [1], "replaced": True}
    assert cleaned.splits["train"][1].text == "write to [email] about 3 cups"


def test_a_shared_merchant_is_noticed(small_domain: DomainData, policy: FraudPolicy) -> None:
    data = {split: list(rows) for split, rows in small_domain.splits.items()}
    stolen = data["test"][0].attributes["transaction"]
    first = data["train"][0]
    data["train"][0] = replace(
        first, attributes={**first.attributes, "transaction": {**stolen, "merchant": "Teal Inn"}}
    )
    data["test"][0] = replace(data["test"][0], attributes={"transaction": {**stolen, "merchant": "Teal Inn"}})
    assert [gate.passed for gate in check_domain(data, None, policy)] == [False]


@pytest.mark.parametrize(("pr_auc", "passed"), [(0.93, True), (0.96, False)])
def test_a_set_that_is_too_easy_is_noticed(
    small_domain: DomainData, policy: FraudPolicy, pr_auc: float, passed: bool
) -> None:
    many = {split: list(rows) * 10 for split, rows in small_domain.splits.items()}
    gates = check_domain(many, {"raw_fields": {"pr_auc": pr_auc}}, policy)
    assert next(gate.passed for gate in gates if gate.name.startswith("gradient boosting")) is passed
