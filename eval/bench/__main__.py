"""`python -m eval.bench`: run every measurement, print the page, keep the figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from eval.bench import measures, processes
from eval.bench.chats import golden_questions
from eval.bench.report import Results, write_report

_ROOT = Path(__file__).parents[2]
_SAMPLES = _ROOT / "samples"
_SAMPLE_TRANSACTIONS = _SAMPLES / "transactions" / "transactions.jsonl"
_DOCUMENTS = {
    "contract": "contracts/*.txt",
    "invoice": "invoices/invoice-*.txt",
    "receipt": "invoices/receipt-*.txt",
    "dispute_letter": "letters/*.txt",
}
_QUESTIONS = 24
_SCORED = 61
_progress = Console(stderr=True)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "results" / "bench.json", help="result file")
    parser.add_argument("--page", type=Path, default=_ROOT / "docs" / "benchmarks.md", help="page made from it")
    parser.add_argument("--data", type=Path, default=Path(".switchyard") / "bench", help="data directory to use")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    processes.merge_fraud_adapter(data)
    results = asyncio.run(_measure(data))
    print(write_report(results, arguments.out, arguments.page))


async def _measure(data: Path) -> Results:
    questions = golden_questions(_QUESTIONS)
    results: Results = {}
    with tempfile.TemporaryDirectory() as folder, processes.fake_model() as fake:
        _progress.print("Indexing the samples (first run only) and capturing prompts")
        with processes.switchyard(data, models=_models(Path(folder), fake.url, style="quote")) as server:
            prompts = await measures.captured_prompts(server, fake, questions)
        asked = list(prompts)
        with processes.switchyard(data, models=_models(Path(folder), fake.url, style="prose")) as server:
            _progress.print("Fake model: first event, throughput, concurrent streams")
            results["first_event"] = await measures.first_event(server, asked)
            results["throughput"] = await measures.throughput(server, fake, asked)
            results["concurrent"] = await measures.concurrent_streams(server, asked)
    _progress.print("Embedded model: start, first token against the raw model, memory")
    with processes.switchyard(data) as server, processes.raw_model() as raw:
        results["start"] = {"ready_s": server.ready_s}
        results["first_token"] = await measures.time_to_first_token(server, raw, prompts)
        results["scoring"] = await measures.scoring_latency(server, _transactions())
        results["memory"] = await measures.memory_in_use(server, raw, _documents())
    results["router"] = measures.router_latency(data / "cache")
    return results


def _transactions() -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in _SAMPLE_TRANSACTIONS.read_text("utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "label"} for row in rows[:_SCORED]]


def _documents() -> list[dict[str, str]]:
    return [
        {"text": path.read_text("utf-8"), "schema": schema}
        for schema, pattern in _DOCUMENTS.items()
        for path in sorted(_SAMPLES.glob(pattern))
    ]


def _models(folder: Path, url: str, *, style: str) -> Path:
    role = {"endpoint": "fake", "model": "fake"}
    models = {
        "endpoints": {"fake": {"kind": "openai", "base_url": f"{url}/v1"}},
        # No judge, as in the packaged file: it would be asked about every sentence.
        "roles": {"answer": {**role, "style": style}, "extract": role, "fraud": role},
    }
    path = folder / f"{style}.yaml"
    path.write_text(yaml.safe_dump(models), "utf-8")
    return path


if __name__ == "__main__":
    main()
