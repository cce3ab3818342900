"""A file that is there whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(file: Path, data: bytes) -> None:
    """Write `file` in one move: a reader sees all of it or what was there before.

    Parameters
    ----------
    file : Path
        Its folder is made if needed.
    data : bytes

    Raises
    ------
    OSError
        Nothing is left behind then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with part.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())  # or a power cut could leave an empty file under the name
        part.replace(file)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
