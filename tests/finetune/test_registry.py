from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from finetune.errors import PromotionError, ReportError
from finetune.gate import REPORT_NAME, read_report
from finetune.registry import Registry, read_manifest
from tests.finetune.reports import measured
from tools.files import file_sha256
from tools.fraud.adapters import POINTER_NAME, find_adapter, packaged_adapter
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import MANIFEST_NAME, AdapterManifest, WeightsFile

# No adapter of this task comes with the project.
TASK = "risk"
NAMES = ("risk@one", "risk@two", "risk@three")


def exported(folder: Path, name: str, task: str = TASK, weights: str | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter.gguf").write_bytes(name.encode())
    (folder / "task.json").write_text("{}")
    manifest = AdapterManifest(
        name=name,
        task=task,
        base=WeightsFile(name="base.gguf", sha256="a" * 64),
        adapter=WeightsFile(name="adapter.gguf", sha256=file_sha256(folder / "adapter.gguf")),
        weights_sha256=weights,
        files={"task.json": file_sha256(folder / "task.json")},
        prompt_version="label.v1",
        prompt_sha256="b" * 64,
        narrative_version=1,
        labels=("FRAUD", "LEGITIMATE"),
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json())
    return folder


def with_report(tmp_path: Path, report: dict[str, Any]) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    return path


def shipped() -> Path:
    folder = packaged_adapter("fraud")
    assert folder is not None
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "registry")
    folder = exported(tmp_path / "one", "risk@one")
    registry.move(str(folder), "production", with_report(tmp_path, measured(0.9)))
    return registry


def add(registry: Registry, tmp_path: Path, name: str, pr_auc: float = 0.95) -> None:
    folder = exported(tmp_path / name, name)
    registry.move(str(folder), "candidate", with_report(tmp_path, measured(pr_auc)))


def states(registry: Registry) -> dict[str, str]:
    return {entry.name: entry.state for entry in registry.entries()}


def test_the_first_adapter_serves_and_is_found(registry: Registry, tmp_path: Path) -> None:
    assert states(registry) == {"risk@one": "production"}
    assert registry.serving(TASK) == "risk@one"
    assert find_adapter(tmp_path / "registry", TASK, "production") == tmp_path / "registry" / "risk-one"
    assert find_adapter(tmp_path / "registry", TASK, "risk@one") == tmp_path / "registry" / "risk-one"
    assert "rows" not in json.loads((tmp_path / "registry" / "risk-one" / "report.json").read_text())
    with pytest.raises(AdapterError, match="no_such"):
        find_adapter(tmp_path / "registry", TASK, "no_such")


def test_a_better_one_takes_over_and_rollback_brings_the_old_one_back(registry: Registry, tmp_path: Path) -> None:
    registry.move(str(exported(tmp_path / "two", "risk@two")), "production", with_report(tmp_path, measured(0.95)))
    assert states(registry) == {"risk@one": "archived", "risk@two": "production"}
    assert registry.rollback(TASK) == "risk@one"
    assert states(registry) == {"risk@one": "production", "risk@two": "archived"}
    registry.move("risk@two", "production", None)
    assert states(registry)["risk@two"] == "production"


def test_a_worse_one_stays_a_candidate(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "risk@two")
    with pytest.raises(PromotionError, match="worse") as caught:
        registry.move(str(folder), "production", with_report(tmp_path, measured(0.8)))
    assert caught.value.details["metrics"] == ["pr_auc 0.800 against 0.900 (0.850 to 0.950)"]
    assert states(registry) == {"risk@one": "production", "risk@two": "candidate"}


def test_reports_about_other_rows_prove_nothing(registry: Registry, tmp_path: Path) -> None:
    report = with_report(tmp_path, measured(0.99, data="others"))
    folder = str(exported(tmp_path / "two", "risk@two"))
    for own_rows in (False, True):
        with pytest.raises(PromotionError, match="different rows"):
            registry.move(folder, "production", report, own_rows=own_rows)


@pytest.mark.parametrize("name", ["adapter.gguf", "task.json"])
def test_damaged_files_are_refused(registry: Registry, tmp_path: Path, name: str) -> None:
    folder = exported(tmp_path / "two", "risk@two")
    (folder / name).write_bytes(b"other")
    with pytest.raises(PromotionError, match=f"{name} in .* is not the file"):
        registry.move(str(folder), "production", with_report(tmp_path, measured(0.99)))
    assert states(registry) == {"risk@one": "production"}


def test_a_damaged_one_in_production_can_be_replaced(registry: Registry, tmp_path: Path) -> None:
    (registry.folder("risk@one") / "adapter.gguf").write_bytes(b"other")
    add(registry, tmp_path, "risk@two")
    registry.promote("risk@two")
    assert registry.serving(TASK) == "risk@two"


def test_a_report_of_another_adapter_is_refused(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "risk@two", weights="1" * 64)
    with pytest.raises(ReportError, match="another adapter"):
        registry.move(str(folder), "candidate", with_report(tmp_path, measured(0.95, weights="2" * 64)))
    registry.move(str(folder), "candidate", with_report(tmp_path, measured(0.95, weights="1" * 64)))
    (registry.folder("risk@two") / REPORT_NAME).write_text(json.dumps(measured(0.95, weights="3" * 64)))
    with pytest.raises(ReportError, match="another adapter"):
        registry.promote("risk@two")
    assert states(registry) == {"risk@one": "production", "risk@two": "candidate"}


def test_the_report_in_the_folder_will_do(registry: Registry, tmp_path: Path) -> None:
    folder = exported(tmp_path / "two", "risk@two")
    with_report(folder, measured(0.95))
    assert registry.move(str(folder), "production", None).name == "risk@two"


def test_what_is_missing_is_named(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(PromotionError, match="has no adapter"):
        registry.move("risk@none", "production", None)
    with pytest.raises(PromotionError, match="needs the report"):
        registry.move(str(exported(tmp_path / "two", "risk@two")), "production", None)
    with pytest.raises(PromotionError, match="No other adapter"):
        registry.rollback(TASK)
    with pytest.raises(PromotionError, match="no exported adapter"):
        registry.move(str(tmp_path), "candidate", with_report(tmp_path, measured(0.9)))
    assert states(registry) == {"risk@one": "production"}


def test_an_archived_one_becomes_a_candidate_and_the_one_in_production_does_not(
    registry: Registry, tmp_path: Path
) -> None:
    add(registry, tmp_path, "risk@two")
    assert registry.move("risk@two", "archived", None).state == "archived"
    assert registry.move("risk@two", "candidate", None).state == "candidate"
    assert registry.move("risk@two", "candidate", None).state == "candidate"
    with pytest.raises(PromotionError, match="risk@one serves"):
        registry.move("risk@one", "candidate", None)
    assert states(registry) == {"risk@one": "production", "risk@two": "candidate"}


def test_registering_again_changes_the_report_and_no_state(registry: Registry, tmp_path: Path) -> None:
    before = registry.entries()
    registry.move(str(tmp_path / "one"), "production", with_report(tmp_path, measured(0.7, data="newer")))
    registry.add(tmp_path / "one", measured(0.7, data="newer"))
    assert registry.entries() == before
    assert read_report(registry.folder("risk@one") / REPORT_NAME)["adapter"] == {"data_sha256": "newer"}


def test_rollback_passes_over_what_never_served(registry: Registry, tmp_path: Path) -> None:
    for name in ("risk@two", "risk@three"):
        add(registry, tmp_path, name)
    registry.promote("risk@two")
    registry.archive("risk@three")
    assert registry.rollback(TASK) == "risk@one"


def test_an_archived_one_still_comes_back(registry: Registry) -> None:
    registry.archive("risk@one")
    assert registry.serving(TASK) is None
    assert registry.rollback(TASK) == "risk@one"


def test_registries_from_before_are_read(registry: Registry, tmp_path: Path) -> None:
    add(registry, tmp_path, "risk@two")
    registry.promote("risk@two")
    add(registry, tmp_path, "risk@three")
    path = tmp_path / "registry" / POINTER_NAME
    content = json.loads(path.read_text())
    for entry in content["adapters"]:
        del entry["served"]
    path.write_text(json.dumps(content))
    assert {entry.name: entry.served for entry in registry.entries()} == {
        "risk@one": True,
        "risk@two": True,
        "risk@three": False,
    }
    assert registry.rollback(TASK) == "risk@one"


def fraud(tmp_path: Path, name: str, **changes: Any) -> tuple[Path, Path]:
    """An adapter of the packaged one's task and its report: the packaged one's with changes."""
    report = {**read_report(shipped() / REPORT_NAME), **changes}
    return exported(tmp_path / name, name, "fraud"), with_report(tmp_path, report)


def test_the_packaged_adapter_is_whole_and_brings_its_report() -> None:
    manifest, report = read_manifest(shipped()), read_report(shipped() / REPORT_NAME)
    assert "rows" not in json.loads((shipped() / REPORT_NAME).read_text())
    assert report["adapter"].get("weights_sha256") == manifest.weights_sha256
    assert report["adapter"]["train_sha256"] == manifest.data_sha256
    assert {name: report[name] for name in manifest.metrics} == manifest.metrics
    beside = {path.name for path in shipped().iterdir()} - {MANIFEST_NAME, REPORT_NAME}
    assert beside == manifest.files.keys()


def test_the_first_promotion_is_held_against_the_packaged_adapter(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    folder, report = fraud(tmp_path, "fraud@worse", pr_auc=0.5)
    with pytest.raises(PromotionError, match=r"worse than fraud@.*: pr_auc 0\.500"):
        registry.move(str(folder), "production", report)
    assert states(registry) == {"fraud@worse": "candidate"}
    folder, report = fraud(tmp_path, "fraud@same")
    assert registry.move(str(folder), "production", report).state == "production"


def test_own_rows_replace_the_packaged_adapter_only_when_that_is_said(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    folder, report = exported(tmp_path / "own", "fraud@own", "fraud"), with_report(tmp_path, measured(0.9))
    with pytest.raises(PromotionError, match="--own-rows"):
        registry.move(str(folder), "production", report)
    assert registry.move(str(folder), "production", report, own_rows=True).state == "production"


def test_own_rows_do_not_excuse_an_adapter_that_was_measured_on_the_same(tmp_path: Path) -> None:
    folder, report = fraud(tmp_path, "fraud@worse", pr_auc=0.5)
    with pytest.raises(PromotionError, match="worse"):
        Registry(tmp_path / "registry").move(str(folder), "production", report, own_rows=True)


def test_rollback_goes_to_the_packaged_adapter_and_back(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    with pytest.raises(PromotionError, match="No other adapter"):
        registry.rollback("fraud")
    packaged = registry.serving("fraud")
    folder, report = fraud(tmp_path, "fraud@one")
    registry.move(str(folder), "production", report)
    assert registry.rollback("fraud") == packaged
    assert states(registry) == {"fraud@one": "archived"}
    assert find_adapter(tmp_path / "registry", "fraud", "production") == shipped()
    assert registry.rollback("fraud") == "fraud@one"


def test_an_adapter_that_was_rolled_back_from_is_not_the_one_before(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    packaged = registry.serving("fraud")
    for name in ("fraud@one", "fraud@two"):
        folder, report = fraud(tmp_path, name)
        registry.move(str(folder), "production", report)
        assert registry.rollback("fraud") == packaged
    assert states(registry) == {"fraud@one": "archived", "fraud@two": "archived"}


class AnyMoves(RuleBasedStateMachine):
    """Whatever is done to a registry: at most one adapter serves, and rollback brings back one that did."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.registry = Registry(self.folder / "registry")
        for name in NAMES:
            self.registry.add(exported(self.folder / name, name), measured(0.9))
        self.served: set[str] = set()

    @rule(name=st.sampled_from(NAMES))
    def promote(self, name: str) -> None:
        self.registry.promote(name)
        self.served.add(name)

    @rule(name=st.sampled_from(NAMES))
    def archive(self, name: str) -> None:
        self.registry.archive(name)

    @rule(name=st.sampled_from(NAMES))
    def add_again(self, name: str) -> None:
        before = self.registry.entries()
        self.registry.add(self.folder / name, measured(0.9))
        assert self.registry.entries() == before

    @rule(name=st.sampled_from(NAMES))
    def reconsider(self, name: str) -> None:
        serving = self.registry.serving(TASK)
        if name != serving:
            assert self.registry.reconsider(name).state == "candidate"
            return
        with pytest.raises(PromotionError, match="serves"):
            self.registry.reconsider(name)
        assert self.registry.serving(TASK) == serving

    @rule()
    def roll_back(self) -> None:
        before = self.registry.serving(TASK)
        possible = {entry.name for entry in self.registry.entries() if entry.state == "archived"} & self.served
        if not possible:
            with pytest.raises(PromotionError, match="No other adapter"):
                self.registry.rollback(TASK)
            assert self.registry.serving(TASK) == before
            return
        assert self.registry.rollback(TASK) in possible

    @invariant()
    def one_serves_at_most(self) -> None:
        entries = self.registry.entries()
        assert {entry.name for entry in entries} == set(NAMES)
        assert [entry.name for entry in entries if entry.state == "production"] in ([], [self.registry.serving(TASK)])
        assert {entry.name for entry in entries if entry.served} == self.served

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


AnyMoves.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAnyMoves = AnyMoves.TestCase
