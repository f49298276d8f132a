"""Settings: read once from the environment (`SWITCHYARD_*`) and passed along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tools.knowledge.ocr import Ocr

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]+")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")


def _split(value: Any) -> Any:
    return tuple(part.strip().lower() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _host_name(name: str) -> str:
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no host name; write names such as switchyard.example, without port, without *")
    return name


def _origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{origin!r} is no origin; write origins such as https://chat.example, without path, not *")
    return origin


def _database_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("this is no address of a PostgreSQL database; write postgresql://user:password@host/database")
    return url


def _ocr_command(command: str) -> str:
    Ocr.of(command, timeout_s=1)
    return command


HostNames = Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], NoDecode, BeforeValidator(_split)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
OcrCommand = Annotated[str, AfterValidator(_ocr_command)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Everything an operator can set. `switchyard doctor` lists these with their values."""

    model_config = SettingsConfigDict(env_prefix="SWITCHYARD_", extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path(".switchyard"), description="Everything Switchyard writes goes below it.")
    host: str = Field(default="127.0.0.1", description="Address to listen on; with auth off only loopback is allowed.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    auth: Literal["off", "keys"] = Field(
        default="off", description="off: one local user, loopback only. keys: everybody has an API key."
    )
    api_key: SecretStr | None = Field(default=None, description="The key that commands bring to a server with keys.")
    allowed_hosts: HostNames = Field(default=(), description="Names by which people may call the server, by commas.")
    cors_origins: Origins = Field(
        default=(), description="Origins whose pages may use the server, by commas, e.g. https://chat.example."
    )
    requests_per_minute: int = Field(default=300, ge=0, description="For each key; 0: no limit. None with auth off.")
    tokens_per_day: int = Field(default=2_000_000, ge=0, description="For each key, models' tokens; 0: no limit.")
    tokens_per_month: int = Field(default=0, ge=0, description="The same in a calendar month (UTC).")
    usd_per_day: float = Field(default=20, ge=0, description="For each key, at the endpoints' prices; 0: no limit.")
    usd_per_month: float = Field(default=200, ge=0, description="The same in a calendar month (UTC).")
    samples: Literal["on", "off"] = Field(default="on", description="on: index the sample documents on first start.")
    models: Path | None = Field(default=None, description="YAML file with roles and endpoints; overrides models.yaml.")
    database_url: DatabaseUrl | None = Field(
        default=None, description="A PostgreSQL database, postgresql://...; without it SQLite files."
    )
    qdrant_url: str | None = Field(default=None, description="A Qdrant server; without it the embedded engine.")
    reranker: Path | None = Field(
        default=None, description="Folder of an ONNX cross-encoder that orders passages again; none is packaged."
    )
    parent_tokens: int = Field(
        default=0, ge=0, le=4000, description="Tokens of passages beside those found that a question reads, too."
    )
    answer_cache: Literal["on", "off"] = Field(
        default="on", description="on: a question asked again over the same documents is answered without a model."
    )
    review: Literal["on", "off"] = Field(
        default="on", description="on: a chat with a borderline fraud score waits for a person's decision."
    )
    review_hours: float = Field(default=24.0, gt=0, description="Hours until an undecided review is escalated.")
    phoenix_endpoint: str | None = Field(default=None, description="Collector of traces, e.g. http://localhost:6006.")
    mask_pii: Literal["on", "off"] = Field(
        default="on", description="on: personal data is masked in the log and in traces, never in answers."
    )
    audit_key: Path | None = Field(default=None, description="File of the audit key; audit.key in the data directory.")
    audit_head: Path | None = Field(
        default=None, description="File that says how far the audit log goes; audit-head.json in the data directory."
    )
    audit_retention_days: int = Field(
        default=0, ge=0, description="Days after which entries of the audit log are pruned; 0 keeps them all."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Verbosity of the log.")
    max_concurrent_runs: int = Field(default=16, ge=1, description="Runs that work at the same time; others wait.")
    max_waiting_runs: int = Field(default=256, ge=0, description="Runs that may wait; further ones are refused (503).")
    keep_events_days: float = Field(
        default=30, ge=0, description="Days that an ended run's events are kept; its result and end stay. 0: forever."
    )
    keep_temporary_runs_days: float = Field(
        default=1, ge=0, description="Days that ended runs without a thread of the client's are kept. 0: forever."
    )
    keep_checkpoints_days: float = Field(
        default=30, ge=0, description="Days that earlier states of a thread are kept; the latest stays. 0: forever."
    )
    keep_request_keys_days: float = Field(
        default=1, ge=0, description="Days in which a repeated Idempotency-Key starts no second run. 0: forever."
    )
    max_upload_mb: int = Field(default=50, ge=1, description="Largest document accepted, in MB.")

    ocr_command: OcrCommand | None = Field(
        default=None, description="Gives scans a text layer, e.g. ocrmypdf --skip-text {input} {output}."
    )
    ocr_timeout_s: float = Field(default=300, gt=0, description="Seconds that the text of one scan may take.")

    @property
    def ocr(self) -> Ocr | None:
        """The program that reads scans, if there is one."""
        return None if self.ocr_command is None else Ocr.of(self.ocr_command, self.ocr_timeout_s)

    @property
    def app_database(self) -> Path:
        """The SQLite file of threads, runs, events, documents, feedback, the query log and the audit log."""
        return self.data_dir / "switchyard.db"

    @property
    def checkpoint_database(self) -> Path:
        """The SQLite file of LangGraph checkpoints."""
        return self.data_dir / "checkpoints.db"

    @property
    def vector_folder(self) -> Path:
        """The folder of the embedded vector store."""
        return self.data_dir / "vectors"

    @property
    def upload_folder(self) -> Path:
        """Uploads that are not indexed yet, or failed and can be tried again."""
        return self.data_dir / "uploads"

    @property
    def corpus_version_file(self) -> Path:
        """The versions of the collections' content."""
        return self.data_dir / "corpus-versions.json"

    @property
    def cache_folder(self) -> Path:
        """Things that can be made again: linked model files, the fitted router."""
        return self.data_dir / "cache"

    @property
    def prompt_file(self) -> Path:
        """Which versions of prompts somebody chose."""
        return self.data_dir / "prompts.json"

    @property
    def audit_key_file(self) -> Path:
        """The secret that the audit log is sealed with."""
        return self.audit_key or self.data_dir / "audit.key"

    @property
    def audit_head_file(self) -> Path:
        """How far the audit log goes, apart from it."""
        return self.audit_head or self.data_dir / "audit-head.json"

    @property
    def server_file(self) -> Path:
        """Where a running server says its address, for the command line to find it."""
        return self.data_dir / "server.json"
