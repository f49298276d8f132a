"""Which tools and model roles each node of the graph may use: everything else is out of its reach.

A node gets `Services` in which whatever is not listed here raises on its first use, so that a route can do no more
than its task, whatever a document, a message or a model says. No model is ever given tools to call, and none of the
tools below writes anything but the cache of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NoReturn, cast

from agent.models.catalog import Role
from agent.models.chain import ModelChain
from agent.models.gateway import ModelGateway
from agent.models.role_model import RoleModel
from agent.services import Services
from tools.errors import SwitchyardError

Node = Literal["route", "knowledge", "extract", "fraud"]


class NotPermittedError(SwitchyardError):
    """A node used what it may not use: a mistake of ours, never a caller's."""

    code = "not_permitted"


@dataclass(frozen=True)
class Permission:
    """Fields of `Services` with what of each may be used, and roles of models."""

    tools: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    roles: frozenset[Role] = frozenset()


def _only(*names: str) -> frozenset[str]:
    return frozenset(names)


PERMISSIONS: Mapping[Node, Permission] = {
    "route": Permission({"router": _only("route"), "prompts": _only("get")}, frozenset({"answer"})),
    "knowledge": Permission(
        {
            "index": _only("search_counted", "neighbours", "version"),
            "gate": _only("assess", "version"),
            "cross_encoder": _only("passage_scores", "version"),
            "embedder": _only("count_tokens", "embed_words"),
            "ranker": _only("rank", "version"),
            "reader": _only("read", "version"),
            "bm25": _only("encode_query"),
            "prompts": _only("get"),
            "answers": _only("find", "store"),
        },
        frozenset({"answer", "judge"}),
    ),
    "extract": Permission({"documents": _only("text")}, frozenset({"extract"})),
    "fraud": Permission(
        {
            "fraud": _only("serving"),
            "policy": _only("thresholds", "blacklist", "suspicious_codes", "find_blacklisted", "suspicious_code"),
        }
    ),
}


def permitted(services: Services, node: Node) -> Services:
    """The services as a node may use them."""
    permission = PERMISSIONS[node]
    handed: dict[str, Any] = {one.name: getattr(services, one.name) for one in fields(services)}
    for name, tool in handed.items():
        # A setting can be read by everybody, and a tool that is off stays off.
        if not isinstance(tool, bool | int | str | None):
            handed[name] = _Tool(node, name, tool, permission.tools.get(name, frozenset()))
    handed["models"] = cast("ModelGateway", _Roles(services.models, node, permission.roles))
    handed["compute_threads"] = services.compute_threads
    return Services(**handed)


class _Tool:
    """A tool of which only some names can be used."""

    def __init__(self, node: Node, name: str, tool: object, allowed: frozenset[str]) -> None:
        self._node: Node = node
        self._name = name
        self._tool = tool
        self._allowed = allowed

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            _refuse(self._node, f"{self._name}.{name}")
        return getattr(self._tool, name)


@dataclass(frozen=True)
class _Roles:
    """The models of some roles, and nothing else of the gateway."""

    models: ModelGateway
    node: Node
    allowed: frozenset[Role]

    def chain(self, role: Role) -> ModelChain[RoleModel]:
        """The models that serve a role.

        Raises:
            NotPermittedError: the node may not use this role.
        """
        if role not in self.allowed:
            _refuse(self.node, f"models.{role}")
        return self.models.chain(role)

    @property
    def judge(self) -> ModelChain[RoleModel] | None:
        """The models that check what others wrote, if there are any.

        Raises:
            NotPermittedError: the node may not use them.
        """
        if "judge" not in self.allowed:
            _refuse(self.node, "models.judge")
        return self.models.judge

    def __getattr__(self, name: str) -> NoReturn:
        _refuse(self.node, f"models.{name}")


def _refuse(node: Node, what: str) -> NoReturn:
    raise NotPermittedError(f"The node {node!r} may not use {what}.", node=node, tool=what)
