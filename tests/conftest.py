"""Fixtures for every test. Tests run on real PostgreSQL and Redis; see ``make test``."""
