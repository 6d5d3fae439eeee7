"""``python -m bench search``: finding products among many, beside ``icontains``."""
