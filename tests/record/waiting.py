"""Wait for what another thread does, but not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(happened: Callable[[], object]) -> None:
    """Return as soon as `happened()` is true; fail after half a minute."""
    last = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < last, "it did not happen"
        time.sleep(0.001)
