from __future__ import annotations

from pathlib import Path

import pytest

from agent.models.files import EMBEDDING_MODEL, embedding_folder
from agent.router.router import Router
from agent.router.utterances import Utterances, load_utterances
from tools.knowledge.embed import MiniLMEmbedder


@pytest.fixture(scope="session")
def utterances() -> Utterances:
    return load_utterances()


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLMEmbedder:
    return MiniLMEmbedder(embedding_folder(tmp_path_factory.mktemp("minilm")))


@pytest.fixture(scope="session")
def router(embedder: MiniLMEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Router:
    cache: Path = tmp_path_factory.mktemp("heads")
    return Router.load(embedder, EMBEDDING_MODEL[0].sha256, cache)
