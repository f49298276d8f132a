"""The models file: which endpoint, model and adapter serve each role."""

from __future__ import annotations

from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError, model_validator

from tools.errors import SwitchyardError

Role = Literal["answer", "extract", "fraud", "judge"]
_SHAPE = TypeAdapter(dict[str, dict[str, Any]])
ROLES: tuple[Role, ...] = get_args(Role)


class CatalogError(SwitchyardError):
    """The models file cannot be used."""

    code = "models_file"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointConfig(_Strict):
    """Where models are served."""

    kind: Literal["embedded", "openai", "vllm"]
    base_url: HttpUrl | None = None
    api_key_env: str | None = Field(default=None, description="Name of the environment variable with the key.")
    timeout_s: float = Field(default=60, gt=0)
    max_attempts: int = Field(default=3, ge=1, le=10)
    price_per_1k_input: float = Field(default=0, ge=0, description="USD for 1,000 prompt tokens.")
    price_per_1k_output: float = Field(default=0, ge=0, description="USD for 1,000 generated tokens.")
    context: int = Field(default=8192, ge=512, description="Embedded: tokens of context shared by all slots.")
    parallel: int = Field(default=4, ge=1, le=64, description="Embedded: requests decoded at the same time.")
    threads: int | None = Field(default=None, ge=1, description="Embedded: decoding threads; default cores - 1.")

    @model_validator(mode="after")
    def _remote_needs_address(self) -> EndpointConfig:
        if self.kind != "embedded" and self.base_url is None:
            raise ValueError(f"an endpoint of kind {self.kind!r} needs a base_url")
        return self

    @property
    def honours_grammars(self) -> bool:
        """Whether it restricts answers to a GBNF grammar."""
        return self.kind == "embedded"


class ModelConfig(_Strict):
    """A model at an endpoint, and how it is asked."""

    endpoint: str
    model: str
    adapter: str | None = None
    temperature: float = Field(default=0, ge=0, le=2)
    max_tokens: int = Field(default=256, ge=1, le=32768)
    style: Literal["auto", "quote", "prose"] = "auto"


class RoleConfig(ModelConfig):
    """How a role is served: by one model, and by others, in their order, while it does not answer."""

    fallbacks: tuple[ModelConfig, ...] = ()

    @property
    def models(self) -> tuple[ModelConfig, ...]:
        """The role's model and those that stand in for it."""
        return (self, *self.fallbacks)


class Catalog(_Strict):
    """All endpoints and roles."""

    endpoints: dict[str, EndpointConfig]
    roles: dict[Role, RoleConfig]

    @model_validator(mode="after")
    def _endpoints_exist(self) -> Catalog:
        for name, role in self.roles.items():
            for model in role.models:
                if model.endpoint not in self.endpoints:
                    raise ValueError(f"role {name!r} names the endpoint {model.endpoint!r}, which is not defined")
        if missing := set(ROLES) - set(self.roles):
            raise ValueError(f"no endpoint serves: {', '.join(sorted(missing))}")
        if self.roles["fraud"].fallbacks:
            raise ValueError("role 'fraud' can have no fallbacks: its probabilities are calibrated for one model")
        return self

    @cached_property
    def judges(self) -> bool:
        """Whether answers are checked by a model: the embedded one is too small for that, so it takes another."""
        return all(self.endpoints[model.endpoint].kind != "embedded" for model in self.roles["judge"].models)

    @cached_property
    def uses_embedded(self) -> bool:
        """True when some role is served in this process."""
        used = (model for role in self.roles.values() for model in role.models)
        return any(self.endpoints[model.endpoint].kind == "embedded" for model in used)


def load_catalog(override: Path | None = None) -> Catalog:
    """Read the built-in models file, with the roles and endpoints of `override` laid over it.

    Raises:
        CatalogError: the file is missing, is no YAML or does not fit.
    """
    base = _parse(resources.files("agent").joinpath("models.yaml").read_text("utf-8"), "agent/models.yaml")
    if override is not None:
        try:
            changes = _parse(override.read_text("utf-8"), str(override))
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogError(f"The models file {override} cannot be read: {error}") from None
        base = {key: {**base.get(key, {}), **changes.get(key, {})} for key in {*base, *changes}}
    try:
        return Catalog.model_validate(base)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise CatalogError(f"The models file {override or 'agent/models.yaml'} does not fit: {problems}") from None


def _parse(text: str, source: str) -> dict[str, dict[str, Any]]:
    try:
        return _SHAPE.validate_python(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise CatalogError(f"The models file {source} is not valid YAML: {error}") from None
    except ValidationError:
        raise CatalogError(f"The models file {source} must map `endpoints` and `roles` to their entries") from None
