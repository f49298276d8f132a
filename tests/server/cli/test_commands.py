"""The commands as people run them, against a running server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from tests.server.cli.conftest import RECEIPT, Invoke
from tests.tools.extraction.documents import DOCUMENTS, SAID

pytestmark = pytest.mark.model

_QUESTION = "How many days does a cardholder have to dispute a charge?"
_ROWS = [
    {"transaction_id": "T-1", "amount": 2400, "currency": "EUR", "merchant": "ElectroWorld"},
    {"transaction_id": "T-2", "merchant": "ElectroWorld"},
    {"text": "12 EUR at Corner Bakery, contactless"},
]


def test_ask_prints_the_answer_its_source_and_how_to_go_on(served: Invoke) -> None:
    result = served("ask", _QUESTION)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("120 days from posting to dispute a charge. [1]") == 1
    assert "[1] Dispute handling" in result.stdout
    assert "--thread " in result.stdout
    assert "\x1b" not in result.stdout


def test_ask_json_is_the_result_alone_and_threads_go_on(served: Invoke) -> None:
    first = json.loads(served("ask", _QUESTION, "--json").stdout)
    assert first["citations"][0]["title"] == "Dispute handling"
    second = json.loads(served("ask", "-", "--json", "--thread", first["thread_id"], input=_QUESTION).stdout)
    assert second["thread_id"] == first["thread_id"]


def test_ask_explains_itself(served: Invoke) -> None:
    shown = served("ask", _QUESTION, "--explain").stdout
    for part in ("Question as understood", "Router  knowledge", "probabilities: question", "Evidence", "top_cosine"):
        assert part in shown
    for column in ("fused", "dense", "sparse"):
        assert column in shown


def test_not_knowing_is_an_answer(served: Invoke) -> None:
    result = served("ask", "What is the capital of Mongolia?")
    assert result.exit_code == 0
    assert "I don't know" in result.stdout
    assert "You could try:" in result.stdout
    assert "reason: off_topic" in result.stdout


def test_ask_reads_an_attached_document(served: Invoke) -> None:
    shown = served("ask", "Extract the fields of this receipt", "--document", str(RECEIPT)).stdout
    assert "58.00" in shown
    assert "payment_method" in shown


def test_ask_judges_a_transaction(served: Invoke) -> None:
    shown = served("ask", "Is this fraud? 2400 EUR at ElectroWorld at 3 am, usually spends 45 EUR").stdout
    assert "risk " in shown
    assert "amount_far_above_usual" in shown


def test_errors_are_one_line_with_code_and_trace(served: Invoke) -> None:
    result = served("ask", " ")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("switchyard: message: The message is empty.")
    assert "(empty_message, trace " in result.stderr
    assert result.stderr.count("\n") == 1


def test_ingest_takes_what_it_can_and_reports_the_rest(served: Invoke, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "travel.md").write_text("# Travel\n\nA travel notice lasts 90 days.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / ".hidden.md").write_text("hidden")
    result = served("ingest", str(tmp_path), "--collection", "travel")
    assert result.exit_code == 1
    assert "1 indexed (1 chunks), 1 failed." in result.stdout
    assert "picture" not in result.stdout
    found = json.loads(served("search", "travel notice", "--collection", "travel", "--json").stdout)["results"]
    assert [passage["title"] for passage in found] == ["Travel"]


def test_failed_lists_dead_letters_and_tries_them_again(served: Invoke, tmp_path: Path) -> None:
    (tmp_path / "sealed.pdf").write_bytes(b"%PDF-1.7 nothing more")
    served("ingest", str(tmp_path), "--collection", "sealed")
    listed = served("failed")
    assert listed.exit_code == 0, listed.output
    assert "sealed.pdf  The document is damaged" in listed.stdout
    assert "tried 1 time, id sealed-" in listed.stdout
    retried = served("failed", "--retry")
    assert retried.exit_code == 1
    assert "tried 2 times, id sealed-" in retried.stdout
    assert "0 indexed, " in retried.stdout


def test_ingest_of_nothing_fails(served: Invoke, tmp_path: Path) -> None:
    assert "No file that can be read" in served("ingest", str(tmp_path)).stderr


@pytest.mark.parametrize("mode", ["hybrid", "dense", "sparse"])
def test_search_shows_passages(served: Invoke, mode: str) -> None:
    result = served("search", "dispute a charge", "--mode", mode, "-k", "1")
    assert result.exit_code == 0, result.output
    assert "Dispute handling" in result.stdout
    assert "120 days" in result.stdout


def test_extract_shows_values_with_their_words(served: Invoke) -> None:
    shown = served("extract", str(RECEIPT), "--schema", "receipt").stdout
    assert "2026-03-14" in shown
    assert "14/03/2026" in shown


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_extract_reads_every_kind_with_its_evidence(served: Invoke, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "document.txt"
    file.write_text(DOCUMENTS[kind], "utf-8")
    result = json.loads(served("extract", str(file), "--schema", kind, "--json").stdout)
    name, value = SAID[kind]
    assert result["data"][name] == value
    assert result["fields"][name]["evidence"]["quote"] in DOCUMENTS[kind]


def test_extract_reads_standard_input_into_a_schema_of_ones_own(served: Invoke, tmp_path: Path) -> None:
    schema = tmp_path / "own.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"total": {"type": "number"}}}))
    result = served("extract", "-", "--schema", str(schema), "--json", input=RECEIPT.read_text("utf-8"))
    assert set(json.loads(result.stdout)["data"]) == {"total"}


def test_extract_says_what_is_wrong_with_a_schema(served: Invoke, tmp_path: Path) -> None:
    schema = tmp_path / "own.json"
    schema.write_text("[1]")
    assert "must hold a JSON object" in served("extract", "-", "--schema", str(schema), input="x").stderr
    assert "unknown_schema" in served("extract", "-", "--schema", "poem", input="x").stderr


def test_score_keeps_bad_rows_apart(served: Invoke, tmp_path: Path) -> None:
    file, out = tmp_path / "rows.jsonl", tmp_path / "scores.jsonl"
    file.write_text("\n".join([*map(json.dumps, _ROWS), "not json"]))
    result = served("score", str(file), "--out", str(out))
    assert result.exit_code == 0, result.output
    scores = [json.loads(line) for line in out.read_text().splitlines()]
    assert [score["line"] for score in scores] == [1, 3]
    assert scores[0]["transaction_id"] == "T-1"
    rejected = [json.loads(line) for line in (tmp_path / "scores.rejected.jsonl").read_text().splitlines()]
    assert [(row["line"], row["code"]) for row in rejected] == [(2, "missing_fields"), (4, "invalid_row")]
    assert "line 2: To score this transaction I still need the amount" in result.stderr
    assert "2 not scored" in result.stderr


def test_score_of_csv_prints_a_line_of_json_a_row(served: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("amount,currency,merchant\n12.50,EUR,Corner Bakery\n")
    (line,) = served("score", str(file)).stdout.splitlines()
    assert json.loads(line)["line"] == 2


def test_score_of_nothing_but_bad_rows_fails(served: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("[]\n")
    assert served("score", str(file)).exit_code == 1


def test_score_of_a_text(served: Invoke) -> None:
    result = served("score", "--text", "-", input="12 EUR at Corner Bakery, contactless")
    assert json.loads(result.stdout)["label"] in ("FRAUD", "LEGITIMATE")


def test_models_and_prompts_are_listed(served: Invoke) -> None:
    models = json.loads(served("models", "--json").stdout)
    assert set(models["roles"]) == {"answer", "extract", "fraud", "judge"}
    assert all(file["problem"] is None for file in models["files"])
    assert "intact" in served("models").stdout
    assert "quote.v" in served("prompts", "list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "x", "--document", "missing.pdf"],
        ["ingest", "missing"],
        ["search", "x", "--mode", "foo"],
        ["search", "x", "--top-k", "0"],
        ["extract", "x"],
        ["score"],
        ["score", "x.jsonl", "--text", "y"],
    ],
)
def test_wrong_arguments_are_refused_before_anything_opens(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
