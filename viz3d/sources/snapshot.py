"""The last listing of a source, kept for the time when it cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from viz3d.run import FileInfo
from viz3d.sources import checksum


def write(path: Path, files: Sequence[FileInfo], when: float) -> None:
    """Write a listing: its own checksum in the first line, then JSON.

    Parameters
    ----------
    path : pathlib.Path
    files : sequence of FileInfo
    when : float
        Seconds since 1970.

    Raises
    ------
    OSError
    """
    body = json.dumps({"when": when, "files": [asdict(file) for file in files]}).encode("ascii")
    path.write_bytes(f"{checksum.extend(0, body):08x}\n".encode() + body)


def read(path: Path) -> tuple[list[FileInfo], float] | None:
    """Read a listing; None where there is none, or it is damaged or of another version."""
    try:
        crc, _, body = path.read_bytes().partition(b"\n")
        if int(crc, 16) != checksum.extend(0, body):
            return None
        document = json.loads(body)
        return [FileInfo(**file) for file in document["files"]], float(document["when"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
