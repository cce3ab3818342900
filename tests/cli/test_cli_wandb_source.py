"""The commands on a project on W&B, by the real client against a local service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.team_bucket import run
from tests.storage.conftest import one_service, service
from tests.storage.wandb_service import KEY, Fault, Service, rows

__all__ = ["one_service", "service"]
PROJECT = "wandb://team/nano"


@pytest.fixture(autouse=True)
def logged_in(service: Service, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key stands in the environment."""
    monkeypatch.setenv("WANDB_API_KEY", KEY)


def test_list_show_check_and_plot(service, place, capsys):
    """The commands take a project, a run of it by name, and a run by its address."""
    status, out, err = run(capsys, "list", PROJECT)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["live", "rl", "sweep"]
    assert lines[0].endswith("20 rows  running")
    status, out, _ = run(capsys, "list", PROJECT, "--json")
    assert status == 0
    assert json.loads(out)[0]["rows"] == 20
    assert json.loads(out)[0]["created"] == "2026-09-21T14:16:40+00:00"
    status, out, _ = run(capsys, "show", "rl", "--source", PROJECT, "--json")
    assert (status, json.loads(out)["steps"]) == (0, 30)
    status, out, _ = run(capsys, "show", f"{PROJECT}/aaa")
    assert status == 0
    assert "12 steps, 0 to 11" in out
    status, out, _ = run(capsys, "check", PROJECT)
    assert status == 0
    assert "who      the W&B user reader" in out
    service.runs["aaa"].rows = [{**row, "lr": 0.1 + row["_step"]} for row in rows(40)]
    status, _, err = run(
        capsys, "plot", "loss-landscape", f"{PROJECT}/aaa", "--output", str(place / "a.html")
    )
    assert (status, (place / "a.html").is_file()) == (0, True), err


def test_without_a_key_or_a_service_it_is_one_sentence(service, place, capsys, monkeypatch):
    """Exit status 1, the next step, no traceback; offline the last listing with its time."""
    service.fault = Fault("html")
    status, out, err = run(capsys, "list", PROJECT)
    assert (status, out, err.count("\n")) == (1, "", 1)
    service.fault = None
    run(capsys, "list", PROJECT)
    service.fault = Fault("html")
    status, out, err = run(capsys, "list", PROJECT)
    assert (status, len(out.splitlines())) == (0, 3)
    assert "Shown is what was there as of" in err
    monkeypatch.delenv("WANDB_API_KEY")
    status, out, err = run(capsys, "check", "wandb://team/other", "--json")
    assert (status, json.loads(out)["kind"]) == (1, "no_credentials")
    assert json.loads(out)["next"] == "wandb login"
