"""Groups hold runs that differ in the seed alone; their curves meet where both were logged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from viz3d.analysis.seeds import differing_settings, group_seeds, join_seeds
from viz3d.run import Run


def run(name, /, **config):
    return Run(name, "tests", pd.DataFrame(), config=config)


def names(runs):
    return [[member.name for member in group.runs] for group in group_seeds(runs).groups]


def test_runs_that_differ_in_the_seed_alone_are_one_group():
    """In the order in which they came, whatever stands between them."""
    runs = [run("a", lr=1, seed=0), run("b", lr=2, seed=0), run("c", lr=1.0, seed=1)]
    assert names(runs) == [["a", "c"], ["b"]]
    assert group_seeds(runs).groups[0].ignored == ("seed",)


@pytest.mark.parametrize("key", ["random_seed", "data_seed", "SEED", "train/seed", "model-seed"])
def test_every_kind_of_seed_is_one(key):
    """By the last part of the key."""
    assert names([run("a", lr=1, **{key: 0}), run("b", lr=1, **{key: 1})]) == [["a", "b"]]


def test_nested_seeds_are_found():
    """A configuration may be a tree."""
    one, two = ({"seed": seed, "width": 8} for seed in (0, 1))
    found = group_seeds([run("a", model=one), run("b", model=two)])
    assert [group.ignored for group in found.groups] == [("model.seed",)]


@pytest.mark.parametrize(
    "other",
    [
        {"lr": 2},
        {"lr": "1"},
        {"lr": 1, "more": True},
        {"lr": 1, "seeds": 3},
        {"lr": 1, "name": "x"},
    ],
)
def test_any_other_difference_keeps_runs_apart(other):
    """A setting, its type, one that the other lacks; a name can hold a setting."""
    assert names([run("a", lr=1, seed=0), run("b", seed=1, **other)]) == [["a"], ["b"]]


def test_keys_that_name_the_run_are_ignored_and_told():
    """As transformers logs them; nanochat's run stands at the top alone."""
    runs = [
        run("a", lr=1, seed=0, args={"output_dir": "x"}, run="a"),
        run("b", lr=1, seed=1, args={"output_dir": "y"}, run="b"),
    ]
    [group] = group_seeds(runs).groups
    assert group.ignored == ("seed", "args.output_dir", "run")
    nested = [run(n, lr=1, seed=i, job={"run": n}) for i, n in enumerate("ab")]
    assert names(nested) == [["a"], ["b"]]


def test_what_wandb_notes_of_a_run_is_no_setting():
    """Its id, its state, when it was made and its tags."""
    notes = ({"id": "x1", "state": "finished", "created": 1.0}, {"id": "y2", "tags": ["b"]})
    runs = [run(note["id"], lr=1, seed=n, _wandb=note) for n, note in enumerate(notes)]
    assert names(runs) == [["x1", "y2"]]


def test_a_setting_of_none_is_no_setting():
    """Transformers logs a data seed of None; it is no difference and no seed."""
    assert names([run("a", lr=1, seed=0, data_seed=None), run("b", lr=1, seed=1)]) == [["a", "b"]]
    assert names([run("a", lr=1, seed=None), run("b", lr=1, seed=None)]) == [["a"], ["b"]]


def test_runs_of_which_too_little_is_known_are_alone_and_named():
    """No configuration, no seed in it, nothing but a seed in it."""
    runs = [run("a"), run("b"), run("c", lr=1), run("d", lr=1), run("e", seed=0), run("f", seed=1)]
    assert names(runs) == [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]
    assert group_seeds(runs).unknown == ("a", "b", "c", "d", "e", "f")


def test_the_same_seed_twice_is_no_second_seed():
    """It would make an interval too narrow; the run is left out and named."""
    runs = [run("a", lr=1, seed=0), run("again", lr=1, seed=0), run("b", lr=1, seed=1)]
    assert names(runs) == [["a", "b"]]
    assert group_seeds(runs).repeated == ("again",)


def test_differing_settings_without_seeds_and_names():
    """What a group by hand mixes besides seeds."""
    runs = [run("a", lr=1, seed=0, run_name="x"), run("b", lr=2, seed=1, run_name="y")]
    assert differing_settings(runs) == ("lr", "seed", "run_name")
    assert differing_settings(runs, seeds=False) == ("lr",)


def curve(steps, values):
    return np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64)


def test_mean_and_interval_at_a_step():
    """Student's t with n - 1 degrees of freedom, as scipy has it."""
    values = [1.0, 2.0, 4.0]
    joined = join_seeds([curve([7], [value]) for value in values])
    interval = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert joined.mean == pytest.approx([np.mean(values)])
    assert (joined.lower[0], joined.upper[0]) == pytest.approx(interval)
    assert joined.n.tolist() == [3]


def test_unequal_lengths_are_joined_on_the_step():
    """Nothing is cut to the shortest, nothing stretched; where one run is left there is no mean."""
    joined = join_seeds([curve([0, 1, 2, 3], [4, 3, 2, 1]), curve([0, 1, 2], [2, 1, 0]),
                         curve([0, 1], [0, 2])])  # fmt: skip
    assert joined.step.tolist() == [0, 1, 2]
    assert joined.n.tolist() == [3, 3, 2]
    assert joined.mean == pytest.approx([2, 2, 1])
    assert (joined.alone, joined.ended, joined.apart, joined.nonfinite) == (1, 2, 0, 0)


def test_other_logging_steps_are_not_interpolated():
    """Runs logged every 2 and every 3 steps meet every 6."""
    joined = join_seeds(
        [curve(range(0, 13, 2), np.ones(7)), curve(range(0, 13, 3), np.full(5, 3.0))]
    )
    assert joined.step.tolist() == [0, 6, 12]
    assert joined.mean == pytest.approx([2, 2, 2])
    assert (joined.alone, joined.ended, joined.apart) == (6, 0, 6)


def test_runs_that_never_meet_have_no_mean():
    """An empty join, and no error."""
    joined = join_seeds([curve([0, 2], [1, 1]), curve([1, 3], [1, 1])])
    assert len(joined.step) == 0
    assert joined.alone == 4


def test_one_run_has_no_mean_and_no_band():
    """A single run is shown as it is."""
    joined = join_seeds([curve([0, 1], [1, 2])])
    assert (len(joined.mean), joined.alone, joined.ended) == (0, 2, 0)


def test_nan_leaves_the_others_and_is_counted():
    """A run that diverged takes no value with it, and none is made up for it."""
    joined = join_seeds([curve([0, 1], [1, np.nan]), curve([0, 1], [3, 4]), curve([0, 1], [2, 6])])
    assert joined.n.tolist() == [3, 2]
    assert joined.mean == pytest.approx([2, 5])
    assert (joined.nonfinite, joined.ended, joined.apart) == (1, 0, 0)
    infinite = join_seeds([curve([0], [np.inf]), curve([0], [3])])
    assert (len(infinite.step), infinite.nonfinite, infinite.alone) == (0, 1, 1)


def test_seeds_too_large_for_a_float_are_told_apart():
    """Seeds of 64 bits and more are whole numbers, not their nearest floats."""
    large = [2**53, 2**53 + 1, 10**400]
    runs = [run(str(i), lr=1, seed=seed) for i, seed in enumerate(large)]
    assert names(runs) == [["0", "1", "2"]]
    assert group_seeds(runs).repeated == ()
