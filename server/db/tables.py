"""The tables. Whatever belongs to a person carries its `owner`, and every query names it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData()

_COUNT = BigInteger().with_variant(Integer(), "sqlite")
_WORKING = text("status = 'running'")
_OF_A_RUN = text("kind IN ('fraud_decision', 'run_ended', 'run_paused')")

threads = Table(
    "threads",
    metadata,
    Column("thread_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("status", String, nullable=False, server_default="idle"),
    Column("metadata", JSON, nullable=False, server_default="{}"),
    Column("temporary", Boolean, nullable=False, server_default=false()),
    Index("ix_threads_owner", "owner", "updated_at"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("thread_id", String, ForeignKey("threads.thread_id", ondelete="CASCADE"), nullable=False),
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("input", JSON, nullable=False),
    Column("result", JSON),
    Column("error_code", String),
    Column("trace_id", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("strategy", String, nullable=False, server_default="enqueue"),
    Column("metadata", JSON, nullable=False, server_default="{}"),
    Column("key_id", String),
    Column("plan", JSON(none_as_null=True)),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("lease_owner", String),
    Column("lease_until", Float),
    Index("uq_runs_thread_running", "thread_id", unique=True, sqlite_where=_WORKING, postgresql_where=_WORKING),
    Index("ix_runs_thread", "thread_id", "created_at"),
    Index("ix_runs_status", "status"),
    Index("ix_runs_finished", "finished_at"),
)

events = Table(
    "events",
    metadata,
    Column("run_id", String, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("data", Text, nullable=False),
)

request_keys = Table(
    "request_keys",
    metadata,
    Column("owner", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_request_keys_created", "created_at"),
)

documents = Table(
    "documents",
    metadata,
    Column("owner", String, primary_key=True),
    Column("collection", String, primary_key=True),
    Column("document_id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("media_type", String, nullable=False),
    Column("status", String, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("pages", Integer),
    Column("sha256", String, nullable=False),
    Column("text", Text),
    Column("text_sha256", String),
    Column("metadata", JSON, nullable=False),
    Column("error_code", String),
    Column("error_message", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("source", JSON),
    Column("upload_id", String),
    Column("sync_source", Text),
    Column("sync_path", Text),
    Column("sync_revision", String),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("ix_documents_synced", "owner", "collection", "sync_source"),
)

ingestions = Table(
    "ingestions",
    metadata,
    Column("ingestion_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("collection", String, nullable=False),
    Column("probes", JSON, nullable=False),
    Column("report", JSON),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Index("ix_ingestions_owner", "owner", "started_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    Column("owner", String, nullable=False),
    Column("score", Integer, nullable=False),
    Column("comment", Text),
    Column("correction", JSON),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("run_id", "owner"),
)

# `source` names what the fields were read from: a run's answer, or a text and its schema.
corrections = Table(
    "corrections",
    metadata,
    Column("owner", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("run_id", String, ForeignKey("runs.run_id", ondelete="CASCADE")),
    Column("document_id", String),
    Column("schema_name", String, nullable=False),
    Column("text_sha256", String, nullable=False),
    Column("passage", Text, nullable=False),
    Column("value", JSON, nullable=False),
    Column("evidence", JSON(none_as_null=True)),
    Column("verbatim", Boolean, nullable=False),
    Column("extracted", JSON(none_as_null=True)),
    Column("created_at", Float, nullable=False),
    Index("ix_corrections_owner", "owner", "created_at"),
    Index("ix_corrections_run", "run_id"),
    Index("ix_corrections_document", "owner", "document_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("previous_sha256", String),
    Column("previous_expires_at", Float),
    Column("owner", String, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("requests_per_minute", Integer),
    Column("tokens_per_day", _COUNT),
    Column("tokens_per_month", _COUNT),
    Column("usd_per_day", Float),
    Column("usd_per_month", Float),
    Column("created_at", Float, nullable=False),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("last_used_at", Float),
)

key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("prompt_tokens", _COUNT, nullable=False),
    Column("completion_tokens", _COUNT, nullable=False),
    Column("cost_usd", Float, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("run_id", String, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("thread_id", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("escalated_at", Float),
    Column("escalated_by", String),
    Column("escalation_comment", Text),
    Column("decision", String),
    Column("label", String),
    Column("comment", Text),
    Column("reviewer", String),
    Column("decided_at", Float),
    Column("decision_run_id", String),
    Column("answered_at", Float),
    Index("ix_reviews_owner", "owner", "status", "created_at"),
    Index("ix_reviews_status", "status", "created_at"),
)

query_log = Table(
    "query_log",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("thread_id", String, nullable=False),
    Column("query", Text, nullable=False),
    Column("route", String),
    Column("routed_to", String),
    Column("passages", JSON, nullable=False),
    Column("answer", Text),
    Column("status", String, nullable=False),
    Column("ttft_ms", Float),
    Column("total_ms", Float, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_query_log_created", "created_at"),
)

# Rows are only ever added, see server/audit/; triggers of the database refuse everything else.
audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("time", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("run_id", String),
    Column("subject", Text),
    Column("input_hash", String),
    Column("output_hash", String),
    Column("model", String),
    Column("model_sha256", String),
    Column("adapter", String),
    Column("adapter_sha256", String),
    Column("prompt", String),
    Column("chunks", JSON, nullable=False),
    Column("route", String),
    Column("outcome", String),
    Column("score", Float),
    Column("threshold", Float),
    Column("reasons", JSON, nullable=False),
    Column("human_override", JSON(none_as_null=True)),
    Column("details", JSON, nullable=False),
    Column("previous_hash", String, nullable=False, unique=True),
    Column("hash", String, nullable=False, unique=True),
    Column("seal", String, nullable=False),
    Index("uq_audit_run", "run_id", "kind", unique=True, sqlite_where=_OF_A_RUN, postgresql_where=_OF_A_RUN),
    Index("ix_audit_time", "time"),
)

# One row: where the log ends. Who appends changes it first, so that appenders wait for each other in the database.
audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", String, nullable=False),
)
