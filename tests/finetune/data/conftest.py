from __future__ import annotations

from pathlib import Path

import pytest

from finetune.data.domain import DomainData, build_domain
from finetune.data.prepare import company_policy
from tools.fraud import FraudPolicy


@pytest.fixture(scope="session")
def policy() -> FraudPolicy:
    """The samples' issuer's lists."""
    return company_policy(None)


@pytest.fixture(scope="session")
def small_domain(policy: FraudPolicy) -> DomainData:
    """The smallest data set of the domain."""
    return build_domain(policy, 600, seed=5)


@pytest.fixture
def texts_csv(tmp_path: Path) -> Path:
    """Sixty labelled texts of twenty people."""
    lines = ["client,text,label"]
    for n in range(60):
        shop = "casino" if n % 3 == 0 else "bakery"
        lines.append(f'person {n % 20},"Client {n} paid {n * 7} EUR at {shop} number {n}",{int(n % 3 == 0)}')
    path = tmp_path / "texts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
