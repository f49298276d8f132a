"""Fill the README's generated parts: transcripts from a running server, figures from docs/results.

`python scripts/readme.py` rewrites them; `--check` only compares the figures with the result files and fails when they
disagree.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results"
_WIDTH = "88"
_START_TIMEOUT_S = 300

_ASKS = (
    "How long do debit card holders have to dispute a transaction?",
    "Is this fraud? Card-not-present payment of 1,840 EUR at Voltaro Electronics in Lagos at 03:12. "
    "The customer lives in Ireland and usually spends 45 EUR.",
    "How is glue made?",
)
_EXTRACT = ("samples/invoices/", "invoice")
_CURL_BODY = {"message": "Who approves a temporary limit increase?"}


def main() -> None:
    """Rewrite the README, or check its figures."""
    text = README.read_text("utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if section(text, "numbers") == numbers() else "README.md: the figures are stale; run make docs")
    text = replace(text, "numbers", numbers())
    with tempfile.TemporaryDirectory() as folder:
        text = replace(text, "transcripts", transcripts(Path(folder)))
    README.write_text(text, "utf-8")


def section(text: str, name: str) -> str:
    """What stands between a generated part's marks."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found, f"README.md has no part {name!r}"
    return found.group(1)


def replace(text: str, name: str, body: str) -> str:
    """The text with a generated part's content replaced."""
    marked = f"<!-- {name} -->\n{section(text, name)}<!-- /{name} -->"
    return text.replace(marked, f"<!-- {name} -->\n{body}<!-- /{name} -->")


def numbers() -> str:
    """The table of figures, from the result files."""
    rows = [*_bench_rows(), *_golden_rows(), *_router_rows()]
    lines = ["| what | measured | target |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {what} | {measured} | {target} |" for what, measured, target in rows)]) + "\n"


def transcripts(folder: Path) -> str:
    """Real commands with their real output, against a server of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "SWITCHYARD_DATA_DIR": str(folder), "COLUMNS": _WIDTH, "NO_COLOR": "1"}
    switchyard = str(Path(sys.executable).with_name("switchyard"))
    server = subprocess.Popen([switchyard, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_ready(f"http://127.0.0.1:{port}/readyz")
        parts = [
            _shell(f'switchyard ask "{question}"', [switchyard, "ask", question], environment) for question in _ASKS
        ]
        invoice = next(path for path in sorted((ROOT / _EXTRACT[0]).iterdir()) if path.suffix in {".txt", ".md"})
        name = str(invoice.relative_to(ROOT))
        command = [switchyard, "extract", name, "--schema", _EXTRACT[1]]
        parts.insert(1, _shell(f"switchyard extract {name} --schema {_EXTRACT[1]}", command, environment))
        parts.append(_curl(port))
    finally:
        server.terminate()
        server.wait()
    return "\n".join(parts)


def _shell(shown: str, command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.rstrip() for line in done.stdout.splitlines() if not line.startswith(("Thread", "thread"))]
    return f"```console\n$ {shown}\n" + "\n".join(lines).strip() + "\n```\n"


def _curl(port: int) -> str:
    body = json.dumps(_CURL_BODY)
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/chat", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        stream = re.sub(r"\n\n(?:id: \S+\nevent: token\n.*?\n\n)+", "\n\n(tokens)\n\n", response.read().decode())
    shown = f"curl -N localhost:8000/api/v1/chat -H 'Content-Type: application/json' -d '{body}'"
    lines = [line if len(line) <= 400 else line[:400] + " ..." for line in stream.strip().splitlines()]
    return f"```console\n$ {shown}\n" + "\n".join(lines) + "\n```\n"


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the server did not become ready")


def _load(name: str) -> dict[str, Any]:
    return json.loads((RESULTS / name).read_text("utf-8"))


def _bench_rows() -> list[tuple[str, str, str]]:
    bench = _load("bench.json")["results"]
    through = bench["throughput"]
    return [
        ("first token, chat API against the raw model", f"{bench['first_token']['ratio']:.2f} times", "<= 1.10"),
        ("first event, instant model", f"{bench['first_event']['first_event_p50_ms']:.1f} ms p50", "<= 30 ms"),
        ("complete chats, durably stored, instant model", f"{through['chats_per_s']:.0f}/s on 2 cores", ">= 40/s"),
        ("ready after start, warm files", f"{bench['start']['ready_s']:.1f} s", "<= 8 s"),
        ("resident memory, everything loaded", f"{bench['memory']['rss_mb']:.0f} MB", "<= 900 MB"),
        ("router, embedding included", f"{bench['router']['p50_ms']:.1f} ms p50", "<= 15 ms"),
    ]


_GOLDEN = (
    ("all", "route_accuracy", "golden queries: right route", ">= 0.95"),
    ("knowledge", "fact_match", "golden queries: answer holds the fact", ">= 0.70"),
    ("all", "citations_valid", "golden queries: citations valid", ">= 0.95"),
    ("unknown", "abstention", "golden queries: unanswerable refused, near misses included", ">= 0.85"),
    ("extraction", "field_match", "golden queries: extracted fields right", "none"),
)


def _golden_rows() -> list[tuple[str, str, str]]:
    measures = {(m["route"], m["metric"]): m for m in _load("golden.json")["measures"]}
    return [(what, _interval(measures[route, metric]), target) for route, metric, what, target in _GOLDEN]


def _router_rows() -> list[tuple[str, str, str]]:
    router = _load("router.json")
    strangers = router["strangers"]["out_of_scope (held_out)"]
    return [
        ("held-out utterances: right route end to end", _interval(router["end_to_end"]["accuracy"]), ">= 0.95"),
        (f"strangers' out-of-scope queries refused (n = {strangers['n']})", f"{strangers['unknown']:.3f}", ">= 0.90"),
    ]


def _interval(measure: dict[str, Any]) -> str:
    return f"{measure['value']:.3f} ({measure['low']:.2f} to {measure['high']:.2f}, n = {measure['n']})"


if __name__ == "__main__":
    main()
