"""``python -m apps.payments.sandbox --port 8001 --data var/gateway``"""

import argparse
import asyncio
import logging
import signal
import sqlite3
import sys
from pathlib import Path

from apps.payments.sandbox.bank import Bank
from apps.payments.sandbox.record import Record
from apps.payments.sandbox.server import serve


async def run(bank: Bank, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(bank, host, port, stop)


def main() -> int:
    """Runs the gateway until it is told to stop; 1 and a line on stderr if it cannot start."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A sandbox acquirer.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 = any free one")
    parser.add_argument("--data", type=Path, required=True, help="directory of its record")
    given = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    try:
        record = Record(given.data)
    except (sqlite3.Error, OSError) as problem:
        sys.exit(f"sandbox gateway: cannot open its record in {given.data}: {problem}")
    try:
        asyncio.run(run(Bank(record), given.host, given.port))
    except OSError as problem:
        sys.exit(f"sandbox gateway: cannot listen on {given.host}:{given.port}: {problem.strerror}")
    finally:
        record.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
