"""Layers of several pieces of one run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from viz3d.formats.layer_parts import stacked
from viz3d.formats.reading import Contents, read_run
from viz3d.formats.tally import Tally

from .test_layers import lines


def layers(*rows: tuple[int, int, str, float]) -> pd.DataFrame:
    """Return rows of layers: step, number, name, norm."""
    return pd.DataFrame(rows, columns=["step", "layer", "name", "grad_norm"])


def recorded(folder: Path, metrics: str, layers: str) -> Contents:
    """Return the run of a folder with these rows in it."""
    files = {"metrics.jsonl": metrics, "layers.jsonl": layers}
    for name, text in files.items():
        (folder / name).write_text(text)
    (run,) = read_run("x", {name: folder / name for name in files})
    return run


def test_layers_in_columns_and_in_rows_are_both_read(tmp_path: Path) -> None:
    """Neither hides the other; what both have is counted once, and that is told."""
    wide = [{"step": step, "loss": 1, "grad_norm/h.0": 0.25, "grad_norm/h.1": 0.5}
            for step in range(3)]  # fmt: skip
    long = [{"step": step, "layer": layer, "name": f"h.{layer}", "grad_norm": 7.0}
            for step in (2, 9) for layer in range(2)]  # fmt: skip
    run = recorded(tmp_path, lines(wide), lines(long))
    assert run.layers is not None
    assert run.layers["step"].tolist() == [0, 0, 1, 1, 2, 2, 9, 9]
    assert run.layers["grad_norm"].tolist() == [0.25, 0.5] * 2 + [7.0] * 4
    assert run.layers["layer"].tolist() == [0, 1] * 4
    assert "2 rows of a layer were left out" in str(run.problems)


def test_layers_that_are_numbered_differently_are_numbered_anew() -> None:
    """One number never stands for two layers, nor one layer under two numbers."""
    first = layers((0, 0, "h.0", 1.0), (0, 1, "h.1", 2.0))
    columns = layers((0, 0, "wte", 3.0), (4, 1, "h.0", 4.0), (4, 2, "h.1", 5.0))
    found = stacked([first, columns], Tally("f"))
    assert dict(zip(found["name"], found["layer"], strict=True)) == {"wte": 0, "h.0": 1, "h.1": 2}
    assert found["grad_norm"].tolist() == [3.0, 1.0, 2.0, 4.0, 5.0]
    assert first["layer"].tolist() == [0, 1]


def test_layers_without_a_gradient_norm_are_told(tmp_path: Path) -> None:
    """What cannot be shown is counted, and the run is there."""
    rows = [{"step": 0, "layer": layer, "weight_norm": 1.0} for layer in range(2)]
    run = recorded(tmp_path, '{"step": 0, "loss": 1}\n', lines(rows))
    assert run.layers is None
    (problem,) = run.problems
    assert "2 rows of layers were left out" in problem.what
    assert problem.file == "layers.jsonl"
