"""The online path, against a server that plays W&B's part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import pytest
from wandb_charts import KEY, chart, run, without_browser
from wandb_server import Handler, Server

from tests.local_server import Elsewhere
from viz3d.errors import ExportError
from viz3d.export.plain_lists import to_plain
from viz3d.export.wandb import child
from viz3d.export.wandb import send as export
from viz3d.export.wandb.send import export_charts
from viz3d.settings import Settings

SETTINGS = Settings(wandb_api_key=KEY)


@pytest.fixture(scope="module")
def server():
    """One server for the module; every test has its own run ids."""
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def place(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B is the local server, its files go to a folder of the test."""
    server.fault = ""
    server.files.clear()
    server.paths.clear()
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "here"))
    without_browser(monkeypatch)


def started_from(folder: Path) -> list[int]:
    """Return the processes in whose environment a folder stands, where the system lists them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def everything(folder: Path) -> bytes:
    """Return the bytes of all files under a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_new_run_has_the_charts_at_their_step_and_a_repeat_logs_only_what_is_new(
    server, tmp_path
):
    """Rows, files and config arrive; nothing stays here; another step goes above the run's own."""
    drawn, to = chart("loss-landscape"), {"project": "p", "entity": "team", "run_id": "again"}
    done = export_charts([drawn], [run(last=60)], SETTINGS, **to)
    assert done.failed == ""
    assert (done.new, done.folder, done.sync) == (True, "", "")
    assert done.url == f"{server.url}/team/p/runs/again"
    assert ("3d/loss_landscape", 60) in done.logged
    [row] = server.runs["again"]["rows"]
    assert (row["_step"], row["viz3d/step"]) == (60, 60)
    sent = server.files[row["3d/loss_landscape"]["path"]]
    assert json.loads(sent) == json.loads(to_plain(drawn.figure).text)
    assert b"plotly.js" in server.files[row["3d/loss_landscape_html"]["path"]]
    about = server.runs["again"]["config"]["viz3d"]["value"]["charts"]["3d/loss_landscape"]
    assert about["runs"][0]["digest"] == "d" * 64
    assert server.keys == {KEY}
    assert list((tmp_path / "here").rglob("run-*")) == []
    assert started_from(tmp_path) == []
    # The same figure at the same step is left alone.
    second = export_charts([drawn], [run(last=60)], SETTINGS, **to)
    assert (second.failed, second.new, second.logged) == ("", False, ())
    assert second.present == (("3d/loss_landscape", 60),)
    assert len(server.runs["again"]["rows"]) == 1
    export_charts([drawn], [run(last=40)], SETTINGS, **to)
    assert [row["viz3d/step"] for row in server.runs["again"]["rows"]] == [60, 40]
    assert [row["_step"] for row in server.runs["again"]["rows"]] == [60, 61]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("graphql 500", "error 500"),
        ("graphql hang", "did not answer in time"),
        ("refused", "cannot be reached"),
    ],
)
def test_a_run_that_cannot_be_opened_names_the_cause_in_time(
    server, tmp_path, monkeypatch, fault, said
):
    """One sentence, the deadline kept, nothing of the try left; then the charts are to be kept."""
    monkeypatch.setattr(export, "INIT", 2.0)
    if fault == "refused":
        monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    server.fault = fault
    send, kept = export._send, []

    def online_alone(made, to, *rest):
        if to.mode == "online":
            return send(made, to, *rest)
        kept.append(to)
        return to

    monkeypatch.setattr(export, "_send", online_alone)
    began = monotonic()
    done = export_charts([chart("loss-landscape")], [run()], SETTINGS)
    assert said in done.failed
    assert monotonic() - began < 2 + export.FINISH + export.START
    assert len(kept) == 1
    assert list((tmp_path / "here").rglob("run-*")) == []
    assert KEY.encode() not in everything(tmp_path)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("graphql 401", "does not accept the key"),
        ("put hang", "did not answer in time"),
        ("stream 403", "403"),
    ],
)
def test_a_failure_keeps_the_charts_in_a_folder(server, tmp_path, monkeypatch, fault, said):
    """One sentence, the deadline kept, and the line that sends what lies in the folder."""
    monkeypatch.setattr(export, "INIT", 2.0)
    finish = 4.0 if fault == "put hang" else 40.0
    monkeypatch.setattr(export, "FINISH", finish)
    server.fault = fault
    began = monotonic()
    done = export_charts([chart("loss-landscape")], [run()], SETTINGS)
    assert said in done.failed
    how = "wandb sync" if done.mode == "offline" else "wandb sync --include-online"
    assert done.sync == f"{how} {done.folder}"
    assert list((tmp_path / "here" / "wandb").iterdir()) == [Path(done.folder)]
    [figure] = Path(done.folder).rglob("*.plotly.json")
    assert json.loads(figure.read_text()) == json.loads(to_plain(chart().figure).text)
    assert list(Path(done.folder).glob("*.wandb"))
    # The deadlines of the settings, twice the start of the library.
    assert monotonic() - began < 2 + finish + 2 * export.START
    assert KEY.encode() not in everything(tmp_path)
    assert KEY not in repr(done)


@pytest.mark.parametrize("part", ["graphql", "stream"])
def test_no_key_goes_to_another_host(server, monkeypatch, part):
    """Not even at a further try, and another port is another host."""
    monkeypatch.setattr(export, "INIT", 4.0)
    monkeypatch.setattr(export, "FINISH", 4.0)
    with Elsewhere() as elsewhere:
        server.fault, server.moved = f"{part} 503 307", elsewhere.url
        export_charts([chart("loss-landscape")], [run()], SETTINGS)
    assert elsewhere.came
    assert not [headers for headers in elsewhere.came if "Authorization" in headers]


def test_runs_that_others_open_meanwhile_keep_their_folders(tmp_path, monkeypatch):
    """Another viewer's export, or a training run that writes into the same folder."""
    others, answer = [], Handler._answer

    def meanwhile(handler: Handler, *rest: object) -> None:
        others.append(tmp_path / "here" / "wandb" / f"run-20260101_000000-other{len(others)}")
        others[-1].mkdir(parents=True)
        answer(handler, *rest)

    monkeypatch.setattr(Handler, "_answer", meanwhile)
    assert export_charts([chart()], [run()], SETTINGS).failed == ""
    assert sorted((tmp_path / "here" / "wandb").glob("run-*")) == sorted(others)


def test_the_second_opening_leaves_no_folder_whatever_it_is_called(tmp_path, monkeypatch):
    """Within one second of the first the library adds a number to the name."""
    first, second, other = (tmp_path / "wandb" / f"run-1_1-{end}" for end in ("ab", "ab-1", "cd"))
    first.mkdir(parents=True)

    @contextmanager
    def opened(*_: object) -> Iterator[SimpleNamespace]:
        for place in (second, other):
            (place / "files").mkdir(parents=True)
        yield SimpleNamespace(dir=str(second / "files"))

    marked = []
    monkeypatch.setattr(child, "_open", opened)
    monkeypatch.setattr(child, "mark_arrived", lambda _, keys: marked.append(keys))
    child._tell_arrived({"id": "ab"}, tmp_path, ("3d/loss_landscape",))
    assert marked == [("3d/loss_landscape",)]
    assert sorted((tmp_path / "wandb").iterdir()) == [first, other]


def test_a_repeat_after_a_failed_upload_sends_again(server, monkeypatch):
    """The config of the run arrived and names the chart, but its files did not."""
    monkeypatch.setattr(export, "FINISH", 40.0)
    server.fault = "put 500"
    failed = export_charts([chart()], [run()], SETTINGS, run_id="torn")
    assert "error 500" in failed.failed
    assert failed.sync == f"wandb sync --include-online {failed.folder}"
    config = server.runs["torn"]["config"]["viz3d"]["value"]
    assert "3d/loss_landscape" in config["charts"]
    server.fault = ""
    done = export_charts([chart()], [run()], SETTINGS, run_id="torn")
    assert (done.failed, done.new, done.present) == ("", False, ())
    row = server.runs["torn"]["rows"][-1]
    assert row["3d/loss_landscape"]["path"] in server.files


def test_a_library_that_does_not_end_is_ended(server, monkeypatch):
    """The outer deadline holds even where the library's own does not."""
    monkeypatch.setattr(export, "START", 0.0)
    monkeypatch.setattr(export, "INIT", 0.25)
    monkeypatch.setattr(export, "FINISH", 0.25)
    done = export_charts([chart("loss-landscape")], [run()], SETTINGS)
    assert "in time" in done.failed
    assert done.folder == ""


def test_without_a_key_it_says_what_to_do(server, tmp_path, monkeypatch):
    """Nothing is drawn, sent or written."""
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with pytest.raises(ExportError, match=r"WANDB_API_KEY.*wandb login.*offline"):
        export_charts([chart("loss-landscape")], [run()], replace(SETTINGS, wandb_api_key=""))
    assert server.paths == []
    assert list(tmp_path.iterdir()) == []


def test_a_login_is_used(server, tmp_path, monkeypatch):
    """A key that `wandb login` left is found by the library itself."""
    other = "c0ffee" * 7
    host = server.url.removeprefix("http://")
    (tmp_path / "netrc").write_text(f"machine {host}\n login user\n password {other}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.keys.clear()
    done = export_charts([chart("loss-landscape")], [run()], Settings(), project="p")
    assert done.failed == ""
    assert server.keys == {other}
