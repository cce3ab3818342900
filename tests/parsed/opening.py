"""Logs that are opened, and what came of it compared."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pytest

from viz3d import load_entries
from viz3d.errors import Viz3dError
from viz3d.load import load_runs
from viz3d.run import Run

ROWS = "".join(f'{{"step": {i}, "loss": {3 / (1 + i)}, "lr": {i / 7}}}\n' for i in range(50))

# Examples; few where each opens a run three times.
OFTEN = [25, pytest.param(2_000, marks=pytest.mark.slow)]


def kept(folder: Path) -> list[Path]:
    """Return the folders of what is kept, the oldest first."""
    place = folder.parent / "cache" / "v1" / "parsed"
    found = [path for path in place.iterdir() if path.is_dir()]
    return sorted(found, key=lambda path: (path / "about.json").stat().st_mtime_ns)


def load(path: Path) -> list[Run] | str:
    """Return the runs of a path, or what is said where there are none."""
    try:
        return load_runs(path)
    except Viz3dError as error:
        return str(error)


def assert_alike(found: list[Run] | str, wanted: list[Run] | str) -> None:
    """Compare runs, or what is said where there are none."""
    if isinstance(wanted, str) or isinstance(found, str):
        assert found == wanted
    else:
        assert_same(found, wanted)


def assert_same(found: list[Run], wanted: list[Run]) -> None:
    """Compare everything that a run says, frames to the last bit and type."""
    assert len(found) == len(wanted)
    for mine, other in zip(found, wanted, strict=True):
        for name in ("name", "source", "config", "roles", "problems", "digest", "metrics"):
            assert repr(getattr(mine, name)) == repr(getattr(other, name))
        for metric in mine.metrics:
            assert mine.logged(metric) == other.logged(metric)
            pd.testing.assert_series_equal(mine.column(metric), other.history[metric])
        assert list(mine.index) == list(other.index)
        for name in ("history", "attempts", "nonfinite", "layers"):
            a, b = getattr(mine, name), getattr(other, name)
            assert (a is None) == (b is None)
            if a is not None:
                pd.testing.assert_frame_equal(a, b, check_exact=True, check_freq=True)


def assert_grows(name: str, begun: bytes, whole: bytes, beside: str = "") -> None:
    """Open a file that ends somewhere, and again when it is whole; beside it may lie a run.json."""
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        path = Path(place) / "runs" / name
        path.parent.mkdir()
        if beside:
            path.with_name("run.json").write_text(beside)
        path.write_bytes(whole)
        wanted = load(path.parent)
        patch.setenv("VIZ3D_CACHE_DIR", str(Path(place) / "cache"))
        patch.setattr(load_entries, "WORTH", 0)
        for content in (begun, whole, whole):
            path.write_bytes(content)
            found = load(path.parent)
        assert_alike(found, wanted)
