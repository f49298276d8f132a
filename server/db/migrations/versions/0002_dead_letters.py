"""dead letters: how to read a document again, and how often it was tried"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('documents', sa.Column('attempts', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('documents', sa.Column('source', sa.JSON(), nullable=True))
    op.add_column('documents', sa.Column('upload_id', sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('documents', schema=None) as batch_op:
        batch_op.drop_column('upload_id')
        batch_op.drop_column('source')
        batch_op.drop_column('attempts')
