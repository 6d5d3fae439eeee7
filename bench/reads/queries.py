"""``python -m bench.reads.queries PATH``: the queries behind an answer, cold and warm, as JSON."""

import json
import os
import sys


def main(path: str) -> None:
    """Asks twice by Django's test client: first with an empty cache, then with what that left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    from django.db import connections as databases
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from apps.caching import connections

    for client in connections.clients():
        client.flushdb()
    found = {}
    for name in ("queries_cold", "queries_warm"):
        contexts = [CaptureQueriesContext(databases[alias]) for alias in databases]
        for one in contexts:
            one.__enter__()
        answer = Client(headers={"host": "localhost"}).get(path)
        for one in contexts:
            one.__exit__(None, None, None)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        found[name] = sum(len(one) for one in contexts)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
