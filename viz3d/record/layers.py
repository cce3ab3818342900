"""Gradient norm, weight norm and update ratio of each layer of a PyTorch module."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from operator import index
from typing import TYPE_CHECKING, Any

from viz3d.record.blocks import is_spread, layers, unwrapped
from viz3d.record.norms import fetch, norms
from viz3d.record.updates import UpdateNorms

if TYPE_CHECKING:
    import torch

EVERY = 10
"""Steps from one record of the layers to the next."""


class Reading:
    """The layers at one step, computed where their tensors are and not yet fetched.

    Parameters
    ----------
    parts : dict of {(str, str): list of Tensor}
        Of each layer and measure the norms, of shape (), of its parameters.
    places : dict of {str: int}
        Positions in the model.
    left_out : tuple of str
        What could not be read, and why.
    change : callable, optional
        Given the row of a layer once it is fetched, returns the one to be recorded.
    """

    def __init__(
        self,
        parts: Mapping[tuple[str, str], list[torch.Tensor]],
        places: Mapping[str, int],
        left_out: tuple[str, ...],
        change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self._parts, self._places, self.left_out = parts, places, left_out
        self._change = change

    def changed(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Reading:
        """Return the reading with each row as `change` returns it."""
        return Reading(self._parts, self._places, self.left_out, change)

    def after(self, before: Reading) -> Reading:
        """Return the reading with the updates of one before it, at the same weights."""
        own = {key: found for key, found in self._parts.items() if key[1] != "update"}
        names = {name for name, _ in own}
        updates = {
            (name, measure): found
            for (name, measure), found in before._parts.items()
            if measure == "update" and name in names
        }
        left_out = dict.fromkeys((*before.left_out, *self.left_out))
        return Reading({**own, **updates}, self._places, tuple(left_out))

    @property
    def is_on_host(self) -> bool:
        """Whether `rows` waits for no other device."""
        return all(norm.device.type == "cpu" for found in self._parts.values() for norm in found)

    def rows(self) -> list[dict[str, Any]]:
        """Fetch the norms, in one transfer.

        Returns
        -------
        list of dict
            One per layer: ``layer`` (position in the model, from 0, frozen layers counted),
            ``name`` and what there is of ``grad_norm``, ``weight_norm`` (Euclidean norms over all
            parameters of the layer that are trained) and ``update_ratio``.
        """
        values = iter(fetch([norm for found in self._parts.values() for norm in found]))
        rows: dict[str, dict[str, Any]] = {}
        for (name, measure), found in self._parts.items():
            row = rows.setdefault(name, {"layer": self._places[name], "name": name})
            row[measure] = math.hypot(*(next(values) for _ in found))
        for row in rows.values():
            change, size = row.pop("update", None), row.get("weight_norm", 0.0)
            if change is not None and size:
                row["update_ratio"] = change / size
        return [self._change(row) if self._change else row for row in rows.values()]


class LayerNorms:
    """Reads the norms of a model's layers; keeps no tensor alive.

    Parameters
    ----------
    model : torch.nn.Module
        Parameters that several layers share count for the first of them; frozen ones are left
        out. What is trained may change later: the layers are then found anew.
    every : int
        Steps from one reading to the next.
    updates : bool
        Whether to measure the last optimiser step before each reading (see `UpdateNorms`).

    Attributes
    ----------
    names : tuple of str
        Layers in model order, without the names of wrappers.

    Raises
    ------
    TypeError, ValueError
        If `every` is no integer, or less than 1.
    """

    def __init__(self, model: torch.nn.Module, *, every: int = EVERY, updates: bool = True) -> None:
        self.every = index(every)
        if self.every < 1:
            raise ValueError(f"every is {every!r}; it has to be 1 step or more")
        self._updates = UpdateNorms() if updates else None
        model = unwrapped(model)
        self._model = weakref.ref(model)
        self._places: dict[str, int] = {}
        self._find(model)

    def at(self, step: int) -> Reading | None:
        """Return the layers if `step` is one to be recorded; to be called at every step."""
        try:
            return self.read() if step % self.every == 0 else None
        finally:
            if self._updates is not None:
                if (step + 1) % self.every == 0:
                    self._updates.arm(p for _, parameters in self._layers for p in parameters)
                elif self._updates.armed:
                    self._updates.disarm()

    def read(self) -> Reading:
        """Return the layers with the gradients as they are now.

        A layer without a gradient has no ``grad_norm``. One without a weight that is not zero, or
        with a parameter that was in no optimiser step since the call before, has no
        ``update_ratio``. What only some of a layer's parameters would give is left out.
        """
        self._refresh()
        left_out = [f"{name:.80} is spread over processes" for name in self._spread]
        left_out += [] if self._updates is None else self._updates.errors
        measured = list(self._measure())
        if not measured and not self._spread:
            left_out.append("the watched model is gone, or nothing of it is trained")
        parts: dict[tuple[str, str], list[torch.Tensor | None]] = {}
        for name, measure, norm in measured:
            parts.setdefault((name, measure), []).append(norm)
        whole: dict[tuple[str, str], list[torch.Tensor]] = {}
        for (name, measure), found in parts.items():
            known = [norm for norm in found if norm is not None]
            if len(known) < len(found):
                left_out.append(f"the {measure} of {name:.80} cannot be told")
            else:
                whole[name, measure] = known
        return Reading(whole, dict(self._places), tuple(left_out))

    def _measure(self) -> Iterator[tuple[str, str, torch.Tensor | None]]:
        """Yield layer, measure and norm of each parameter, the norms still on their devices."""
        tensors: list[tuple[str, str, torch.Tensor]] = []
        changes: list[tuple[str, str, torch.Tensor | None]] = []
        for name, references in self._layers:
            alive = [own for reference in references if (own := reference()) is not None]
            if len(alive) < len(references):  # its module is gone
                continue
            tensors += [(name, "grad_norm", own.grad) for own in alive if own.grad is not None]
            tensors += [(name, "weight_norm", own) for own in alive]
            if self._updates is not None:
                moved = [self._updates.of(own) for own in alive]
                if all(seen for seen, _ in moved):
                    changes += [(name, "update", norm) for _, norm in moved]
        found = norms([tensor for *_, tensor in tensors])
        for (name, measure, _), norm in zip(tensors, found, strict=True):
            yield name, measure, norm
        yield from changes

    def _find(self, model: torch.nn.Module) -> None:
        """Find the layers of the model as it is now; each name keeps the place it had."""
        self._layers: list[tuple[str, list[weakref.ref[torch.nn.Parameter]]]] = []
        self._spread: list[str] = []
        seen: set[int] = set()
        names = []
        for name, members in layers(model):
            self._places.setdefault(name, len(self._places))
            fresh = [p for p in members if p.requires_grad and id(p) not in seen]
            seen.update(id(p) for p in fresh)
            if any(is_spread(p) for p in fresh):
                self._spread.append(name)
            elif fresh:
                self._layers.append((name, [weakref.ref(p) for p in fresh]))
            names += [name] if fresh else []
        self._trained = [weakref.ref(p) for p in model.parameters() if p.requires_grad]
        self.names = tuple(names)

    def _refresh(self) -> None:
        """Find the layers anew if the model trains other parameters than those found."""
        model = self._model()
        if model is None:
            return  # a part that lives on elsewhere is still read
        now = [p for p in model.parameters() if p.requires_grad]
        if [id(reference()) for reference in self._trained] != [id(p) for p in now]:
            self._find(model)
