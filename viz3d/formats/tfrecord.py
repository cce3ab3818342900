"""TFRecord: the framing of TensorBoard's event files, records with a checksum before and behind.

Little endian: length (8 bytes), masked CRC32C of the length (4), data, masked CRC32C of the data
(4), as in ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")

CUT = "The last record is cut, so it was left out (a crash, or the file is still being written)."
BAD_DATA = "{n} record{|s} with a wrong checksum {was|were} left out."
TOO_LONG = "{n} record{|s} longer than {limit:RECORD_BYTES} {was|were} left out."


def masked_crc(data: bytes) -> int:
    """Return the CRC32C of `data`, rotated and shifted as TFRecord stores it."""
    import google_crc32c

    crc = google_crc32c.value(data)
    return int(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def records(path: Path, tally: Tally) -> Iterator[bytes]:
    """Read record by record; one at a time is held.

    A record with a wrong checksum is skipped, because its length was right. Where the checksum of a
    length is wrong, nothing says where the next record begins, and reading ends.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
        Is told of what was left out.

    Yields
    ------
    bytes

    Raises
    ------
    NotMine
        If the file does not begin with a record.
    """
    with path.open("rb") as file:
        at = 0
        while head := file.read(_HEAD.size):
            if len(head) < _HEAD.size:
                tally.add(CUT)
                return
            length, crc = _HEAD.unpack(head)
            if crc != masked_crc(head[:8]):
                if not at:
                    raise NotMine("it does not begin with a record of events")
                tally.add(f"The file is damaged at byte {at:,}; what follows was not read.")
                return
            at += _HEAD.size + length + _CRC.size
            if length > limits.RECORD_BYTES:
                tally.add(TOO_LONG)
                if at > path.stat().st_size:
                    return
                file.seek(at)
                continue
            data, tail = file.read(length), file.read(_CRC.size)
            if len(tail) < _CRC.size:
                tally.add(CUT)
                return
            if _CRC.unpack(tail)[0] == masked_crc(data):
                yield data
            else:
                tally.add(BAD_DATA)
