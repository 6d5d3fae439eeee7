"""``python -m bench reads``: how fast products are read, beside what else Django offers."""
