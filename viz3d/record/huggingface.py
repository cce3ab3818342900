"""A callback for the Trainer of Hugging Face transformers, and so for those of TRL."""

from __future__ import annotations

import math
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.record.hooks import Hook, quiet
from viz3d.record.layers import Reading

if TYPE_CHECKING:
    import torch

_EPSILON = 1e-6
"""What PyTorch's `clip_grad_norm_` adds to the norm that it divides by."""


class _Events(Hook):
    """Record what a Trainer of transformers or TRL logs, and the layers of its model.

    Every row that the Trainer logs is recorded at the step it counts, with the Trainer's own
    names: ``loss``, ``grad_norm`` (before clipping), ``learning_rate``, ``eval_loss``, ``reward``,
    …. The config is that of the Trainer with the model's under ``model``. Nothing is raised into
    training and the Trainer's own logging stays as it is. Process 0 alone records.

    Transformers calls no callback between ``backward()`` and clipping. The layers' ``grad_norm``
    is what they had *before* clipping all the same: the norm after it, divided by the factor that
    the Trainer clipped with, which follows from the ``grad_norm`` that it logs for the step. So
    layers are recorded at the steps that both `layers_every` and the Trainer's ``logging_steps``
    divide. Where the Trainer clips and does not log the step, the norm is called
    ``clipped_grad_norm``.

    Transformers tells no callback of an exception: such a run stays ``running`` until the callback
    is dropped or the process ends, and is then noted as failed. A killed one stays ``running``.

    Parameters
    ----------
    path : str or os.PathLike, optional
        The run folder; by default ``runs/NAME`` in the working folder, where NAME is the last part
        of ``run_name``, else of ``output_dir``. Resumed training goes on in the same folder. Each
        trial of ``hyperparameter_search`` is a run of its own, ``NAME-trial-1`` and so on.
    config : mapping, optional
        More hyper-parameters; they come before the Trainer's of the same name.
    layers_every : int, optional
        Steps from one record of the layers to the next; None records none.
    updates : bool
        Whether to record update ratios; see `Recorder.watch` for the memory.
    **options
        Further arguments of `Recorder`: ``tags``, ``upload``.

    Examples
    --------
    >>> trainer = Trainer(model, args, callbacks=[viz3d.HuggingFaceCallback()])  # doctest: +SKIP
    """

    _held: tuple[int, Reading] | None = None
    _clips_at = 0.0

    @quiet
    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: torch.nn.Module, **_: Any
    ) -> None:
        """Open the run folder and find the layers."""
        self._held = None
        if not state.is_world_process_zero:
            return
        config = {k: v for k, v in args.to_dict().items() if not k.endswith("_token")}
        own: Any = getattr(model, "config", None)
        if hasattr(own, "to_dict"):
            config["model"] = own.to_dict()
        named = Path(args.run_name or args.output_dir)
        # "." and ".." are no names: the record would lie among others, or outside of runs.
        name = named.resolve().name if named.name in ("", "..") else named.name
        path = Path(self.path or Path("runs") / (name or "run"))
        self.begin(_of_trial(path) if state.is_hyper_param_search else path, config)
        self._clips_at = args.max_grad_norm or 0.0
        every = self.layers_every
        if every is not None and self._clips_at > 0 and args.logging_strategy == "steps":
            every = math.lcm(every, state.logging_steps)
        self.watch(model, every)

    @quiet
    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read the layers, whose gradients are clipped by now; the step has not been counted."""
        step = state.global_step + 1
        if self.layers is not None and (reading := self.layers.at(step)) is not None:
            self._held = step, reading

    @quiet
    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Record a row, and the layers that waited for the norm in it."""
        if self.recorder is not None and logs:
            self.recorder.log(state.global_step, logs)
            if "grad_norm" in logs:
                self._write_held(float(logs["grad_norm"]))

    @quiet
    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Record the layers of the last step if the Trainer logged no row for it."""
        self._write_held()

    @quiet
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note that the run came to its end."""
        self._write_held()
        self.end("finished")

    def _write_held(self, norm: float | None = None) -> None:
        if self._held is not None:
            (step, reading), self._held = self._held, None
            whole = partial(unclipped, norm=norm, limit=self._clips_at)
            self.write_layers(step, reading.changed(whole))


def _of_trial(path: Path) -> Path:
    """Return a folder beside `path` that no other trial has: their steps all begin at 0."""
    folders = (path.with_name(f"{path.name}-trial-{number}") for number in count(1))
    return next(folder for folder in folders if not folder.exists())


def unclipped(row: dict[str, Any], norm: float | None, limit: float) -> dict[str, Any]:
    """Return the row of a layer with the norm that its gradient had before clipping.

    Parameters
    ----------
    row : dict
        Of the layer after clipping.
    norm : float or None
        The norm of the whole gradient before clipping; None if it is not known.
    limit : float
        The largest norm that clipping leaves; 0 if nothing was clipped.

    Returns
    -------
    dict
        With ``clipped_grad_norm`` where the factor of the clipping is not known, and without a norm
        where it was 0: an infinite gradient in one layer makes zeros of all others.
    """
    if limit <= 0 or "grad_norm" not in row:
        return row
    rest = {key: value for key, value in row.items() if key != "grad_norm"}
    if norm is None:
        return {**rest, "clipped_grad_norm": row["grad_norm"]}
    if math.isinf(norm) and row["grad_norm"] == 0:
        return rest
    return {**rest, "grad_norm": row["grad_norm"] * max(1.0, (norm + _EPSILON) / limit)}


def __getattr__(name: str) -> Any:
    """Make the callback when it is first used, as only then transformers may be imported."""
    if name != "HuggingFaceCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from transformers import TrainerCallback

    about = {"__doc__": _Events.__doc__, "__module__": __name__}
    made = globals()[name] = type(name, (_Events, TrainerCallback), about)
    return made
