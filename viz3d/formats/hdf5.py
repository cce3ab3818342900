"""HDF5 that strangers wrote: arrays of numbers that lie in the very file, after a look at sizes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

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
    """Return a dataset that lies in this very file; links lead elsewhere on the disk.

    None too for one without a value, or of a type that NumPy has not, such as a time.
    """
    import h5py

    if key not in file or not isinstance(file.get(key, getlink=True), h5py.HardLink):
        return None
    found = file[key]
    plain = isinstance(found, h5py.Dataset) and not found.is_virtual and not found.external
    try:
        return found if plain and found.dtype is not None and found.shape is not None else None
    except TypeError:
        return None


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


def text(file: Any, key: str, tally: Tally) -> str:
    """Read one text, as h5py writes it; empty where `key` is none.

    The library is not asked: of a damaged one HDF5 2.0 takes gigabytes, or never comes back.
    """
    import h5py

    found = dataset(file, key)
    if found is None or found.ndim or h5py.check_string_dtype(found.dtype) is None:
        return ""
    try:
        with Path(file.filename).open("rb") as raw:
            return _pointed_to(raw, found.id.get_offset()).decode("utf-8", errors="replace")
    except (struct.error, TypeError, ValueError, OverflowError, OSError):
        tally.add(
            "{n} text{|s} whose place in the file is damaged {was|were} left out ({names}).",
            name=key,
        )
        return ""


def _pointed_to(raw: BinaryIO, at: int) -> bytes:
    """Follow the pointer at a byte to a text in a heap.

    Source: the HDF5 file format specification, III.E "Disk Format: Level 1E - Global Heap".

    Raises
    ------
    struct.error, TypeError, ValueError, OverflowError, OSError
        If there is none.
    """
    raw.seek(at)
    length, heap, number = struct.unpack("<IQI", raw.read(16))
    raw.seek(heap)
    magic, size = struct.unpack("<4sxxxxQ", raw.read(16))
    if magic != b"GCOL":
        raise ValueError("no heap")
    content = raw.read(max(0, min(size - 16, limits.CONFIG_BYTES)))
    at = 0
    while True:
        index, held = struct.unpack_from("<HxxxxxxQ", content, at)
        at += 16
        if index == number:
            return content[at : at + min(length, held)]
        at += held + 7 & ~7  # objects are padded to 8 bytes; each is nearer to the end
