"""Extraction through the embedded language model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel
from tests.tools.extraction import documents
from tests.tools.extraction.test_extract import DOCUMENTS, check
from tools.extraction import extract, resolve_schema

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model() -> Iterator[RoleModel]:
    gateway = ModelGateway(load_catalog())
    yield gateway.role("extract")
    gateway.close()


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_each_kind_is_read_with_the_model_as_arbiter(model: RoleModel, name: str) -> None:
    schema = resolve_schema(name)
    result = await extract(DOCUMENTS[name], schema, model, arbiter="model")
    check(DOCUMENTS[name], result)
    assert sum(value.value is not None for value in result.fields.values()) >= 5


async def test_free_text_is_asked_for_and_located(model: RoleModel) -> None:
    text = "Report of the harbour watch.\nThe vessel Blue Heron reached the northern pier after the storm."
    schema = resolve_schema(
        {"type": "object", "properties": {"vessel": {"type": "string", "description": "name of the vessel"}}}
    )
    result = await extract(text, schema, model)
    check(text, result)
    assert result.model == model.name
    assert result.usage.prompt_tokens > 0


async def test_the_model_chooses_one_of_the_readings(model: RoleModel) -> None:
    text = documents.RECEIPT.replace("Total GBP              10.75", "Total 10.75\nTotal 11.25")
    result = await extract(text, resolve_schema("receipt"), model, arbiter="model")
    check(text, result)
    assert result.data["total"] in (10.75, 11.25, None)
    assert result.usage.prompt_tokens <= 900
