"""The Data page: which file gave what, what was left out, and how to read the same elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import viz3d
from tests.pages.conftest import REPORT
from tests.pages.test_pages import said
from viz3d.cli import main

Open = Callable[..., AppTest]

PAGE = "pages/10_Data.py"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One run of several files with junk among them, and one that was restarted."""
    run = tmp_path / "a b $HOME"
    run.mkdir()
    (run / "run.json").write_text('{"schema": 1, "config": {"seed": 1}}', "utf-8")
    rows = ['{"step": 0, "my_loss": 2, "lr": 0.1}', '{"step": 1, "my_loss": NaN, "lr": 0.1}']
    (run / "metrics.jsonl").write_text("\n".join([*rows, '{"step": 2, "my_lo']), "utf-8")
    (run / "held.csv").write_text("step,held\n0,3\n1,2\n", "utf-8")
    (run / "junk.csv").write_text("<img src=x onerror=alert(1)>\nnothing\n", "utf-8")
    steps = [0, 1, 2, 3, 2, 3, 4]
    (tmp_path / "again.csv").write_text(
        "step,loss\n" + "".join(f"{step},{9 - i}\n" for i, step in enumerate(steps)), "utf-8"
    )
    return tmp_path


def tables(app: AppTest) -> list[list[dict[str, object]]]:
    return [frame.value.to_dict("records") for frame in app.dataframe]


def test_each_file_of_a_mixed_run_is_listed(open_page: Open, mixed: Path) -> None:
    """Rows, steps and metrics stand beside their file; what no format read stands there too."""
    app = open_page(PAGE, source=str(mixed), run=["a b $HOME"])
    assert not app.exception
    files, metrics = tables(app)
    by_name = {str(row["file"]).partition("/")[2]: row for row in files}
    log = by_name["metrics.jsonl"]
    assert (log["read as"], log["rows"], log["steps"]) == ("viz3d run", 2, "0 to 1")
    assert (log["metrics"], by_name["held.csv"]["metrics"]) == ("my_loss, lr", "held")
    assert all(
        "on the step" in str(by_name[name]["joined"]) for name in ("metrics.jsonl", "held.csv")
    )
    assert by_name["run.json"]["also"] == "config"
    assert by_name["junk.csv"]["read as"] == "not read"
    by_metric = {row["metric"]: row for row in metrics}
    assert by_metric["lr"]["role"] == "learning_rate"
    assert by_metric["held"]["from"] == "a b $HOME/held.csv"
    assert (by_metric["my_loss"]["role"], by_metric["my_loss"]["steps"]) == ("", 1)


def test_what_was_left_out_stands_there_with_file_and_line(open_page: Open, mixed: Path) -> None:
    """A torn line, a value that is NaN and a file of something else, and none of it as markup."""
    app = open_page(PAGE, source=str(mixed), run=["a b $HOME"])
    text = said(app)
    assert "Rows of 2 files were joined on the step." in text
    assert "metrics.jsonl:3" in text
    assert "1 value logged as NaN or infinity" in text
    assert "junk.csv" in text
    assert "The file was not read" in text
    assert "<img" not in " ".join(str(part.value) for part in app.markdown)


def test_reasons_of_formats_are_whole_and_without_backticks(
    open_page: Open, tmp_path: Path
) -> None:
    """Of a file that no format can read, and of one that some had declined."""
    (tmp_path / "notes.txt").write_text("today I trained\n", "utf-8")
    (tmp_path / "some.csv").write_text("step,loss\n0,2\n1,1\n", "utf-8")
    app = open_page(PAGE, source=str(tmp_path), run=["notes.txt", "some.csv"])
    (left_out,) = (re.sub(r"\\(.)|\u200b", r"\1", one.value) for one in app.warning)
    for log in ("llm.c", "verl", "nanochat", "modded-nanogpt", "nanoGPT"):
        assert f"{log} log: no line of it reads “" in left_out
    declined = next(one.value for one in app.caption if "declined" in one.value)
    assert "“RUN" in declined
    assert "`" not in left_out + declined


def test_rows_of_one_step_are_no_claim_to_be_there_one_by_one(
    open_page: Open, tmp_path: Path
) -> None:
    """What stands in the history are the values; a report has none."""
    (tmp_path / "some.csv").write_text("step,loss,held\n0,2,\n0,,3\n1,1,\n", "utf-8")
    (tmp_path / "said" / "report").mkdir(parents=True)
    (tmp_path / "said" / "report" / "report.md").write_text(REPORT, "utf-8")
    app = open_page(PAGE, source=str(tmp_path), run=["some.csv", "said"])
    values = "Nothing: every value that was found stands in the history as it was logged."
    assert {one.value for one in app.markdown} >= {values, "Nothing."}


def test_a_file_of_several_remarks_is_named_once(open_page: Open, tmp_path: Path) -> None:
    rows = ['{"step": 0, "loss": 2, "note": "a"}', "junk", '{"step": 1, "loss": "2.5"}']
    (tmp_path / "log.jsonl").write_text("\n".join(rows), "utf-8")
    app = open_page(PAGE, source=str(tmp_path), run=["log.jsonl"])
    (told,) = [part.value for part in app.main.markdown if "was left out" in part.value]
    assert told.replace("\\", "").count("log.jsonl") == 1
    assert [line[:11] for line in told.splitlines()[1:]] == [
        "  - line 1:", "  - line 2:", "  - 1 numbe",
    ]  # fmt: skip


def test_superseded_rows_are_counted(open_page: Open, mixed: Path) -> None:
    """A restart sets two rows aside; the page says how many, and where they are now."""
    app = open_page(PAGE, source=str(mixed), run=["again.csv"])
    assert "2 rows of 1 earlier attempt: kept aside" in said(app)
    assert "The steps go back once (a restart)" in said(app)


def test_every_selected_run_has_its_own_part(open_page: Open, mixed: Path) -> None:
    """Two runs, two boxes, each with its files and its metrics; a role is changed for both."""
    app = open_page(PAGE, source=str(mixed), run=["a b $HOME", "again.csv"])
    assert not app.exception
    labels = sorted(box.label.replace("\\", "").split("**")[1] for box in app.main.expander)
    assert labels == ["a b $HOME", "again.csv"]
    assert len(app.dataframe) == 4


def test_code_and_command_read_the_same(
    open_page: Open, mixed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pasted as they stand, both give the run that is on the page, with the role given there."""
    app = open_page(PAGE, source=str(mixed), run=["a b $HOME"], **{"role.loss": "my_loss"})
    python, terminal = (block.value for block in app.code)
    found: dict[str, viz3d.Run] = {}
    exec(python, {}, found)
    run = found["run"]
    assert run.roles["loss"] == "my_loss"
    words = shlex.split(terminal)
    assert words[:3] == ["python", "-m", "viz3d"]
    assert main([*words[3:], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["digest"], shown["roles"]) == (run.digest, dict(run.roles))
    assert next(row for row in tables(app)[1] if row["metric"] == "my_loss")["by"] == "you"
