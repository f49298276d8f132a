"""The pages of docs/ are what their writers make of the figures in docs/results, and `make adapter` writes them all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from finetune.cost.comparison import compare_costs
from finetune.cost.measure import TokenCounts
from finetune.cost.page import write_page as cost_page
from finetune.cost.prices import Prices
from finetune.data.card import write_card
from finetune.evaluation.page import write_page as results_page
from finetune.forgetting.page import write_page as forgetting_page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def result(name: str) -> dict[str, Any]:
    return json.loads((DOCS / "results" / f"{name}.json").read_text("utf-8"))


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


def test_the_results_page() -> None:
    reports = [DOCS / "results/fraud-adapter.json", *sorted((DOCS / "results").glob("stranger-*.json"))]
    assert len(reports) > 1
    written = results_page(reports, DOCS / "images/finetune-results")
    assert page("finetune-results") == written
    for picture in re.findall(r"\]\((images/[^)]+)\)", written):
        assert (DOCS / picture).stat().st_size < 60_000, picture


def test_the_forgetting_page() -> None:
    assert page("finetune-forgetting") == forgetting_page(result("finetune-forgetting"))


def test_the_cost_page() -> None:
    record = result("finetune-cost")
    counts = {way: TokenCounts(**tokens) for way, tokens in record["tokens"].items()}
    found = compare_costs(Prices.model_validate(record["prices"]), counts["tuned"], counts["prompt"])
    assert json.loads(json.dumps(found.record())) == record
    assert page("finetune-cost") == cost_page(found)


def test_the_cost_page_rests_on_the_adapters_report() -> None:
    quality, report = result("finetune-cost")["prices"]["quality"], result("fraud-adapter")
    assert quality["caught"] == {
        "tuned": report["recall"],
        "prompt": None,
        "rules": report["baselines"]["rules"]["recall"],
    }
    assert quality["measured_on"].startswith("fraud-adapter.json")


def test_the_data_card(tmp_path: Path) -> None:
    write_card(result("finetune-data"), tmp_path / "card.md", pictures="images/finetune-data")
    assert page("finetune-data") == (tmp_path / "card.md").read_text("utf-8")


def test_make_adapter_renews_every_page_and_keeps_the_strangers() -> None:
    adapter, stranger = (
        (ROOT / "scripts" / f"{name}.sh").read_text("utf-8").splitlines() for name in ("adapter", "stranger")
    )
    for command in ("prepare", "cost", "forgetting"):
        (line,) = (line for line in adapter if line.startswith(f"$finetune {command} "))
        assert line.endswith("--docs docs")
    assert "scripts/results_page.sh" in adapter
    assert stranger[-1] == "scripts/results_page.sh"
