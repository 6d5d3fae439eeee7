"""Feeds over HTTP: how fast they are accepted, how fast they get into the database."""
