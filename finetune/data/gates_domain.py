"""What the domain's own data set must pass besides: its kinds, its merchants, and how hard it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from finetune.data.dataset import SPLITS, Example, Splits
from finetune.data.domain import CORE, DEFAULT_ROWS
from finetune.data.gates import Gate
from tools.fraud.policy import FraudPolicy

MAX_FIELDS_PR_AUC = 0.95
TEST_MINIMUM = {"company": 100, "borderline": 150}
_MIN_TEST_ROWS = 500


def check_domain(splits: Splits, difficulty: Mapping[str, Any] | None, policy: FraudPolicy) -> list[Gate]:
    """The gates of the domain's data set. Sizes are checked for a set of the default size or more."""
    gates = [_merchants_disjoint(splits, policy)]
    if sum(len(splits[split]) for split in SPLITS) >= 0.95 * DEFAULT_ROWS:
        gates += [_core_complete(splits["train"]), _test_complete(splits["test"]), _hard_enough(difficulty)]
    return gates


def _merchants_disjoint(splits: Splits, policy: FraudPolicy) -> Gate:
    """Merchants of the test are new, but for the company's own list, which is what is to be learned."""
    train, test = (_merchants(splits[split], policy) for split in ("train", "test"))
    shared = sorted(train & test)
    return Gate("no merchant in train and test", not shared, f"shared: {shared[:5]}" if shared else "none shared")


def _merchants(examples: Sequence[Example], policy: FraudPolicy) -> set[str]:
    names = {str(example.attributes["transaction"].get("merchant")) for example in examples}
    namesakes = {entry.merchant.split()[0].casefold() for entry in policy.blacklist}
    return {name for name in names if name.split()[0].casefold() not in namesakes}


def _core_complete(train: Sequence[Example]) -> Gate:
    found = Counter(example.attributes["kind"] for example in train if example.attributes.get("core"))
    return Gate("the core has its 500 rows", found == Counter(CORE), str(dict(found)))


def _test_complete(test: Sequence[Example]) -> Gate:
    kinds = Counter(example.attributes["kind"] for example in test)
    complete = len(test) >= _MIN_TEST_ROWS and all(kinds[kind] >= least for kind, least in TEST_MINIMUM.items())
    return Gate("the test is large enough", complete, f"{len(test)} rows, {dict(kinds)}")


def _hard_enough(difficulty: Mapping[str, Any] | None) -> Gate:
    score = float((difficulty or {}).get("raw_fields", {}).get("pr_auc", 1.0))
    name = f"gradient boosting on the raw fields stays at PR-AUC {MAX_FIELDS_PR_AUC} or less"
    return Gate(name, score <= MAX_FIELDS_PR_AUC, str(score))
