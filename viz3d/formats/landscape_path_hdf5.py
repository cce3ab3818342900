"""Paths of checkpoints as Li et al. (2018) project them: ``DIRECTIONS.h5_proj_cos.h5``.

Such a file lies beside the surfaces that were measured along the same directions, and holds
coordinates alone: neither steps, nor distances from the plane, nor losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import hdf5
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import file_name
from viz3d.formats.patterns import any_case
from viz3d.formats.projections import PROJECTION, Projection, is_projection

NAME = "HDF5 path"
NAMES: tuple[str, ...] = (any_case("*.h5"),)

AXES = ("proj_xcoord", "proj_ycoord")


def claim(path: str) -> Claim | None:
    """Claim files of that name; they belong to the landscape that lies beside them."""
    return Claim(path, beside=True) if is_projection(path) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If h5py is not installed, or the file holds no two lists of finite numbers of one length.
    """
    ((name, path),) = files.items()
    with hdf5.opened(path) as file:
        axes = [hdf5.numbers(file, key) for key in AXES]
    x, y = axes
    if x is None or y is None:
        raise NotMine(f"it has no lists {AXES[0]!r} and {AXES[1]!r}, so it holds no path")
    if x.ndim != 1 or x.shape != y.shape or not len(x) or not np.isfinite([x, y]).all():
        raise NotMine("its coordinates are no two lists of finite numbers of one length")
    match = PROJECTION.fullmatch(file_name(name))
    assert match is not None  # by the claim
    found = Projection(name, match["directions"], match["method"].lower(), x, y)
    return [Parsed(projections=(found,), used=(name,))]
