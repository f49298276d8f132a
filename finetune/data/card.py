"""The data card: what a prepared data set is, for somebody who has to decide whether to train on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HOW = """## How the rows are made

Customers with habits (amounts, hours, categories, trips, favourite merchants) live ten weeks in a simulated world,
in the spirit of the Fraud Detection Handbook (Le Borgne et al. 2022). The first four weeks only make history.
Fraudsters use some cards: stolen cards, account takeovers, velocity abuse, card testing, collusive merchants,
cloned cards; trips, big purchases and busy days raise false alarms. Terminals are not simulated apart from merchants: a
purchase's merchant, channel and city stand for the terminal. Every row is one transaction with the history
features that the card's own past gives (`tools/fraud/history.py`), told by the narrative that serving uses
(`tools/fraud/narrative.py`): no fact is computed in two ways. Four kinds of rows:

- **clear fraud** and **clear legitimate**: what happened agrees with the weight of the red flags.
- **borderline**: the same facts happen to honest customers and to victims; a note gives the context that decides. Some
  notes say where the cardholder is, and mean fraud or not depending on where the purchase was made. In 3 of 100 the
  note misleads. The test also draws on wordings that training never saw.
- **company**: the samples' issuer's rules decide (documents RR-01, MB-01 and TC-01): blacklisted merchants and
  namesakes, alert codes and codes that only look like one, card testing. FRAUD from 55 points, LEGITIMATE up to 45,
  nothing between.

Every split has a world of its own: no customer and no merchant is in two splits, but for the company's blacklist. In
training a quarter of the rows is told in other words and order, one in seven lacks facts, and some rows of the company
kind lack the marks of its lists, so that bare transactions and unloaded lists are scored too. 100 rows of the test
carry their facts in ten other tellings, for the consistency of an adapter.
"""
_LIMITS = """## Limits

Simulated behaviour is simpler than people. Fraud is far more frequent here than in life (state the deployed rate when
scoring). Notes are written in English from a few dozen wordings. An adapter trained on this set knows the samples'
issuer; for another company prepare its own rows with `--data`.
"""


def write_card(report: Mapping[str, Any], target: Path, *, pictures: str) -> None:
    """Write the card of a report; `pictures` is where its plots lie, relative to the card."""
    source = report["source"]
    parts = [
        "# Data card" + (": fraud rows of the samples' issuer" if source["simulated"] else f": {source['file']}"),
        _origin(source),
        "## What is in it\n\n" + _contents(report),
        f"![Kinds and labels by split]({pictures}/classes.png)\n\n![Tokens per text]({pictures}/lengths.png)",
        _HOW if source["simulated"] else "",
        _difficulty(report["difficulty"]),
        "## Cleaning and gates\n\n" + _cleaning(report["cleaning"]) + "\n\n" + _gates(report["gates"]),
        "## Files\n\n" + _table(["file", "SHA-256"], [[f"`{k}`", f"`{v}`"] for k, v in report["files"].items()]),
        _LIMITS if source["simulated"] else "",
    ]
    target.write_text("\n\n".join(part.strip() for part in parts if part) + "\n", encoding="utf-8")


def _origin(source: Mapping[str, Any]) -> str:
    if source["simulated"]:
        return (
            f"Simulated: `python -m finetune prepare --rows {source['rows']} --seed {source['seed']}` writes the same "
            "files again. Licence: that of this repository. No real person, card or merchant is in it."
        )
    skipped = f"; {source['skipped']} unusable rows left out" if source["skipped"] else ""
    return f"Read from `{source['file']}` as {source['shape']}, SHA-256 `{source['sha256']}`{skipped}."


def _contents(report: Mapping[str, Any]) -> str:
    splits: Mapping[str, Any] = report["splits"]
    columns = ["split", "rows", "customers", "labels", "kinds", "tokens (mean / 95% / max)"]
    rows: list[list[str]] = []
    for split, found in splits.items():
        tokens = report["tokens"].get(split, {"mean": 0, "p95": 0, "max": 0})
        rows.append(
            [
                split,
                str(found["rows"]),
                str(found["customers"]),
                _counts(found["labels"]),
                _counts(found.get("kind", {})),
                f"{tokens['mean']} / {tokens['p95']} / {tokens['max']}",
            ]
        )
    core = splits["train"].get("core")
    noted = f"\n\nThe curated core, marked in train: {_counts(core)}." if core else ""
    return _table(columns, rows) + noted


def _difficulty(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    rows = [[name.replace("_", " "), str(score["pr_auc"]), str(score["roc_auc"])] for name, score in found.items()]
    return (
        "## How hard it is\n\nGradient boosting (scikit-learn's histogram implementation) on the transactions' fields, "
        "names and notes left out, learned on train and measured on test:\n\n"
        + _table(["fields", "PR-AUC", "ROC-AUC"], rows)
    )


def _cleaning(found: Mapping[str, Any]) -> str:
    personal = _counts(found["personal_data"]["found"]) or "none found"
    repeats = ", ".join(
        f"{split} {n['exact']} exact and {n['near']} near" for split, n in found["duplicates_removed"].items()
    )
    shared = _counts(found["decontamination_removed"])
    kept = " Near duplicates stayed: there are so many that the texts must be made from a template."
    return (
        f"Personal data: {personal}. Duplicates removed (MinHash): {repeats}. Removed because a held-out split holds "
        f"them: {shared}. Texts with conflicting labels: {found['conflicting_labels']}."
        f"{kept if found['near_duplicates_kept'] else ''}"
    )


def _gates(gates: list[Mapping[str, Any]]) -> str:
    rows = [[gate["name"], "passed" if gate["passed"] else "FAILED", gate["detail"]] for gate in gates]
    return _table(["gate", "", "detail"], rows)


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found.items())


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
