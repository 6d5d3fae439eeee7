"""``GET /metrics`` for Prometheus: what every request did, and how far behind everything is."""
