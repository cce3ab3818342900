"""Landscapes in HDF5 as the scripts of Li et al. (2018) write them.

Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS 2018.
Their arrays are made as (nx, ny) but filled in the order of ``meshgrid``, whose rows are y.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.grids import called_a_grid, checked
from viz3d.formats.names import file_name, stem, suffix
from viz3d.formats.patterns import any_case
from viz3d.formats.tally import Tally

NAME = "HDF5 landscape"
NAMES: tuple[str, ...] = (any_case("*.h5"), any_case("*.hdf5"))

AXES = ("xcoordinates", "ycoordinates")
SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOT_YET = -1.0
"""What their script puts where it has not measured yet."""


def claim(path: str) -> Claim | None:
    """Claim ``.h5`` and ``.hdf5`` with a telling name: weights have the same endings."""
    known = suffix(path) in (".h5", ".hdf5") and called_a_grid(file_name(path))
    return Claim(path) if known else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If h5py is not installed, or the file holds no landscape or more than the limits allow.
    """
    ((name, path),) = files.items()
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise NotMine("it is no HDF5 file")
    if path.stat().st_size > limits.GRID_FILE_BYTES:
        raise NotMine(f"it is larger than {limits.GRID_FILE_BYTES // limits.MIB} MiB")
    try:
        import h5py
    except ImportError as error:
        raise NotMine("reading HDF5 needs the package h5py; run `pip install h5py`") from error
    tally = Tally(name)
    try:
        with h5py.File(path, "r") as file:
            axes, values, said = _axes(file, h5py), _values(file, h5py, tally), _said(file, h5py)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise NotMine("it is no complete HDF5 file") from error
    if axes is None:
        raise NotMine(f"it has no {AXES[0]!r}, so it holds no landscape")
    alpha, beta = axes
    shape = (len(alpha),) if beta is None else (len(beta), len(alpha))
    for key, array in values.items():
        unfinished = array == NOT_YET
        # Written as (nx, ny), in the order of (ny, nx).
        values[key] = np.where(unfinished, np.nan, array)
        if array.size == np.prod(shape):
            values[key] = values[key].reshape(shape)
    grid = checked(stem(name), alpha, beta, values, tally, meta=said)
    return [Parsed(landscapes=(grid,), problems=tally.problems(), used=(name,))]


def _dataset(file: Any, key: str, h5py: Any) -> Any | None:
    """Return a dataset that lies in this very file; links lead elsewhere on the disk."""
    if not isinstance(file.get(key, getlink=True), h5py.HardLink):
        return None
    found = file[key]
    plain = isinstance(found, h5py.Dataset) and not found.is_virtual and not found.external
    return found if plain else None


def _numbers(found: Any, key: str) -> np.ndarray | None:
    """Read a dataset of numbers after a look at its size."""
    if found is None or found.dtype.kind not in "fiu" or found.ndim not in (1, 2):
        return None
    if max(found.size, np.prod(found.chunks or 1, dtype=np.float64)) > limits.GRID_NODES:
        raise NotMine(f"its {key!r} has more than {limits.GRID_NODES:,} values")
    return np.asarray(found[()], dtype=np.float64)


def _axes(file: Any, h5py: Any) -> tuple[np.ndarray, np.ndarray | None] | None:
    alpha, beta = (_numbers(_dataset(file, key, h5py), key) if key in file else None
                   for key in AXES)  # fmt: skip
    return None if alpha is None else (alpha, beta)


def _values(file: Any, h5py: Any, tally: Tally) -> dict[str, np.ndarray]:
    values = {}
    for key in list(file)[: limits.GRID_MEMBERS]:
        if key in AXES:
            continue
        if (array := _numbers(_dataset(file, key, h5py), key)) is not None:
            values[key] = array
        elif key != "dir_file":
            tally.add(
                "{n} part{|s} that {is|are} no array of numbers left out ({names}).", name=key
            )
    # The loss is what people look for first.
    return dict(sorted(values.items(), key=lambda pair: "loss" not in pair[0]))


def _said(file: Any, h5py: Any) -> dict[str, Any]:
    """Return what the name of the file of directions says about them."""
    found = _dataset(file, "dir_file", h5py) if "dir_file" in file else None
    if found is None or found.ndim or h5py.check_string_dtype(found.dtype) is None:
        return {}
    text = file_name(str(found.asstr(errors="replace")[()]))
    norm, ignored = re.search(r"xnorm=([a-z]+)", text), re.search(r"xignore=([a-z]+)", text)
    said = {"kind": "pca"} if "PCA" in str(found.asstr(errors="replace")[()]) else {}
    said |= {"normalisation": norm[1]} if norm else {}
    return said | ({"ignored": ignored[1]} if ignored else {})
