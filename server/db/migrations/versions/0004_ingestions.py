"""ingestions: the checks after each batch"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('documents', sa.Column('text_sha256', sa.String(), nullable=True))
    op.create_table(
        'ingestions',
        sa.Column('ingestion_id', sa.String(), nullable=False),
        sa.Column('owner', sa.String(), nullable=False),
        sa.Column('collection', sa.String(), nullable=False),
        sa.Column('probes', sa.JSON(), nullable=False),
        sa.Column('report', sa.JSON(), nullable=True),
        sa.Column('started_at', sa.Float(), nullable=False),
        sa.Column('finished_at', sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint('ingestion_id'),
    )
    op.create_index('ix_ingestions_owner', 'ingestions', ['owner', 'started_at'])


def downgrade() -> None:
    op.drop_table('ingestions')
    with op.batch_alter_table('documents', schema=None) as batch_op:
        batch_op.drop_column('text_sha256')
