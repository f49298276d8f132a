"""audit: a log of decisions that is only ever added to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OF_A_RUN = sa.text("kind IN ('fraud_decision', 'run_ended', 'run_paused')")

# What a row of the log itself says was pruned may go, and nothing else. The first also stops INSERT OR REPLACE, which
# removes a row without a word to the trigger of deletions.
_SQLITE = (
    """
    CREATE TRIGGER audit_insert BEFORE INSERT ON audit
    WHEN NEW.sequence <= (SELECT coalesce(max(sequence), 0) FROM audit)
    BEGIN SELECT RAISE(ABORT, 'audit rows are only added at the end'); END
    """,
    """
    CREATE TRIGGER audit_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows cannot be changed'); END
    """,
    """
    CREATE TRIGGER audit_delete BEFORE DELETE ON audit
    WHEN NOT EXISTS (
        SELECT 1 FROM audit
        WHERE kind = 'audit_pruned' AND json_extract(details, '$.through_sequence') >= OLD.sequence
        AND sequence > OLD.sequence
    )
    BEGIN SELECT RAISE(ABORT, 'audit rows cannot be deleted'); END
    """,
)
_POSTGRES = (
    """
    CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.sequence <= (SELECT coalesce(max(sequence), 0) FROM audit) THEN
                RAISE EXCEPTION 'audit rows are only added at the end';
            END IF;
            RETURN NEW;
        ELSIF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM audit
            WHERE kind = 'audit_pruned' AND (details ->> 'through_sequence')::bigint >= OLD.sequence
            AND sequence > OLD.sequence
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit rows cannot be changed or deleted';
    END $$
    """,
    "CREATE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_guard()",
    """
    CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()
    """,
)


def upgrade() -> None:
    """Make the log, its end and the triggers."""
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("input_hash", sa.String(), nullable=True),
        sa.Column("output_hash", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("model_sha256", sa.String(), nullable=True),
        sa.Column("adapter", sa.String(), nullable=True),
        sa.Column("adapter_sha256", sa.String(), nullable=True),
        sa.Column("prompt", sa.String(), nullable=True),
        sa.Column("chunks", sa.JSON(), nullable=False),
        sa.Column("route", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("human_override", sa.JSON(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("previous_hash"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index(
        "uq_audit_run", "audit", ["run_id", "kind"], unique=True, sqlite_where=_OF_A_RUN, postgresql_where=_OF_A_RUN
    )
    op.create_index("ix_audit_time", "audit", ["time"])
    end = op.create_table(
        "audit_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(end, [{"id": 1, "sequence": 0, "hash": "0" * 64}])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Remove them: the log is lost."""
    op.drop_table("audit_end")
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_guard")
