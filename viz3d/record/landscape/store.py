"""A landscape as a file: ``landscape/<name>.npz`` in the run folder, nothing pickled."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.landscape_grid import Landscape


def file_of(folder: Path, name: str) -> Path:
    """Return the file of the landscape `name` of the run at `folder`."""
    return folder / "landscape" / f"{name}.npz"


def store(landscape: Landscape, file: Path) -> None:
    """Write `landscape` in one move: a reader sees all of it or what was there before.

    An array of the record is an array of the file, one that is None is absent; ``meta`` is JSON
    in a text array without dimensions.

    Parameters
    ----------
    landscape : Landscape
    file : Path
        Its folder is made if needed.

    Raises
    ------
    OSError
    """
    held = {field.name: getattr(landscape, field.name) for field in fields(landscape)}
    arrays: dict[str, Any] = {
        n: value for n, value in held.items() if isinstance(value, np.ndarray)
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with part.open("wb") as out:
            np.savez(out, meta=np.array(json.dumps(dict(landscape.meta))), **arrays)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
