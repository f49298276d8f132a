"""The cross-encoder over a real ONNX model, which counts shared words; folders that hold none are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.files import embedding_folder
from tests.fakes.cross_encoder import write_cross_encoder
from tests.tools.knowledge.passages import passage
from tools.knowledge.cross_encoder import CrossEncoder, RerankerError
from tools.knowledge.documents import Passage
from tools.knowledge.rerank import rerank

QUESTION = "how long may the card be blocked"
WORDS = "card blocked long fee lounge".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cross_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> CrossEncoder:
    return CrossEncoder.load(folder)


def shared(text: str) -> float:
    return float(sum(word in QUESTION.split() for word in text.split()))


def untitled(text: str, chunk_id: str = "doc#0") -> Passage:
    return passage(text, chunk_id, title="")


def test_each_passage_gets_the_score_of_its_pair(encoder: CrossEncoder) -> None:
    texts = ["a lounge", "the card may be blocked", "fees", "the card " * 20, "blocked long"]
    assert encoder.passage_scores(QUESTION, [untitled(text) for text in texts]) == [*map(shared, texts)]


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), max_size=9))
def test_scores_do_not_depend_on_the_other_passages(encoder: CrossEncoder, texts: list[str]) -> None:
    assert encoder.passage_scores(QUESTION, [untitled(text) for text in texts]) == [*map(shared, texts)]


def test_title_and_headings_are_read_too(encoder: CrossEncoder) -> None:
    titled = passage("Lounge.", title="Blocked", heading=("Card",))
    assert encoder.passage_scores(QUESTION, [titled]) == [2]


def test_a_passage_longer_than_the_model_reads_is_cut(encoder: CrossEncoder) -> None:
    [score] = encoder.passage_scores(QUESTION, [untitled("card " * 5000)])
    assert 400 < score < 512


def test_reranking_orders_by_score_and_keeps_ties_in_order(encoder: CrossEncoder) -> None:
    texts = {"a#0": "lounge", "b#0": "card", "c#0": "fee", "d#0": "long card"}
    found = rerank(encoder, QUESTION, [untitled(text, chunk_id) for chunk_id, text in texts.items()])
    assert [(one.chunk_id, one.score) for one in found] == [("d#0", 2), ("b#0", 1), ("a#0", 0), ("c#0", 0)]


@pytest.mark.parametrize("file", ["onnx/model.onnx", "model_quantized.onnx", "onnx/model_int8.onnx"])
def test_the_model_is_found_where_exporters_put_it(tmp_path: Path, file: str) -> None:
    found = CrossEncoder.load(write_cross_encoder(tmp_path, file=file))
    assert found.passage_scores("card", [untitled("card card")]) == [2]
    found.close()


def test_the_version_names_the_weights(encoder: CrossEncoder, tmp_path: Path) -> None:
    same = CrossEncoder.load(write_cross_encoder(tmp_path / "same"))
    other = CrossEncoder.load(write_cross_encoder(tmp_path / "other", sign=-1))
    assert encoder.version == same.version != other.version
    assert other.passage_scores(QUESTION, [untitled("card")]) == [-1]


def refused(folder: Path) -> RerankerError:
    with pytest.raises(RerankerError) as caught:
        CrossEncoder.load(folder)
    assert caught.value.code == "reranker"
    assert caught.value.details["path"] == str(folder)
    return caught.value


def test_no_folder(tmp_path: Path) -> None:
    assert "no folder" in refused(tmp_path / "nowhere").message


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "model.onnx"])
def test_a_missing_file(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    assert name in refused(tmp_path).message


def test_several_models_none_of_which_is_the_usual_one(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "model.onnx", tmp_path / "model_fp16.onnx")
    (tmp_path / "model.onnx").rename(tmp_path / "model_int8.onnx")
    assert "model_fp16.onnx, model_int8.onnx" in refused(tmp_path).message


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "model.onnx"])
def test_a_broken_file(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(b"\x00nothing of the kind")
    assert "cannot be loaded" in refused(tmp_path).message


def test_a_model_of_several_outputs(tmp_path: Path) -> None:
    assert "one score" in refused(write_cross_encoder(tmp_path, outputs=2)).message


def test_a_model_whose_scores_are_no_numbers(tmp_path: Path) -> None:
    assert "one score" in refused(write_cross_encoder(tmp_path, sign=float("nan"))).message


def test_an_embedding_model(tmp_path: Path) -> None:
    assert "one score" in refused(embedding_folder(tmp_path)).message
