"""Texts of unknown origin, made fit to be kept."""

import re

MAX_TEXT = 2000  # characters of an error that are kept
NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """``text`` without what PostgreSQL's text cannot hold."""
    return NOT_STORABLE.sub("\ufffd", text)


def text_of_error(error: BaseException) -> str:
    """What the error says, if it can."""
    name = type(error).__name__
    try:
        text = f"{name}: {error}"
    except Exception as worse:  # noqa: BLE001 - a bug in the error itself must not hide the error
        text = f"{name} (its text: {type(worse).__name__})"
    return storable(text[:MAX_TEXT])
