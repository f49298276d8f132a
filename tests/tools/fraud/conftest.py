from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from agent.models.catalog import load_catalog
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel

# Timings on a shared machine say nothing about the code.
settings.register_profile("fraud", deadline=None)
settings.load_profile("fraud")


@pytest.fixture(scope="module")
def fraud_model() -> Iterator[RoleModel]:
    """The embedded base model in the fraud role."""
    gateway = ModelGateway(load_catalog())
    yield gateway.bind(gateway.catalog.roles["fraud"].model_copy(update={"adapter": None}))
    gateway.close()
