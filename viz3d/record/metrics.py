"""Rows of metrics: what is there at once stands in one, what comes late in rows of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from viz3d.record.append import AppendFile
from viz3d.record.failures import Failures
from viz3d.record.late import Awaited, Late
from viz3d.record.rows import NO_NUMBER, line, numbers
from viz3d.record.values import reader


class MetricRows:
    """Writes the rows of ``metrics.jsonl``.

    Parameters
    ----------
    file : AppendFile
    late : Late
    failures : Failures
        Counts what is no number, and what does not come.
    """

    def __init__(self, file: AppendFile, late: Late, failures: Failures) -> None:
        self._file, self._late, self._failures = file, late, failures

    def write(self, step: int, metrics: Mapping[str, Any], end: float) -> None:
        """Write what there is of `metrics` by `end`, of ``time.monotonic()``.

        The row of a late number has its step and nothing else: a reader joins rows of one step,
        and the time is that of the call.

        Raises
        ------
        OSError
            If the row could not be written.
        """
        kept, unknown, left_out = numbers(metrics)
        if unknown:
            left_out += self._ask(step, kept, unknown, end)
        self._late.overtake(kept)
        self._file.write(line({"step": step, "time": time.time(), **kept}))
        self._failures.left_out(left_out)

    def _ask(
        self, step: int, kept: dict[str, Any], unknown: Mapping[str, Any], end: float
    ) -> list[tuple[str, str]]:
        """Put what can be read of `unknown` by `end` into `kept`, in its place; name the rest."""
        wanted: dict[str, Awaited] = {}
        for name, value in unknown.items():
            with suppress(Exception):  # the device has failed
                read = reader(value)
                wanted[name] = Awaited(name, step, read, partial(self._add, step, name))
        self._late.ask(list(wanted.values()), end)
        left_out = []
        for name in unknown:
            one = wanted.get(name)
            if one is not None and one.is_late:
                del kept[name]
            elif one is None or one.found is None:
                del kept[name]
                left_out.append((name, NO_NUMBER))
            else:
                kept[name] = one.found
        return left_out

    def _add(self, step: int, name: str, found: Any) -> None:
        if found is None:
            self._failures.left_out([(name, NO_NUMBER)])
        else:
            self._file.write(line({"step": step, name: found}))
