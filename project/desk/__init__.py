"""The back office's pages over all of the shop: dashboard, search, trash."""
