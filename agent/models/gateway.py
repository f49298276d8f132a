"""Roles made callable: every language-model call goes through the models that are bound here."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

from agent.models.breaker import CircuitBreaker
from agent.models.catalog import Catalog, EndpointConfig, ModelConfig, Role
from agent.models.chain import ModelChain
from agent.models.embedded import EmbeddedServer
from agent.models.files import LANGUAGE_MODEL
from agent.models.role_model import RoleModel
from tools.extraction.adapter import load_field_adapter

# A batch of fields: a prompt of 700 tokens and its answer.
_EXTRACT_CONTEXT = 1216
_EXTRACT_SLOTS = 2


class ModelGateway:
    """All roles of a catalog. Owns the embedded server."""

    def __init__(self, catalog: Catalog) -> None:
        """Start what the catalog needs; blocks about a second when a role is embedded.

        Raises:
            ModelFileError: the packaged model is missing or corrupt.
            AdapterError: the extract role's adapter is damaged or made for another base or prompt.
        """
        self.catalog = catalog
        self._servers: dict[str, EmbeddedServer] = {}
        self._breakers = {name: CircuitBreaker() for name in catalog.endpoints}
        with ExitStack() as undo:
            # Freed without that, a server which has only begun would wait for itself.
            undo.callback(self.close)
            self._chains = {
                role: ModelChain([self._bind_role(role, model) for model in config.models])
                for role, config in catalog.roles.items()
                if role != "judge" or catalog.judges
            }
            undo.pop_all()

    def chain(self, role: Role) -> ModelChain[RoleModel]:
        """The models that serve a role: its own and those that stand in for it."""
        return self._chains[role]

    @property
    def judge(self) -> ModelChain[RoleModel] | None:
        """The models that check what others wrote, where the models file names some that can."""
        return self._chains.get("judge")

    def role(self, role: Role) -> RoleModel:
        """The model that serves a role while all is well."""
        return self._chains[role].models[0]

    def breaker(self, endpoint: str) -> CircuitBreaker:
        """The circuit breaker of an endpoint."""
        return self._breakers[endpoint]

    def close(self) -> None:
        """Stop the embedded servers."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def bind(self, role: ModelConfig, base_url: str | None = None) -> RoleModel:
        """A model at its endpoint, or at another address that serves the same model (with an adapter)."""
        endpoint = self.catalog.endpoints[role.endpoint]
        address = base_url or self._base_url(role.endpoint, endpoint)
        return RoleModel(role, endpoint, address, self._breakers[role.endpoint])

    def _bind_role(self, role: Role, model: ModelConfig) -> RoleModel:
        """A role's model. An adapter of the extract role, named by its folder, has a server of its own: prompt caches
        leak between adapters that share one."""
        endpoint = self.catalog.endpoints[model.endpoint]
        if role != "extract" or model.adapter is None or endpoint.kind != "embedded":
            return self.bind(model)
        folder = Path(model.adapter)
        manifest = load_field_adapter(folder, LANGUAGE_MODEL.sha256)
        name = f"{model.endpoint}+{manifest.name}"
        if name not in self._servers:
            slots = endpoint.model_copy(
                update={"context": _EXTRACT_CONTEXT * _EXTRACT_SLOTS, "parallel": _EXTRACT_SLOTS}
            )
            file = folder / manifest.adapter.name
            self._servers[name] = EmbeddedServer(LANGUAGE_MODEL.verify(), slots, adapter=file)
        return self.bind(model.model_copy(update={"adapter": manifest.name}), self._servers[name].base_url)

    def _base_url(self, name: str, endpoint: EndpointConfig) -> str:
        if endpoint.kind != "embedded":
            return str(endpoint.base_url)
        if name not in self._servers:
            self._servers[name] = EmbeddedServer(LANGUAGE_MODEL.verify(), endpoint)
        return self._servers[name].base_url

    def load(self) -> None:
        """Load what the first call would wait for. Blocks most of a second; calls need not wait for it."""
        import_module("agent.models.endpoint_client")
