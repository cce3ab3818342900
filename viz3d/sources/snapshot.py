"""The last listing of a source, kept for the time when it cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
        if crc != f"{checksum.extend(0, body):08x}".encode():
            return None
        document = json.loads(body)
        return [_file(entry) for entry in document["files"]], float(document["when"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _file(entry: dict[str, Any]) -> FileInfo:
    """Read one file of the listing; what another version wrote may have other types.

    Raises
    ------
    TypeError
    """
    file = FileInfo(**entry)
    numbers = (file.size, file.changed or 0, file.crc32c or 0, file.rows or 0, file.created or 0)
    texts = (file.path, file.generation, file.encoding, file.state, file.key)
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a number is none")
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    return file
