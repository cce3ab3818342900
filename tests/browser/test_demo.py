"""`python -m viz3d demo`: the app on the samples, on the port that was named, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import PATIENCE, started
from viz3d import cli_demo
from viz3d.cli import main


def test_the_demo_answers_on_its_port_until_ctrl_c(tmp_path):
    """Ended, it leaves no word of an error."""
    with started(tmp_path, ["viz3d", "demo", "--port"]) as (address, process):
        with urllib.request.urlopen(address) as page:
            assert b"<title>" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 0  # no promise of how soon
    log = (tmp_path / "log.txt").read_text("utf-8")
    assert address in log
    assert "Traceback" not in log


def test_the_source_is_the_samples_whatever_the_settings_name(tmp_path, monkeypatch):
    """And Streamlit's settings are those of the project, from wherever it is started."""
    seen = []
    monkeypatch.setenv("VIZ3D_SOURCE", "nowhere")
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.chdir(tmp_path)

    def started_as(name: str, **_: object) -> None:
        seen.append((name, os.environ["VIZ3D_SOURCE"], Path.cwd(), sys.argv))

    monkeypatch.setattr(cli_demo.runpy, "run_module", started_as)
    assert main(["demo"]) == 0
    assert seen == [("streamlit", "sample", cli_demo.ROOT, ["streamlit", "run", "app.py"])]


@pytest.mark.parametrize(
    ("lacking", "said"),
    [("app", "not part of the installed package"), ("streamlit", "pip install")],
)
def test_what_is_not_there_is_said(tmp_path, monkeypatch, capsys, lacking, said):
    """Exit 1 with what to do; nothing is started."""
    if lacking == "app":
        monkeypatch.setattr(cli_demo, "ROOT", tmp_path)
    else:
        monkeypatch.setattr(cli_demo, "find_spec", lambda _: None)
    monkeypatch.setattr(cli_demo.runpy, "run_module", pytest.fail)
    assert main(["demo"]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_that_is_none_is_wrong_usage(capsys, port):
    """Exit 2."""
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--port", port])
    assert stop.value.code == 2
    assert f"{port!r} is no port" in capsys.readouterr().err
