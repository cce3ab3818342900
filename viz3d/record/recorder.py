"""The recorder: one object, called from a training loop, that writes a run folder."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from viz3d.record.append import AppendFile
from viz3d.record.layers import EVERY, LayerNorms
from viz3d.record.rows import line, numbers, plain, whole

if TYPE_CHECKING:
    import torch

SCHEMA = 1

_logger = logging.getLogger(__name__)


class Recorder:
    """Write a run folder while training; also a context manager.

    ``run.json`` says what the run is, ``metrics.jsonl`` holds a row per `log` and ``layers.jsonl``
    a row per layer and `log_layers`. A row is with the operating system when the call returns: a
    killed process loses none. Nothing here raises into the training loop: the first failure is one
    warning of the logger ``viz3d.record.recorder``, all are counted in `failures`.

    Opening a folder that already holds a run appends to it.

    Parameters
    ----------
    path : str or os.PathLike
        The run folder; its last part is the name of the run.
    config : mapping, optional
        Hyper-parameters. What JSON cannot hold is written as text. Without it a resumed run keeps
        the config that it has.
    tags : iterable of str, optional
        Words to find the run by.

    Attributes
    ----------
    failures : int
        Rows and values that could not be recorded.

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
    ) -> None:
        self.path = Path(path)
        self.failures = 0
        self._metrics = AppendFile(self.path / "metrics.jsonl")
        self._layers = AppendFile(self.path / "layers.jsonl")
        self._norms: LayerNorms | None = None
        self._about: dict[str, Any] = {}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._about = self._describe(config, tags)
            self._write_about("running")
        except Exception as error:  # training goes on without a record
            self._failed(f"the run could not be described in {self.path.name}/run.json", error)

    def log(self, step: Any = None, /, **metrics: Any) -> None:
        """Record the metrics of one step.

        Parameters
        ----------
        step : int
            May also be given by name, or as a metric called ``step``.
        **metrics : float
            Numbers of Python, NumPy or PyTorch; None says that there is no value. Names with a
            slash go in as ``**{"train/loss": 2.3}``. A metric called ``time`` replaces the time
            of day (seconds since 1970) that every row carries.
        """
        try:
            named = metrics.pop("step", None)
            row: dict[str, Any] = {"step": whole(named if step is None else step)}
            kept, left_out = numbers(metrics)
            self._metrics.write(line({**row, "time": time.time(), **kept}))
        except Exception as error:  # whatever it is, training goes on
            self._failed("a row of metrics was not recorded", error)
            return
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
        """Bring the record to the disk and note how the run ended.

        Parameters
        ----------
        status : str
            ``"finished"`` or ``"failed"``.
        """
        for file in (self._metrics, self._layers):
            try:
                file.close()
            except Exception as error:
                self._failed(f"{file.path.name} was not brought to the disk", error)
        try:
            if self._about:  # a run.json that could not be read is left as it was found
                self._write_about(status)
        except Exception as error:
            self._failed("the end of the run was not noted", error)
        if self.failures > 1:
            _logger.warning("%s: %d failures in all", self.path.name, self.failures)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close("finished" if kind is None else "failed")

    def _describe(self, config: Mapping[str, Any] | None, tags: Iterable[str]) -> dict[str, Any]:
        """Return what ``run.json`` says, keeping what an earlier part of the run wrote."""
        about: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.path.resolve().name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": "running",
            "config": plain(dict(config or {})),
            "tags": [str(tag) for tag in tags],
        }
        file = self.path / "run.json"
        if not file.exists():
            return about
        before = json.loads(file.read_text(encoding="utf-8"))
        about["created"] = before.get("created", about["created"])
        if config is None:
            about["config"] = before.get("config", {})
        about["tags"] = list(dict.fromkeys([*before.get("tags", []), *about["tags"]]))
        return about

    def _write_about(self, status: str) -> None:
        """Replace ``run.json`` in one move: a reader never sees half of it."""
        self._about["status"] = status
        text = json.dumps(self._about, indent=2) + "\n"
        part = self.path / f".run.json.{os.getpid()}"
        part.write_text(text, encoding="utf-8")
        part.replace(self.path / "run.json")

    def _left_out(self, names: Iterable[str]) -> None:
        for name in names:
            self._failed(f"the metric {name!r:.80} was left out", "it is not one number")

    def _failed(self, what: str, why: object) -> None:
        """Count a failure and tell the first one; a logger never raises, a warning filter may."""
        self.failures += 1
        if self.failures == 1:
            said = repr(why) if isinstance(why, BaseException) else why
            _logger.warning(
                "%s: %s (%.300s); training goes on, further failures are only counted",
                self.path.name, what, said,
            )  # fmt: skip


def _layer_row(step: int, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the line of one layer (its place and name, then its numbers) and what is no number."""
    measured = {key: value for key, value in row.items() if key not in ("step", "layer", "name")}
    kept, left_out = numbers(measured)
    return {
        "step": step, "layer": whole(row["layer"]), "name": str(row["name"]), **kept,
    }, left_out  # fmt: skip
