"""Runs for staff: the inspector's pages and the actions on them."""
