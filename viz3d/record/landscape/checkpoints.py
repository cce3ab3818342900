"""Checkpoints of a run: weights alone, from files that are never unpickled, by step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument, FormatError
from viz3d.record.blocks import clean
from viz3d.record.landscape.weights import Tensors, Weights

if TYPE_CHECKING:
    import torch

SUFFIXES = (".pt", ".pth", ".ckpt", ".bin")
# What a number in a folder's name has to stand behind to be a step.
COUNTED = r"(?:step|checkpoint|ckpt|iter(?:ation)?|epoch)s?[-_=]?(\d+)"
# Where a file of more than weights keeps them, and the step.
WEIGHTS = ("model", "state_dict", "model_state_dict", "module", "weights")
STEPS = ("step", "global_step", "iteration", "iter_num")

Given = str | PathLike[str] | Iterable[Any] | Mapping[int, Any]


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one step.

    Attributes
    ----------
    step : int
    tensors : mapping of {name: Tensor}
        Parameters and buffers, on the CPU; of a file, read from the disk when they are used.
    """

    step: int
    tensors: Tensors


def open_checkpoints(given: Given, weights: Weights) -> tuple[list[Checkpoint], list[str]]:
    """Open checkpoints of the model that `weights` belongs to.

    Parameters
    ----------
    given : path, iterable of paths, or mapping of {step: path or state dict}
        A folder stands for all checkpoint files in it. The step of a file is the one it holds
        (``step``, ``global_step``, ``iteration``, ``iter_num``), else the last number in its
        name, else that of a folder like ``checkpoint-500``.
    weights : Weights

    Returns
    -------
    list of Checkpoint
        By step.
    list of str
        A sentence for each one that was left out.
    """
    opened, left_out = [], []
    for step, source in _entries(given):
        try:
            opened.append(_open(step, source, weights))
        except FormatError as error:
            left_out.append(str(error))
    return sorted(opened, key=lambda checkpoint: checkpoint.step), left_out


def _entries(given: Given) -> list[tuple[int | None, Any]]:
    if isinstance(given, Mapping):
        return [(int(step), source) for step, source in given.items()]
    if isinstance(given, (str, PathLike)):
        folder = Path(given)
        if not folder.is_dir():
            raise BadArgument(
                f"checkpoints is {folder.name!r}, which is no folder; give a folder, "
                "a list of files or {step: file}."
            )
        return [(None, file) for file in sorted(folder.iterdir()) if file.suffix in SUFFIXES]
    return [(None, file) for file in given]


def _open(step: int | None, source: Any, weights: Weights) -> Checkpoint:
    if isinstance(source, Mapping):
        return Checkpoint(_known(step, "a state dict"), _matching(source, weights, f"step {step}"))
    file = Path(source)
    content = _load(file)
    tensors = _matching(content, weights, file.name)
    if step is None:
        step = next((n for key in STEPS if (n := _whole(content.get(key))) is not None), None)
    if step is None:
        folder = re.findall(COUNTED, file.parent.name, re.IGNORECASE)
        numbers = re.findall(r"\d+", file.stem) or folder
        step = int(numbers[-1]) if numbers else None
    return Checkpoint(_known(step, file.name), tensors)


def _whole(value: Any) -> int | None:
    """Return a step as it is written down: a number, or a tensor of one."""
    import torch

    if isinstance(value, torch.Tensor) and value.dim() == 0 and not value.is_floating_point():
        value = value.item()
    return value if type(value) is int else None


def _known(step: int | None, name: str) -> int:
    if step is None:
        raise FormatError(f"{name} says no step; give checkpoints as {{step: file}}.")
    return step


def _load(file: Path) -> Mapping[Any, Any]:
    import torch

    try:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:  # written in the format of before 2020, which cannot be mapped
            content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FormatError(f"{file.name} is not there; check the path.") from None
    except Exception:  # a damaged or hostile file can make the reader raise anything
        raise FormatError(
            f"{file.name} is damaged or holds more than weights, and was not run as code; save "
            "torch.save(model.state_dict(), file)."
        ) from None
    if not isinstance(content, Mapping):
        raise FormatError(f"{file.name} holds a {type(content).__name__} and no weights by name.")
    return content


def _matching(content: Mapping[Any, Any], weights: Weights, name: str) -> Tensors:
    """Return the tensors of the model in `content`, or in what it keeps its weights under."""
    import torch

    lacking = ""
    for place in (content, *(content.get(key) for key in WEIGHTS)):
        if not isinstance(place, Mapping):
            continue
        found = {
            clean(str(key)): value
            for key, value in place.items()
            if isinstance(value, torch.Tensor)
        }
        wrong = next((n for n in weights.trained if not _fits(found.get(n), weights, n)), None)
        if wrong is None:
            kept = {n: found[n] for n in weights.tensors if _fits(found.get(n), weights, n)}
            return _finite(kept, weights, name)
        lacking = wrong if found or not lacking else lacking
    raise FormatError(f"{name} is of another model: it has no {lacking!r} of the same shape.")


def _fits(tensor: torch.Tensor | None, weights: Weights, name: str) -> bool:
    return tensor is not None and tensor.shape == weights.tensors[name].shape


def _finite(tensors: Tensors, weights: Weights, name: str) -> Tensors:
    import torch

    bad = next((n for n in weights.trained if not torch.isfinite(tensors[n]).all()), None)
    if bad is not None:
        raise FormatError(f"{name} has a NaN or infinity in {bad!r}, so it lies on no plane.")
    return tensors
