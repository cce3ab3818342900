"""A callback for the Trainer of Lightning, imported as ``lightning`` or ``pytorch_lightning``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument
from viz3d.record.hooks import Hook, quiet
from viz3d.record.layers import Reading

if TYPE_CHECKING:
    import torch

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")
_TRAINER = (
    "max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val",
    "gradient_clip_algorithm", "precision", "world_size", "log_every_n_steps",
)  # fmt: skip


class _Events(Hook):
    """Record what a LightningModule logs, and the layers of the module.

    What ``self.log`` hands to loggers is recorded when they get it (``log_every_n_steps``), with
    or without a logger of your own, and so are epoch ends, validation and, once trained, tests;
    values of their single batches are not. The step is ``trainer.global_step``, which counts
    optimiser steps; micro-batches of ``accumulate_grad_batches`` make one. ``learning_rate`` is
    added: that of the first parameter group in the step, where there is one optimiser. The config
    is the module's and the data module's hyper-parameters (``save_hyperparameters()``) with the
    Trainer's under ``trainer``. Nothing is raised into training. Process 0 alone records;
    ``fast_dev_run`` and the sanity check are not recorded.

    Layers are read before clipping. Lightning tells of exceptions, Ctrl-C included: the run is
    then noted as failed. A killed one stays ``running``.

    Parameters
    ----------
    path : str or os.PathLike
        The run folder; its last part is the name of the run. Resumed training goes on in it.
    config : mapping, optional
        More hyper-parameters; they come before the module's of the same name.
    layers_every : int, optional
        Steps from one record of the layers to the next; None records none.
    updates : bool
        Whether to record update ratios; see `Recorder.watch` for the memory.
    **options
        Further arguments of `Recorder`: ``tags``, ``upload``.

    Raises
    ------
    BadArgument
        Without a path.

    Examples
    --------
    >>> viz3d.LightningCallback("runs/my-run")  # doctest: +SKIP
    """

    _before: Reading | None = None

    def __init__(self, path: str | os.PathLike[str], **options: Any) -> None:
        if not path:  # a setting that is not set; the working folder is no run
            raise BadArgument(f"path is {path!r}; name the run folder, such as 'runs/my-run'.")
        super().__init__(path, **options)
        self._parameters: dict[str, Any] = {}
        self._rate: float | None = None
        self._step = -1
        self._in_batches = False

    @quiet
    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Stand behind the user's loggers, which are told what is logged and when."""
        if stage == "fit" and not trainer.fast_dev_run:
            others = [own for own in trainer.loggers if getattr(own, "events", None) is not self]
            trainer.loggers = [*others, _logger(self, trainer)]

    @quiet
    def on_train_start(self, trainer: Any, pl_module: torch.nn.Module) -> None:
        """Open the run folder and find the layers."""
        self._rate, self._step, self._before = None, -1, None
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        about = {name: getattr(trainer, name) for name in _TRAINER}
        assert self.path is not None
        self.begin(self.path, {**self._parameters, "trainer": about})
        self.watch(pl_module, self.layers_every)

    @quiet
    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: object, batch_idx: int
    ) -> None:
        """Read the weights and their last change at the first micro-batch of a step.

        Lightning computes gradients inside ``optimizer.step()``, which is too late for the change.
        """
        step = trainer.global_step + 1
        if self.layers is not None and step != self._step:
            self._step = step
            self._before = self.layers.at(step)

    @quiet
    def on_before_optimizer_step(
        self, trainer: Any, pl_module: Any, optimizer: torch.optim.Optimizer
    ) -> None:
        """Read the gradients, which are not clipped yet, and the learning rate."""
        if len(trainer.optimizers) == 1:
            self._rate = float(optimizer.param_groups[0]["lr"])
        step = trainer.global_step + 1
        before, self._before = self._before or Reading({}, {}, ()), None
        if self.layers is not None and step % self.layers.every == 0:
            self.write_layers(step, self.layers.read().after(before))

    @quiet
    def on_validation_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Leave out what is logged for single batches."""
        self._in_batches = True

    @quiet
    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what is logged for all of them."""
        self._in_batches = False

    on_test_epoch_start, on_test_epoch_end = on_validation_epoch_start, on_validation_epoch_end

    @quiet
    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Note that the run failed."""
        self._in_batches = False
        self.end("failed")

    @quiet
    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Note that the run came to its end."""
        self.end("finished")

    @quiet
    def take_parameters(self, parameters: Any) -> None:
        """Keep hyper-parameters, a mapping or a namespace, for the config."""
        known = isinstance(parameters, Mapping)
        self._parameters = dict(parameters if known else vars(parameters))

    @quiet
    def take_metrics(self, trainer: Any, metrics: Mapping[str, Any]) -> None:
        """Record a row that loggers get."""
        if self.recorder is not None and not self._in_batches:
            rate = {"learning_rate": self._rate} if trainer.training else {}
            self.recorder.log(trainer.global_step, {**rate, **metrics})


def _logger(hook: _Events, trainer: Any) -> Any:
    """Return a logger of the trainer's own package that tells `hook` what it gets.

    It answers whatever else a logger is asked for, as it is the only one where the user has none,
    and leaves the folders for checkpoints and logs as they are without it.
    """
    loaded = (package for package in _PACKAGES if package in sys.modules)
    package = next(name for name in loaded if isinstance(trainer, sys.modules[name].Trainer))
    base: Any = import_module(f"{package}.loggers.logger").DummyLogger

    class Listener(base):
        events = hook
        save_dir = property(lambda self: trainer.default_root_dir)

        def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
            hook.take_metrics(trainer, metrics)

        def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
            hook.take_parameters(params)

    return Listener()


@cache
def _callback(packages: tuple[str, ...]) -> type:
    about = {"__doc__": _Events.__doc__, "__module__": __name__}
    bases = (import_module(package).Callback for package in packages)
    return type("LightningCallback", (_Events, *bases), about)


def __getattr__(name: str) -> Any:
    """Make the callback when it is used, for those packages that the program has imported."""
    if name != "LightningCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    loaded = tuple(package for package in _PACKAGES if package in sys.modules)
    return _callback(loaded or (next(filter(_installed, _PACKAGES), _PACKAGES[0]),))


def _installed(package: str) -> bool:
    return find_spec(package.split(".", maxsplit=1)[0]) is not None
