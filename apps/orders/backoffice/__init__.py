"""The back office's pages about orders."""
