"""The same checkout on DBOS and on a Celery chain: no Django that would slow them."""
