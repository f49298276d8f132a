"""`docs/extraction-results.md` and its picture, from a stored result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.charts import pyplot

_COLOURS = {"plain regex": "#b9bfc6", "readers before": "#d8c3a5", "readers": "#8fb3d9"}
_OTHER_COLOURS = ("#1f5fa8", "#12355b")
_BEATEN, _BASELINE, _READERS = "beaten", "plain regex", "readers"
_HEAD = """# How well fields are extracted

Written by `switchyard eval extraction` from `{source}`; do not edit.

Three read the same documents: a page of **plain regular expressions**, the **deterministic readers** alone, and the
**product**, which asks the model for free text that no reader knows. **Held-out documents** come from a
generator (`eval/extraction/generator`) whose templates, layouts and names differ from those of the training side
that the readers were developed with; about three fields in ten are missing, a third of the texts has errors of text
recognition, lines break inside values and other dates and amounts stand around. **Unusual layouts** are receipts and
contracts in columns, in capitals, in other languages, currencies and orders of dates, with the company at the foot, the
parties in tables and the clauses in other words, six in ten of them misread; "readers before" are those of before such
layouts were known, which were then developed with the training side's. **Look-alikes of IBANs** are identifiers and
references of creditors; the IBANs run over line ends. **Wordings** (`eval/extraction/wordings`) are clauses of
contracts and lines and layouts of receipts as the world writes them, put down by hand before the readers were changed
for them; the other side's were developed with. **Receipts** are real ones (SROIE; see
below). A value is right when numbers agree to the cent, dates by day and texts by their letters and digits; of
addresses 80% of the words (F1) and of clauses and sentences 60% must agree. Intervals of 95% are over documents, for
receipts over companies.

![F1 of every kind of document and reader]({picture})

"""
_FOOT = """
## How to read this

**Made up**: fields that the document does not have and that were filled all the same. **Not in the source**: values
whose evidence does not stand in the document or does not say them. **ECE** is the expected calibration error of the
confidence that is reported with each value. **Regex** says how the readers' F1 stands to that of the regular
expressions. Latency in the tables is per document on one core of a busy machine: compare rows.

The wordings of both sides are by the same authors as the readers. That keeps names, layouts and
sentences apart, not habits of mind: the receipts are the check by strangers' documents.

When the readers were changed, the misses of `receipt.company` were counted by their class (which line, part of the name
or another, what kind of words stand before it) without reading them, in the held-out unusual layouts once and in the
receipts of unseen companies twice; those two figures are less blind than the others. The last time, clauses about
governing law at the head of the held-out wordings were also seen by mistake; no reader of laws was changed for them.

Some documents of the generator write one date with its day first and another with its month first. The readers take one
order for the whole document, as people do, and misread such dates.

Receipts are a part of the ICDAR 2019 SROIE set (task 3; MIT repository, images from ICDAR); their rows are not in this
repository. Readers were developed with the rows that have even ids; `receipts` are those with odd ids, `receipts of
unseen companies` those among them whose company no even row has. Labels of companies and addresses were corrected by
people, so that a text that was misread can't be right. `switchyard eval extraction --receipts FILE` measures them
again.
"""
Row = Mapping[str, Any]
SUMMARY = ("system", "documents", "F1", "precision", "recall", "exact documents", "made up", "not in the source",
           "schema valid", "ECE", "p50 ms", "p95 ms")  # fmt: skip


def extraction_page(rows: Sequence[Row], *, source: str, picture: str, latency: Mapping[str, Any] | None = None) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(source=source, picture=picture)]
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        chosen = [row for row in rows if row["corpus"] == corpus]
        told = f"Precision, recall and made up are those of: {chosen[-1]['system']}."
        tables = [
            markdown_table([SUMMARY, *map(summary, chosen)]),
            told + "\n\n" + markdown_table(field_lines(chosen, interval)),
        ]
        parts.append(f"## {_title(corpus)}\n\n" + "\n".join(tables) + "\n" + _against_baseline(chosen))
    return "".join([*parts, _latency(latency) if latency else "", _FOOT])


def _title(corpus: str) -> str:
    return corpus[0].upper() + corpus[1:]


def standing(baseline: float, readers: float) -> str:
    """What a field's F1 is to that of the regular expressions, to the three digits that the page shows."""
    ours, theirs = round(readers, 3), round(baseline, 3)
    if ours > theirs:
        return _BEATEN
    if ours == theirs:
        return "both 1.000" if ours == 1.0 else "tie"
    return "not beaten"


def _against_baseline(rows: Sequence[Row]) -> str:
    """On which fields the regular expressions are not beaten by the readers on all documents of the corpus."""
    by_system = {row["system"]: row for row in rows}
    pairs = zip(by_system[_BASELINE]["fields"], by_system[_READERS]["fields"], strict=True)
    held = [
        (f"{ours['kind']}.{ours['field']}", standing(theirs["f1"]["value"], ours["f1"]["value"]))
        for theirs, ours in pairs
    ]
    rest = [f"`{field}` ({how})" for field, how in held if how != _BEATEN]
    told = f", all but {', '.join(rest)}" if rest else ""
    return f"\nThe readers beat the regular expressions on {len(held) - len(rest)} of {len(held)} fields{told}.\n\n"


def _latency(measured: Mapping[str, Any]) -> str:
    """How long the product takes, with its embedded model."""
    head = ("document", "documents", "characters", "model asked", "p50 s", "p95 s", "longest s", "limit s")
    lines: list[Sequence[str]] = [head]
    for row in measured["rows"]:
        seconds = (f"{row[name]:.3f}" for name in ("p50_s", "p95_s", "max_s"))
        counts = (str(row[name]) for name in ("documents", "characters", "asked"))
        lines.append((row["what"], *counts, *seconds, f"{row['limit_s']:g}"))
    cores = f"{measured['cores']} of {measured['cores_of_machine']} cores"
    told = (
        f"The product with the embedded base model on {cores}; the load average before the run was "
        f"{measured['load_before']:g}, as other work kept the rest of the machine busy."
    )
    return f"## Latency\n\n{told}\n\n{markdown_table(lines)}"


def summary(row: Row) -> list[str]:
    """The figures of a row as text, in the order of `SUMMARY`."""
    calibration = row["calibration"]
    return [
        row["system"], str(row["documents"]), interval(row["f1"]), _plain(row["precision"]), _plain(row["recall"]),
        interval(row["exact_documents"]), _made_up(row), str(row["not_in_source"]),
        f"{row['schema_valid']['value']:.0%}", "-" if calibration is None else _plain(calibration["ece"]),
        f"{row['latency_ms']['p50']:g}", f"{row['latency_ms']['p95']:g}",
    ]  # fmt: skip


def field_lines(rows: Sequence[Row], shown: Callable[[Mapping[str, float]], str]) -> list[Sequence[str]]:
    """A head and a line for each field: F1 of every system, how the readers stand to the regular expressions, then
    precision, recall and made up of the last one."""
    last = rows[-1]
    names = [row["system"] for row in rows]
    head = ["field", "there", *(f"F1 {name}" for name in names), "regex", "precision", "recall", "made up"]
    ours, theirs = (next((row for row in rows if row["system"] == name), last) for name in (_READERS, _BASELINE))
    lines: list[Sequence[str]] = [head]
    for place, field in enumerate(last["fields"]):
        scores = [shown(row["fields"][place]["f1"]) for row in rows]
        lines.append([f"{field['kind']}.{field['field']}", str(field["present"]), *scores,
                      standing(theirs["fields"][place]["f1"]["value"], ours["fields"][place]["f1"]["value"]),
                      _plain(field["precision"]),
                      _plain(field["recall"]), f"{field['made_up']}/{field['absent']}"])  # fmt: skip
    return lines


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw F1 by kind and the reliability of the confidences; write a PNG to `path`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    plot = pyplot()
    figure, (bars, curve) = plot.subplots(1, 2, figsize=(10, 4.6), layout="constrained", width_ratios=(2, 1))
    groups = [(corpus, kind) for corpus in dict.fromkeys(row["corpus"] for row in rows)
              for kind in next(row for row in rows if row["corpus"] == corpus)["by_kind"]]  # fmt: skip
    systems = list(dict.fromkeys(row["system"] for row in rows))
    others = (system for system in systems if system not in _COLOURS)
    colours = {**_COLOURS, **dict(zip(others, _OTHER_COLOURS, strict=False))}
    height = 0.8 / len(systems)
    for place, system in enumerate(systems):
        mine = {(row["corpus"], kind): value for row in rows if row["system"] == system
                for kind, value in row["by_kind"].items()}  # fmt: skip
        there = [number for number, group in enumerate(groups) if group in mine]
        values = [mine[groups[number]] for number in there]
        spread = [[v["value"] - v["low"] for v in values], [v["high"] - v["value"] for v in values]]
        heights = [number - height * (place - (len(systems) - 1) / 2) for number in there]
        bars.barh(heights, [v["value"] for v in values], height * 0.9, xerr=spread, color=colours[system],
                  error_kw={"lw": 0.8}, label=system)  # fmt: skip
    bars.set_yticks(range(len(groups)), [f"{kind}\n{corpus}" for corpus, kind in groups], fontsize=7)
    bars.set_xlim(0, 1.02)
    bars.set_xlabel("F1 of fields")
    _draw_reliability(curve, rows)
    for axes in (bars, curve):
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*bars.get_legend_handles_labels(), loc="outside upper center", ncols=len(systems), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date inside, the same figures give the same bytes.
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plot.close(figure)


def _draw_reliability(axes: Any, rows: Sequence[Row]) -> None:
    """Share of right values against the stated confidence, of the deterministic readers on each corpus."""
    axes.plot([0, 1], [0, 1], color="#c0392b", lw=0.8)
    for place, row in enumerate(row for row in rows if row["system"] == "readers" and row["calibration"]):
        points = row["calibration"]["curve"]
        axes.plot([p["stated"] for p in points], [p["right"] for p in points], marker="o", ms=3, lw=1,
                  color=f"C{place}", label=row["corpus"])  # fmt: skip
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("stated confidence (readers)")
    axes.set_ylabel("share that is right")
    axes.legend(frameon=False, fontsize=7)


def markdown_table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as a Markdown table, the first line its head."""
    head, *rest = lines
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rest))


def interval(value: Mapping[str, float]) -> str:
    """A value with the ends of its interval."""
    return f"{value['value']:.3f} ({value['low']:.2f} to {value['high']:.2f})"


def short(value: Mapping[str, float]) -> str:
    """A value alone."""
    return f"{value['value']:.3f}"


def _made_up(row: Row) -> str:
    if row["made_up_rate"] is None:
        return "-"
    return f"{row['made_up']} of {row['absent_fields']} ({row['made_up_rate']:.1%})"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
