"""synced files: which file of which folder or bucket a document is, and up to which version it is known"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('documents', sa.Column('sync_source', sa.Text(), nullable=True))
    op.add_column('documents', sa.Column('sync_path', sa.Text(), nullable=True))
    op.add_column('documents', sa.Column('sync_revision', sa.String(), nullable=True))
    op.create_index('ix_documents_synced', 'documents', ['owner', 'collection', 'sync_source'])


def downgrade() -> None:
    op.drop_index('ix_documents_synced', 'documents')
    with op.batch_alter_table('documents', schema=None) as batch_op:
        batch_op.drop_column('sync_revision')
        batch_op.drop_column('sync_path')
        batch_op.drop_column('sync_source')
