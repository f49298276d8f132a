"""durable runs: who works on a run and until when, how to drive it again, and the names of requests"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("runs", sa.Column("plan", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("runs", sa.Column("lease_owner", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("lease_until", sa.Float(), nullable=True))
    op.create_index("ix_runs_finished", "runs", ["finished_at"])
    op.create_table(
        "request_keys",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_index("ix_request_keys_created", "request_keys", ["created_at"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("request_keys")
    op.drop_index("ix_runs_finished", "runs")
    for column in ("lease_until", "lease_owner", "attempt", "plan"):
        op.drop_column("runs", column)
