"""Mails that a web process of a test wrote into a directory."""

import re
from pathlib import Path

from tests.processes import eventually

CODE = re.compile(r"^([A-Z0-9]{4,}(?:-[A-Z0-9]+)*)$", re.M)


def mail_url(directory: Path) -> str:
    """The ``EMAIL_URL`` for it; one slash is taken for the end of the host."""
    return f"filemail:///{directory}"


def mailed_code(directory: Path) -> str:
    """The code in the newest mail, as soon as one is there."""

    def code() -> str | None:
        mails = sorted(directory.glob("*"), key=lambda mail: mail.stat().st_mtime)
        found = CODE.search(mails[-1].read_text()) if mails else None
        return found and found[1]

    return str(eventually(code))
