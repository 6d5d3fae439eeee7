"""Which relay empties the outbox of a database: one at a time, by the database's clock.

The lease saves work, it guards nothing: two relays that hold it at once, since one of them stood
still, publish the same events twice, which every consumer allows for.
"""

import os
import socket
from uuid import UUID

from django.db import transaction

from apps.common.databases import execute, fetch_one
from apps.common.failpoints import failpoint

HOLDER = 100  # characters


def here() -> str:
    """This process, as staff see it."""
    return f"{socket.gethostname()}:{os.getpid()}"[-HOLDER:]


def take(alias: str, token: UUID, seconds: float) -> bool:
    """Takes or renews the lease of ``alias`` for ``seconds``; False while another relay has it."""
    with transaction.atomic(using=alias):
        row = fetch_one(alias, _TAKE, [token, here(), seconds, token, token, here(), seconds])
        failpoint("relay.claim.before_commit")
    failpoint("relay.claim.after_commit")
    return row is not None


_TAKE = """
    WITH taken AS (
        UPDATE messaging_relaylease
        SET token = %s, holder = %s, until = clock_timestamp() + make_interval(secs => %s)
        WHERE token = %s OR until <= clock_timestamp()
        RETURNING id
    ), made AS (
        INSERT INTO messaging_relaylease (id, token, holder, until)
        SELECT 1, %s, %s, clock_timestamp() + make_interval(secs => %s)
        WHERE NOT EXISTS (SELECT FROM messaging_relaylease)
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT id FROM taken UNION ALL SELECT id FROM made
"""


def leave(alias: str, token: UUID) -> None:
    """Gives the lease up, so that another relay need not wait for its end."""
    execute(
        alias,
        "UPDATE messaging_relaylease SET until = clock_timestamp() WHERE token = %s",
        [token],
    )
