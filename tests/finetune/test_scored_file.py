from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.errors import RowsError
from finetune.scored_file import score_file
from finetune.training.prepare import Job


def test_every_row_gets_a_label_and_a_probability_in_order(job: Job, trained: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("id,text\n" + "".join(f'{row.number},"{row.text}"\n' for row in job.rows))
    done = score_file(trained, data, job.base, tmp_path / "new" / "scores.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "new" / "scores.jsonl").read_text().splitlines()]
    assert done.rows == len(job.rows) == len(lines)
    assert [line["row"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["label"] for line in lines} <= {"0", "1"}
    frauds = [line["probability"] for line, row in zip(lines, job.rows, strict=True) if row.label == "1"]
    others = [line["probability"] for line, row in zip(lines, job.rows, strict=True) if row.label == "0"]
    assert sum(frauds) / len(frauds) > sum(others) / len(others)


@pytest.mark.parametrize(
    ("content", "code"), [("", "empty_file"), ('{"text": ""}\n', "invalid_rows"), ("{", "invalid_json")]
)
def test_unusable_files_are_refused_and_nothing_is_written(
    job: Job, trained: Path, tmp_path: Path, content: str, code: str
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(content)
    with pytest.raises(RowsError) as raised:
        score_file(trained, data, job.base, tmp_path / "scores.jsonl")
    assert raised.value.code == code
    assert not (tmp_path / "scores.jsonl").exists()
