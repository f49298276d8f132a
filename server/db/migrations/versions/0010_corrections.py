"""corrections: what people say that fields of an extraction should have been"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "corrections",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("document_id", sa.String(), nullable=True),
        sa.Column("schema_name", sa.String(), nullable=False),
        sa.Column("text_sha256", sa.String(), nullable=False),
        sa.Column("passage", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("verbatim", sa.Boolean(), nullable=False),
        sa.Column("extracted", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner", "source", "field"),
    )
    op.create_index("ix_corrections_owner", "corrections", ["owner", "created_at"])
    op.create_index("ix_corrections_run", "corrections", ["run_id"])
    op.create_index("ix_corrections_document", "corrections", ["owner", "document_id"])


def downgrade() -> None:
    """Remove it: the corrections are lost."""
    op.drop_table("corrections")
