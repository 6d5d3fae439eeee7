"""The same checkout on DBOS and on a Celery chain: nothing of Django, so that nothing slows them."""
