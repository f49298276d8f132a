from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader
from stdnum import iban

from samples.build import build
from tests.samples.text import SAMPLES, normalised, sample_text
from tools.fraud.policy import load_policy
from tools.fraud.transaction import CHANNELS, read_transaction

FIELDS = [
    *(
        "transaction_id",
        "timestamp",
        "amount",
        "currency",
        "merchant",
        "merchant_category",
        "channel",
        "country",
        "city",
    ),
    *("customer_id", "customer_home_country", "customer_usual_amount", "distance_from_last_km", "minutes_since_last"),
    *("count_1h", "count_24h", "count_7d", "first_time_merchant", "first_time_category", "card_age_days"),
    *("transaction_code", "label"),
]
DOCUMENTS = sorted((SAMPLES / "documents").iterdir())
PDFS = sorted(SAMPLES.rglob("*.pdf"))
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")


def transactions() -> list[dict[str, object]]:
    lines = (SAMPLES / "transactions" / "transactions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def names(folder: str) -> list[str]:
    return [path.name for path in (SAMPLES / folder).iterdir()]


def test_there_are_as_many_samples_as_promised() -> None:
    assert len(DOCUMENTS) >= 16
    assert sum(path.suffix == ".pdf" for path in DOCUMENTS) >= 6
    assert len(names("contracts")) == 3
    assert sum(name.startswith("invoice") for name in names("invoices")) == 3
    assert sum(name.startswith("receipt") for name in names("invoices")) == 2
    assert len(names("letters")) == 5
    assert sum(name.endswith(".eml") for name in names("letters")) == 1


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_two_pages_or_more_with_headings_tables_and_procedures(path: Path) -> None:
    source = path if path.suffix == ".md" else SAMPLES / "sources" / "documents" / f"{path.stem}.md"
    text = source.read_text(encoding="utf-8")
    assert len(text.split()) >= 900
    assert len(re.findall(r"^## \d+\. ", text, re.MULTILINE)) >= 7
    assert re.search(r"^1\. .+\n2\. ", text, re.MULTILINE)
    assert re.search(r"^\| --- \|", text, re.MULTILINE)
    if path.suffix == ".pdf":
        assert 2 <= len(PdfReader(path).pages) <= 12


@pytest.mark.parametrize("path", PDFS, ids=lambda path: path.name)
def test_a_pdf_carries_all_the_text_of_its_source(path: Path) -> None:
    source = (SAMPLES / "sources" / path.relative_to(SAMPLES)).with_suffix(".md")
    text = sample_text(path)
    lines = [re.sub(r"\*\*|^#+ |^\d+\. |^- ", "", line) for line in source.read_text(encoding="utf-8").splitlines()]
    parts = [part for line in lines for part in (line.strip("|").split("|") if line.startswith("|") else [line])]
    missing = [part for part in parts if part.strip(" -") and normalised(part) not in text]
    assert not missing


def test_a_rebuild_gives_the_same_bytes(tmp_path: Path) -> None:
    written = build(tmp_path)
    assert [path.relative_to(tmp_path) for path in written if path.suffix == ".pdf"] == [
        path.relative_to(SAMPLES) for path in PDFS
    ]
    for path in written:
        assert path.read_bytes() == (SAMPLES / path.relative_to(tmp_path)).read_bytes(), path.name


@dataclass(frozen=True)
class Bill:
    """What a bill says: its lines as quantity, unit price and amount, the tax that comes on top, and the total."""

    name: str
    lines: tuple[tuple[str, str, str], ...]
    added_tax: str
    total: str


BILLS = (
    Bill(
        "invoice-harbour-analytics.txt",
        (("3", "850.00", "2,550.00"), ("1", "1,200.00", "1,200.00"), ("2", "640.00", "1,280.00")),
        added_tax="1,156.90",
        total="6,186.90",
    ),
    Bill(
        "invoice-castellan-systems.txt",
        (("1", "38,500.00", "38,500.00"), ("1420000", "0.011", "15,620.00"), ("4", "960.00", "3,840.00")),
        added_tax="0.00",
        total="57,960.00",
    ),
    Bill(
        "invoice-brightwire-couriers.pdf",
        (("212", "9.40", "1,992.80"), ("164", "13.75", "2,255.00"), ("19", "46.00", "874.00"), ("11", "4.20", "46.20")),
        added_tax="1,085.28",
        total="6,253.28",
    ),
    Bill(
        "receipt-copper-ladle.txt",
        (
            ("2", "6.50", "13.00"),
            ("1", "17.90", "17.90"),
            ("1", "13.40", "13.40"),
            ("2", "3.20", "6.40"),
            ("1", "7.30", "7.30"),
        ),
        added_tax="0",
        total="58.00",
    ),
    Bill(
        "receipt-quayside-hotel.pdf",
        (("2", "138.00", "276.00"), ("2", "12.00", "24.00"), ("1", "41.50", "41.50")),
        added_tax="0",
        total="341.50",
    ),
)


def money(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


@pytest.mark.parametrize("bill", BILLS, ids=lambda bill: bill.name)
def test_a_bill_adds_up(bill: Bill) -> None:
    text = sample_text(SAMPLES / "invoices" / bill.name)
    for line in bill.lines:
        assert all(figure in text for figure in line)
        assert money(line[0]) * money(line[1]) == money(line[2])
    assert sum(money(amount) for _, _, amount in bill.lines) + money(bill.added_tax) == money(bill.total)
    assert bill.total in text
    assert bill.added_tax in text


def test_ibans_have_valid_check_digits() -> None:
    found = [
        match
        for path in (SAMPLES / "invoices").iterdir()
        for match in IBAN.findall(sample_text(path).upper())
        if match.startswith(("IE", "DE", "NL"))
    ]
    assert len(found) == 3
    assert all(iban.is_valid(number) for number in found)


def test_transactions_have_the_agreed_fields() -> None:
    rows = transactions()
    assert len(rows) == 200
    assert len({row["transaction_id"] for row in rows}) == 200
    for row in rows:
        assert list(row) == FIELDS
        assert row["channel"] in CHANNELS
        assert row["label"] in ("FRAUD", "LEGITIMATE")
        assert datetime.fromisoformat(str(row["timestamp"])).utcoffset() is not None


def test_counts_of_a_transaction_are_possible() -> None:
    read = [read_transaction({name: value for name, value in row.items() if name != "label"}) for row in transactions()]
    assert all(1 <= (row.count_1h or 0) <= (row.count_24h or 0) <= (row.count_7d or 0) for row in read)
    assert all(row.amount > 0 and row.details == {} for row in read)


def test_fraud_is_rare_and_shows_the_companys_own_signals() -> None:
    policy = load_policy(SAMPLES / "blacklist.csv", SAMPLES / "transaction_codes.csv")
    rows = transactions()
    fraud = [row for row in rows if row["label"] == "FRAUD"]
    blacklisted = [row for row in rows if policy.find_blacklisted(str(row["merchant"]))]
    coded = [row for row in rows if row["transaction_code"] and policy.suspicious_code(str(row["transaction_code"]))]
    assert 0.12 <= len(fraud) / len(rows) <= 0.15
    assert len(blacklisted) >= 5
    assert len(coded) >= 10
    assert all(row in fraud for row in [*blacklisted, *coded])
    assert any(row not in blacklisted and row not in coded for row in fraud)


def test_the_blacklist_is_the_one_in_the_policy() -> None:
    policy = sample_text(SAMPLES / "documents" / "merchant-blacklist.pdf")
    with (SAMPLES / "blacklist.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["merchant_id", "merchant", "reason", "since"]
    assert f"has {len(rows)} entries" in policy
    for row in rows:
        entry = f"{row['merchant_id']} {row['merchant']} {row['reason'][:2]} {row['since']}"
        assert normalised(entry) in policy
        assert normalised(row["reason"][:2] + " " + row["reason"][3:].split()[0]) in policy


def test_suspicious_codes_are_the_alert_codes_of_the_policy() -> None:
    policy = (SAMPLES / "documents" / "transaction-codes.md").read_text(encoding="utf-8")
    with (SAMPLES / "transaction_codes.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert codes == set(re.findall(r"^\| (TX-7\d\d) \|", policy, re.MULTILINE))
