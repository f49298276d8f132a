"""The app database: one SQLite file through SQLAlchemy, migrated by Alembic."""
