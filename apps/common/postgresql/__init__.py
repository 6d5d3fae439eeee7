"""Django's PostgreSQL engine with a health check and cursors that cost less."""
