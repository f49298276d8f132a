from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finetune.base import Base, load_model, load_tokenizer
from finetune.cli import app
from finetune.errors import RowsError
from finetune.extract.rows import FieldRow, answer_of, examples, messages_of, read_field_rows, split
from finetune.extract.train import ExtractRecipe, add_field_adapter, train, validation_loss
from tools.extraction.adapter import ADAPTER_NAME, load_field_adapter
from tools.extraction.ask import instructions
from tools.fraud.errors import AdapterError

RECIPE = ExtractRecipe(epochs=6, learning_rate=2e-2, rank=4, first_layer=1, batch_size=4, max_length=1200, bf16=False)
COLOURS = ("red", "green", "blue", "white")


def row(colour: str, number: int = 0) -> FieldRow:
    return FieldRow.model_validate({
        "document": f"{colour}-{number}",
        "passage": f"Boat {number}\nPaint: {colour}",
        "fields": [{"name": "hue", "answer": colour}, {"name": "age", "description": "Years", "answer": None}],
    })  # fmt: skip


def rows() -> list[FieldRow]:
    return [row(colour, number) for number in range(6) for colour in COLOURS]


def unheard(step: int, steps: int, loss: float) -> None:
    """Nobody follows."""


def write(path: Path, found: list[FieldRow]) -> Path:
    path.write_text("\n".join(one.model_dump_json() for one in found), encoding="utf-8")
    return path


def test_a_row_is_shown_as_the_product_asks() -> None:
    system, user = messages_of(row("red"))
    assert system == {"role": "system", "content": instructions()}
    assert "Boat 0\nPaint: red" in user["content"]
    assert "- hue: hue\n- age: Years" in user["content"]
    assert json.loads(answer_of(row("red"))) == {"hue": "red", "age": None}


def test_rows_are_read_and_unusable_ones_are_listed(tmp_path: Path) -> None:
    assert read_field_rows([write(tmp_path / "rows.jsonl", rows())]) == rows()
    wrong = row("red").model_dump() | {"passage": "Paint: green"}
    (tmp_path / "wrong.jsonl").write_text(json.dumps(wrong) + "\n{}\n")
    with pytest.raises(RowsError) as caught:
        read_field_rows([tmp_path / "wrong.jsonl"])
    assert "1" in caught.value.message
    with pytest.raises(RowsError):
        read_field_rows([])


def test_documents_are_never_split() -> None:
    twice = [*rows(), *rows()]
    learned, kept = split(twice)
    assert len(learned) + len(kept) == len(twice)
    assert kept
    assert not {one.document for one in learned} & {one.document for one in kept}


def test_the_answer_is_learned_and_long_rows_are_refused(tiny_base: Base) -> None:
    tokenizer = load_tokenizer(tiny_base)
    shown = examples(tokenizer, rows(), RECIPE.max_length)
    assert tokenizer.decode(shown[0].answer) == answer_of(rows()[0]) + tokenizer.eos_token
    model = add_field_adapter(load_model(tiny_base), RECIPE)
    before = validation_loss(model, shown, bf16=False)
    steps: list[int] = []
    assert train(model, shown, RECIPE, lambda step, steps_in_all, loss: steps.append(step)) == len(steps) == 36
    after = validation_loss(model, shown, bf16=False)
    assert before is not None
    assert after is not None
    assert after < before / 2
    with pytest.raises(RowsError):
        examples(tokenizer, rows(), 50)


def test_no_time_leaves_the_adapter_as_it_was(tiny_base: Base) -> None:
    recipe = ExtractRecipe(first_layer=1, minutes=0.0000001, bf16=False)
    shown = examples(load_tokenizer(tiny_base), rows(), RECIPE.max_length)
    assert train(add_field_adapter(load_model(tiny_base), recipe), shown, recipe, unheard) == 0


def test_the_command_writes_an_adapter_that_serving_accepts(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    file = write(tmp_path / "rows.jsonl", rows())
    out = tmp_path / "adapter"
    arguments = ["extract", "--rows", str(file), "--out", str(out), "--base", str(tiny_base.gguf), "--rank", "4"]
    result = CliRunner().invoke(app, [*arguments, "--first-layer", "1", "--no-bf16", "--threads", "1"])
    assert result.exit_code == 0, result.output
    manifest = load_field_adapter(out, tiny_base.sha256)
    assert manifest.rows == len(split(rows())[0])
    assert manifest.name in result.output
    with pytest.raises(AdapterError, match="base model"):
        load_field_adapter(out, "0" * 64)
    (out / ADAPTER_NAME).write_bytes(b"damaged")
    with pytest.raises(AdapterError, match="adapter file"):
        load_field_adapter(out, tiny_base.sha256)
    with pytest.raises(AdapterError, match="readable"):
        load_field_adapter(tmp_path, tiny_base.sha256)
