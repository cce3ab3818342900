"""Joining what two places hold of one run."""

from __future__ import annotations

import math

import pandas as pd

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


def test_three_places_are_joined_in_their_order() -> None:
    """The first that has a value gives it."""
    runs = [run(name, [n], loss=[float(n)]) for n, name in enumerate("abc")]
    joined = join_runs(*runs)
    assert joined.history["loss"].tolist() == [0.0, 1.0, 2.0]
    assert joined.source == "a + b + c"
