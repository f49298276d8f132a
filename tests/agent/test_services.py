from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.catalog import CatalogError
from agent.prompts.registry import PromptError
from agent.services import Services, open_services, samples_folder
from agent.settings import Settings
from tests.fakes.cross_encoder import write_cross_encoder
from tools.knowledge.cross_encoder import RerankerError
from tools.knowledge.edge_store import EdgeStore


class NoDocuments:
    async def text(self, owner: str, document_id: str) -> str | None:
        return None


REMOTE = """
endpoints: {remote: {kind: openai, base_url: "http://127.0.0.1:9/v1"}}
roles: {answer: &role {endpoint: remote, model: m}, extract: *role, fraud: *role, judge: *role}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (models := tmp_path / "models.yaml").write_text(REMOTE)
    return Settings(data_dir=tmp_path / "data", models=models, samples="off")


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    opened = open_services(settings, NoDocuments())
    yield opened
    opened.close()


async def test_services_open_from_settings_and_keep_to_the_data_directory(
    services: Services, settings: Settings
) -> None:
    assert services.models.role("answer").name == "m"
    assert await services.index.count("local/default") == 0
    assert {path.name for path in settings.data_dir.iterdir()} <= {"cache", "vectors"}
    assert services.router.route("How are disputes handled?").routed_to == "knowledge"


async def test_what_computes_runs_off_the_event_loop(services: Services) -> None:
    loop_thread = threading.get_ident()
    first, second = await asyncio.gather(services.compute(threading.get_ident), services.compute(lambda: 2))
    assert first != loop_thread
    assert second == 2


def test_a_models_file_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="nowhere"):
        open_services(Settings(data_dir=tmp_path, models=tmp_path / "nowhere.yaml"), NoDocuments())


def test_a_prompt_that_does_not_exist_stops_the_start(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.prompt_file.write_text('{"format": 1, "prompts": {"prose": {"version": 99}}}')
    with pytest.raises(PromptError, match=r"prose\.v99"):
        open_services(settings, NoDocuments())


@pytest.mark.parametrize(("answer_cache", "kept"), [("on", True), ("off", False)])
def test_answers_are_kept_where_the_setting_says_so(settings: Settings, answer_cache: str, kept: bool) -> None:
    opened = open_services(settings.model_copy(update={"answer_cache": answer_cache}), NoDocuments())
    assert (opened.answers is not None) is kept
    opened.close()


@pytest.mark.parametrize(("samples", "listed"), [("on", True), ("off", False)])
def test_the_samples_rules_are_the_companys_until_it_has_its_own(
    settings: Settings, samples: str, listed: bool
) -> None:
    opened = open_services(settings.model_copy(update={"samples": samples}), NoDocuments())
    assert bool(opened.policy.blacklist) is listed
    opened.close()


def test_the_companys_own_rules_come_first(settings: Settings) -> None:
    (folder := settings.data_dir / "policy").mkdir(parents=True)
    sample = (samples_folder() / "blacklist.csv").read_text().splitlines()
    (folder / "blacklist.csv").write_text("\n".join(sample[:2]))
    opened = open_services(settings.model_copy(update={"samples": "on"}), NoDocuments())
    assert len(opened.policy.blacklist) == 1
    opened.close()


def test_a_qdrant_server_takes_the_place_of_the_embedded_store(settings: Settings) -> None:
    opened = open_services(settings.model_copy(update={"qdrant_url": "http://127.0.0.1:9"}), NoDocuments())
    assert not settings.vector_folder.exists()
    assert not isinstance(opened.index._retriever.store, EdgeStore)
    opened.close()


def test_a_reranker_is_there_where_a_folder_is_named(services: Services, settings: Settings, tmp_path: Path) -> None:
    assert services.reranker is services.ranker
    folder = write_cross_encoder(tmp_path / "reranker")
    data = tmp_path / "other"
    opened = open_services(settings.model_copy(update={"reranker": folder, "data_dir": data}), NoDocuments())
    assert opened.cross_encoder is opened.reranker is not None
    opened.close()


def test_a_folder_without_a_reranker_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match="nowhere"):
        open_services(settings.model_copy(update={"reranker": tmp_path / "nowhere"}), NoDocuments())
    assert not settings.vector_folder.exists()
