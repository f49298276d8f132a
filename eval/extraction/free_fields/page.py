"""`docs/extraction-adapter.md`, from stored results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.extraction.free_fields.study import adapter_wins
from eval.extraction.page import interval, markdown_table

_HEAD = """# An adapter for fields of your own

Written by `switchyard eval fields` from `{source}`; do not edit.

Fields of a caller's own schema may have any name. Deterministic readers know labels and forms; what they leave open
is asked of the extract role's model, where a word of the field stands in the document. That model can have a LoRA
adapter, trained to copy a value out of a passage or to say null:

```sh
python -m eval.extraction.free_fields.rows --out out/extract-rows.jsonl --receipts ../shared/data/receipts_sroie.jsonl
python -m finetune extract --rows out/extract-rows.jsonl --out out/extract
switchyard eval fields --adapter out/extract --receipts ../shared/data/receipts_sroie.jsonl
```

Rows are `{{"document", "passage", "fields": [{{"name", "description", "answer"}}]}}`, an answer the passage's own
words or null; the sidecar puts them into the very prompt that is used in service. The first command writes them from
the generator's training side (errors of text recognition, values over line ends, other dates, names and amounts,
three facts in ten missing), from notes of kinds that no built-in schema knows, and from receipts of companies
that are not measured below; rows of yours do as well.
`--minutes` ends the training in time. The folder is put to work in the models file (`SWITCHYARD_MODELS`):

```yaml
roles:
  extract: {{endpoint: embedded, model: smollm2-135m-instruct, adapter: out/extract, max_tokens: 512}}
```

It is loaded beside the base in a server of its own, since prompt caches leak between adapters; an adapter made for
another base or prompt is refused at the start.

## Is it worth it?

{verdict}

Held-out documents have other templates, wordings, names of fields and descriptions than the training side's. "Alone"
means that the model is asked for every field and the readers for none; "for all the rest" that it is asked for
whatever the readers leave empty, which the product does not do. A value is right when its letters and digits are;
intervals of 95% are over documents, for receipts over companies. Made up are values of fields that the document
lacks.

"""


def field_page(result: Mapping[str, Any], *, source: str) -> str:
    """The page as Markdown."""
    rows: Sequence[Mapping[str, Any]] = result["rows"]
    tables = "\n".join(
        f"### {corpus[0].upper()}{corpus[1:]}\n\n{_table([one for one in rows if one['corpus'] == corpus])}"
        for corpus in dict.fromkeys(one["corpus"] for one in rows)
    )
    return _HEAD.format(source=source, verdict=_verdict(result)) + tables


def _verdict(result: Mapping[str, Any]) -> str:
    adapter: Mapping[str, Any] | None = result["adapter"]
    if adapter is None:
        return "No adapter has been measured; these are the readers and the base."
    trained = (
        f"The adapter measured, `{adapter['name']}`, has seen {adapter['rows']} rows, one of a document each, in "
        f"{adapter['seconds'] / 60:.0f} minutes on one busy core."
    )
    if adapter_wins(result["rows"]):
        return f"{trained} With it the product is better in every corpus."
    return (
        f"{trained} An adapter ships only if the product is better with it in every corpus, beyond the interval, and "
        "makes up no more. This one is not, so none ships and the base serves."
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines: list[Sequence[str]] = [("system", "documents", "F1", "precision", "recall", "made up", "p50 ms", "p95 ms")]
    for one in rows:
        latency = one["latency_ms"]
        made_up = f"{one['made_up']} of {one['absent_fields']}"
        lines.append((one["system"], str(one["documents"]), interval(one["f1"]), _share(one["precision"]),
                      _share(one["recall"]), made_up, f"{latency['p50']:.0f}", f"{latency['p95']:.0f}"))  # fmt: skip
    return markdown_table(lines)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
