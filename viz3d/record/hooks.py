"""What the callbacks of all frameworks share: a recorder that is opened and closed by events."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from viz3d.record.failures import Failures
from viz3d.record.layers import EVERY, LayerNorms, Reading
from viz3d.record.recorder import Recorder

if TYPE_CHECKING:
    import torch

# What stands in a hook beside its settings.
_OF_ONE_RUN = {"recorder", "layers", "trouble", "_unended", "_held", "_before"}

_Event = TypeVar("_Event", bound=Callable[..., None])


def quiet(event: _Event) -> _Event:
    """Count what an event of a `Hook` raises and tell the first of it: training goes on."""

    @wraps(event)
    def guarded(self: Hook, *args: Any, **kwargs: Any) -> None:
        try:
            event(self, *args, **kwargs)
        except Exception as error:
            self.trouble.add(f"what {event.__name__} tells was not recorded", error)

    return guarded  # type: ignore[return-value]


class Hook:
    """A recorder, and the layers of a model, driven by a framework's events.

    A run that was begun and not ended is noted as failed when the hook goes: at the end of the
    process at the latest, also where a framework does not tell of exceptions. A copy, as one that
    is pickled for a spawned process, has the settings alone.

    Attributes
    ----------
    recorder : Recorder or None
        None before training, and in every process but the first.
    layers : LayerNorms or None
        None where none are read, and outside training.
    trouble : Failures
        Failures of the hook itself, beside those of the recorder.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        layers_every: int | None = EVERY,
        updates: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        self._begin_fresh()
        self.path = path
        self.layers_every = layers_every
        self._config = dict(config or {})
        self._updates = updates
        self._options = options

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings; a record has one writer."""
        return {name: value for name, value in vars(self).items() if name not in _OF_ONE_RUN}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take over the settings."""
        vars(self).update(state)
        self._begin_fresh()

    def _begin_fresh(self) -> None:
        self.recorder: Recorder | None = None
        self.trouble = Failures(type(self).__name__)
        self.layers: LayerNorms | None = None
        self._unended: weakref.finalize[[str], Hook] | None = None

    def begin(self, path: str | os.PathLike[str], config: Mapping[str, Any]) -> None:
        """Open the run folder; what was begun before and not ended has failed."""
        self.end("failed")
        recorder = Recorder(path, {**config, **self._config}, **self._options)
        self.recorder, self.layers = recorder, None
        self._unended = weakref.finalize(self, recorder.close, "failed")
        # Python's own call of it may come too late: after that which ends the sending to a bucket.
        atexit.register(self._unended)

    def watch(self, model: torch.nn.Module, every: int | None) -> None:
        """Choose the model whose layers are read every so many steps; None reads none."""
        if every is not None:
            self.layers = LayerNorms(model, every=every, updates=self._updates)

    def write_layers(self, step: int, reading: Reading) -> None:
        """Record the layers of a step; those of a device that is behind follow when they come."""
        if self.recorder is not None:
            self.recorder._log_reading(step, reading)

    def end(self, status: str) -> None:
        """Note how the run ended, once. Rows are still taken: of an evaluation afterwards."""
        unended, self._unended, self.layers = self._unended, None, None
        if unended is not None and unended.detach() and self.recorder is not None:
            atexit.unregister(unended)
            self.recorder.close(status)
