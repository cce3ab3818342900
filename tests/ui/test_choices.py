"""What is selected by itself, and how runs share panels."""

from __future__ import annotations

import pandas as pd

from viz3d.run import Run
from viz3d.ui.comparing import EACH_RUN, FAMILY, groupings, groups
from viz3d.ui.sidebar import FIRST_FEW, suggest


def run(name: str, **config: object) -> Run:
    """Return a run without any history."""
    return Run(name, "test", pd.DataFrame(), config)


def test_largest_family_is_suggested_newest_first() -> None:
    """A sweep is opened as a whole; a lone run beside it is not mixed in."""
    names = ["grpo", "lr-0.1", "lr-0.01", "lr-0.001"]
    assert suggest(names) == ["lr-0.1", "lr-0.01", "lr-0.001"]


def test_no_more_than_a_few_are_suggested() -> None:
    """A bucket of thousands opens on its newest few."""
    names = [f"run-{i}" for i in range(5000)]
    assert suggest(names) == names[:FIRST_FEW]


def test_nothing_is_suggested_where_nothing_is() -> None:
    """An empty source has no first choice."""
    assert suggest([]) == []


def test_groups_keep_the_order_of_the_selection() -> None:
    """Panels stand in the order in which their first runs were listed."""
    runs = [run("b-1", opt="muon"), run("a-1", opt="adamw"), run("b-2", opt="muon")]
    by_setting = groups(runs, "opt")
    assert list(by_setting) == ["opt = muon", "opt = adamw"]
    assert [r.name for r in by_setting["opt = muon"]] == ["b-1", "b-2"]
    assert list(groups(runs, FAMILY)) == ["b", "a"]
    assert list(groups(runs, EACH_RUN)) == ["b-1", "a-1", "b-2"]


def test_only_settings_that_part_the_runs_are_offered() -> None:
    """A setting that all share, or that is another for each run, makes no groups."""
    runs = [run(f"r-{i}", opt=("adamw", "muon")[i % 2], seed=i, depth=4) for i in range(4)]
    assert groupings(runs) == [EACH_RUN, "opt"]


def test_run_without_the_setting_has_a_group_of_its_own() -> None:
    """A missing setting is said, not guessed."""
    runs = [run("a", opt="muon"), run("b", opt="muon"), run("c")]
    assert list(groups(runs, "opt")) == ["opt = muon", "opt = not set"]
