"""Checkout sagas: Holdfast's engine beside DBOS and a Celery chain, on the same databases."""
