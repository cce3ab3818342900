"""Files that hold no rows: measured landscapes, paths on them, reports and hyper-parameters."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np
import yaml
from hypothesis import strategies as st

from viz3d.formats import (
    config,
    landscape_hdf5,
    landscape_npz,
    landscape_path_hdf5,
    nanochat_report,
)
from viz3d.formats.base import Format
from viz3d.formats.reading import Contents


@dataclass(frozen=True)
class Case:
    """Files, the first of which is of the format, and what must be read of them."""

    files: dict[str, bytes]
    check: Callable[[Contents], None]


@dataclass(frozen=True)
class Document:
    """A format whose files are written at once."""

    name: str
    format: Format
    cases: st.SearchStrategy[Case]


AXES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=4, unique=True).map(np.array)
ROW = b'{"step": 1, "loss": 2.0}\n'


@st.composite
def _planes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates in any order, and a value for each node; some are NaN."""
    alpha, beta = draw(AXES), draw(AXES)
    n = len(alpha) * len(beta)
    # -1 is what Li's script writes where it has not measured yet.
    values = st.floats(width=32, allow_infinity=False).filter(lambda value: value != -1)
    loss = draw(st.lists(values, min_size=n, max_size=n))
    return alpha, beta, np.array(loss).reshape(len(beta), len(alpha))


def _is_plane(
    contents: Contents, alpha: np.ndarray, beta: np.ndarray, loss: np.ndarray, key: str
) -> None:
    (grid,) = contents.landscapes
    assert grid.beta is not None
    np.testing.assert_array_equal(grid.alpha, np.sort(alpha))
    np.testing.assert_array_equal(grid.beta, np.sort(beta))
    in_order = loss[np.ix_(np.argsort(beta), np.argsort(alpha))]
    np.testing.assert_array_equal(grid.values[key], in_order)


@st.composite
def _npz(draw: st.DrawFn) -> Case:
    alpha, beta, loss = draw(_planes())
    out = io.BytesIO()
    meta = np.array(json.dumps({"schema": 1, "kind": "random"}))
    save = draw(st.sampled_from([np.savez, np.savez_compressed]))
    save(out, alpha=alpha, beta=beta, loss=loss, meta=meta)
    return Case(
        {"r/landscape/random.npz": out.getvalue(), "r/metrics.jsonl": ROW},
        lambda contents: _is_plane(contents, alpha, beta, loss, "loss"),
    )


def _hdf5(**arrays: object) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return out.getvalue()


def _surface(alpha: np.ndarray, beta: np.ndarray, loss: np.ndarray) -> bytes:
    # Made as (nx, ny), filled in the order of (ny, nx).
    stored = loss.reshape(len(alpha), len(beta))
    return _hdf5(xcoordinates=alpha, ycoordinates=beta, train_loss=stored, dir_file="a_PCA/d.h5")


@st.composite
def _surfaces(draw: st.DrawFn) -> Case:
    alpha, beta, loss = draw(_planes())
    return Case(
        {"surface.h5": _surface(alpha, beta, loss)},
        lambda contents: _is_plane(contents, alpha, beta, loss, "train_loss"),
    )


@st.composite
def _paths(draw: st.DrawFn) -> Case:
    n = draw(st.integers(1, 4))
    x, y = (np.array(draw(st.lists(st.floats(-9, 9), min_size=n, max_size=n))) for _ in "xy")
    plane = np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.eye(2)

    def check(contents: Contents) -> None:
        path = contents.landscapes[0].path
        assert path is not None
        np.testing.assert_array_equal(path.alpha, x)
        np.testing.assert_array_equal(path.beta, y)

    path = _hdf5(proj_xcoord=x, proj_ycoord=y)
    return Case({"d.h5_proj_cos.h5": path, "surface.h5": _surface(*plane)}, check)


TASKS = ("ARC-Easy", "ARC-Challenge", "GSM8K", "HumanEval", "MMLU", "ChatCORE")


@st.composite
def _reports(draw: st.DrawFn) -> Case:
    stages = draw(st.lists(st.sampled_from(["mid", "sft", "rl"]), min_size=1, unique=True))
    scores = {
        stage: draw(st.dictionaries(st.sampled_from(TASKS), st.floats(0, 1), min_size=1))
        for stage in stages
    }
    text = "# nanochat training report\n\n## Environment\n\n- Branch: master\n\n"
    for stage, tasks in scores.items():
        items = "".join(f"- {task}: {score:.4f}\n" for task, score in tasks.items())
        text += f"## Chat evaluation {stage}\ntimestamp: 2025-10-23\n\n- step: 7\n{items}\n\n"

    def check(contents: Contents) -> None:
        assert contents.report is not None
        expected: dict[str, dict[str, float]] = {}
        for stage, tasks in scores.items():
            for task, score in tasks.items():
                expected.setdefault(task, {})[stage] = float(f"{score:.4f}")
        assert contents.report.tasks == expected
        assert set(contents.report.stages) == set(stages)
        assert contents.report.environment == {"Branch": "master"}

    return Case({"r/report/report.md": text.encode()}, check)


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc. ")
_SETTINGS = st.dictionaries(
    st.text("abcdef_/", min_size=1, max_size=6),
    _PLAIN | st.lists(_PLAIN, max_size=3) | st.dictionaries(st.text("xyz", max_size=3), _PLAIN),
    max_size=5,
)


@st.composite
def _configs(draw: st.DrawFn, name: str, dump: Callable[[object], str]) -> Case:
    values = draw(_SETTINGS)
    return Case(
        {name: dump(values).encode(), "r/metrics.jsonl": ROW},
        lambda contents: _equal(dict(contents.config), values),
    )


def _equal(one: object, other: object) -> None:
    assert one == other


DOCUMENTS = (
    Document("npz", landscape_npz, _npz()),
    Document("hdf5", landscape_hdf5, _surfaces()),
    Document("hdf5_path", landscape_path_hdf5, _paths()),
    Document("report", nanochat_report, _reports()),
    Document("config", config, _configs("r/config.json", json.dumps)),
    Document("config_yaml", config, _configs("r/config.yaml", yaml.safe_dump)),
)
