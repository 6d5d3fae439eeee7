"""Every event that was ever published, in the order in which it became known here."""
