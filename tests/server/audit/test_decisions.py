"""What a server writes to the audit log of runs and scores."""

from __future__ import annotations

import json
import threading
from typing import Any

from server.audit.head import read_head
from server.audit.key import load_key
from server.audit.reading import check_log
from server.storage import read_audit_log
from tests.fakes.endpoint import FRAUD_LOGPROBS, FakeEndpoint, Reply
from tests.server.audit.logs import found
from tests.server.site import ANSWER, QUESTION, Site
from tests.server.test_fraud import TEXT, TRANSACTION


def of_run(site: Site, run_id: str) -> dict[str, Any]:
    """The one row of a run."""
    (row,) = site.rows("SELECT * FROM audit WHERE run_id = ?", run_id)
    return row


def fingerprint(site: Site, value: Any) -> str:
    return load_key(site.settings.audit_key_file).fingerprint(value)


def test_an_answer_is_audited_with_its_grounds(site: Site) -> None:
    result = site.chat()
    row = of_run(site, result["run_id"])
    assert (row["kind"], row["owner"], row["route"], row["outcome"]) == ("run_ended", "local", "knowledge", "answered")
    assert row["input_hash"] == fingerprint(site, QUESTION)
    assert row["output_hash"] == fingerprint(site, result["answer"])
    assert (row["model"], row["model_sha256"], row["prompt"]) == ("fake-answer", None, "prose.v3")
    assert json.loads(row["chunks"])[0] == "disputes#0"
    evidence = result["explanation"]["evidence"]
    assert (row["score"], row["threshold"]) == (evidence["probability"], evidence["threshold"])
    details = json.loads(row["details"])
    assert (details["thread_id"], details["trace_id"]) == (result["thread_id"], result["trace_id"])
    assert QUESTION not in str(row)
    assert ANSWER not in str(row)


def test_not_knowing_is_audited_with_the_reason(site: Site) -> None:
    result = site.chat("What is the capital of France?")
    row = of_run(site, result["run_id"])
    assert (row["route"], row["outcome"], json.loads(row["reasons"])) == ("unknown", "off_topic", ["off_topic"])


def test_a_fraud_decision_is_audited_with_score_and_threshold(site: Site) -> None:
    result = site.chat(f"Is this fraud? {TEXT}")
    row = of_run(site, result["run_id"])
    fraud = result["fraud"]
    assert (row["kind"], row["outcome"], row["score"]) == ("fraud_decision", fraud["label"], fraud["probability"])
    assert (row["threshold"], row["model"], row["adapter"]) == (0.5, "fake-fraud", None)
    assert json.loads(row["reasons"]) == [flag["code"] for flag in fraud["red_flags"]]
    assert json.loads(row["details"])["needs_review"] == fraud["needs_review"]
    assert row["prompt"] == result["versions"]["fraud_prompt"]


def test_every_score_of_a_request_is_audited(site: Site, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply("FRAUD", top_logprobs=FRAUD_LOGPROBS)
    asked = [{**TRANSACTION, "amount": 9000 + n} for n in range(3)]
    answer = site.http.post("/fraud/score", json={"transactions": asked})
    results = answer.json()["results"]
    rows = site.rows("SELECT * FROM audit ORDER BY sequence DESC LIMIT 3")[::-1]
    assert [row["input_hash"] for row in rows] == [fingerprint(site, one) for one in asked]
    assert [row["score"] for row in rows] == [result["probability"] for result in results]
    assert {(row["kind"], row["run_id"], row["prompt"]) for row in rows} == {("fraud_decision", None, "label.v1")}
    site.http.post("/fraud/score", json={"text": TEXT})
    (last,) = site.rows("SELECT * FROM audit ORDER BY sequence DESC LIMIT 1")
    assert last["input_hash"] == fingerprint(site, TEXT)


def test_a_refused_score_is_no_decision(site: Site) -> None:
    before = site.rows("SELECT count(*) AS n FROM audit")
    assert site.http.post("/fraud/score", json={"transaction": {"merchant": "X"}}).status_code == 422
    assert site.rows("SELECT count(*) AS n FROM audit") == before


def test_a_failed_run_is_audited(site: Site, fake: FakeEndpoint) -> None:
    fake.script = lambda _: Reply(status=400)
    run_id = site.stream()[0].run_id
    row = of_run(site, run_id)
    assert (row["kind"], row["outcome"], json.loads(row["reasons"])) == ("run_ended", "error", ["model_refused"])


def test_a_cancelled_run_is_audited(site: Site, fake: FakeEndpoint) -> None:
    hold = threading.Event()
    fake.script = lambda _: Reply("A long answer [1].", hold=hold)
    with site.http.stream("POST", "/chat", json={"message": QUESTION}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and "run_id" in line:
                run_id = json.loads(line.removeprefix("data: "))["run_id"]
            if line == "event: token":
                break
    site.http.post(f"/runs/{run_id}/cancel")
    hold.set()
    assert of_run(site, run_id)["outcome"] == "cancelled"


def test_deletions_are_audited(site: Site) -> None:
    site.add({"id": "old rules", "title": "Old", "text": "Old rules.", "collection": "gone"})
    assert site.http.delete("/documents/old rules", params={"collection": "gone"}).status_code == 204
    thread_id = site.chat()["thread_id"]
    site.http.delete(f"/threads/{thread_id}")
    rows = site.rows("SELECT kind, owner, subject FROM audit WHERE kind LIKE '%deleted' ORDER BY sequence DESC LIMIT 2")
    assert [tuple(row.values()) for row in rows] == [
        ("thread_deleted", "local", thread_id),
        ("document_deleted", "local", "gone/old rules"),
    ]


def test_the_log_of_a_running_server_is_whole(site: Site) -> None:
    site.chat()
    head = read_head(site.settings.audit_head_file)
    with read_audit_log(site.settings) as connection:
        checked = check_log(connection, head, load_key(site.settings.audit_key_file))
    assert found(checked) == []
    assert checked.rows > 0
