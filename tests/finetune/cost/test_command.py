from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finetune.cli import app
from finetune.cost.prompts import SHOTS, company_rules, prompted_messages, tuned_messages
from finetune.data.prepare import company_policy

pytest.importorskip("gguf", reason="token counts are read with the finetune extra")


def test_the_page_is_printed_and_written(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    result = CliRunner().invoke(app, ["cost", "--out", str(tmp_path), "--requests-per-day", "500", "--docs", str(docs)])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("# Tune, prompt or rules?")
    assert (tmp_path / "cost.md").read_text().strip() == result.output.strip()
    assert (docs / "finetune-cost.md").read_text() == (tmp_path / "cost.md").read_text()
    assert (docs / "results" / "finetune-cost.json").read_text() == (tmp_path / "cost.json").read_text()
    record = json.loads((tmp_path / "cost.json").read_text())
    assert record["prices"]["requests_per_day"] == 500
    assert record["tokens"]["prompt"]["input"] > 5 * record["tokens"]["tuned"]["input"]


def test_a_bad_price_file_ends_the_command_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("requests_per_day: many\n")
    result = CliRunner().invoke(app, ["cost", "--prices", str(path), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "prices.yaml cannot be used" in result.output


def test_the_prompted_way_states_the_companys_lists_and_shows_both_answers() -> None:
    policy = company_policy(None)
    rules = company_rules(policy)
    assert all(entry.merchant in rules for entry in policy.blacklist)
    assert all(code in rules for code in policy.suspicious_codes)
    messages = prompted_messages("5 EUR.", policy)
    assert {message.content for message in messages if message.role == "assistant"} == {"FRAUD", "LEGITIMATE"}
    assert len(messages) == 2 + 2 * len(SHOTS)
    assert messages[-1] == tuned_messages("5 EUR.")[-1]
