"""`python -m finetune prepare`: from a seed or a stranger's file to splits that passed their gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from finetune.data.card import write_card
from finetune.data.chat import chat_prompt, to_chat
from finetune.data.dataset import SPLITS, Splits
from finetune.data.domain import DEFAULT_ROWS, build_domain, mark_core
from finetune.data.gates import Gate, check, clean
from finetune.data.gates_domain import check_domain
from finetune.data.imports import Columns, import_examples
from finetune.data.plots import plot_classes, plot_lengths
from finetune.data.report import describe, describe_lengths, measure_difficulty
from finetune.data.splits import split_by_group
from finetune.data.tokens import count_tokens
from tools.errors import SwitchyardError
from tools.files import file_sha256
from tools.fraud.narrative import NARRATIVE_VERSION
from tools.fraud.policy import FraudPolicy, load_policy

DEFAULT_SEED = 20260


class DataGateError(SwitchyardError):
    """A data set did not pass its gates; `details["gates"]` says which and why. Its files and report are written."""

    code = "data_gate_failed"


@dataclass(frozen=True)
class Preparation:
    """What to prepare. Without `data` the domain's set is simulated; `policy` is a folder with the company's lists."""

    out: Path
    data: Path | None = None
    columns: Columns = field(default_factory=Columns)
    rows: int = DEFAULT_ROWS
    seed: int = DEFAULT_SEED
    policy: Path | None = None
    skip_invalid: bool = False


def prepare(wanted: Preparation) -> dict[str, Any]:
    """Write splits, chats, plots, `report.json` and `card.md` to `wanted.out`; returns the report.

    Raises RowsError for unusable input, DataGateError where the result does not pass.
    """
    policy = company_policy(wanted.policy)
    splits, source = _simulated(wanted, policy) if wanted.data is None else _imported(wanted, wanted.data, policy)
    cleaned = clean(splits)
    splits = mark_core(cleaned.splits) if wanted.data is None else cleaned.splits
    wanted.out.mkdir(parents=True, exist_ok=True)
    files = _write_rows(wanted.out, splits, policy)
    difficulty = measure_difficulty(splits)
    gates = check(splits)
    if wanted.data is None:
        gates += check_domain(splits, difficulty, policy)
    lengths = _lengths(splits)
    _plot(wanted.out, splits, lengths)
    report = {
        "source": source,
        "narrative_version": NARRATIVE_VERSION,
        "splits": describe(splits),
        "tokens": describe_lengths(lengths),
        "cleaning": cleaned.report,
        "difficulty": difficulty,
        "gates": [vars(gate) for gate in gates],
        "files": files,
    }
    (wanted.out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_card(report, wanted.out / "card.md", pictures="plots")
    _require(gates, wanted.out)
    return report


def summarise(report: Mapping[str, Any], out: Path) -> str:
    """A few lines for the terminal."""
    lines = [
        f"{split}: {found['rows']} rows of {found['customers']} customers, "
        + ", ".join(f"{label} {count}" for label, count in found["labels"].items())
        for split, found in report["splits"].items()
    ]
    hard: Mapping[str, Any] = report["difficulty"] or {}
    lines += [
        f"gradient boosting on {name.replace('_', ' ')}: PR-AUC {score['pr_auc']}" for name, score in hard.items()
    ]
    return "\n".join([*lines, f"{len(report['gates'])} gates passed; report.json, card.md and rows are in {out}"])


def samples_folder() -> Path:
    """The sample issuer's files."""
    return Path(str(resources.files("finetune"))).parent / "samples"


def company_policy(folder: Path | None) -> FraudPolicy:
    """The lists of a folder (`blacklist.csv`, `transaction_codes.csv`); without one, the samples' issuer's."""
    folder = folder or samples_folder()
    blacklist, codes = folder / "blacklist.csv", folder / "transaction_codes.csv"
    return load_policy(blacklist if blacklist.is_file() else None, codes if codes.is_file() else None)


def _simulated(wanted: Preparation, policy: FraudPolicy) -> tuple[Splits, dict[str, Any]]:
    data = build_domain(policy, wanted.rows, wanted.seed)
    return data.splits, {"simulated": True, "seed": wanted.seed, "rows": wanted.rows, "repeated_cases": data.repeated}


def _imported(wanted: Preparation, path: Path, policy: FraudPolicy) -> tuple[Splits, dict[str, Any]]:
    imported = import_examples(path, wanted.columns, policy, skip_invalid=wanted.skip_invalid)
    source = {
        "simulated": False,
        "file": path.name,
        "sha256": file_sha256(path),
        "seed": wanted.seed,
        "shape": imported.shape,
        "skipped_rows": {str(number): reason for number, reason in list(imported.skipped.items())[:100]},
        "skipped": len(imported.skipped),
    }
    return split_by_group(imported.examples, wanted.seed), source


def _write_rows(out: Path, splits: Splits, policy: FraudPolicy) -> dict[str, str]:
    """Write every split as rows and as chats; returns SHA-256 by file name."""
    prompt = chat_prompt(example.label for split in SPLITS for example in splits[split])
    for split in SPLITS:
        _write_lines(out / f"{split}.jsonl", [example.record() for example in splits[split]])
        _write_lines(out / f"{split}.chat.jsonl", [to_chat(example, policy, prompt) for example in splits[split]])
    names = [f"{split}{suffix}" for split in SPLITS for suffix in (".jsonl", ".chat.jsonl")]
    return {name: file_sha256(out / name) for name in names}


def _write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def _lengths(splits: Splits) -> Mapping[str, list[int]]:
    count = count_tokens()
    return {split: [count(example.text) for example in splits[split]] for split in SPLITS}


def _plot(out: Path, splits: Splits, lengths: Mapping[str, list[int]]) -> None:
    (out / "plots").mkdir(exist_ok=True)
    plot_lengths(lengths, out / "plots" / "lengths.png")
    plot_classes(splits, out / "plots" / "classes.png")


def _require(gates: list[Gate], out: Path) -> None:
    if failed := [gate for gate in gates if not gate.passed]:
        named = "; ".join(f"{gate.name} ({gate.detail})" for gate in failed)
        raise DataGateError(
            f"The data do not pass: {named}. See {out / 'report.json'}.", gates=[vars(gate) for gate in failed]
        )
