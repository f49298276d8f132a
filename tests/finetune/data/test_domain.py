from __future__ import annotations

from collections import Counter

import pytest

from finetune.data.dataset import SPLITS
from finetune.data.domain import KIND_SHARES, DomainData, build_domain
from finetune.data.gates import check
from finetune.data.gates_domain import check_domain
from tools.errors import InputError
from tools.fraud import FraudPolicy, Transaction, derive_features, narrate


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(
    small_domain: DomainData, policy: FraudPolicy
) -> None:
    again, other = build_domain(policy, 600, seed=5), build_domain(policy, 600, seed=6)
    for split in SPLITS:
        assert [e.record() for e in again.splits[split]] == [e.record() for e in small_domain.splits[split]]
        assert {e.text for e in other.splits[split]}.isdisjoint(e.text for e in small_domain.splits[split])


def test_splits_have_their_sizes_and_kinds(small_domain: DomainData) -> None:
    for split, size in zip(SPLITS, (480, 60, 60), strict=True):
        kinds = Counter(example.attributes["kind"] for example in small_domain.splits[split])
        assert kinds == {kind: round(size * share) for kind, share in KIND_SHARES.items()}


def test_no_customer_and_no_merchant_is_in_two_splits(small_domain: DomainData, policy: FraudPolicy) -> None:
    gates = check(small_domain.splits) + check_domain(small_domain.splits, None, policy)
    assert [gate for gate in gates if not gate.passed] == []
    customers = [{example.group for example in small_domain.splits[split]} for split in SPLITS]
    assert sum(map(len, customers)) == len(set().union(*customers))


def test_test_rows_say_what_serving_would_say_of_their_transaction(
    small_domain: DomainData, policy: FraudPolicy
) -> None:
    for example in small_domain.splits["test"]:
        transaction = Transaction.model_validate(example.attributes["transaction"])
        assert example.text == narrate(transaction, derive_features(transaction, policy))


def test_test_rows_carry_ten_other_tellings(small_domain: DomainData) -> None:
    told = [e.attributes["paraphrases"] for e in small_domain.splits["test"] if "paraphrases" in e.attributes]
    assert told
    assert all(len(set(tellings)) == 10 for tellings in told)


def test_training_varies_the_telling_and_leaves_facts_out(small_domain: DomainData) -> None:
    styles = Counter(example.attributes["style"] for example in small_domain.splits["train"])
    assert styles["served"] > 200
    assert sum(count for style, count in styles.items() if "sparse" in style) > 40
    assert len(styles) > 8


def test_too_few_rows_are_refused(policy: FraudPolicy) -> None:
    with pytest.raises(InputError, match="at least 600"):
        build_domain(policy, 100, seed=1)
