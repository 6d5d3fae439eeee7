"""The two formats of files: nothing in an export is a formula, nothing in an import explodes."""

import re
import tempfile
import time
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from import_export.formats.base_formats import CSV, XLSX
from import_export.tmp_storages import BaseStorage
from tablib import Dataset

MAX_ROWS = 5_000
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
KEPT_SECONDS = 3_600
NAME = re.compile(r"[0-9a-f]{32}")
# What a spreadsheet takes for the beginning of a formula.
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def harmless(cell: object) -> object:
    """Text that a spreadsheet would calculate, behind an apostrophe; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(RISKY) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def original(cell: str) -> str:
    """What ``harmless`` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell


def _harmless(dataset: Dataset) -> Dataset:
    safe = Dataset(headers=dataset.headers)
    for row in dataset:
        safe.append([harmless(cell) for cell in row])
    return safe


def _bounded(dataset: Dataset) -> Dataset:
    if len(dataset) > MAX_ROWS:
        raise TooManyRows(f"more than {MAX_ROWS:,} rows")
    return dataset


class TooManyRows(ValueError):
    """A file with more rows than are taken at once."""


class SafeCSV(CSV):
    def create_dataset(self, in_stream, **kwargs) -> Dataset:
        return _bounded(super().create_dataset(in_stream, **kwargs))

    def export_data(self, dataset, **kwargs):
        return super().export_data(_harmless(dataset), **kwargs)


class SafeXLSX(XLSX):
    def create_dataset(self, in_stream) -> Dataset:
        with zipfile.ZipFile(BytesIO(in_stream)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED_BYTES:
                raise TooManyRows("too large when unpacked")
        return _bounded(super().create_dataset(in_stream))

    def export_data(self, dataset, **kwargs):
        return super().export_data(_harmless(dataset), **kwargs)


class Uploads(BaseStorage):
    """Keeps a file between its dry run and its import, for an hour, under a name nobody guesses."""

    def save(self, data: bytes) -> None:
        folder = _folder()
        for old in folder.iterdir():
            with suppress(FileNotFoundError):  # another process was faster
                if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                    old.unlink()
        self.name = uuid4().hex
        (folder / self.name).write_bytes(data)

    def read(self) -> bytes | str:
        raw = self._path().read_bytes()
        return raw.decode(self.encoding) if self.encoding else raw

    def exists(self) -> bool:
        return bool(NAME.fullmatch(self.name or "")) and self._path().is_file()

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        if not NAME.fullmatch(self.name or ""):
            raise FileNotFoundError("not a name of an upload")
        return _folder() / self.name


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / "holdfast-imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
