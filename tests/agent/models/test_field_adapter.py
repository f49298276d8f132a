from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.models.catalog import Catalog, load_catalog
from agent.models.files import LANGUAGE_MODEL
from agent.models.gateway import ModelGateway
from tests.agent.models.adapters import write_adapter
from tools.extraction.adapter import ADAPTER_NAME, MANIFEST_NAME, FieldAdapterManifest, prompt_sha256
from tools.extraction.ask import PROMPT
from tools.files import file_sha256
from tools.fraud.errors import AdapterError
from tools.fraud.manifest import WeightsFile
from tools.ports import ChatRequest, Message

ASKED = ChatRequest([Message("user", "Who carried the goods?")], max_tokens=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A random adapter of the packaged model with the manifest of the extract role."""
    made = write_adapter(tmp_path, "extract", 1)
    manifest = FieldAdapterManifest(
        name="extract@1", base=WeightsFile(name=LANGUAGE_MODEL.name, sha256=LANGUAGE_MODEL.sha256),
        adapter=WeightsFile(name=ADAPTER_NAME, sha256=file_sha256(made / ADAPTER_NAME)), prompt=PROMPT,
        prompt_sha256=prompt_sha256(), data_sha256="0" * 64, rows=1, created=datetime.now(UTC).isoformat(),
    )  # fmt: skip
    (made / MANIFEST_NAME).write_text(manifest.model_dump_json())
    return made


def catalog(tmp_path: Path, folder: Path) -> Catalog:
    """The packaged catalog with an adapter for the extract role."""
    file = tmp_path / "models.yaml"
    file.write_text(f"roles: {{extract: {{endpoint: embedded, model: smollm2-135m-instruct, adapter: '{folder}'}}}}")
    return load_catalog(file)


@pytest.fixture
def gateway(tmp_path: Path, folder: Path) -> Iterator[ModelGateway]:
    opened = ModelGateway(catalog(tmp_path, folder))
    yield opened
    opened.close()


async def test_the_extract_role_alone_has_the_adapter(gateway: ModelGateway) -> None:
    adapted, base = gateway.role("extract"), gateway.role("answer")
    assert (adapted.name, adapted.adapter) == ("smollm2-135m-instruct+extract@1", "extract@1")
    assert base.adapter is None
    said = [(await model.complete(ASKED)).text for model in (adapted, base)]
    assert said[0] != said[1]


def test_a_damaged_adapter_is_refused_at_the_start(tmp_path: Path, folder: Path) -> None:
    (folder / ADAPTER_NAME).write_bytes(b"damaged")
    with pytest.raises(AdapterError, match="adapter file"):
        ModelGateway(catalog(tmp_path, folder))
