"""Group runs that differ only in their seed, and join each group on the logged step.

Nothing is interpolated: a step has the members that logged it, and their number stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.configs import flat_config, value_key
from viz3d.analysis.statistics import CONFIDENCE, Floats
from viz3d.run import Run

NAMING = frozenset(
    {
        "run_name", "run_id", "output_dir", "out_dir", "save_dir", "log_dir", "logdir",
        "logging_dir", "checkpoint_dir", "ckpt_dir", "hub_model_id", "default_local_dir",
        "wandb_run_name", "wandb_run_id", "wandb_name", "wandb_id",
    }
)  # fmt: skip
"""Keys by which trainers name a run or say where it writes: transformers, nanoGPT, verl and others.

``name`` and ``exp_name`` are not among them: people write settings into the one, and CleanRL's
other is the algorithm.
"""

NAMING_AT_TOP = frozenset({"run"})
"""The same where nothing stands before it: nanochat's ``run``."""

NOTES = "_wandb."
"""What W&B notes of a run, its id and beginning, stands below this key."""

Steps = NDArray[np.int64]


@dataclass(frozen=True)
class SeedGroup:
    """Runs whose settings are equal but for the seed; a run that has no such partner is alone.

    Attributes
    ----------
    runs : tuple of Run
    ignored : tuple of str
        Settings in which they differ all the same: seeds, and keys that name a run.
    """

    runs: tuple[Run, ...]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedGroups:
    """All groups of some runs.

    Attributes
    ----------
    groups : tuple of SeedGroup
        In the order in which their first runs came.
    unknown : tuple of str
        Runs that log no seed, or nothing but seeds and names; each is a group of its own.
    repeated : tuple of str
        Runs with the seed of an earlier member; they are in no group, because the same seed twice
        says nothing about other seeds.
    """

    groups: tuple[SeedGroup, ...]
    unknown: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joined:
    """Mean of the members at every step that two or more of them logged, shape (m,).

    Attributes
    ----------
    step : ndarray of int64
    n : ndarray of int64
        Members with a finite value at the step, at least 2.
    mean, lower, upper : ndarray of float64
        The interval is Student's t for the mean at that step alone: pointwise.
    alone : int
        Steps left out because one member alone has a finite value there.
    ended : int
        Steps with fewer members because some ended before or began after.
    apart : int
        Steps with fewer members because some logged at other steps.
    nonfinite : int
        Steps at which a member logged NaN or infinity; the mean is that of the others.
    """

    step: Steps
    n: Steps
    mean: Floats
    lower: Floats
    upper: Floats
    alone: int
    ended: int
    apart: int
    nonfinite: int


def group_seeds(runs: Sequence[Run]) -> SeedGroups:
    """Group the runs whose settings are equal but for their seeds.

    A seed is a setting whose last part ends in "seed": ``seed``, ``model.seed``, ``data_seed``.
    Keys that merely name a run (`NAMING`) may differ as well; a group says which did.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    SeedGroups
    """
    found: dict[object, dict[object, Run]] = {}
    unknown, repeated = [], []
    for place, run in enumerate(runs):
        flat = {key: value_key(v) for key, v in flat_config(run.config).items() if v is not None}
        seeds = {key: value for key, value in flat.items() if _is_seed(key)}
        settings = {k: v for k, v in flat.items() if k not in seeds and not _is_name(k)}
        if not seeds or not settings:
            unknown.append(run.name)
            found[place] = {None: run}
            continue
        members = found.setdefault(tuple(sorted(settings.items())), {})
        seed = tuple(sorted(seeds.items()))
        if seed in members:
            repeated.append(run.name)
        else:
            members[seed] = run
    groups = [tuple(members.values()) for members in found.values()]
    named = tuple(SeedGroup(runs, differing_settings(runs)) for runs in groups)
    return SeedGroups(named, tuple(unknown), tuple(repeated))


def differing_settings(runs: Sequence[Run], *, seeds: bool = True) -> tuple[str, ...]:
    """Return the keys whose values are not the same in all runs, without `seeds` no seed or name.

    A setting that a run lacks and one that is None are the same.
    """
    flat = [flat_config(run.config) for run in runs]
    keys = dict.fromkeys(key for config in flat for key in config)
    return tuple(
        key
        for key in keys
        if len({value_key(config.get(key)) for config in flat}) > 1
        and (seeds or not (_is_seed(key) or _is_name(key)))
    )


def _last_part(key: str) -> str:
    return key.replace("/", ".").rpartition(".")[2].lower().replace("-", "_")


def _is_seed(key: str) -> bool:
    return _last_part(key).endswith("seed")


def _is_name(key: str) -> bool:
    return _last_part(key) in NAMING or key in NAMING_AT_TOP or key.startswith(NOTES)


def join_seeds(curves: Sequence[tuple[Steps, Floats]]) -> Joined:
    """Join curves on their steps.

    Parameters
    ----------
    curves : sequence of (step, value)
        Steps sorted and unique; values NaN or infinite where that was logged.
    """
    from scipy.stats import t

    step = np.unique(np.concatenate([steps for steps, _ in curves]))
    values = np.full((len(curves), len(step)), np.nan)
    there = np.zeros(values.shape, dtype=bool)
    reached = np.zeros(values.shape, dtype=bool)
    for row, (steps, value) in enumerate(curves):
        place = np.searchsorted(step, steps)
        values[row, place] = np.where(np.isfinite(value), value, np.nan)
        there[row, place] = True
        reached[row] = (step >= steps[0]) & (step <= steps[-1]) if len(steps) else False
    n = np.isfinite(values).sum(0)
    kept = n > 1
    several = values[:, kept]
    count = n[kept]
    mean = np.nanmean(several, 0)
    error = np.nanstd(several, 0, ddof=1) / np.sqrt(count)
    half = t.ppf((1 + CONFIDENCE) / 2, count - 1) * error
    return Joined(
        step=step[kept],
        n=count.astype(np.int64),
        mean=mean,
        lower=mean - half,
        upper=mean + half,
        alone=int((n == 1).sum()),
        ended=int((~reached).any(0).sum()),
        apart=int((reached & ~there).any(0).sum()),
        nonfinite=int((there & np.isnan(values)).any(0).sum()),
    )
