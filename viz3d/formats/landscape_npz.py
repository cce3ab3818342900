"""Landscapes as `viz3d.landscape` writes them: ``landscape/NAME.npz`` in a run folder.

An .npz is a ZIP archive of arrays. Sizes are checked against the limits before anything is
unpacked, and objects are never unpickled.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.grids import called_a_grid, checked
from viz3d.formats.names import file_name, folder, stem, suffix
from viz3d.formats.patterns import any_case
from viz3d.formats.tally import Tally
from viz3d.grid import LandscapeGrid, LandscapePath

NAME = "viz3d landscape"
NAMES: tuple[str, ...] = (any_case("*.npz"),)

TOO_MUCH = "it unpacks to more than a landscape can hold"
QUANTITIES = ("loss", "reward")
PATH = ("alpha", "beta", "residual", "step", "loss", "reward")
KNOWN = (
    "alpha", "beta", "meta", "eigenvalues", "eigenvalue_residuals", *QUANTITIES,
    *(f"{name}_se" for name in QUANTITIES), *(f"path_{name}" for name in PATH),
)  # fmt: skip


def claim(path: str) -> Claim | None:
    """Claim what lies in ``landscape/`` for the run's folder; others by name, each a run."""
    if suffix(path) != ".npz" or file_name(path).startswith("."):
        return None
    inside = folder(path)
    if file_name(inside) == "landscape":
        return Claim(folder(inside))
    return Claim(path) if called_a_grid(file_name(path)) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the landscapes of one run; one that is broken costs only itself.

    Raises
    ------
    NotMine
        If none of them can be read.
    """
    found, reasons = [], []
    for name, path in sorted(files.items()):
        tally = Tally(name)
        try:
            grid = read_grid(path, stem(name), tally)
        except NotMine as reason:
            reasons.append(reason)
            tally.add(f"The landscape was left out: {reason}.")
            found.append(Parsed(problems=tally.problems()))
        else:
            found.append(Parsed(landscapes=(grid,), problems=tally.problems(), used=(name,)))
    if len(reasons) == len(files):
        raise reasons[0]
    return found


def read_grid(path: Path, name: str, tally: Tally) -> LandscapeGrid:
    """Read one file.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        Of the landscape.
    tally : Tally

    Returns
    -------
    LandscapeGrid

    Raises
    ------
    NotMine
        If it is no archive of arrays, holds more than the limits allow, or no landscape.
    """
    try:
        arrays = _unpack(path)
    except NotMine:
        raise
    # Of a forged archive zipfile, its decompressors and NumPy's parser of headers raise what they
    # happen to, undocumented: TokenError, TypeError, LZMAError, OverflowError and more were seen.
    except Exception as error:
        raise NotMine("it is no complete .npz archive of plain arrays") from error
    if "alpha" not in arrays or not any(key in arrays for key in QUANTITIES):
        raise NotMine("it has no arrays 'alpha' and 'loss' or 'reward'")
    meta = _meta(arrays.pop("meta", None), tally)
    if "path_alpha" in arrays and "path_step" not in arrays:
        meta |= {"path_steps": "numbered"}
    numbers = {key: _numbers(array, key) for key, array in arrays.items()}
    return checked(
        name,
        numbers["alpha"],
        numbers.get("beta"),
        {key: numbers[key] for key in QUANTITIES if key in numbers},
        tally,
        errors={key: numbers[f"{key}_se"] for key in QUANTITIES if f"{key}_se" in numbers},
        path=_path(numbers, tally),
        eigenvalues=_list(numbers.get("eigenvalues")),
        eigenvalue_residuals=_list(numbers.get("eigenvalue_residuals")),
        meta=meta,
    )


def _unpack(path: Path) -> dict[str, np.ndarray]:
    limits.check_size(path.stat().st_size, "GRID_FILE_BYTES")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        # What the directory of an archive says is a bound: no more than that is unpacked.
        unpacked = sum(member.file_size for member in members)
        if len(members) > limits.GRID_MEMBERS:
            raise NotMine(limits.reason(f"{TOO_MUCH} ({{limit:GRID_MEMBERS}} arrays)"))
        if unpacked > limits.GRID_BYTES:
            raise NotMine(limits.reason(f"{TOO_MUCH} ({{limit:GRID_BYTES}})"))
        return {
            stem(member.filename): _array(archive.read(member))
            for member in members
            if stem(member.filename) in KNOWN
        }


def _array(content: bytes) -> np.ndarray:
    """Read one array, which must not be larger than the bytes that are there."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) == (1, 0):
        shape, _, kind = np.lib.format.read_array_header_1_0(stream)
    else:
        stream.seek(0)
        np.lib.format.read_magic(stream)
        shape, _, kind = np.lib.format.read_array_header_2_0(stream)
    if np.prod(shape, dtype=np.float64) * kind.itemsize > len(content):
        raise ValueError("an array claims more than is there")
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _numbers(array: np.ndarray, key: str) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise NotMine(f"its array {key!r} holds no numbers")
    return array.astype(np.int64 if key == "path_step" else np.float64)


def _list(array: np.ndarray | None) -> np.ndarray | None:
    return array if array is not None and array.ndim == 1 and array.size else None


def _meta(array: np.ndarray | None, tally: Tally) -> dict[str, Any]:
    """Read the JSON beside the arrays; without it the values stand as they are."""
    try:
        found = {} if array is None else json.loads(str(array[()]))
    except (ValueError, RecursionError, IndexError):
        found = None
    if isinstance(found, dict):
        return found
    tally.add("What it says about how it was measured is no JSON object and was left out.")
    return {}


def _path(numbers: Mapping[str, np.ndarray], tally: Tally) -> LandscapePath | None:
    """Return the projected checkpoints; None where there are none or their arrays do not fit."""
    found = {key: numbers.get(f"path_{key}") for key in PATH}
    alpha = found["alpha"]
    if alpha is None or not alpha.size:
        return None
    if alpha.ndim != 1 or any(
        array is not None and array.shape != (len(alpha),) for array in found.values()
    ):
        tally.add("The arrays of its path have different lengths, so the path was left out.")
        return None
    nothing = np.full(len(alpha), np.nan)
    beta, step = found["beta"], found["step"]
    return LandscapePath(
        alpha,
        np.zeros(len(alpha)) if beta is None else beta,
        nothing if found["residual"] is None else found["residual"],
        np.arange(len(alpha)) if step is None else step,
        nothing if found["loss"] is None else found["loss"],
        found["reward"],
    )
