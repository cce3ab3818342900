"""What a run can be put on an axis by: the step, a metric, a role or a key of its config."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz3d.analysis.configs import flat_config, value_key
from viz3d.run import Run

STEP = "step"
CONFIG = "config."
"""Stands before a key of a config where a metric or a role has the same name."""

MOST_CATEGORIES = 30
"""A text with more values than this is a name or a note, not a category."""


@dataclass(frozen=True)
class Quantity:
    """What stands on one axis, the same for all runs.

    Attributes
    ----------
    name : str
        As it was asked for.
    kind : {"step", "metric", "config"}
    categories : tuple of str
        Values of a config key that is text, sorted; empty for numbers.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()

    @property
    def constant(self) -> bool:
        """Whether it is one value per run."""
        return self.kind == "config"


def quantity(runs: Sequence[Run], name: str) -> Quantity | None:
    """Find what a name stands for in these runs; None if in none of them for anything.

    A metric in any of the runs comes before a key of their configs, so that an axis is never one
    thing for one run and another for the next.
    """
    if name == STEP:
        return Quantity(name, "step")
    if any(metric_of(run, name) is not None for run in runs):
        return Quantity(name, "metric")
    values = [value for run in runs if (value := setting(run, name)) is not None]
    if not values:
        return None
    if all(isinstance(value, float) for value in values):
        return Quantity(name, "config")
    # Where some runs have a number and others a text, all are texts.
    texts = sorted({category(value) for value in values})
    return Quantity(name, "config", tuple(texts)) if len(texts) <= MOST_CATEGORIES else None


def metric_of(run: Run, name: str) -> str | None:
    """Return the metric of a run that a role or a metric's own name stands for."""
    metric = run.roles.get(name, name)
    return metric if metric in run.metrics else None


def named_metrics(run: Run) -> dict[str, str]:
    """Return the metrics of a run, each under its role or else its own name.

    A metric whose name is the role of another has none: `metric_of` finds the other.
    """
    role = {metric: name for name, metric in run.roles.items()}
    return {
        role.get(metric, metric): metric
        for metric in run.metrics
        if metric in role or metric not in run.roles
    }


def setting(run: Run, name: str) -> float | str | None:
    """Return a value of the config, ``outer.inner`` from inside it, as number or text.

    Text that reads as a number is one; true and false are text; lists and what is not finite are
    nothing.
    """
    return _plain(flat_config(run.config).get(name.removeprefix(CONFIG)))


def category(value: float | str) -> str:
    """Return a value as the name of a category; two numbers never have one name."""
    return value if isinstance(value, str) else value_key(value)


def quantities(runs: Sequence[Run]) -> tuple[Quantity, ...]:
    """Return all that can stand on an axis: step, roles, other metrics, then keys of the configs.

    A metric that plays a role is offered once, by its role.
    """
    names: dict[str, None] = {STEP: None} if any(run.metrics for run in runs) else {}
    for run in runs:
        names |= dict.fromkeys(r for r, metric in run.roles.items() if metric in run.metrics)
    for run in runs:
        played = set(run.roles.values())
        names |= dict.fromkeys(metric for metric in run.metrics if metric not in played)
    keys = dict.fromkeys(f"{CONFIG}{key}" for run in runs for key in flat_config(run.config))
    found = (quantity(runs, name) for name in [*names, *keys])
    return tuple(one for one in found if one is not None)


def _plain(value: Any) -> float | str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not value.strip():
        return None
    if not isinstance(value, str | int | float | np.integer | np.floating):
        return None
    try:
        return _finite(float(value))
    except OverflowError:  # a whole number beyond the range of floats
        return None
    except ValueError:
        return str(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
