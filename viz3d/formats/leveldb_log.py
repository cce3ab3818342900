"""LevelDB's log framing: records in blocks of 32 KiB, so that damage costs a block, not a file.

Source: LevelDB's ``doc/log_format.md``. W&B puts a header of 7 bytes before the first record and
sums with CRC-32 (ISO 3309) where LevelDB takes a masked CRC-32C.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

BLOCK = 32 * 1024
HEADER = 7  # of a piece: 4 bytes of sum, 2 of length, 1 of kind; all little-endian
LOST, FULL, FIRST, MIDDLE, LAST = 0, 1, 2, 3, 4  # the first is ours: nobody knows what stood there

DAMAGED = (
    "{n} block{|s} of at most 32 KiB {is|are} damaged; the records before and behind {it|them} "
    "were read."
)
ZEROS = "{n} block{|s} of zeros {was|were} passed over, as a crash leaves {it|them}."
CUT = "The last record is cut, so it was left out (a crash, or the file is still being written)."
TORN = "{n} record{|s} of which a piece is missing {was|were} left out."
HUGE = "{n} record{|s} larger than {limit:LINE_BYTES} {was|were} left out."


def records(path: Path, magic: bytes, tally: Tally) -> Iterator[bytes]:
    """Read the records of a log one by one, holding one block and one record at a time.

    After damage reading goes on at the next block.

    Parameters
    ----------
    path : pathlib.Path
    magic : bytes
        What the file begins with.
    tally : Tally
        Is told what was passed over.

    Yields
    ------
    bytes

    Raises
    ------
    NotMine
        If the file begins with something else.
    """
    record = _Record(tally)
    with path.open("rb") as file:
        block = file.read(BLOCK)
        if not block.startswith(magic):
            raise NotMine("it does not begin as such a log does")
        at = len(magic)
        while block:
            for kind, data in _pieces(block, at, tally):
                if whole := record.add(kind, data):
                    yield whole
            block, at = file.read(BLOCK), 0
    if record.begun:
        tally.add(CUT)


@dataclass
class _Record:
    """A record that is being put together from its pieces."""

    tally: Tally
    parts: bytearray = field(default_factory=bytearray)
    begun: bool = False
    huge: bool = False

    def add(self, kind: int, data: bytes) -> bytes:
        """Take a piece; return the record if that was its last one."""
        if kind == LOST:
            # What comes behind belongs to another record, though its own sum is right.
            if self.begun:
                self.tally.add(TORN)
            self.begun = False
            return b""
        if kind in (FULL, FIRST):
            if self.begun:
                self.tally.add(TORN)
            self.parts, self.begun, self.huge = bytearray(), True, False
        elif not self.begun:
            return b""  # its beginning was in a damaged block, which is told
        if self.huge or len(self.parts) + len(data) > limits.LINE_BYTES:
            self.parts, self.huge = bytearray(), True
        else:
            self.parts += data
        if kind in (FIRST, MIDDLE):
            return b""
        self.begun = False
        if self.huge:
            self.tally.add(HUGE)
        return bytes(self.parts)


def _pieces(block: bytes, at: int, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of the pieces of a block from `at` on; `LOST` where they are bad."""
    while at + HEADER <= len(block):
        start, end = at + HEADER, at + HEADER + int.from_bytes(block[at + 4 : at + 6], "little")
        kind = block[at + 6]
        if not any(block[at:start]):
            tally.add(DAMAGED if any(block[at:]) else ZEROS)
            yield LOST, b""
            return
        if end > len(block) and len(block) < BLOCK:
            tally.add(CUT)
            return
        checked = zlib.crc32(block[at + 6 : at + 7] + block[start:end])
        known = FULL <= kind <= LAST and end <= len(block)
        if not known or checked != int.from_bytes(block[at : at + 4], "little"):
            tally.add(DAMAGED)
            yield LOST, b""
            return
        yield kind, block[start:end]
        at = end
    if len(block) - at > 0 and len(block) < BLOCK:
        tally.add(CUT)
