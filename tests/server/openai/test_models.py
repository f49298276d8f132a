"""The list of models."""

from __future__ import annotations

import pytest
from openai import NotFoundError, OpenAI


def test_the_one_model_is_listed(client: OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.object, model.owned_by) == ("switchyard", "model", "switchyard")
    assert model.created > 1_700_000_000
    assert client.models.retrieve("switchyard") == model


@pytest.mark.parametrize("name", ["gpt-4o", "switchyard/other", "Switchyard", "ü"])
def test_another_model_is_not_found(client: OpenAI, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve(name)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
