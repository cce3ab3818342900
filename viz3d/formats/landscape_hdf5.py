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
from viz3d.formats import hdf5, limits
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.grids import called_a_grid, checked
from viz3d.formats.names import file_name, stem, suffix
from viz3d.formats.patterns import any_case
from viz3d.formats.projections import is_projection
from viz3d.formats.tally import Tally

NAME = "HDF5 landscape"
NAMES: tuple[str, ...] = (any_case("*.h5"), any_case("*.hdf5"))

AXES = ("xcoordinates", "ycoordinates")
NOT_YET = -1.0
TOO_MANY_PARTS = "{n} part{|s} beyond the first {limit:GRID_MEMBERS} {was|were} left out."
"""What their script puts where it has not measured yet."""


def claim(path: str) -> Claim | None:
    """Claim ``.h5`` and ``.hdf5`` with a telling name: weights have the same endings."""
    known = suffix(path) in (".h5", ".hdf5") and called_a_grid(file_name(path))
    return Claim(path) if known and not is_projection(path) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If h5py is not installed, or the file holds no landscape or more than the limits allow.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    with hdf5.opened(path) as file:
        axes, values = _axes(file), _values(file, tally)
        said = _said(hdf5.text(file, "dir_file", tally))
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


def _axes(file: Any) -> tuple[np.ndarray, np.ndarray | None] | None:
    alpha, beta = (hdf5.numbers(file, key) for key in AXES)
    return None if alpha is None else (alpha, beta)


def _values(file: Any, tally: Tally) -> dict[str, np.ndarray]:
    values = {}
    keys = list(file)
    if beyond := len(keys[limits.GRID_MEMBERS :]):
        tally.add(TOO_MANY_PARTS, count=beyond)
    for key in keys[: limits.GRID_MEMBERS]:
        if key in AXES:
            continue
        if (array := hdf5.numbers(file, key)) is not None:
            values[key] = array
        elif key != "dir_file":
            tally.add(
                "{n} part{|s} that {is|are} no array of numbers {was|were} left out ({names}).",
                name=key,
            )
    # The loss is what people look for first.
    return dict(sorted(values.items(), key=lambda pair: "loss" not in pair[0]))


def _said(directions: str) -> dict[str, Any]:
    """Return what the name of the file of directions says about them."""
    name = file_name(directions)
    norm, ignored = re.search(r"xnorm=([a-z]+)", name), re.search(r"xignore=([a-z]+)", name)
    said = {"kind": "pca"} if "PCA" in directions else {}
    said |= {"directions": name} if name else {}
    said |= {"normalisation": norm[1]} if norm else {}
    return said | ({"ignored": ignored[1]} if ignored else {})
