"""Bring your own data: texts, chats or plain transaction columns become labelled examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from finetune.data.dataset import Example
from finetune.data.enrich import add_history
from finetune.data.records import read_records
from finetune.errors import RowsError
from finetune.rows import label_name
from tools.errors import InputError
from tools.fraud.features import derive_features
from tools.fraud.fields import find_field, fold_name
from tools.fraud.narrative import narrate
from tools.fraud.policy import FraudPolicy
from tools.fraud.prompt import FRAUD, LEGITIMATE
from tools.fraud.transaction import Transaction, read_transaction

LABEL_NAMES = ("label", "is_fraud", "isfraud", "fraud", "fraudulent", "is_fraudulent", "tx_fraud", "fraud_flag",
               "class", "target", "y", "outcome", "answer", "gold")  # fmt: skip
TEXT_NAMES = ("text", "query", "narrative", "prompt", "input", "sentence", "description")
_CARD_NAMES = ("cc_num", "card_number", "card_num", "pan", "card_no", "account_number", "iban")
_POSITIVE = frozenset("1 1.0 true yes y t fraud fraudulent positive bad".split())
_NEGATIVE = frozenset("0 0.0 false no n f legitimate legit genuine good ok negative normal".split())


@dataclass(frozen=True)
class Columns:
    """Which columns hold what; None lets the reader find them by their names."""

    label: str | None = None
    text: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Imported:
    """Examples of a file, what they were (`text`, `chat` or `transactions`), and rows left out with their reasons."""

    examples: list[Example]
    shape: str
    skipped: Mapping[int, str] = field(default_factory=dict[int, str])


def import_examples(path: Path, columns: Columns, policy: FraudPolicy, *, skip_invalid: bool = False) -> Imported:
    """Read a file into examples.

    Raises RowsError with row numbers for unusable rows (unless they are to be skipped), for a missing column (with the
    columns there are), for repeated ids, and for one class only.
    """
    records = read_records(path)
    names = {fold_name(name): name for record in records for name in record}
    for wanted in (columns.label, columns.text, columns.group):
        if wanted is not None and fold_name(wanted) not in names:
            raise _missing(path, f"no column {wanted!r}", names)
    problems: dict[int, str] = {}
    _check_ids(path, records, names)
    shape = _shape(path, names, columns)
    if shape == "chat":
        examples = _chats(records, names, columns, problems)
    elif shape == "text":
        examples = _texts(path, records, names, columns, problems)
    else:
        examples = _transactions(path, records, names, columns, policy, problems)
    if problems and not skip_invalid:
        raise RowsError(f"{path.name} has unusable rows. Mend them, or leave them out with --skip-invalid.", problems)
    labels = {example.label for example in examples}
    if len(labels) < 2:
        found = f"all rows have the label {labels.pop()!r}" if labels else "no row is usable"
        raise RowsError(f"{path.name}: {found}; there is nothing to learn.", problems, code="one_class")
    return Imported(sorted(examples, key=lambda example: example.number), shape, problems)


def _shape(path: Path, names: Mapping[str, str], columns: Columns) -> str:
    if "messages" in names and columns.text is None:
        return "chat"
    if columns.text is not None or any(name in names for name in TEXT_NAMES):
        return "text"
    known = {found.name for name in names if (found := find_field(name))}
    if "amount" in known and known & {"merchant", "merchant_category", "channel"}:
        return "transactions"
    raise _missing(path, "no text column, no messages, and no transaction columns (an amount and a merchant)", names)


def _texts(
    path: Path,
    records: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    columns: Columns,
    problems: dict[int, str],
) -> list[Example]:
    text_column = names[fold_name(columns.text) if columns.text else next(name for name in TEXT_NAMES if name in names)]
    label_column, group_column = _label_column(path, names, columns), _group_column(names, columns)
    examples: list[Example] = []
    for number, record in enumerate(records, start=1):
        text = str(record.get(text_column) or "").strip()
        try:
            label = label_name(record.get(label_column))
        except ValueError:
            label = ""
        if not text or not label:
            problems[number] = f"no {text_column if not text else label_column}"
            continue
        examples.append(_example(number, text, label, _group(record, group_column, text), {}))
    return examples


def _chats(
    records: Sequence[Mapping[str, Any]], names: Mapping[str, str], columns: Columns, problems: dict[int, str]
) -> list[Example]:
    """Chat rows: the last user turn is the text, the first word of the assistant's answer the label."""
    group_column = _group_column(names, columns)
    examples: list[Example] = []
    for number, record in enumerate(records, start=1):
        turns = _turns(record.get("messages"))
        asked = [content for role, content in turns if role == "user"]
        answered = [content for role, content in turns if role == "assistant"]
        if not asked or not answered or not asked[-1].strip() or not answered[-1].split():
            problems[number] = "messages need a user turn and an assistant turn"
            continue
        text, label = asked[-1].strip(), answered[-1].split()[0].strip(".,:;")
        examples.append(_example(number, text, label, _group(record, group_column, text), {}))
    return examples


def _turns(messages: object) -> list[tuple[str, str]]:
    if not isinstance(messages, list):
        return []
    found: list[tuple[str, str]] = []
    for message in cast("list[object]", messages):
        if isinstance(message, Mapping):
            turn = cast("Mapping[str, object]", message)
            found.append((str(turn.get("role")), str(turn.get("content") or "")))
    return found


def _transactions(
    path: Path,
    records: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    columns: Columns,
    policy: FraudPolicy,
    problems: dict[int, str],
) -> list[Example]:
    """Transaction columns, with the history features that the file does not hold itself."""
    label_column, group_column = _label_column(path, names, columns), _group_column(names, columns)
    read: list[tuple[int, Transaction, str, str, Mapping[str, Any]]] = []
    for number, record in enumerate(records, start=1):
        answer = str(record.get(label_column, "")).strip().casefold()
        if answer not in _POSITIVE | _NEGATIVE:
            problems[number] = f"{label_column} is {answer!r}, not 1 or 0"
            continue
        facts = {name: value for name, value in record.items() if name != label_column}
        try:
            transaction = read_transaction(facts)
        except InputError as error:
            problems[number] = error.message
            continue
        group = _group(record, group_column, f"row {number}")
        read.append((number, transaction, FRAUD if answer in _POSITIVE else LEGITIMATE, group, record))
    with_history = add_history([(number, group, row, record) for number, row, _, group, record in read])
    examples: list[Example] = []
    for number, _, label, group, _ in read:
        transaction = with_history[number]
        text = narrate(transaction, derive_features(transaction, policy))
        facts = transaction.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        examples.append(_example(number, text, label, group, {"transaction": facts}))
    return examples


def _label_column(path: Path, names: Mapping[str, str], columns: Columns) -> str:
    if columns.label is not None:
        return names[fold_name(columns.label)]
    for name in LABEL_NAMES:
        if name in names:
            return names[name]
    raise _missing(path, "no label column", names)


def _group_column(names: Mapping[str, str], columns: Columns) -> str | None:
    """The column that says whose row it is: the named one, a customer's, or a card's."""
    if columns.group is not None:
        return names[fold_name(columns.group)]
    customers = [original for name, original in names.items() if _is_customer(name)]
    cards = [names[name] for name in _CARD_NAMES if name in names]
    return next(iter([*customers, *cards]), None)


def _group(record: Mapping[str, Any], column: str | None, default: str) -> str:
    """Whose row this is. Card and account numbers are hashed: they are written to the prepared files."""
    value = "" if column is None else str(record.get(column) or "").strip()
    return _hashed(value) if value and fold_name(column or "") in _CARD_NAMES else value or default


def _is_customer(name: str) -> bool:
    found = find_field(name)
    return found is not None and found.name == "customer_id"


def _hashed(value: str) -> str:
    return f"card-{hashlib.sha256(value.encode()).hexdigest()[:12]}"


def _example(number: int, text: str, label: str, group: str, attributes: dict[str, Any]) -> Example:
    return Example(f"R-{number:06d}", text, label, group, number, attributes)


def _check_ids(path: Path, records: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    if "id" not in names:
        return
    ids = [str(record.get(names["id"]) or "") for record in records]
    counts = Counter(value for value in ids if value)
    repeated = {number: f"id {value!r} again" for number, value in enumerate(ids, 1) if counts[value] > 1}
    if repeated:
        raise RowsError(f"{path.name} uses ids more than once; make them unique.", repeated, code="duplicate_ids")


def _missing(path: Path, what: str, names: Mapping[str, str]) -> RowsError:
    return RowsError(
        f"{path.name} has {what}; its columns are {', '.join(names.values()) or 'none'}. Name them with "
        "--text-column, --label-column and --group-column.",
        code="missing_columns",
    )
