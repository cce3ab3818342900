"""The work itself: every point of a landscape, part by part, from the disk where it is there."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.grid import LandscapeGrid, LandscapePath
from viz3d.record.landscape.checkpoints import Checkpoint
from viz3d.record.landscape.code import code_of
from viz3d.record.landscape.fingerprint import fingerprint
from viz3d.record.landscape.hessian import hessian_eigenvalues
from viz3d.record.landscape.ledger import Ledger
from viz3d.record.landscape.planes import Plane
from viz3d.record.landscape.progress import Progress
from viz3d.record.landscape.samples import Measure
from viz3d.record.landscape.weights import Weights
from viz3d.version import __version__

SCHEMA = 1

Floats = NDArray[np.float64]

_logger = logging.getLogger(__name__)


@dataclass
class Work:
    """One landscape to measure.

    Attributes
    ----------
    name, kind : str
    measure : Measure
    weights : Weights
        Of the model that is measured; at the centre.
    plane : Plane
    checkpoints : sequence of Checkpoint
    centre_step : int or None
    problems : list of str
        What was left out.
    """

    name: str
    kind: str
    measure: Measure
    weights: Weights
    plane: Plane
    checkpoints: Sequence[Checkpoint]
    centre_step: int | None = None
    problems: list[str] = field(default_factory=list)

    def asked(self) -> dict[str, Any]:
        """Return all that decides what is measured, as JSON holds it."""
        called = (self.measure.loss_fn, self.measure.reward_fn, self.measure.model)
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "alpha": self.plane.alpha.tolist(),
            "beta": None if self.plane.beta is None else self.plane.beta.tolist(),
            "seed": self.measure.seed,
            "code": fingerprint([code_of(one) for one in called]),
            "digest": fingerprint(
                self.weights.centre,
                [(c.step, c.tensors) for c in self.checkpoints],
                self.measure.batches,
            ),
        }

    def run(self, ledger: Ledger, eigenvalues: int, shown: bool | None) -> LandscapeGrid:
        """Measure what `ledger` does not hold yet; the model ends at the centre."""
        plane, place = self.plane, self.weights.place
        origin = (0.0,) * len(plane.directions)
        bar = Progress(self.name, 1 + len(self.checkpoints) + math.prod(plane.shape), shown)

        def part(key: str, moves: Sequence[Callable[[], None]]) -> list[list[list[float]]]:
            found = ledger.get(key)
            bar.add(len(moves) if found else 0, measured=False)
            if not found:
                found = []
                for move in moves:
                    move()
                    found.append([[m.value, m.se, m.n] for m in self.measure()])
                    bar.add(1)
                ledger.put(key, found)
            return list(found)

        home = partial(place, origin, plane.directions)
        [centre] = part("centre", [home])
        own = []
        for i, checkpoint in enumerate(self.checkpoints):
            # What a checkpoint does not hold is the centre's, not the last checkpoint's.
            whole = {**self.weights.centre, **checkpoint.tensors}
            own.append(part(f"path {i}", [partial(self.weights.put, whole)])[0])
        grid = np.array(
            [
                part(f"row {i}", [partial(place, at, plane.directions) for at in row])
                for i, row in enumerate(plane.rows)
            ]
        ).reshape(*plane.shape, len(centre), 3)
        home()
        hessian = self._hessian(ledger, eigenvalues) if eigenvalues else None
        values, residuals = (np.array(h) for h in hessian) if hessian else (None, None)
        quantities = ("loss", "reward")[: len(centre)]
        return LandscapeGrid(
            name=self.name,
            alpha=plane.alpha,
            beta=plane.beta,
            values={name: grid[..., i, 0] for i, name in enumerate(quantities)},
            errors={name: grid[..., i, 1] for i, name in enumerate(quantities)},
            path=self._path(own),
            eigenvalues=values,
            eigenvalue_residuals=residuals,
            meta=self._meta(centre[0]),
        )

    def _path(self, own: Sequence[list[list[float]]]) -> LandscapePath | None:
        path = self.plane.path
        if path is None:
            return None
        alpha, *beta = path.coordinates.T
        loss, *reward = np.array(own, dtype=np.float64)[..., 0].T
        return LandscapePath(
            alpha=alpha,
            beta=beta[0] if beta else np.zeros(len(alpha)),
            residual=path.residual,
            step=np.array([c.step for c in self.checkpoints], dtype=np.int64),
            loss=loss,
            reward=reward[0] if reward else None,
        )

    def _hessian(self, ledger: Ledger, k: int) -> list[list[float]] | None:
        """Return eigenvalues and residuals; a loss without second derivatives costs no grid."""
        found: list[list[float]] | None = ledger.get(f"eigenvalues {k}")
        if found is None:
            parameters = [self.weights.tensors[name] for name in self.weights.trained]
            try:
                top = hessian_eigenvalues(self.measure, parameters, k)
            except Exception as error:  # of the user's loss, or of an operation in it
                said = f"The Hessian's eigenvalues were not found ({error!s:.200})."
                self.problems.append(said)
                _logger.warning("%s The landscape has none.", said)
                return None
            found = [top.values.tolist(), top.residuals.tolist()]
            ledger.put(f"eigenvalues {k}", found)
        return found

    def _meta(self, centre: Sequence[float]) -> dict[str, Any]:
        plane, step = self.plane, self.centre_step
        if step is None and plane.path is not None:
            at_home = np.flatnonzero(plane.path.distance == 0)
            step = self.checkpoints[at_home[0]].step if at_home.size else None
        kinds = {str(self.weights.tensors[n].dtype) for n in self.weights.trained}
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "centre_step": step,
            "centre_loss": centre[0] if math.isfinite(centre[0]) else None,
            "centre_loss_se": centre[1] if math.isfinite(centre[1]) else None,
            "normalisation": plane.normalisation,
            "seed": self.measure.seed,
            "ignored": plane.ignored,
            "n_samples": int(centre[2]),
            "n_batches": len(self.measure.batches),
            "precision": ", ".join(sorted(kind.removeprefix("torch.") for kind in kinds)),
            "title_alpha": plane.titles[0],
            "title_beta": plane.titles[1] if plane.beta is not None else "",
            "explained": list(plane.explained),
            "problems": list(self.problems),
            "version": __version__,
        }
