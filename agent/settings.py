"""Settings: read once from the environment (`SWITCHYARD_*`) and passed along."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator can set. `switchyard doctor` lists these with their values."""

    model_config = SettingsConfigDict(env_prefix="SWITCHYARD_", extra="ignore", frozen=True)

    data_dir: Path = Field(default=Path(".switchyard"), description="Everything Switchyard writes goes below it.")
    host: str = Field(default="127.0.0.1", description="Address to listen on; with auth off only loopback is allowed.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    auth: Literal["off"] = Field(default="off", description="off: one local user, loopback only.")
    samples: Literal["on", "off"] = Field(default="on", description="on: index the sample documents on first start.")
    models: Path | None = Field(default=None, description="YAML file with roles and endpoints; overrides models.yaml.")
    qdrant_url: str | None = Field(default=None, description="A Qdrant server; without it the embedded engine.")
    answer_cache: Literal["on", "off"] = Field(
        default="on", description="on: a question asked again over the same documents is answered without a model."
    )
    phoenix_endpoint: str | None = Field(default=None, description="Collector of traces, e.g. http://localhost:6006.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Verbosity of the log.")
    max_concurrent_runs: int = Field(default=16, ge=1, description="Runs that work at the same time; others wait.")
    max_waiting_runs: int = Field(default=256, ge=0, description="Runs that may wait; further ones are refused (503).")
    max_upload_mb: int = Field(default=50, ge=1, description="Largest document accepted, in MB.")

    @property
    def app_database(self) -> Path:
        """The SQLite file of threads, runs, events, documents, feedback and the query log."""
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
    def server_file(self) -> Path:
        """Where a running server says its address, for the command line to find it."""
        return self.data_dir / "server.json"
