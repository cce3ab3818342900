"""Reads files as the loader does, and says what every result must be, whatever was read."""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from viz3d.errors import FormatError
from viz3d.formats.reading import Contents, read_run
from viz3d.formats.rows import CLOCKS
from viz3d.run import Problem

from .logs import Cells


def read(files: Mapping[str, bytes]) -> list[Contents]:
    """Read files as one run.

    Parameters
    ----------
    files : mapping of {path in the source: content}

    Returns
    -------
    list of Contents
        Well formed; empty where all formats decline. Any other exception is a bug.
    """
    with tempfile.TemporaryDirectory(prefix="viz3d-fuzz-") as folder:
        paths = {}
        for at, (name, content) in enumerate(files.items()):
            paths[name] = Path(folder, str(at))
            paths[name].write_bytes(content)
        try:
            found = read_run("run", paths)
        except FormatError:
            return []
        for contents in found:
            well_formed(contents, files)
        return found


def well_formed(contents: Contents, files: Mapping[str, bytes]) -> None:
    """Assert what charts and pages rely on."""
    history = contents.joined.history
    assert history.index.dtype == np.int64
    assert history.index.name == "step"
    assert history.index.is_monotonic_increasing
    assert history.index.is_unique
    for name, column in history.items():
        assert column.dtype == np.float64
        assert isinstance(name, str)
        assert name
        assert name.isprintable(), f"cannot be shown: {name!r}"
    assert history.columns.is_unique
    assert not np.isfinite(contents.joined.nonfinite["value"].to_numpy(dtype=float)).any()
    if contents.layers is not None:
        _layers(contents.layers)
    for grid in contents.landscapes:
        for axis in (grid.alpha, grid.beta):
            assert axis is None or (np.isfinite(axis).all() and (np.diff(axis) > 0).all())
        shape = (len(grid.alpha),) if grid.beta is None else (len(grid.beta), len(grid.alpha))
        assert all(values.shape == shape for values in (*grid.values.values(),
                                                        *grid.errors.values()))  # fmt: skip
    assert all(isinstance(key, str) for key in contents.config)
    assert set(contents.used) <= set(files)
    for problem in contents.problems:
        assert isinstance(problem, Problem)
        assert problem.file in files, problem
        assert not _controls(problem.what + problem.remedy), f"control characters: {problem!r}"


def _layers(layers: pd.DataFrame) -> None:
    assert list(layers)[:4] == ["step", "layer", "name", "grad_norm"]
    assert layers["step"].dtype == layers["layer"].dtype == np.int64
    assert layers["step"].is_monotonic_increasing


def _controls(text: str) -> bool:
    """Say whether a text holds what would end a line, or is no character at all."""
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def cells_read(contents: Contents, adds: Collection[str] = ()) -> Cells:
    """Return the history as `logs.cells_of` has it, without what the program adds by itself."""
    cells: Cells = {}
    for metric, column in contents.joined.history.items():
        cells |= {(int(step), str(metric)): float(v) for step, v in column.dropna().items()}
    odd = contents.joined.nonfinite
    for step, metric, value in zip(odd["step"], odd["metric"], odd["value"], strict=True):
        if np.isnan(value):
            cells[int(step), str(metric)] = "nan"
    return {key: value for key, value in cells.items() if key[1] not in (*CLOCKS, *adds)}
