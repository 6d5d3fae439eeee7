"""The cache inside the process (L1): bounded, and told by Redis when something changed."""
