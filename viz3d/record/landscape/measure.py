"""Measure the loss on a plane in weight space around a checkpoint, and store it with the run."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument
from viz3d.grid import LandscapeGrid
from viz3d.record.landscape.axes import Floats, checked, checked_points
from viz3d.record.landscape.checkpoints import Checkpoint, Given, open_checkpoints
from viz3d.record.landscape.ledger import Ledger
from viz3d.record.landscape.planes import KINDS, choose
from viz3d.record.landscape.samples import Measure
from viz3d.record.landscape.store import file_of, store
from viz3d.record.landscape.weights import Weights, untouched
from viz3d.record.landscape.work import Work

if TYPE_CHECKING:
    import torch

_logger = logging.getLogger(__name__)


def landscape(
    model: torch.nn.Module,
    loss_fn: Callable[[Any, Any], Any],
    batches: Iterable[Any],
    *,
    kind: str = "random",
    checkpoints: Given = (),
    reward_fn: Callable[[Any, Any], Any] | None = None,
    alpha: Sequence[float] | Floats | None = None,
    beta: Sequence[float] | Floats | None = None,
    points: int = 25,
    seed: int = 0,
    eigenvalues: int = 0,
    centre_step: int | None = None,
    folder: str | PathLike[str] | None = None,
    name: str | None = None,
    progress: bool | None = None,
) -> LandscapeGrid:
    """Measure the loss on a plane in weight space around the model's weights.

    The model is evaluated in evaluation mode and left exactly as it was: parameters, buffers,
    gradients, training modes and random states. Call it between two steps of training. Memory
    holds two copies of the weights and one per direction beside the model. Weights that are split
    over processes (FSDP) are not supported; with copies (DDP) call it on one rank.

    Parameters
    ----------
    model : torch.nn.Module
        Its weights are the centre.
    loss_fn : callable
        ``loss_fn(model, batch)`` -> tensor of any shape, one loss per independent sample (of a
        language model, per sequence), or the mean of the batch, which then counts as one sample.
    batches : iterable
        A finite one; read once and kept, the same at every point.
    kind : str
        ``"random"``: two filter-normalised random directions (Li et al. 2018), -1 to 1.
        ``"pca"``: the plane through the centre nearest to all `checkpoints`, as wide as their
        path. ``"line"``: from the model to the one of `checkpoints`, or between two; 0 to 1.
    checkpoints : folder, iterable of files, or mapping of {step: file or state dict}
        Drawn as a path on any plane. Files are loaded with ``weights_only=True`` alone.
    reward_fn : callable, optional
        ``reward_fn(model, batch)`` -> one reward per sample or episode.
    alpha, beta : sequence of float, optional
        Nodes along the directions, rising, instead of the usual ones.
    points : int
        Nodes along each axis, odd. The cost is ``points ** 2`` passes over `batches`.
    seed : int
        Of the directions, and of everything that is drawn while measuring.
    eigenvalues : int
        How many of the Hessian's largest to find; at most 80 Hessian-vector products, and as many
        vectors in memory as the model is large.
    centre_step : int, optional
        Step of the model's weights; found where one of `checkpoints` equals them.
    folder : path, optional
        The run folder. The result goes to ``landscape/<name>.npz`` in it, and a measure that was
        killed goes on where it stopped when it is asked for again with the same weights, batches,
        settings and code. Of the code, changes in the functions and the model's ``forward`` and in
        what they close over or name are seen, those inside libraries and objects are not.
    name : str, optional
        By default the kind.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal.

    Returns
    -------
    LandscapeGrid

    Raises
    ------
    BadArgument
        If an argument cannot be used; the message says which and what to give.
    ExportError
        If `folder` cannot be written.
    """
    if kind not in KINDS:
        raise BadArgument(f"kind is {kind!r}; it has to be one of {', '.join(KINDS)}.")
    name = _checked_name(kind if name is None else name)
    nodes = [None if v is None else checked(n, v) for n, v in (("alpha", alpha), ("beta", beta))]
    points = checked_points(points)
    if not isinstance(eigenvalues, Integral) or eigenvalues < 0:
        raise BadArgument(f"eigenvalues is {eigenvalues!r}; give how many to find, 0 for none.")
    if not isinstance(seed, Integral) or not -(2**63) <= seed < 2**63:
        raise BadArgument(f"seed is {seed!r:.80}; give a whole number of 64 bits.")
    with untouched(model):
        kept = tuple(batches)
        if not kept:
            raise BadArgument("batches is empty; give at least one batch.")
        measure = Measure(model, kept, loss_fn, reward_fn, seed)
        weights = Weights(model)
        if bad := weights.bad():
            raise BadArgument(
                f"The model has a NaN or infinity in {bad!r}, so nothing around it can be "
                "measured; load a checkpoint from before."
            )
        opened, problems = open_checkpoints(checkpoints, weights)
        for problem in problems:
            _logger.warning("%s It is left out.", problem)
        _enough(kind, opened, problems)
        if kind == "line" and len(opened) == 2:
            weights.put(opened[0].tensors)
            weights, centre_step = Weights(model), opened[0].step
        plane = choose(kind, model, weights, opened, points=points, seed=seed).over(*nodes)
        work = Work(name, kind, measure, weights, plane, opened, centre_step, problems)
        file = file_of(Path(folder), name) if folder is not None else None
        with Ledger(file and file.with_name(f".{name}.rows"), work.asked()) as ledger:
            result = work.run(ledger, eigenvalues, progress)
            if file is not None:
                _store(result, file, ledger)
    return result


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name):
        raise BadArgument(f"name is {name!r:.80}; use letters, digits, '-', '_' and '.' alone.")
    return name


def _enough(kind: str, opened: Sequence[Checkpoint], problems: Sequence[str]) -> None:
    """Raise unless there are as many checkpoints as `kind` needs."""
    needs, enough = {
        "random": ("", True),
        "pca": ("at least two checkpoints", len(opened) >= 2),
        "line": (
            "one checkpoint, or two to go from one to the other",
            len(opened) in (1, 2) and not problems,  # another line is no answer
        ),
    }[kind]
    if not enough:
        raise BadArgument(" ".join([f"kind={kind!r} needs {needs}, not {len(opened)}.", *problems]))


def _store(result: LandscapeGrid, file: Path, ledger: Ledger) -> None:
    """Store `result`; where that fails it is still returned, and its parts stay on the disk."""
    try:
        store(result, file)
        ledger.done()
    except OSError as error:
        _logger.warning(
            "%s could not be written (%s); the landscape is returned all the same, and what is "
            "measured stays beside it",
            file.name,
            error.strerror,
        )
