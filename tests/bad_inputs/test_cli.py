"""The command line bears every bad input: one document on standard output, sentences beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.bad_inputs.case import Bad
from tests.bad_inputs.cases import ALL
from tests.bad_inputs.objects import CANARY
from tests.bad_inputs.test_loader import made
from viz3d.cli import main


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_list_and_show_print_one_document(
    case: Bad, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = made(case, tmp_path)
    assert main(["list", str(place), "--json"]) == 0
    out, of_the_list = capsys.readouterr()
    assert bool(json.loads(out)) == case.listed
    status = main(["show", str(place), "--json"])
    out, err = capsys.readouterr()
    assert not list(tmp_path.rglob(CANARY))
    assert not re.search("^Traceback", err, re.MULTILINE)
    assert str(tmp_path) not in err
    assert "\x1b" not in err
    if case.refused or not case.listed:
        assert (status, out) == (1, "")
        assert re.search(case.refused or "There are no runs", err)
        return
    assert status == 0
    shown = json.loads(out)
    runs = shown if isinstance(shown, list) else [shown]
    assert {metric for run in runs for metric in run["metrics"]} >= set(case.read)
    said = [problem for run in runs for problem in run["problems"]]
    for wanted in case.told:
        assert re.search(wanted, err + of_the_list), (wanted, err)
    if case.line is not None:
        assert case.line in [problem["line"] for problem in said]
