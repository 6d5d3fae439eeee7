"""Everything behind ``make up``, ``make test``, ``make demo`` and ``make reset``.

``bootstrap`` makes ``.venv``; the rest runs inside it: embedded servers under ``var/``
(``postgres``, ``redis_server``), the processes of the shop (``parts``), one supervisor for all of
them, and the commands a person types.
"""
