"""A landscape as a file: ``landscape/<name>.npz`` in the run folder, nothing pickled."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from viz3d.grid import LandscapeGrid
from viz3d.whole_file import write_whole

_OF_HESSIAN = ("eigenvalues", "eigenvalue_residuals")


def file_of(folder: Path, name: str) -> Path:
    """Return the file of the landscape `name` of the run at `folder`."""
    return folder / "landscape" / f"{name}.npz"


def store(grid: LandscapeGrid, file: Path) -> None:
    """Write `grid` in one move: a reader sees all of it or what was there before.

    The arrays have the names of the attributes, those of the path begin with ``path_`` and standard
    errors end in ``_se``; what is None is absent. ``meta`` is JSON in a text array without
    dimensions.

    Parameters
    ----------
    grid : LandscapeGrid
    file : Path
        Its folder is made if needed.

    Raises
    ------
    OSError
    """
    arrays = {name: getattr(grid, name) for name in ("alpha", "beta", *_OF_HESSIAN)}
    arrays |= dict(grid.values) | {f"{name}_se": values for name, values in grid.errors.items()}
    if grid.path is not None:
        arrays |= {f"path_{name}": values for name, values in vars(grid.path).items()}
    if grid.beta is None:
        arrays.pop("path_beta", None)
    held = {name: values for name, values in arrays.items() if values is not None}
    data = io.BytesIO()
    np.savez(data, meta=np.array(json.dumps(dict(grid.meta))), **held)
    write_whole(file, data.getvalue())
