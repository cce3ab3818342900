"""How far an optimiser step moves each parameter, measured around the step itself.

The copy that this takes exists only while ``step()`` runs, when the activations of the forward
pass are gone, and only in the steps asked for.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from viz3d.record.norms import norms

if TYPE_CHECKING:
    import torch

_armed: weakref.WeakSet[UpdateNorms] = weakref.WeakSet()
_hooked = False


class UpdateNorms:
    """Norms of what the last optimiser step changed, parameter by parameter.

    Any ``torch.optim.Optimizer`` is seen, also several side by side; each is measured by itself.
    An optimiser of another kind, or one that steps copies of the weights of its own, is not.

    Memory: in a measured step one copy of those of the parameters that the optimiser at work owns,
    in their own precision, from its start to its end; afterwards one scalar per parameter.

    Attributes
    ----------
    armed : bool
        Whether steps are measured now.
    errors : list of str
        Steps that could not be measured since `arm`.
    """

    def __init__(self) -> None:
        _hook()  # here and not in the loop: the first time takes seconds
        self.armed = False
        self.errors: list[str] = []
        self._watched: dict[int, weakref.ref[torch.Tensor]] = {}
        self._copies: list[
            tuple[int, list[tuple[weakref.ref[torch.Tensor], torch.Tensor]]]
        ] = []  # innermost step last
        self._norms: dict[int, torch.Tensor | None] = {}

    def arm(self, parameters: Iterable[weakref.ref[torch.Tensor]]) -> None:
        """Measure these parameters in every optimiser step from now until `disarm`."""
        self.disarm()
        alive = [(reference(), reference) for reference in parameters]
        self._watched = {id(own): reference for own, reference in alive if own is not None}
        _armed.add(self)
        self.armed = True

    def disarm(self) -> None:
        """Stop, and forget what was measured."""
        _armed.discard(self)
        self.armed = False
        self.errors = []
        self._watched, self._copies, self._norms = {}, [], {}

    def of(self, parameter: torch.Tensor) -> tuple[bool, torch.Tensor | None]:
        """Say whether a step of `parameter` was seen, and the norm of its change, of shape ().

        The norm is None where PyTorch cannot tell it.
        """
        seen = self._owns(parameter) and id(parameter) in self._norms
        return seen, self._norms[id(parameter)] if seen else None

    def before(self, optimizer: torch.optim.Optimizer) -> None:
        """Copy what `optimizer` is about to change."""
        # An optimiser inside another one, or its own super().step(): the outer copy covers it.
        taken = {id(own()) for _, copies in self._copies for own, _ in copies}
        copies: list[tuple[weakref.ref[torch.Tensor], torch.Tensor]] = []
        self._copies.append((id(optimizer), copies))
        own = {
            id(parameter): parameter
            for group in optimizer.param_groups
            for parameter in group["params"]
            if self._owns(parameter) and id(parameter) not in taken
        }
        for at in own:
            self._norms.pop(at, None)  # of the step before
        for at, parameter in own.items():
            copies.append((self._watched[at], parameter.detach().clone()))

    def after(self, optimizer: torch.optim.Optimizer) -> None:
        """Replace the copies by the norms of what changed."""
        import torch

        levels = [at for at, (owner, _) in enumerate(self._copies) if owner == id(optimizer)]
        if not levels:  # armed within the step
            return
        pairs = [(own(), copy) for own, copy in self._copies.pop(levels[-1])[1]]
        moved = [(own.detach(), copy) for own, copy in pairs if own is not None]
        changes = [copy for _, copy in moved]
        if changes:  # in place: the change needs no second copy
            torch._foreach_sub_(changes, [weight for weight, _ in moved])
        places = [id(own) for own, _ in pairs if own is not None]
        self._norms.update(zip(places, norms(changes), strict=True))

    def _owns(self, parameter: torch.Tensor) -> bool:
        reference = self._watched.get(id(parameter))
        return reference is not None and reference() is parameter


def _hook() -> None:
    """Have PyTorch call this module around every optimiser step of the process.

    Once and for good: PyTorch goes through its hooks while it calls them, so one that is taken
    away at the wrong moment would raise into the loop. Without anything armed they do nothing.
    """
    global _hooked  # noqa: PLW0603 - PyTorch's list of hooks is global too
    if _hooked:
        return
    from torch import compiler
    from torch.optim import optimizer

    _hooked = True
    # A compiled step calls them; it does not compile them, nor itself anew as they come to work.
    optimizer.register_optimizer_step_pre_hook(compiler.disable(_before))
    optimizer.register_optimizer_step_post_hook(compiler.disable(_after))


def _before(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for updates in tuple(_armed):
        try:
            updates.before(optimizer)
        except Exception as error:  # no memory, say; the step is taken all the same
            updates.errors.append(f"the weights were not copied before a step: {error!r:.200}")


def _after(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for updates in tuple(_armed):
        try:
            updates.after(optimizer)
        except Exception as error:  # a parameter took another shape or device in between
            updates.errors.append(f"the change of a step was not measured: {error!r:.200}")
