"""3D charts while a run is recorded, made and sent by a process beside the training loop.

Neither drawing nor W&B can hold the loop, which says in one line how far the record goes. The
record is the buffer between the two: whatever fails, and however late that process is, it is whole.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Self

from viz3d.errors import Viz3dError
from viz3d.export.wandb.check import PROJECT, check_export
from viz3d.export.wandb.process import end, start
from viz3d.export.wandb.send import FINISH, INIT, START

if TYPE_CHECKING:
    from viz3d.settings import Settings

MODULE = "viz3d.export.wandb.live_child"
RECORDS = ("metrics.jsonl", "layers.jsonl")
DRAW = 60.0
"""Seconds for the charts of one step; they take a few, unless the computer is busy."""

_logger = logging.getLogger(__name__)


class LiveCharts:
    """Charts of a run folder under ``3d/...``, and at the end under ``final/3d/...``.

    They go to a W&B run, with every row of the record; where there is no W&B (without a key or a
    network, or where it is not wanted) as pages into the folder ``charts`` of the run, each over
    that of the step before. Nothing here raises into the training loop; what fails is a warning of
    the logger ``viz3d.export.wandb.live``. Also a context manager.

    Parameters
    ----------
    path : pathlib.Path
        The run folder that a `viz3d.Recorder` writes.
    settings : Settings
        Key, mode, project and entity of W&B.
    wandb : bool
        Whether the charts are wanted at W&B.
    name : str, optional
        Of the W&B run; by default that of the folder.

    Examples
    --------
    >>> rec = Recorder(path)  # doctest: +SKIP
    >>> with LiveCharts(path, load_settings()) as charts, rec:  # doctest: +SKIP
    ...     for step in range(1000):
    ...         rec.log(step, loss=train_step())
    ...         if step and step % 60 == 0:
    ...             charts.draw(step)
    ...     charts.draw(step, final=True)
    """

    def __init__(
        self, path: Path, settings: Settings, *, wandb: bool = True, name: str = ""
    ) -> None:
        self.path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._missed = 0
        self._seconds = START + (INIT + FINISH) * settings.patience
        mode = ""
        try:
            if wandb:
                mode = check_export(settings)
        except Viz3dError as error:
            _logger.warning("%s The charts are saved in %s.", error, path / "charts")
        job = {
            "path": str(path.resolve()),
            "shown": str(path),
            "mode": mode,
            "project": settings.wandb_project or PROJECT,
            "entity": settings.wandb_entity or None,
            "id": token_hex(4),
            "name": name or path.name,
            "resume": "never",
            "dir": os.environ.get("WANDB_DIR") or str(Path.cwd()),
            "key": settings.wandb_api_key if mode == "online" else "",
            "init": INIT * settings.patience,
            "finish": FINISH * settings.patience,
        }
        try:
            self._process = start(MODULE)
            self._send(job)
            if hasattr(os, "set_blocking"):  # a process that reads nothing must not hold the loop
                os.set_blocking(self._pipe(), False)
        except OSError as error:
            _logger.warning("There will be no charts of %s (%s).", path.name, error)

    def draw(self, step: int, *, final: bool = False) -> None:
        """Have charts made of all that was recorded up to now; returns at once.

        Parameters
        ----------
        step : int
            Training step at which they are logged.
        final : bool
            Whether they stand under ``final/3d/...``.
        """
        try:
            sizes = {name: size_of(self.path / name) for name in RECORDS}
            self._send({"step": int(step), "final": final, "sizes": sizes})
            self._seconds += DRAW
        except Exception as error:  # whatever it is, training goes on
            self._missed += 1
            if self._missed == 1:
                _logger.warning("There are no charts of step %s (%r).", step, error)

    def close(self, seconds: float | None = None) -> None:
        """Wait until all charts are made and sent.

        Parameters
        ----------
        seconds : float, optional
            How long at most; by default the deadlines of W&B and a minute for each step drawn.
        """
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        seconds = self._seconds if seconds is None else seconds
        if self._missed > 1:
            _logger.warning("There are no charts of %d steps in all.", self._missed)
        try:
            with suppress(OSError):
                process.stdin.close()
            if process.wait(timeout=seconds):
                _logger.warning("The charts of %s ended early; its record is whole.", self.path)
        except subprocess.TimeoutExpired:
            _logger.warning(
                "The charts of %s were not done after %.0f s, so they were given up; its record is "
                "whole.", self.path, seconds,
            )  # fmt: skip
        finally:
            end(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Who pressed Ctrl-C does not wait for pictures.
        self.close(INIT if kind and issubclass(kind, KeyboardInterrupt) else None)

    def _send(self, order: Mapping[str, object]) -> None:
        """Write one line; it is shorter than what a pipe takes whole or not at all."""
        os.write(self._pipe(), json.dumps(order).encode() + b"\n")

    def _pipe(self) -> int:
        if self._process is None or self._process.stdin is None:
            raise BrokenPipeError("the process that draws them is not there")
        return self._process.stdin.fileno()


def size_of(file: Path) -> int:
    """Return how much of a record there is, in bytes."""
    return file.stat().st_size if file.exists() else 0
