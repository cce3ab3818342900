"""Joining what two places hold of one run."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.analysis.joining import join_runs
from viz3d.run import Origin, Report, Run


def run(source: str, steps: list[int], more: dict | None = None, **columns: list[float]) -> Run:
    frame = pd.DataFrame(columns, index=pd.Index(steps, name="step"), dtype=float)
    origins = (Origin(source, (f"{source}.csv",), "CSV", metrics=tuple(columns)),)
    return Run("r", source, frame, digest=source, origins=origins, **(more or {}))


def test_the_first_counts_and_what_gives_way_is_counted() -> None:
    """At a step that both log, the first run's value stays; equal ones are counted apart."""
    a = run("a", [0, 1, 2], loss=[3.0, 2.0, math.nan])
    b = run("b", [1, 2, 3], loss=[2.0, 9.0, 1.0], lr=[0.1, 0.2, 0.3])
    joined = join_runs(a, b)
    assert joined.history["loss"].tolist() == [3.0, 2.0, 9.0, 1.0]
    assert joined.history["lr"].tolist()[1:] == [0.1, 0.2, 0.3]
    assert math.isnan(joined.history["lr"].iloc[0])
    assert (joined.history.index.name, str(joined.history.index.dtype)) == ("step", "int64")
    other = join_runs(b, run("a", [1, 2], loss=[2.0, 8.0]))
    told = " ".join(problem.what for problem in other.problems)
    assert "1 value was logged in both places, alike." in told
    assert "1 value was logged in both places with different numbers (loss); 'b' was taken." in told
    assert other.history["loss"].loc[2] == 9.0


def test_a_logged_nan_is_a_value() -> None:
    """NaN that the first run logged stays; the other's comes along where it has none."""
    nan = pd.DataFrame({"step": [1], "metric": ["loss"], "value": [math.nan]})
    a = run("a", [0, 1], {"nonfinite": nan}, loss=[3.0, math.nan])
    b = run("b", [0, 1, 2], {"nonfinite": nan.assign(step=2)}, loss=[3.0, 7.0, math.nan])
    joined = join_runs(a, b)
    assert math.isnan(joined.history["loss"].loc[1])
    assert joined.nonfinite is not None
    assert joined.nonfinite["step"].tolist() == [1, 2]
    assert join_runs(b, a).nonfinite["step"].tolist() == [2]


def test_report_config_roles_and_provenance_come_along() -> None:
    """A report here and a history there are one run, and each series says where it is from."""
    report = Report("nanochat", ("base",), {})
    a = run("bucket", [], {"report": report, "config": {"lr": 1, "depth": 20, "adam": {"b1": 0.9}}})
    more = {"config": {"lr": 2, "seed": 3, "adam": {"b2": 0.99}}, "roles": {"loss": "loss"}}
    b = run("wandb", [0, 1], more, loss=[2.0, 1.0])
    joined = join_runs(a, b)
    assert joined.report is report
    assert (joined.name, joined.source) == ("r", "bucket + wandb")
    adam = {"b1": 0.9, "b2": 0.99}
    assert dict(joined.config) == {"lr": 1, "depth": 20, "seed": 3, "adam": adam}
    assert dict(joined.roles) == {"loss": "loss"}
    assert [origin.source for origin in joined.origin_of("loss")] == ["wandb"]
    assert any("1 setting of the config differs (lr)" in p.what for p in joined.problems)
    assert joined.digest not in (a.digest, b.digest, join_runs(b, a).digest)


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [("_step", "step", True), ("step", "epoch", True), ("step", "global_step", False),
     ("_step", "_step", False), ("iteration", "total_timesteps", True)],
)  # fmt: skip
def test_steps_that_are_counted_in_two_ways_are_told(one: str, two: str, told: bool) -> None:
    """W&B's own step counts calls of log(), so that its numbers may fit and mean another step."""
    parts = [
        replace(run(where, [0, 1], loss=[2, 1]), origins=(Origin(rows=2, counted_by=name),))
        for where, name in (("a", one), ("b", two))
    ]
    said = " ".join(problem.what for problem in join_runs(*parts).problems)
    one = one.replace("iteration", "step")  # which counts the same
    assert (f"Steps are counted by {one} in 'a' and by {two} in 'b'" in said) == told
    assert ("Steps are counted" in said) == told


def test_rows_that_were_numbered_have_no_step() -> None:
    """Where no column counts, the row itself does, which is told as well."""
    parts = [
        replace(run(where, [0, 1], loss=[2, 1]), origins=(Origin(rows=2, counted_by=name),))
        for where, name in (("a", "total_timesteps"), ("b", ""))
    ]
    said = " ".join(problem.what for problem in join_runs(*parts).problems)
    assert "counted by total_timesteps in 'a' and by row number in 'b'" in said


def test_three_places_are_joined_in_their_order() -> None:
    """The first that has a value gives it."""
    runs = [run(name, [n], loss=[float(n)]) for n, name in enumerate("abc")]
    joined = join_runs(*runs)
    assert joined.history["loss"].tolist() == [0.0, 1.0, 2.0]
    assert joined.source == "a + b + c"


def test_a_restart_in_the_other_place_and_three_that_disagree() -> None:
    """Each pair is counted by itself, in the order of the names, and what to do stands with it."""
    first = run("a", [0, 1, 2, 3], loss=[4, 3, 2, 1])
    restarted = run("b", [2, 3, 4], loss=[2.5, 2, 1])
    other = run("c", [0, 3, 5], loss=[4, 9, 0.5])
    joined = join_runs(first, restarted, other)
    assert joined.history["loss"].tolist() == [4, 3, 2, 1, 1, 0.5]
    told = [str(problem) for problem in joined.problems]
    assert "Joined on the step from 'a + b' and 'c'." in told[0]
    assert told[1] == "1 value was logged in both places, alike."
    assert told[2].startswith("1 value was logged in both places with different numbers (loss); "
                              "'a + b' was taken. If those of 'c' are right")  # fmt: skip
    assert any("2 values were logged in both places with different numbers" in t for t in told)
    assert join_runs(restarted, first).history["loss"].tolist() == [4, 3, 2.5, 2, 1]


def test_what_gives_way_beside_the_history_is_counted() -> None:
    """Layers and superseded rows of the second, its report where it is another one, its roles."""
    rows = pd.DataFrame({"step": [0, 1], "layer": 0, "name": "h", "grad_norm": 1.0})
    old = pd.DataFrame({"attempt": 1, "step": [0, 1, 2], "loss": 1.0})
    report = Report("nanochat", ("base",), {})
    more = {"layers": rows, "attempts": old, "report": report, "roles": {"loss": "train/loss"}}
    a, b = run("a", [0], more, **{"train/loss": [1]}), run("b", [0], more, **{"train/loss": [1]})
    b = replace(b, history=b.history.assign(loss=2.0), roles={"loss": "loss"})
    told = " ".join(str(problem) for problem in join_runs(a, b).problems)
    assert "Both hold layers; the 2 rows of 'b' gave way to those of 'a'." in told
    assert "Both hold superseded rows; the 3 rows of 'b' gave way to those of 'a'." in told
    assert "report" not in told
    assert "1 role is played by other metrics in 'a' and 'b': loss by train/loss and loss, now by "\
        "loss. Give a role to another" in told  # fmt: skip
    assert dict(join_runs(a, b).roles) == {"loss": "loss"}
    b = replace(b, report=Report("nanochat", ("base", "sft"), {}))
    told = " ".join(str(problem) for problem in join_runs(a, b).problems)
    assert "Both hold a report; that of 'a' was taken. If that of 'b' is right" in told


LOGGED = st.dictionaries(
    st.tuples(st.integers(-3, 9), st.sampled_from(["loss", "lr", "n"])),
    st.sampled_from([0.0, 1.0, 2.5, math.nan, math.inf, -math.inf]),
    max_size=14,
)


def of(source: str, logged: dict[tuple[int, str], float]) -> Run:
    """Return the run in which these values were logged, as a format would make it."""
    steps = sorted({step for step, _ in logged})
    frame = pd.DataFrame(
        {m: [logged.get((s, m), math.nan) for s in steps] for m in sorted({m for _, m in logged})},
        index=pd.Index(steps, name="step", dtype="int64"),
        dtype=float,
    )
    odd = [(s, m, v) for (s, m), v in sorted(logged.items()) if not math.isfinite(v)]
    nonfinite = pd.DataFrame(odd, columns=["step", "metric", "value"])
    return Run("r", source, frame, nonfinite=nonfinite, digest=source)


@settings(max_examples=100, deadline=None)
@given(st.lists(LOGGED, min_size=1, max_size=4))
def test_every_value_is_that_of_the_first_that_logged_it(places: list[dict]) -> None:
    """NaN and infinity count as logged, nothing is lost, and what gave way adds up."""
    joined = join_runs(*(of(name, logged) for name, logged in zip("abcd", places, strict=False)))
    wanted: dict[tuple[int, str], float] = {}
    gave_way = 0
    for logged in places:
        gave_way += len(wanted.keys() & logged.keys())
        wanted = logged | wanted
    history = joined.history
    assert history.index.tolist() == sorted({step for step, _ in wanted})
    assert set(history.columns) == {metric for _, metric in wanted}
    for (step, metric), value in wanted.items():
        found = history.loc[step, metric]
        assert found == value or (math.isnan(found) and math.isnan(value))
    assert int(history.notna().to_numpy().sum()) == sum(not math.isnan(v) for v in wanted.values())
    odd = joined.nonfinite
    assert odd is not None
    assert set(zip(odd["step"], odd["metric"], strict=True)) == {
        place for place, value in wanted.items() if not math.isfinite(value)
    }
    assert len(odd) == sum(not math.isfinite(value) for value in wanted.values())
    counts = [
        int(re.sub(",", "", problem.what.split(" ")[0]))
        for problem in joined.problems
        if "logged in both places" in problem.what
    ]
    assert sum(counts) == gave_way
