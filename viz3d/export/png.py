"""PNG: its chunks, and the picture of a colour scale.

W3C, "Portable Network Graphics (PNG) Specification", third edition, sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB = 2


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and its checksum."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def to_picture(colors: NDArray[np.float64]) -> bytes:
    """Return colours as a picture of one row.

    Parameters
    ----------
    colors : ndarray, shape (n, 3) or (n, 4)
        sRGB, 0 to 1; alpha is left out.
    """
    row = np.round(255 * colors[:, :3]).astype(np.uint8).tobytes()
    head = struct.pack(">IIBBBBB", len(colors), 1, 8, RGB, 0, 0, 0)
    # The row begins with its filter: none.
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b""))
    return SIGNATURE + b"".join(chunk(*part) for part in parts)
