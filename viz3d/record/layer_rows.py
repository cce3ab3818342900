"""Rows of layers: those of a watched model, or what a training loop has computed itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from viz3d.record.append import AppendFile
from viz3d.record.failures import Failures
from viz3d.record.late import Awaited, Late
from viz3d.record.rows import NO_NUMBER, line, numbers, whole
from viz3d.record.values import aside, foreign, on_stream_of_caller

if TYPE_CHECKING:
    from viz3d.record.layers import Reading


class LayerRows:
    """Writes the rows of ``layers.jsonl``.

    Parameters
    ----------
    file : AppendFile
    late : Late
    failures : Failures
        Counts what is left out.
    """

    def __init__(self, file: AppendFile, late: Late, failures: Failures) -> None:
        self._file, self._late, self._failures = file, late, failures

    def write(self, step: int, rows: Iterable[Mapping[str, Any]], end: float) -> None:
        """Write those of `rows` that come by `end`, of ``time.monotonic()``.

        Raises
        ------
        OSError
            If they could not be written.
        """
        lines = []
        for row in self._collect(rows, end):
            try:
                lines.append(self._line(step, row, end))
            except Exception as error:
                self._failures.add("a row of the layers was not recorded", error)
        if lines:
            self._file.write(b"".join(lines))

    def write_reading(self, step: int, reading: Reading, end: float) -> None:
        """Write the layers of a model at once, or when their device has computed them.

        Raises
        ------
        OSError
            If they could not be written.
        """
        for what in reading.left_out:
            self._failures.add("a part of the layers was not recorded", what)
        write = partial(self._write_read, step)
        if reading.is_on_host:
            write(reading.rows())
            return
        wanted = Awaited(None, step, on_stream_of_caller(reading.rows), write)
        self._late.ask([wanted], end)
        if not wanted.is_late:
            write(wanted.found)

    def _write_read(self, step: int, rows: list[dict[str, Any]] | None) -> None:
        if rows is None:
            self._failures.add(
                "the layers of a step were not recorded", "their device gave no numbers"
            )
        elif rows:
            self._file.write(b"".join(line({"step": step, **row}) for row in rows))

    def _line(self, step: int, row: Mapping[str, Any], end: float) -> bytes:
        """Return place and name of a layer, then its numbers."""
        place = {"step": step, "layer": whole(row["layer"], end, "layer"), "name": row["name"]}
        kept, unknown, left_out = numbers({k: v for k, v in row.items() if k not in place})
        read = foreign(list(unknown.values()), end) if unknown else []
        for name, found in zip(unknown, read, strict=True):
            kept[name] = found
            if found is None:
                del kept[name]
                left_out.append((name, f"{NO_NUMBER}, or did not come in time"))
        self._failures.left_out(left_out)
        return line({**place, **kept})

    def _collect(self, rows: Iterable[Mapping[str, Any]], end: float) -> list[dict[str, Any]]:
        """Return plain copies of `rows`, without running code of a stranger's in this thread."""
        if type(rows) in (list, tuple) and all(_is_plain(row) for row in rows):
            return list(rows)  # type: ignore[arg-type]
        found: list[dict[str, Any]] = []
        errors: list[BaseException] = []

        def read() -> None:
            try:
                for row in rows:
                    copy = {str(key): row[key] for key in row}
                    copy["name"] = str(copy.get("name"))
                    if time.monotonic() > end:
                        raise TimeoutError
                    found.append(copy)
            except BaseException as error:  # as everything of a stranger's
                errors.append(error.with_traceback(None))  # which holds all that was read

        if not aside(read, end):
            errors.append(TimeoutError())
        for error in errors[:1]:
            slow = isinstance(error, TimeoutError)
            why = "reading them takes too long; give a list" if slow else error
            self._failures.add("some layers of a step were not recorded", why)
        return found[:]


def _is_plain(row: Any) -> bool:
    return (
        type(row) is dict and type(row.get("name")) is str and all(type(key) is str for key in row)
    )
