"""What is already measured, on the disk, so that a killed measure goes on where it stopped."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from viz3d.errors import ExportError
from viz3d.record.append import AppendFile
from viz3d.record.landscape.fingerprint import fingerprint
from viz3d.record.rows import line

_logger = logging.getLogger(__name__)


class Ledger:
    """Finished parts of a measure by name; each is with the operating system when `put` returns.

    Parameters
    ----------
    file : Path or None
        Lines of JSON: what is measured, then a part each. None keeps them in memory alone.
    asked : dict
        What is measured. Each part says of what it is: those of anything else do not count, and a
        file that has no others is replaced.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """

    def __init__(self, file: Path | None, asked: dict[str, Any]) -> None:
        self._parts: dict[str, Any] = {}
        self._path = file
        self._of = fingerprint(asked)[:16]
        self._file: AppendFile | None = None
        if file is None:
            return
        try:
            self._parts = _read(file, self._of)
            self._file = AppendFile(file)
            if not self._parts:
                file.unlink(missing_ok=True)
                self._file.write(line({"asked": asked, "of": self._of}))
        except OSError as error:
            folder = file.parent.parent.name
            raise ExportError(
                f"{folder!r} cannot be written ({error.strerror}); name another folder."
            ) from None

    def get(self, part: str) -> Any:
        """Return a finished part, or None."""
        return self._parts.get(part)

    def put(self, part: str, values: Any) -> None:
        """Keep a finished part; where the disk fails it is kept in memory and told once."""
        self._parts[part] = values
        try:
            if self._file:
                self._file.write(line({"part": part, "of": self._of, "values": values}))
        except OSError as error:
            _logger.warning(
                "%s cannot be written (%s); the measure goes on, but could not be resumed",
                self._file and self._file.path.name,
                error.strerror,
            )
            self._close()

    def done(self) -> None:
        """Remove the file: what it held is stored elsewhere."""
        self._close()
        if self._path:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file:
            file, self._file = self._file, None
            with suppress(OSError):  # nothing depends on its last bytes
                file.close()


def _read(file: Path, of: str) -> dict[str, Any]:
    """Return the parts of `file` that belong to a measure; a line cut short is none."""
    if not file.is_file():
        return {}
    rows = [row for text in file.read_bytes().splitlines() if (row := _row(text))]
    mine = [row for row in rows if row.get("of") == of]
    if rows and not mine:
        _logger.warning(
            "%s was begun with other weights, batches, code or settings, and is measured anew",
            file.name,
        )
    return {row["part"]: row["values"] for row in mine if "part" in row}


def _row(text: bytes) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}
