"""The recorder: one object, called from a training loop, that writes a run folder."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from viz3d.record.about import Config
from viz3d.record.failures import Failures
from viz3d.record.folder import RunFolder
from viz3d.record.layers import EVERY, LayerNorms
from viz3d.record.limit import within
from viz3d.record.rank import writes_here
from viz3d.record.rows import line, numbers, whole
from viz3d.record.values import copied

if TYPE_CHECKING:
    import torch

# Seconds that a disk may hold the constructor, and `close`; a config the constructor.
OPEN_LIMIT = CLOSE_LIMIT = 5.0
CONFIG_LIMIT = 1.0
# And the client of a bucket.
LOAD_LIMIT = 3.0


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
        Hyper-parameters. What JSON cannot hold is written as text, and ``(left out)`` stands for
        what is a secret by its name or its form, or the value of a variable of the environment
        that is one. Without it a resumed run keeps the config that it has.
    tags : iterable of str, optional
        Words to find the run by.
    upload : str, optional
        ``gs://BUCKET/FOLDER``. A thread sends the rows there as they come, under the name of the
        run; what cannot be sent now is sent later, and `close` tells what was not. The constructor
        waits for at most 3 seconds more, until the client is loaded.

    Attributes
    ----------
    failures : int
        Rows and values that could not be recorded.
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
        config: Mapping[str, Any] | None = None,
        *,
        tags: Iterable[str] = (),
        upload: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.secrets = 0
        self._failures = Failures(self.path.name)
        self._folder = RunFolder(_absolute(self.path), self._failures, upload)
        self._metrics, self._layers = self._folder.metrics, self._folder.layers
        self._norms: LayerNorms | None = None
        if not writes_here():
            for name in ("log", "watch", "log_layers", "close"):
                setattr(self, name, _nothing)
            return
        weakref.finalize(self, self._folder.let_go)
        said = Config()
        if not within(CONFIG_LIMIT, partial(self._read, said, config, tags)):
            self._failed("not all of the config was recorded", "reading it takes too long")
        values = None if config is None else dict(said.values)
        if not within(OPEN_LIMIT, partial(self._folder.begin, values, list(said.tags))):
            self._failed("run.json is late", f"the disk took over {OPEN_LIMIT:g} seconds")
        self._folder.wait_ready(LOAD_LIMIT)

    @property
    def failures(self) -> int:
        """Rows and values that could not be recorded."""
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
            Numbers of Python, NumPy or PyTorch; None says that there is no value. A tensor on a
            GPU is waited for for at most 50 ms and else left out: call ``item()`` before, where
            you want to wait longer. Names have at most 200 characters. A metric called ``time``
            replaces the time of day (seconds since 1970) that every row carries.
        """
        try:
            if values is not None:
                metrics = {**copied(values), **metrics}
            named = metrics.pop("step", None)
            at = whole(named if step is None else step)
            kept, left_out = numbers(metrics)
            self._metrics.write(line({"step": at, "time": time.time(), **kept}))
        except Exception as error:  # whatever it is, training goes on
            self._failed("a row of metrics was not recorded", error)
            return
        if left_out:
            self._left_out(left_out)

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
            self._failed("the layers of the model were not found", error)
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
            known of the layer; recorded at any step. By default they are read from the watched
            model.
        """
        unread: tuple[str, ...] = ()
        try:
            at = whole(step)
            if rows is None:
                if self._norms is None:
                    raise ValueError("no model is watched; call watch(model) first")
                reading = self._norms.at(at)
                if reading is None:
                    return
                rows, unread = reading.rows, reading.left_out
            written = [_layer_row(at, row) for row in rows]
            if written:
                self._layers.write(b"".join(line(row) for row, _ in written))
        except Exception as error:
            self._failed("the layers of a step were not recorded", error)
            return
        self._left_out(name for _, left_out in written for name in left_out)
        for what in unread:
            self._failed("a part of the layers was not recorded", what)

    def close(self, status: str = "finished") -> None:
        """Bring the record to the disk and note how the run ended, in at most 5 seconds.

        Parameters
        ----------
        status : str
            ``"finished"`` or ``"failed"``.
        """
        if not within(CLOSE_LIMIT, partial(self._folder.end, status, CLOSE_LIMIT)):
            self._failed(
                "the end of the record was not brought to the disk",
                f"the disk took over {CLOSE_LIMIT:g} seconds",
            )
        if self.failures > 1:
            self._failures.tell(f"{self.failures} failures in all")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close("finished" if kind is None else "failed")

    def _read(self, said: Config, config: Mapping[str, Any] | None, tags: Iterable[str]) -> None:
        try:
            said.read({} if config is None else config, tags)
        except BaseException as error:  # a stranger's; this is not the loop's thread
            self._failed("not all of the config was recorded", error)
        for name in said.unreadable:
            self._failed("a value of the config was left out", f"{name:.80} cannot be written")
        self.secrets = len(said.secrets)
        if said.secrets:
            names = ", ".join(said.secrets)
            self._failures.tell(f"{self.secrets} values were left out as secrets: {names:.300}")

    def _left_out(self, left_out: Iterable[tuple[str, str]]) -> None:
        for name, why in left_out:
            self._failed(f"the metric {name[:80]!r} was left out", why)

    def _failed(self, what: str, why: object) -> None:
        self._failures.add(what, why)


def _nothing(*_: object, **__: object) -> tuple[str, ...]:
    """Stand for every method, in a process that does not record."""
    return ()


def _absolute(path: Path) -> Path:
    """Return where `path` is now: a training script may change its working folder."""
    try:
        return path.absolute()
    except OSError:  # the working folder is gone
        return path


def _layer_row(step: int, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the line of one layer (its place and name, then its numbers) and what is no number."""
    measured = {key: value for key, value in row.items() if key not in ("step", "layer", "name")}
    kept, left_out = numbers(measured)
    return {
        "step": step, "layer": whole(row["layer"]), "name": str(row["name"]), **kept,
    }, left_out  # fmt: skip
