"""Blocks of JSON lines read by Arrow, where that is possible, exact and quick."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from viz3d.formats import limits
from viz3d.formats.arrow import needs_a_look

if TYPE_CHECKING:
    import pyarrow as pa

# Lines with more brackets than this are not for Arrow.
NESTED = 100
# Arrow makes a cell of each line for each key that any line of a block has; more are not for it.
MOST_CELLS = 4_000_000
# To find all keys takes longer than to parse them. It is done where those in the longest lines and
# in a few windows make so many cells, or the windows show so many that the lines do not have.
LIKELY_CELLS, SURPRISES = 500_000, 100
LONG = 8  # times what a line of the block has
WINDOWS, WINDOW = 32, 1024  # bytes
_KEY = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+:')


def to_arrow(block: bytes) -> pa.Table | None:
    """Return the lines of a block as rows, or None where they have to be read one by one."""
    import pyarrow as pa
    import pyarrow.json as pj

    n_lines = _lines_for_arrow(block)
    if n_lines is None:
        return None
    try:
        arrow = pj.read_json(
            pa.BufferReader(block), pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
        )
        # Arrow also takes two objects on one line; those are not rows of a log.
        return arrow if arrow.num_rows == n_lines and not needs_a_look(arrow) else None
    except (pa.ArrowException, UnicodeDecodeError):
        return None


def _lines_for_arrow(block: bytes) -> int | None:
    """Count the lines of a block; None where Arrow cannot parse it in reasonable time, or at all.

    Measured: it dies of a line nested 30,000 deep and of a first line ``null``, takes a later
    ``null`` for a row, and takes half a minute for 20,000 columns.
    """
    chars = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(chars == ord("\n"))
    begins = ends[: -1 if block.endswith(b"\n") else None] + 1
    if (
        not block.startswith(b"{")
        or (chars[begins] != ord("{")).any()
        or _has_odd_line(block, ends)
    ):
        return None
    openers = (chars & 0b1101_1111) == ord("[")  # and "{", which is one bit off
    n_lines = len(begins) + 1
    if np.count_nonzero(openers) > n_lines + NESTED and _most(openers, ends) > NESTED:
        return None
    keys = _keys(block, ends)
    return n_lines if len(keys) <= limits.METRICS and n_lines * len(keys) <= MOST_CELLS else None


def _keys(block: bytes, ends: np.ndarray) -> set[bytes]:
    """Return the keys of a block, or more than the cap on metrics of them.

    All, unless a sample says that its lines have much the same.
    """
    begins = np.append(0, ends + 1)
    lengths = np.diff(begins, append=len(block))
    long = {*begins[lengths > LONG * len(block) / len(lengths)], begins[lengths.argmax()]}
    known: set[bytes] = set()
    for begin in long:
        for found in _KEY.finditer(block, begin, _end(block, begin)):
            known.add(found[1])
            if len(known) > limits.METRICS:
                return known  # too many already; a line may have hundreds of thousands
    # At places that the block itself decides: no pattern of its own, and the same each time.
    apart = max(1, len(block) // WINDOWS)
    windows = range(crc32(block) % apart, len(block), apart)
    seen = known.union(*(_KEY.findall(block, begin, begin + WINDOW) for begin in windows))
    if len(seen) - len(known) > SURPRISES or len(begins) * len(seen) > LIKELY_CELLS:
        return set(_KEY.findall(block))
    return seen


def _end(block: bytes, begin: int) -> int:
    end = block.find(b"\n", begin)
    return len(block) if end < 0 else end


def _has_odd_line(block: bytes, ends: np.ndarray) -> bool:
    """Say whether a line may be over the cap on its length, or on its values."""
    long = min(limits.LINE_BYTES + 1, 2 * limits.LINE_VALUES)  # a value takes two bytes or more
    if len(block) <= long:
        return False
    begins = np.append(0, ends + 1)
    lengths = np.diff(begins, append=len(block))
    return any(
        length > limits.LINE_BYTES + 1
        or block.count(b",", begin, begin + length) >= limits.LINE_VALUES
        for begin, length in zip(begins[lengths > long], lengths[lengths > long], strict=True)
    )


def _most(openers: np.ndarray, ends: np.ndarray) -> int:
    """Return the largest number of opening brackets in one line, which bounds its depth."""
    opened = np.cumsum(openers)
    return int(np.diff(opened[[*ends, -1]], prepend=0).max())
