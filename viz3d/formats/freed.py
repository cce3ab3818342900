"""Gives memory that was freed back to the system, which allocators keep for the next time."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Give back what Arrow and the C library hold and nobody uses.

    Of a log of many columns that is as much as its numbers take: a block has a small array of each,
    and they lie between those of others.
    """
    if "pyarrow" in sys.modules:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # other C libraries than GNU's have no such call
            ctypes.CDLL(None).malloc_trim(0)
