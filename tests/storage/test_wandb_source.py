"""Runs on W&B, by the real client against a local service: complete, merged, and asked for once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest

from tests.storage.wandb_service import (
    KEY,
    OTHER_KEY,
    Fault,
    Service,
    StoredRun,
    rows,
)
from viz3d.errors import RunNotFound, WandbError
from viz3d.load import list_runs, load_run
from viz3d.sources.base import Source
from viz3d.sources.check import check
from viz3d.sources.progress import Progress

Open = Callable[..., Source]


def questions(service: Service) -> dict[str, int]:
    """Return how often each question was asked since the last time."""
    counts = service.counts
    service.asked.clear()
    return counts


def helpers_of(process: int) -> list[str]:
    """Return the helpers of a process that still run, where the system lists them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
            if "wandb-core" in words[0] and f"--pid {process} " in " ".join(words):
                found.append(path.parent.name)
    return found


def test_a_project_is_listed_newest_first_without_its_histories(service, open_wandb):
    """Name, state, beginning, last change and rows of each run, page by page."""
    service.most = 2
    source = open_wandb()
    infos = list_runs(source)
    facts = [(info.name, info.state, info.rows, info.formats) for info in infos]
    assert facts == [
        ("live", "running", 20, ("W&B history",)),
        ("rl", "finished", 60, ("W&B history",)),
        ("sweep", "finished", 12, ("W&B history",)),
    ]
    assert infos[0].created == 1_790_000_200
    assert questions(service) == {"Viewer": 1, "Runs": 2}
    assert source.identity == "the W&B user reader"
    assert source.as_of is None
    assert source.problems() == ()


def test_every_row_of_a_long_history_is_there_in_order(service, open_wandb):
    """Several pages, none sampled; then nothing is asked for but the listing."""
    service.add(StoredRun("long", "long", rows(5_345)))
    source = open_wandb()
    run = load_run(source, "long")
    assert run.history.index.tolist() == list(range(5_345))
    assert run.history["loss"].tolist() == [9 / (step + 1) for step in range(5_345)]
    assert run.problems == ()
    pages = [about for name, about in service.asked if name == "HistoryPage"]
    assert len(pages) == 6
    assert all(page["pageSize"] >= page["maxStep"] - page["minStep"] for page in pages)
    questions(service)
    assert load_run(source, "long").digest == run.digest
    assert questions(service) == {"Runs": 1}
    # Another process, or another day.
    assert load_run(open_wandb(), "long").digest == run.digest
    assert questions(service) == {"Viewer": 1, "Runs": 1}


def test_steps_far_apart_take_few_pages_and_lose_nothing(service, open_wandb):
    """A range is as wide as a thousand rows are apart on average; what is missing is told."""
    service.add(StoredRun("far", "far", rows(2_000, apart=50)))
    assert len(load_run(open_wandb(), "far").history) == 2_000
    pages = [about for name, about in service.asked if name == "HistoryPage"]
    assert len(pages) == 3
    assert all(page["pageSize"] >= page["maxStep"] - page["minStep"] for page in pages)
    # The service hands out less than it counts: once more in small ranges, then it is told.
    service.add(StoredRun("gap", "gap", rows(100, apart=50), counted=103))
    run = load_run(open_wandb(), "gap")
    assert len(run.history) == 100
    assert "3 more rows" in run.problems[0].what


@pytest.mark.parametrize("state", ["running", "finished"])
def test_a_service_that_thins_a_wide_range_is_noticed(service, open_wandb, state):
    """Fewer rows came than it counts, so they are asked for again in ranges that none can thin."""
    service.samples = 1_000
    service.add(StoredRun("odd", "odd", [*rows(3_000), *rows(2, start=50_000)], state=state))
    run = load_run(open_wandb(), "odd")
    assert run.history.index.tolist() == [*range(3_000), 50_000, 50_001]
    assert run.problems == ()


def test_two_log_calls_of_one_step_are_one_row(service, open_wandb):
    """The step that the program logged counts, and not W&B's own count of calls."""
    run = load_run(open_wandb(), "rl")
    assert run.history.index.tolist() == list(range(30))
    assert list(run.history.columns) == ["reward", "sequence_length", "lrm"]
    assert run.history.notna().all(axis=None)
    assert run.problems == ()


def test_what_is_logged_reaches_the_run(service, open_wandb):
    """Config and tags, NaN and infinities, nested values; media is left out and counted."""
    service.add(
        StoredRun(
            "odd", "odd", config={"lr": 0.1, "model": {"depth": 20}}, tags=("a", "b"),
            rows=[
                {"_step": 0, "loss": "NaN", "eval": {"acc": 0.5}, "iter": 100},
                {"_step": 1, "loss": "-Infinity", "grad": "Infinity", "iter": 200},
                {"_step": 2, "image": {"_type": "image-file", "path": "http://x/"}, "iter": 300},
            ],
        )
    )  # fmt: skip
    run = load_run(open_wandb(), "odd")
    assert run.history.index.tolist() == [100, 200, 300]
    assert np.isnan(run.history["loss"][100])
    assert run.history["loss"][200] == -np.inf
    assert run.history["grad"][200] == np.inf
    assert run.history["eval/acc"][100] == 0.5
    assert run.nonfinite["metric"].tolist() == ["loss", "loss", "grad"]
    assert run.config["model"] == {"depth": 20}
    assert run.config["_wandb"]["tags"] == ["a", "b"]
    assert "1 value of media" in run.problems[0].what
    assert "http" not in "".join(map(str, run.problems))


def test_of_a_live_run_only_the_tail_is_read(service, open_wandb):
    """One question about the run and one page from its last row on; the same file as read whole."""
    live = service.runs["ccc"]
    live.rows = rows(2_500)
    source = open_wandb()
    assert len(load_run(source, "live").history) == 2_500
    questions(service)
    live.rows += rows(7, start=2_500)
    grown = load_run(source, "live")
    pages = [about["minStep"] for name, about in service.asked if name == "HistoryPage"]
    assert pages == [2_499]
    assert questions(service) == {"Runs": 1, "Run": 1, "HistoryPage": 1}
    assert grown.history.index.tolist() == list(range(2_507))
    fresh = open_wandb(cache_dir=f"{source.cache.folder.parent}-2")
    assert load_run(fresh, "live").digest == grown.digest


@pytest.mark.parametrize("how", ["rewound", "made anew", "made anew with the same end", "shorter"])
def test_a_history_that_changed_behind_its_end_is_read_again(service, open_wandb, how):
    """A run that was rewound and went on, or was deleted and made anew under its id."""
    run = service.add(StoredRun("x", "x", rows(50)))
    source = open_wandb()
    load_run(source, "x")
    again = [{**row, "loss": -1.0, "_timestamp": row["_timestamp"] + 99} for row in rows(60)]
    if how == "rewound":
        run.rows = run.rows[:30] + again[30:]
    elif how == "shorter":
        run.rows = run.rows[:30]
    elif how == "made anew":
        service.add(StoredRun("x", "x", again))
    else:
        service.add(StoredRun("x", "x", [*again[:49], run.rows[49], *again[50:]]))
    found = load_run(source, "x").history["loss"]
    expected = [row["loss"] for row in service.runs["x"].rows]
    assert found.tolist() == expected


def test_a_renamed_run_keeps_its_copy_and_namesakes_have_their_ids(service, open_wandb):
    """Names are the service's, whatever they hold; what is kept goes by the id."""
    source = open_wandb()
    load_run(source, "sweep")
    service.runs["aaa"].name = "<b>[x](javascript:alert(1))</b>/../a"
    questions(service)
    names = {info.name for info in list_runs(source)}
    [name] = [name for name in names if name.startswith("<b>")]
    assert ".." not in name.split("/")
    assert len(load_run(source, name).history) == 12
    assert questions(service) == {"Runs": 2}
    service.add(StoredRun("ddd", "rl", rows(3)))
    assert {"rl (bbb)", "rl (ddd)"} < {info.name for info in list_runs(source)}
    assert len(load_run(source, "rl (ddd)").history) == 3
    with pytest.raises(RunNotFound, match=r"rl \(bbb\)"):
        load_run(source, "rl")


def test_one_run_by_its_address(service, open_wandb):
    """As typed, or as copied from the browser; an id that is none is said."""
    for text in ("wandb://team/nano/aaa", "https://wandb.ai/team/nano/runs/aaa/workspace?nw=x"):
        source = open_wandb(text)
        assert source.name == "wandb://team/nano/aaa"
        assert load_run(source).name == "sweep"
    with pytest.raises(WandbError, match="no run zzz in wandb://team/nano"):
        list_runs(open_wandb("wandb://team/nano/zzz"))


def test_what_was_read_is_there_without_a_network(service, open_wandb, monkeypatch):
    """The last listing with its time, the kept histories; what was never read says so."""
    digest = load_run(open_wandb(), "sweep").digest
    service.fault = Fault("html")
    source = open_wandb()
    infos = {info.name: info for info in list_runs(source)}
    assert source.as_of is not None
    assert len(infos) == 3
    assert "as of" in source.problems()[0].what
    assert "web page" in source.problems()[0].what
    assert load_run(source, "sweep").digest == digest
    with pytest.raises(WandbError, match="never read"):
        load_run(source, "rl")


def test_a_history_that_cannot_be_refreshed_is_shown_as_it_was(service, open_wandb):
    """The run says from when it is, and why."""
    source = open_wandb()
    load_run(source, "live")
    service.runs["ccc"].rows += rows(5, start=20)
    service.fault = Fault("html", on="HistoryPage")
    run = load_run(source, "live")
    assert len(run.history) == 20
    assert "copy as of" in run.problems[0].what


def test_a_stopped_reading_goes_on_where_it_was(service, open_wandb):
    """Cancelled half way, nothing is shown of it; the second time only the rest is asked for."""
    service.add(StoredRun("long", "long", rows(5_000)))
    source, cancel, seen = open_wandb(), service.stopping_at(3), []
    [info] = [info for info in list_runs(source) if info.name == "long"]
    source.prepare(info.files, seen.append, cancel)
    assert cancel.is_set()
    questions(service)
    service.before = lambda _: None
    limit = monotonic() + 30
    while not (parts := list(source.cache.folder.rglob("*.part"))):
        assert monotonic() < limit, "what came was not kept"
        sleep(0.01)
    [part] = parts
    with part.open("ab") as file:
        file.write(b'{"_step": 3000, "lo')  # a power cut in the middle of a row
    assert len(load_run(source, "long").history) == 5_000
    asked = [about["minStep"] for name, about in service.asked if name == "HistoryPage"]
    # The last row that is here is asked for again, to see that it still is the run's.
    assert asked == [2_999, 3_999, 4_999]


def test_progress_counts_rows_of_all_runs(service, open_wandb):
    """Several at once; what is here already does not count."""
    source, seen = open_wandb(), list[Progress]()
    infos = list_runs(source)
    files = [file for info in infos for file in info.files]
    source.prepare(files, seen.append)
    last = seen[-1]
    assert (last.files_done, last.files, last.bytes_done, last.bytes_total) == (3, 3, 92, 92)
    assert last.unit == "rows"
    service.runs["ccc"].rows += rows(5, start=20)
    seen.clear()
    source.prepare([file for info in list_runs(source) for file in info.files], seen.append)
    assert (seen[-1].files, seen[-1].bytes_done, seen[-1].bytes_total) == (1, 5, 5)


def test_a_killed_reading_leaves_a_good_cache(service, open_wandb, tmp_path, request):
    """Killed between two pages: its helper ends too, and the next process asks for the rest."""
    service.add(StoredRun("long", "long", rows(5_000)))
    reached, go = Event(), Event()

    def hold(question: str) -> None:
        if question == "HistoryPage" and service.counts[question] == 4:
            reached.set()
            go.wait(30)

    service.before = hold
    request.addfinalizer(go.set)
    code = "import sys; from viz3d.load import load_run; load_run(sys.argv[1])"
    # The client would have it share the helper of this process.
    env = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    env |= {"WANDB_API_KEY": KEY, "VIZ3D_CACHE_DIR": str(tmp_path / "cache")}
    child = subprocess.Popen([sys.executable, "-c", code, "wandb://team/nano/long"], env=env)
    assert reached.wait(60)
    assert helpers_of(child.pid) or not Path("/proc/self").exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    go.set()
    service.before = lambda _: None
    questions(service)
    limit = monotonic() + 30
    while helpers_of(child.pid):
        assert monotonic() < limit, "the client's helper outlives its process"
        sleep(0.05)
    assert len(load_run(open_wandb("wandb://team/nano/long")).history) == 5_000
    asked = [about["minStep"] for name, about in service.asked if name == "HistoryPage"]
    # The last row that is here is asked for again, to see that it still is the run's.
    assert asked == [2_999, 3_999, 4_999]


def test_nothing_here_is_for_others_and_the_key_is_nowhere(service, open_wandb, tmp_path, capfd):
    """Folders and files of the owner alone; no file and no output holds the key."""
    load_run(open_wandb(), "sweep")
    kept = list((tmp_path / "cache").rglob("*"))
    assert kept
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    assert KEY not in "".join(capfd.readouterr())


def test_check_says_who_asks_and_whether_it_can_be_read(service, tmp_path):
    """In the words of a bucket's check."""
    from viz3d.load import open_source
    from viz3d.settings import Settings

    settings = Settings(wandb_api_key=KEY, cache_dir=str(tmp_path))
    found = check("wandb://team/nano", settings, open_source, list_runs)
    assert (found.ok, found.listing, found.reading, found.runs) == (True, True, True, 3)
    assert (found.identity, found.project) == ("the W&B user reader", "team/nano")
    assert found.next == "python -m viz3d list wandb://team/nano"
    other = Settings(wandb_api_key=OTHER_KEY, cache_dir=str(tmp_path))
    found = check("wandb://team/nano", other, open_source, list_runs)
    assert (found.ok, found.kind, found.identity) == (False, "no_project", "the W&B user stranger")
    assert OTHER_KEY not in repr(found)
