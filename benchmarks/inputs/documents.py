"""JSON documents."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from pathlib import Path

from benchmarks.inputs.writing import drawn, fill, headed, rows


def trainer_state(folder: Path, size: int) -> None:
    """The state of a Hugging Face trainer at the cap on documents."""
    line = '{"epoch": %.6f, "grad_norm": %.6f, "learning_rate": 5e-05, "loss": %.6f, "step": %d},\n'
    path = folder / "trainer_state.json"
    fill(
        path,
        min(size, 64 << 20) - 200,
        headed('{"epoch": 1.0, "log_history": [', rows(line, drawn, drawn, drawn, lambda at: at)),
    )
    with path.open("ab") as file:
        file.write(b'{"step": 99999999, "loss": 1.0}]}')


def document(folder: Path, size: int) -> None:
    """An array of the shortest rows at the cap on documents."""
    path = folder / "log.json"
    fill(path, min(size, 64 << 20) - 200, headed("[", rows('{"step":%d,"l":1},', lambda at: at)))
    with path.open("ab") as file:
        file.write(b'{"step": 99999999, "l": 1.0}]')
