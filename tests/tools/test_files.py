from __future__ import annotations

from pathlib import Path

import pytest

from tools.files import write_atomically


def test_the_content_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "new" / "state.json"
    for text in ("a longer text at first", "short"):
        write_atomically(file, text)
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_a_reader_keeps_the_content_it_opened(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_atomically(file, "old")
    with file.open() as reading:
        write_atomically(file, "new")
        assert reading.read() == "old"


def test_what_cannot_be_written_leaves_the_old_content(tmp_path: Path) -> None:
    (folder := tmp_path / "state.json").mkdir()
    (folder / "kept").touch()
    with pytest.raises(OSError, match=r"state\.json"):
        write_atomically(folder, "text")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["state.json", "state.json/kept"]
