"""HDF5 that strangers wrote: arrays of numbers that lie in the very file, after a look at sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits

SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read, and take what the library raises within for a damaged one.

    Raises
    ------
    NotMine
        If it is no HDF5, too large or damaged, or h5py is not installed.
    """
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise NotMine("it is no HDF5 file")
    limits.check_size(path.stat().st_size, "GRID_FILE_BYTES")
    try:
        import h5py
    except ImportError as error:
        raise NotMine("reading HDF5 needs the package h5py; run `pip install h5py`") from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise NotMine("it is no complete HDF5 file") from error


def dataset(file: Any, key: str) -> Any | None:
    """Return a dataset that lies in this very file; links lead elsewhere on the disk."""
    import h5py

    if key not in file or not isinstance(file.get(key, getlink=True), h5py.HardLink):
        return None
    found = file[key]
    plain = isinstance(found, h5py.Dataset) and not found.is_virtual and not found.external
    return found if plain else None


def numbers(file: Any, key: str) -> np.ndarray | None:
    """Read a list or grid of numbers; None where `key` is none.

    Raises
    ------
    NotMine
        If it holds more than a landscape can.
    """
    found = dataset(file, key)
    if found is None or found.dtype.kind not in "fiu" or found.ndim not in (1, 2):
        return None
    if max(found.size, np.prod(found.chunks or 1, dtype=np.float64)) > limits.GRID_NODES:
        raise NotMine(limits.reason(f"its {key!r} has more than {{limit:GRID_NODES}} values"))
    return np.asarray(found[()], dtype=np.float64)


def text(file: Any, key: str) -> str:
    """Read one text; empty where `key` is none."""
    import h5py

    found = dataset(file, key)
    if found is None or found.ndim or h5py.check_string_dtype(found.dtype) is None:
        return ""
    return str(found.asstr(errors="replace")[()])
