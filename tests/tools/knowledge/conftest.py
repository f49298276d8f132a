from __future__ import annotations

import pytest

from agent.models.files import embedding_folder
from tools.knowledge.embed import MiniLMEmbedder


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> MiniLMEmbedder:
    return MiniLMEmbedder(embedding_folder(tmp_path_factory.mktemp("minilm")))
