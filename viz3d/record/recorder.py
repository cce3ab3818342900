"""The recorder: one object, called from a training loop, that writes a run folder."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from viz3d.record.config import read_config
from viz3d.record.failures import Failures
from viz3d.record.folder import RunFolder
from viz3d.record.layers import EVERY, LayerNorms, Reading
from viz3d.record.limit import soon, within
from viz3d.record.rank import writes_here
from viz3d.record.rows import orjson_dumps, whole
from viz3d.record.values import copied

if TYPE_CHECKING:
    import torch

# Seconds that a disk may hold the constructor, and all that `close` does.
OPEN_LIMIT = CLOSE_LIMIT = 5.0
LOAD_LIMIT = 3.0  # seconds that the client of a bucket may hold the constructor


class Recorder:
    """Write a run folder while training; also a context manager.

    ``run.json`` says what the run is, ``metrics.jsonl`` holds a row per `log` and ``layers.jsonl``
    a row per layer and `log_layers`. A row is with the operating system when the call returns, so
    that a killed process loses none, and a thread brings it to the disk within a second. Nothing
    here raises into the training loop, and only the row's own write holds it for over 50 ms: the
    first failure is one warning of the logger ``viz3d.record.recorder``, all are counted in
    `failures`. The constructor waits for a disk for at most 6 seconds, `close` for 5.

    Opening a folder that already holds a run appends to it. In a distributed job (``RANK`` of
    torchrun, else the rank of Slurm or Open MPI) the recorders of all ranks but 0 do nothing. A
    process that is forked later records nothing unless it opens a recorder of its own.

    Parameters
    ----------
    path : str or os.PathLike
        The run folder; its last part is the name of the run.
    config : mapping, optional
        Hyper-parameters; also what holds them as attributes, such as a namespace of argparse.
        What JSON cannot hold is written as text, and ``(left out)`` stands for what is a secret by
        its name or its form, or the value of a variable of the environment that is one. Without
        it a resumed run keeps the config that it has.
    tags : iterable of str, optional
        Words to find the run by.
    upload : str, optional
        ``gs://BUCKET/FOLDER``; None or empty sends nothing. A thread sends the rows there as they
        come, under the name of the run; what cannot be sent now is sent later, and `close` tells
        what was not. The constructor waits for at most 3 seconds more, until the client is loaded.

    Attributes
    ----------
    secrets : int
        Values of the config that were left out as secrets.

    Examples
    --------
    >>> with Recorder("runs/first", config={"learning_rate": 3e-4}) as rec:  # doctest: +SKIP
    ...     rec.watch(model)
    ...     for step in range(1000):
    ...         loss = train_step()
    ...         rec.log(step, loss=loss, learning_rate=rate)
    ...         rec.log_layers(step)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        config: Mapping[str, Any] | object | None = None,
        *,
        tags: Iterable[str] = (),
        upload: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.secrets = 0
        self._failures = Failures(self.path.name)
        self._folder = RunFolder(self.path, self._failures, upload)
        self._metrics, self._layers = self._folder.metrics, self._folder.layers
        self._norms: LayerNorms | None = None
        if not writes_here():
            for name in ("log", "watch", "log_layers", "close"):
                setattr(self, name, _nothing)
            return
        # Not at the end of the process, where late values come first and no thread begins again.
        weakref.finalize(self, self._folder.let_go).atexit = False
        orjson_dumps()
        said = read_config(config, tags, self._failures)
        self.secrets = len(said.secrets)
        values = None if config is None else dict(said.values)
        if not within(OPEN_LIMIT, partial(self._folder.begin, values, list(said.tags))):
            self._failures.add("run.json is late", f"the disk took over {OPEN_LIMIT:g} seconds")
        self._folder.wait_ready(LOAD_LIMIT)

    @property
    def failures(self) -> int:
        """Rows and values that could not be recorded, and outages of the bucket."""
        return self._failures.count

    def log(
        self, step: Any = None, values: Mapping[str, Any] | None = None, /, **metrics: Any
    ) -> None:
        """Record the metrics of one step.

        Parameters
        ----------
        step : int
            May also be given by name, or as a metric called ``step``.
        values : mapping, optional
            More metrics, for names with a slash: ``{"train/loss": 2.3}``.
        **metrics : float
            Numbers of Python, NumPy or PyTorch; None says that there is no value. A value that
            takes longer than 50 ms, such as a tensor of a GPU that is behind, is written when it
            comes, in another row of the step; readers join the two. At most 64 values wait, those
            above are left out and counted, as is what has not come when the run is closed. A
            tensor is copied for it and may change; leave other objects as they are. Names have at
            most 200 characters. A metric called ``time`` replaces the time of day (seconds since
            1970) that every row carries.
        """
        try:
            end = soon()
            if values is not None:
                metrics = {**copied(values, end), **metrics}
            named = metrics.pop("step", None)
            self._metrics.write(whole(named if step is None else step, end), metrics, end)
        except Exception as error:  # whatever it is, training goes on
            self._failures.add("a row of metrics was not recorded", error)

    def watch(
        self, model: torch.nn.Module, *, every: int = EVERY, updates: bool = True
    ) -> tuple[str, ...]:
        """Choose the model whose layers `log_layers` reads.

        Blocks are found by structure, whatever they are called; embeddings and head are layers
        too. Call it once the model is on its device and wrapped (compiled, data-parallel). No
        tensor is kept alive.

        Parameters
        ----------
        model : torch.nn.Module
        every : int
            Steps from one record to the next.
        updates : bool
            Whether to record how far the optimiser moved each layer. Memory: in the step before
            each record, and only while ``optimizer.step()`` runs, one copy of the weights which
            that optimiser trains, in their own precision. Without it, nothing of that size.

        Returns
        -------
        tuple of str
            Names of the layers that are trained, in model order.
        """
        try:
            self._norms = LayerNorms(model, every=every, updates=updates)
        except Exception as error:
            self._failures.add("the layers of the model were not found", error)
            return ()
        return self._norms.names

    def log_layers(self, step: int, rows: Iterable[Mapping[str, Any]] | None = None) -> None:
        """Record one row per layer, at the steps that `every` of `watch` divides; call it at each.

        Where to call it: after ``backward()`` of the step's last micro-batch, and after
        ``scaler.unscale_(optimizer)`` where a gradient scaler is used; before clipping, before
        ``optimizer.step()`` and before the gradients are set to zero. Called later, it records
        gradients that are clipped, or none.

        ``grad_norm`` and ``weight_norm`` are those of now. ``update_ratio`` is the norm of the
        change in the optimiser step before this call over ``weight_norm``. It is missing at the
        first step, where a layer was in no such step, and where the call before was not for
        ``step - 1``; it needs an optimiser derived from ``torch.optim.Optimizer`` that holds the
        model's own parameters. Layers that FSDP spreads over processes are left out and counted:
        their norms would need every process.

        Parameters
        ----------
        step : int
        rows : iterable of mapping, optional
            Each with ``layer`` (position in the model), ``name``, ``grad_norm`` and what else is
            known of the layer; recorded at any step, as far as they come within 50 ms: give a list
            where computing them takes longer. By default they are read from the watched model.
        """
        try:
            end = soon()
            at = whole(step, end)
            if rows is not None:
                self._layers.write(at, rows, end)
            elif self._norms is None:
                raise ValueError("no model is watched; call watch(model) first")
            elif (reading := self._norms.at(at)) is not None:
                self._log_reading(at, reading)
        except Exception as error:
            self._failures.add("the layers of a step were not recorded", error)

    def _log_reading(self, step: int, reading: Reading) -> None:
        """Record what was read of a model's layers, without waiting for its device."""
        self._layers.write_reading(step, reading, soon())

    def close(self, status: str = "finished") -> None:
        """Wait for late values, bring the record to the disk, note the end and send what is left.

        All of it takes at most 5 seconds, the waiting at most half of that. What is logged later
        is still recorded.

        Parameters
        ----------
        status : str
            ``"finished"`` or ``"failed"``.
        """
        # The rows are given less: what is left notes the end of the run.
        if not within(CLOSE_LIMIT, partial(self._folder.end, status, 0.9 * CLOSE_LIMIT)):
            self._failures.add("the end is late", f"the disk took over {CLOSE_LIMIT:g} seconds")
        if self.failures > 1:
            self._failures.tell(f"{self.failures} failures in all")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        ended = error is None or (isinstance(error, SystemExit) and not error.code)  # sys.exit(0)
        self.close("finished" if ended else "failed")


def _nothing(*_: object, **__: object) -> tuple[str, ...]:
    """Stand for every method, in a process that does not record."""
    return ()
