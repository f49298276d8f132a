"""PostgreSQL instead of the SQLite files. Imported only where SWITCHYARD_DATABASE_URL names one: an extra brings it."""
