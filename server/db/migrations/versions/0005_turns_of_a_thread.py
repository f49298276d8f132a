"""turns of a thread: one run at a time, and what LangGraph clients keep with threads and runs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WORKING = sa.text("status = 'running'")


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("threads", sa.Column("status", sa.String(), nullable=False, server_default="idle"))
    op.add_column("threads", sa.Column("metadata", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("threads", sa.Column("temporary", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("runs", sa.Column("strategy", sa.String(), nullable=False, server_default="enqueue"))
    op.add_column("runs", sa.Column("metadata", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index(
        "uq_runs_thread_running",
        "runs",
        ["thread_id"],
        unique=True,
        sqlite_where=_WORKING,
        postgresql_where=_WORKING,
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("uq_runs_thread_running", "runs")
    for table, column in (
        ("runs", "metadata"),
        ("runs", "strategy"),
        ("threads", "temporary"),
        ("threads", "metadata"),
        ("threads", "status"),
    ):
        op.drop_column(table, column)
