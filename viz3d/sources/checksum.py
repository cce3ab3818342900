"""CRC32C, the checksum that Google Cloud Storage keeps of every object."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

BLOCK = 1 << 20


def decode(text: str | None) -> int | None:
    """Read a listing's checksum: four bytes, big-endian, in base64; None where there is none."""
    try:
        raw = base64.b64decode(text or "", validate=True)
    except binascii.Error:
        return None
    return int.from_bytes(raw, "big") if len(raw) == 4 else None


def extend(crc: int, data: bytes) -> int:
    """Return the checksum of what has the checksum `crc`, followed by `data`."""
    import google_crc32c

    return int(google_crc32c.extend(crc, data))


def of_file(path: Path) -> tuple[int, int]:
    """Return the checksum and the size of a file.

    Raises
    ------
    OSError
    """
    crc = size = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            crc, size = extend(crc, block), size + len(block)
    return crc, size
