"""Count what could not be recorded, and say the first of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from viz3d.record.limit import WARNING_LIMIT, within

_logger = logging.getLogger("viz3d.record.recorder")


class Failures:
    """A count and one warning, from any thread.

    Parameters
    ----------
    run : str
        The name that the warnings begin with.

    Attributes
    ----------
    count : int
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self.reset()

    def reset(self) -> None:
        """Count from 0, as a forked child does."""
        self.count = 0
        # A signal handler may log while a failure is being counted.
        self._lock = threading.RLock()

    def add(self, what: str, why: object) -> None:
        """Count a failure and tell the first one."""
        if self.count_one() == 1:
            said = _reason(why) if isinstance(why, BaseException) else why
            self.tell(f"{what} ({said:.300}); training goes on, further failures are only counted")

    def left_out(self, metrics: Iterable[tuple[str, str]]) -> None:
        """Count metrics that a row is written without, each with its name and the reason."""
        for name, why in metrics:
            self.add(f"the metric {name[:80]!r} was left out", why)

    def count_one(self) -> int:
        """Count a failure that is told elsewhere, and return how many there are."""
        with self._lock:
            self.count += 1
            return self.count

    def tell(self, text: str) -> None:
        """Warn; a handler of the user's that raises or hangs does not hold the loop."""
        within(WARNING_LIMIT, partial(self._warn, text))

    def _warn(self, text: str) -> None:
        said = f"{self._run}: {text}".encode(errors="backslashreplace").decode()  # for any handler
        with suppress(Exception):  # there is nowhere else to say it
            _logger.warning("%s", said)


def _reason(error: BaseException) -> str:
    """Return what `error` says; no code of a stranger's exception is run for it."""
    plain = type(error).__module__ in {"builtins", "json.decoder"}
    if plain and all(type(part) in (str, int) for part in error.args):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__
