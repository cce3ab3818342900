"""Files whose names tell nothing, known by what they hold: on this disk a look is cheap.

In a bucket it is not, since weights and data sets have the same endings and would be downloaded.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import hdf5, landscape_hdf5, landscape_npz, neptune, parquet_any
from viz3d.formats.base import Claim, Format
from viz3d.formats.globs import claimed
from viz3d.formats.names import suffix

MOST = 500
"""Files that are looked into for one listing."""


def by_content(form: Format, path: str) -> Claim | None:
    """Claim a file that no format claims by name for one that would know it by what it holds."""
    mine = any(kind is form for kind, _ in KINDS.get(suffix(path), ()))
    return Claim(path) if mine and not claimed(path) else None


def looks_like_one(path: str, local: Path) -> bool:
    """Say whether a format that does not claim a file by name can read it; it never raises.

    Parameters
    ----------
    path : str
        In the source.
    local : pathlib.Path
        The file itself.
    """
    if claimed(path):
        return False
    try:
        return any(holds(local) for _, holds in KINDS.get(suffix(path), ()))
    except (NotMine, OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError):
        return False


def _holds_arrays(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    values = {f"{name}.npy" for name in landscape_npz.QUANTITIES}
    return "alpha.npy" in names and bool(values & names)


def _holds_grid(path: Path) -> bool:
    with hdf5.opened(path) as file:
        return landscape_hdf5.AXES[0] in file


KINDS: Mapping[str, Sequence[tuple[Format, Callable[[Path], bool]]]] = {
    ".npz": [(landscape_npz, _holds_arrays)],
    ".h5": [(landscape_hdf5, _holds_grid)],
    ".hdf5": [(landscape_hdf5, _holds_grid)],
    ".parquet": [(neptune, neptune.holds), (parquet_any, parquet_any.holds)],
}
