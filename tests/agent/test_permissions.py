from __future__ import annotations

from dataclasses import fields
from typing import Any, cast, get_args

import pytest

from agent.models.catalog import ROLES
from agent.permissions import PERMISSIONS, Node, NotPermittedError, permitted
from agent.services import Services

NODES: tuple[Node, ...] = get_args(Node)
TOOLS = [field.name for field in fields(Services) if field.name not in ("models", "compute_threads")]
WRITING = {"add", "delete", "remove", "drop", "save", "close", "load", "use", "clear"}


class Anything:
    """Has every attribute; each is its own name."""

    def __getattr__(self, name: str) -> str:
        return name

    def chain(self, role: str) -> str:
        """The role's name."""
        return role


def everything() -> Services:
    """Services that refuse nothing."""
    return Services(**{field.name: cast("Any", Anything()) for field in fields(Services)})


def test_every_node_with_services_is_declared() -> None:
    assert set(PERMISSIONS) == set(NODES)
    assert all(set(permission.tools) <= set(TOOLS) for permission in PERMISSIONS.values())


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("tool", TOOLS)
def test_no_other_tool_can_be_reached(node: Node, tool: str) -> None:
    handed = getattr(permitted(everything(), node), tool)
    allowed = PERMISSIONS[node].tools.get(tool, frozenset())
    assert all(getattr(handed, name) == name for name in allowed)
    for name in {"add", "delete", "search", "get", "text", "serving", "route", "close", "store", "_tool_"} - allowed:
        with pytest.raises(NotPermittedError) as refused:
            getattr(handed, name)
        assert refused.value.details == {"node": node, "tool": f"{tool}.{name}"}


@pytest.mark.parametrize("node", NODES)
def test_no_other_model_can_be_reached(node: Node) -> None:
    models = permitted(everything(), node).models
    for role in ROLES:
        if role in PERMISSIONS[node].roles:
            assert cast("Any", models.chain(role)) == role
            continue
        with pytest.raises(NotPermittedError):
            models.chain(role)
    for name in ("bind", "role", "catalog", "breaker", "close"):
        with pytest.raises(NotPermittedError):
            getattr(models, name)


def test_no_route_may_write() -> None:
    assert not [name for one in PERMISSIONS.values() for names in one.tools.values() for name in names & WRITING]


def test_what_is_off_stays_off_and_settings_are_themselves() -> None:
    services = Services(**{**vars(everything()), "answers": None, "policy": False})
    handed = permitted(services, "knowledge")
    assert handed.answers is None
    assert cast("Any", handed.policy) is False
