"""HDF5 that strangers wrote: arrays of numbers that lie in the very file, after a look at sizes."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEAP = b"GCOL"
_OBJECT = 16  # bytes of the head of a heap, and of an object in it


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
    if path.stat().st_size > limits.GRID_FILE_BYTES:
        raise NotMine(f"it is larger than {limits.GRID_FILE_BYTES // limits.MIB} MiB")
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
        raise NotMine(f"its {key!r} has more than {limits.GRID_NODES:,} values")
    return np.asarray(found[()], dtype=np.float64)


def text(file: Any, key: str, tally: Tally) -> str:
    """Read one text; empty where `key` is none, or lies where the library would read for ever."""
    import h5py

    found = dataset(file, key)
    if found is None or found.ndim or h5py.check_string_dtype(found.dtype) is None:
        return ""
    if not _heaps_end(Path(file.filename)):
        tally.add("{n} text{|s} of a damaged part left out ({names}).", name=key)
        return ""
    return str(found.asstr(errors="replace")[()])


def _heaps_end(path: Path) -> bool:
    """Say whether each heap of texts leads to its end; else HDF5 2.0 may go in it for ever.

    Source: the HDF5 file format specification, III.E "Disk Format: Level 1E - Global Heap".
    """
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(_HEAP)
        while at >= 0:
            if not _ends(content, at):
                return False
            at = content.find(_HEAP, at + 1)
    return True


def _ends(content: mmap.mmap, at: int) -> bool:
    head = content[at : at + _OBJECT]
    end = min(at + int.from_bytes(head[8:], "little"), len(content))
    at += _OBJECT
    while at + _OBJECT <= end:
        index, _, size = struct.unpack("<HHxxxxQ", content[at : at + _OBJECT])
        # An object is padded to 8 bytes; index 0 is what is free, its head counted in.
        length = _OBJECT + (size + 7 & ~7) if index else size
        at += length
        if length < _OBJECT or at > end:
            return False
    return True
