"""I58 to I61: weights, pickles, arrays and configs that would run code, or are none.

`CANARY` is what each pickle would write if anything opened it.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np

from tests.bad_inputs.case import GOOD, LOSS, bad, lines, write

CANARY = "opened"


class _Canary:
    """Once unpickled, writes a file beside the pickle."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / CANARY)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (open, (self.path, "w"))


def pickled(folder: Path) -> bytes:
    return pickle.dumps(_Canary(folder))


def arrays(folder: Path, **replaced: object) -> bytes:
    """Return an archive of arrays of which one holds the pickle."""
    buffer = io.BytesIO()
    objects = np.array([_Canary(folder)], dtype=object)
    plane = {"alpha": np.arange(3.0), "beta": np.arange(2.0), "loss": np.ones((2, 3))}
    np.savez(buffer, **{key: objects if key in replaced else plane[key] for key in plane})
    return buffer.getvalue()


@bad("I58", read=LOSS)
def pickles_everywhere(folder: Path) -> None:
    lines(folder, *GOOD)
    for name in ("data.pkl", "model.pt", "model.pth", "last.ckpt", "scaler.joblib", "log.pickle"):
        write(folder, name, pickled(folder))
    np.save(folder / "values.npy", np.array([_Canary(folder)], dtype=object))


@bad("I58", listed=False)
def pickles_alone(folder: Path) -> None:
    write(folder, "model.pt", pickled(folder))
    write(folder, "checkpoints/model.ckpt", pickled(folder))


@bad("I58", refused=r"it is no (UTF-8 )?text")
def pickle_called_lines(folder: Path) -> None:
    write(folder, "log.jsonl", pickled(folder))


@bad("I58", r"config.yaml: The file was not read", read=LOSS)
def pickle_called_config(folder: Path) -> None:
    lines(folder, *GOOD)
    write(folder, "config.yaml", pickled(folder))


@bad("I59", r"landscape/plane.npz: .*no complete .npz archive of plain arrays", read=LOSS)
def pickle_in_a_landscape(folder: Path) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    write(folder, "landscape/plane.npz", arrays(folder, loss=True))


@bad("I59", r"landscape/plane.npz: .*unpacks to more than a landscape can hold", read=LOSS)
def landscape_that_unpacks_to_too_much(folder: Path) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("alpha.npy", bytes(64 << 20))
    write(folder, "landscape/plane.npz", buffer.getvalue())


@bad(
    "I60", r"config.yaml: The file was not read \(.*it cannot be read as YAML, line 2\)", read=LOSS
)
def python_in_yaml(folder: Path) -> None:
    lines(folder, *GOOD)
    write(
        folder, "config.yaml", f"lr: 0.1\na: !!python/object/apply:os.mkdir ['{folder / CANARY}']\n"
    )


@bad(
    "I60", r"config.yaml: The file was not read \(.*it cannot be read as YAML, line 2\)", read=LOSS
)
def laughs_in_yaml(folder: Path) -> None:
    lines(folder, *GOOD)
    doubled = [f"a{at}: &a{at} [*a{at - 1}, *a{at - 1}]" for at in range(1, 40)]
    write(folder, "config.yaml", "\n".join(["a0: &a0 [x]", *doubled]))


@bad(
    "I61",
    r"config.json: The file was not read \(config file: it cannot be read as JSON, line 2\)",
    read=LOSS,
)
def config_cut(folder: Path) -> None:
    lines(folder, *GOOD)
    write(folder, "config.json", '{"lr": 0.1,\n"batch": ')


@bad("I61", r"config.json: The file was not read \(config file: it does not hold names", read=LOSS)
def config_that_is_a_list(folder: Path) -> None:
    lines(folder, *GOOD)
    write(folder, "config.json", "[1, 2]")


@bad("I61", r"run.json: It is no JSON object with a config, so the run has none", read=LOSS)
def description_of_the_wrong_type(folder: Path) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    write(folder, "run.json", json.dumps({"schema": 1, "config": 7}))
