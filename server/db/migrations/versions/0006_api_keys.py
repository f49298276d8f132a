"""API keys with their limits, what each has spent, and by which key a run was started"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Counts of tokens outgrow PostgreSQL's INTEGER; SQLite's has room.
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("previous_sha256", sa.String()),
        sa.Column("previous_expires_at", sa.Float()),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("tokens_per_day", _COUNT),
        sa.Column("tokens_per_month", _COUNT),
        sa.Column("usd_per_day", sa.Float()),
        sa.Column("usd_per_month", sa.Float()),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("issued_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float()),
        sa.Column("revoked_at", sa.Float()),
        sa.Column("last_used_at", sa.Float()),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", _COUNT, nullable=False),
        sa.Column("completion_tokens", _COUNT, nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "day"),
    )
    op.add_column("runs", sa.Column("key_id", sa.String()))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("runs", "key_id")
    op.drop_table("key_usage")
    op.drop_table("api_keys")
