"""Paths that were projected on a plane by another file than the one that holds the plane."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.names import file_name
from viz3d.grid import LandscapeGrid, LandscapePath

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# Their names of projections: the file of directions, and how weights were projected on them.
PROJECTION = re.compile(
    r"(?P<directions>.+)_proj_(?P<method>cos|lstsq)\.h5", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Projection:
    """A path of checkpoints, not yet on the landscape that it belongs to.

    Attributes
    ----------
    file : str
        Where it was read.
    directions : str
        Name of the file of directions that it was projected on.
    method : str
        ``"lstsq"``: in multiples of the directions, as the nodes are. ``"cos"``: in distances,
        which are the same where the directions have unit length, as those of PCA do.
    alpha, beta : ndarray, shape (k,)
    """

    file: str
    directions: str
    method: str
    alpha: np.ndarray
    beta: np.ndarray


def is_projection(path: str) -> bool:
    """Say whether a file is called like one of Li et al.'s projections."""
    return PROJECTION.fullmatch(file_name(path)) is not None


def with_paths(
    grids: Sequence[LandscapeGrid], projections: Sequence[Projection], tally: Tally
) -> list[LandscapeGrid]:
    """Put projections on the planes of the same directions; one that fits none is told."""
    found = list(grids)
    for one in projections:
        named = [_fits(grid, one) for grid in found]
        at = [i for i, fits in enumerate(named) if fits]
        if not at:
            tally.add(
                f"The path in {one.file} was left out: no plane here is recorded to be along the "
                f"directions {one.directions}."
            )
        for i in at:
            if one.method == "cos" and found[i].meta.get("kind") != "pca":
                tally.add(
                    f"The path in {one.file} was left out: it is in distances, the plane "
                    f"{found[i].name} in multiples of directions whose length is not recorded.",
                    remedy="Project it with proj_method='lstsq'.",
                )
                continue
            found[i] = replace(
                found[i], path=_path(one), meta={**found[i].meta, "path_steps": "numbered"}
            )
    return found


def _fits(grid: LandscapeGrid, one: Projection) -> bool:
    plane = grid.beta is not None and grid.path is None
    return plane and grid.meta.get("directions") == one.directions


def _path(one: Projection) -> LandscapePath:
    """Return it with its checkpoints numbered: steps, distances and losses are not recorded."""
    unknown = np.full(len(one.alpha), np.nan)
    return LandscapePath(one.alpha, one.beta, unknown, np.arange(len(one.alpha)), unknown)
