from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.settings import Settings
from server.cli.evaluate import app
from server.cli.golden_system import evaluation_settings, index_key
from tests.eval.build import evaluation, outcome
from tools.errors import SwitchyardError

PERFECT = [
    outcome("k-1", scores={"route_accuracy": 1.0, "fact_match": 1.0, "citations_valid": 1.0}),
    outcome("u-1", "unknown", scores={"route_accuracy": 1.0, "abstention": 1.0}),
]
FLOORS = '{"full": {"floors": {"all.route_accuracy": 0.9, "unknown.abstention": 0.9}}, "quick": {"floors": {}}}'


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    good, bad, floors = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "floors.json"
    evaluation(PERFECT).save(good)
    evaluation([PERFECT[0]]).save(bad)
    floors.write_text(FLOORS)
    return good, bad, floors


def test_the_gate_passes_and_fails_with_a_table(files: tuple[Path, Path, Path]) -> None:
    good, bad, floors = files
    passed = CliRunner().invoke(app, ["gate", "--result", str(good), "--baseline", str(floors)])
    failed = CliRunner().invoke(app, ["gate", "--result", str(bad), "--baseline", str(floors)])
    assert (passed.exit_code, failed.exit_code) == (0, 1)
    assert "not measured" in failed.output
    assert "unknown.abstention" in failed.stderr


def test_compare_names_what_changed(files: tuple[Path, Path, Path]) -> None:
    good, bad, _ = files
    found = CliRunner().invoke(app, ["compare", str(good), str(bad)])
    assert found.exit_code == 0
    assert "better: none" in found.output


def test_a_missing_result_is_one_line(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["gate", "--result", str(tmp_path / "none.json")])
    assert found.exit_code == 1
    assert found.stderr.startswith("switchyard: ")
    assert len(found.stderr.strip().splitlines()) == 1


def test_run_refuses_a_folder_without_cases(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["run", "--golden", str(tmp_path)])
    assert found.exit_code == 1
    assert "no golden cases" in found.stderr


def test_evaluations_measure_without_the_cache_and_wait_for_nobody(tmp_path: Path) -> None:
    with evaluation_settings(Settings(data_dir=tmp_path, answer_cache="on", review="on")) as settings:
        assert (settings.answer_cache, settings.review) == ("off", "off")


def test_evaluations_of_one_index_do_not_run_at_the_same_time(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with evaluation_settings(settings) as mine:
        assert mine.data_dir == tmp_path / "eval" / index_key()
        with pytest.raises(SwitchyardError, match="Another evaluation"), evaluation_settings(settings):
            pass
    with evaluation_settings(settings) as again:
        assert again.data_dir == mine.data_dir
