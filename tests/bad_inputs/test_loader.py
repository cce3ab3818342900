"""The loader bears every bad input: what is good is read to the value, what is not is told."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bad_inputs.case import GOOD, LOG, LOSS, Bad, lines
from tests.bad_inputs.cases import ALL
from tests.bad_inputs.objects import CANARY
from tests.formats.nothing_to_do import is_listed
from viz3d.errors import Viz3dError
from viz3d.load import list_runs, load_runs, open_source
from viz3d.run import Problem, Run

LOGS = {f"tests.bad_inputs.{kind}" for kind in ("jsonl", "values", "steps")}
LINES = [
    case for case in ALL if case.make.__module__ in LOGS and case.id != "I12" and not case.refused
]


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_what_is_good_is_read_and_the_rest_told(case: Bad, tmp_path: Path) -> None:
    check(case, made(case, tmp_path))
    assert not list(tmp_path.rglob(CANARY))


@pytest.mark.parametrize("case", LINES, ids=[case.name for case in LINES])
def test_a_recorded_run_is_read_as_any_other(case: Bad, tmp_path: Path) -> None:
    """The same lines under the name of a recorder's file give the same values."""
    (log,) = made(case, tmp_path).rglob(LOG)
    log.rename(log.with_name("metrics.jsonl"))
    told = tuple(wanted.replace(LOG, "metrics.jsonl") for wanted in case.told)
    check(replace(case, told=told), tmp_path)


LOST = [case for case in ALL if case.refused or not case.listed]


@pytest.mark.parametrize("case", LOST, ids=[case.name for case in LOST])
def test_what_cannot_be_read_costs_no_other_run(case: Bad, tmp_path: Path) -> None:
    """Two good runs beside it are loaded with it, and the first of them tells of it."""
    for name in ("good-a", "good-b"):
        lines(tmp_path, *GOOD, name=f"{name}/metrics.jsonl")
    source = open_source(made(case, tmp_path))
    runs = load_runs(source)
    assert {run.name: finite(run) for run in runs} == {"good-a": LOSS, "good-b": LOSS}
    text = "\n".join(str(problem) for run in runs for problem in run.problems)
    assert re.search(case.refused, text)


def made(case: Bad, where: Path) -> Path:
    """Make the files of a case in a folder of its own."""
    folder = where / case.name
    folder.mkdir()
    case.make(folder)
    return where


def check(case: Bad, place: Path) -> None:
    source = open_source(place)
    infos = list_runs(source)
    if not case.listed:
        assert infos == []
        check_told(case, list(source.problems()))
        with pytest.raises(Viz3dError, match=case.told[0] if case.told else "no runs"):
            load_runs(source)
        return
    if case.refused:
        with pytest.raises(Viz3dError, match=case.refused) as raised:
            load_runs(source)
        assert case.name in str(raised.value)
        return
    runs = load_runs(source)
    read = {metric: values for run in runs for metric, values in finite(run).items()}
    assert read == {name: dict(values) for name, values in case.read.items()}
    nan = {metric: steps for run in runs for metric, steps in logged_nan(run).items()}
    assert nan == dict(case.nan)
    check_told(case, [*source.problems(), *(problem for run in runs for problem in run.problems)])


def check_told(case: Bad, problems: list[Problem]) -> None:
    text = [str(problem) for problem in problems]
    for wanted in case.told:
        assert any(re.search(wanted, said) for said in text), (wanted, text)
    if case.line is not None:
        first = next(p for p in problems if re.search(case.told[0], str(p)))
        assert first.line == case.line
    assert bool(case.told) == bool(problems), text
    assert all(problem.file for problem in problems), text
    assert all(problem.remedy or is_listed(problem.what) for problem in problems), text


def finite(run: Run) -> dict[str, dict[int, float]]:
    """Return every value of the history but NaN."""
    columns = {name: run.history[name].dropna().to_dict() for name in run.metrics}
    return {name: values for name, values in columns.items() if values}


def logged_nan(run: Run) -> dict[str, tuple[int, ...]]:
    """Return the steps at which NaN was logged."""
    found: dict[str, tuple[int, ...]] = {}
    assert run.nonfinite is not None
    for row in run.nonfinite.itertuples():
        if math.isnan(row.value):
            found[row.metric] = (*found.get(row.metric, ()), row.step)
    return found
