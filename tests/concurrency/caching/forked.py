"""Processes that begin at once, since all is imported already, and may be killed."""

import multiprocessing
import os
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connections

context = multiprocessing.get_context("fork")


def start(work: Callable[..., None], *args: Any) -> multiprocessing.Process:
    """``work(*args)`` in a process with database connections of its own."""
    process = context.Process(target=_run, args=(work, *args), daemon=True)
    process.start()
    return process


def _run(work: Callable[..., None], *args: Any) -> None:
    for connection in connections.all(initialized_only=True):
        connection.connection = None  # the parent's; closing it would end it for both
    code = 1
    try:
        work(*args)
        code = 0
    except BaseException:  # noqa: BLE001 - the child's last words
        traceback.print_exc()
    finally:
        os._exit(code)
