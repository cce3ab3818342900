"""What W&B may answer, or somebody in its place: every row once, and no key for anybody else."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from email.utils import formatdate
from time import time
from typing import Any

import numpy as np
import pytest

from tests.local_server import Elsewhere
from tests.storage.test_wandb_source import helpers_of, questions
from tests.storage.wandb_service import BEGAN, Fault, Service, StoredRun, rows
from viz3d.errors import WandbError
from viz3d.load import list_runs, load_run
from viz3d.sources import wandb_pages
from viz3d.sources.base import Source

Open = Callable[..., Source]
RUN = "wandb://team/nano/x"


def asked(service: Service) -> list[tuple[int, int]]:
    """Return the ranges of steps that were asked for."""
    pages = [about for name, about in service.asked if name == "HistoryPage"]
    return [(page["minStep"], page["maxStep"]) for page in pages]


@pytest.mark.parametrize(("first", "status"), [("", "302"), ("503", "302"), ("drop", "307")])
def test_no_key_goes_to_another_host(service, open_wandb, first, status):
    """Whereto the service redirects: the question may go there, who asks is not told.

    Also at a further try, for which the client's helper has the headers of the one before; another
    port is another host, though the helper takes it for the same.
    """
    with Elsewhere() as elsewhere:
        moved = Fault(status, headers={"Location": elsewhere.url})

        def fail(question: str) -> None:
            again = service.counts[question] > 1
            service.fault = moved if again or not first else Fault(first)

        service.before = fail
        with pytest.raises(WandbError):
            list_runs(open_wandb(patience=0.3))
    assert elsewhere.came
    told = [headers for headers in elsewhere.came if "Authorization" in headers]
    assert not told, [headers.get("User-Agent") for headers in told]


def test_a_helper_that_ended_is_started_anew(service, open_wandb, monkeypatch):
    """Killed, say for want of memory; or it is that of another process, which is gone."""
    source = open_wandb()
    list_runs(source)
    for helper in helpers_of(os.getpid()):
        os.kill(int(helper), signal.SIGKILL)
    assert len(list_runs(source)) == 3
    assert len(load_run(open_wandb(), "sweep").history) == 12
    assert source.as_of is None
    import wandb

    wandb.teardown()
    monkeypatch.setenv("WANDB_SERVICE", "3-1-tcp-localhost-9")
    assert len(list_runs(open_wandb())) == 3


@pytest.mark.parametrize("how", ["twice", "backwards", "everything", "lines"])
def test_rows_come_once_each_and_in_order(service, open_wandb, monkeypatch, how):
    """Whatever a page repeats, in whatever order, and if it does not respect its range."""
    run = service.add(StoredRun("x", "x", rows(2_300), state="running"))
    real = Service.answer

    def odd(self: Service, question: str, about: dict[str, Any], who: str) -> dict[str, Any]:
        if question != "HistoryPage":
            return real(self, question, about, who)
        if how == "everything":
            about = {**about, "minStep": 0, "maxStep": 10**9, "pageSize": 10**9}
        page = real(self, question, about, who)["project"]["run"]["history"]
        if how == "backwards":
            page = page[::-1]
        if how == "lines":
            page = [row.replace(", ", ",\n") for row in page]
        if how == "twice":
            page = [*page[:50], *page]
        return {"project": {"run": {"history": page}}}

    monkeypatch.setattr(Service, "answer", odd)
    for more in (0, 1, 1_200):
        run.rows += rows(more, start=len(run.rows))
        found = load_run(open_wandb(RUN))
        assert found.history.index.tolist() == list(range(len(run.rows)))
        assert found.history["loss"].tolist() == [row["loss"] for row in run.rows]
        assert found.problems == ()
    assert asked(service)[-2:] == [(2_300, 3_300), (3_300, 3_501)]


def test_two_rows_of_one_count_stay_two(service, open_wandb):
    """What differs is no repetition, and the second of them is where the next reading begins."""
    run = service.add(StoredRun("x", "x", rows(5, apart=3), state="running"))
    run.rows += [{"_step": 15, "loss": 0.5}, {"_step": 15, "lr": 0.25}]
    found = load_run(open_wandb(RUN))
    assert (found.history["loss"][15], found.history["lr"][15]) == (0.5, 0.25)
    run.rows += rows(3, start=18, apart=3)
    questions(service)
    assert len(load_run(open_wandb(RUN)).history) == 9
    assert asked(service) == [(15, 25)]


def test_a_page_that_skips_rows_is_told(service, open_wandb, monkeypatch):
    """No other way of asking brings them; others that come twice do not make up for them."""
    service.add(StoredRun("x", "x", rows(2_300)))
    real = Service.answer

    def odd(self: Service, question: str, about: dict[str, Any], who: str) -> dict[str, Any]:
        answer = real(self, question, about, who)
        if question == "HistoryPage":
            page = answer["project"]["run"]["history"]
            page[3:5] = page[5:7]
        return answer

    monkeypatch.setattr(Service, "answer", odd)
    run = load_run(open_wandb(RUN))
    assert len(run.history) == 2_294
    assert "6 more rows of this run than it handed out" in run.problems[0].what


def test_steps_that_count_tokens_take_few_pages(service, open_wandb, monkeypatch):
    """Ten milliards of them between a few rows, or all rows close together at the beginning."""
    service.add(StoredRun("x", "x", rows(3_000, apart=5_000_000)))
    assert len(load_run(open_wandb(RUN)).history) == 3_000
    assert len(asked(service)) <= 4
    questions(service)
    monkeypatch.setattr(wandb_pages, "WIDEST", 2_000)
    run = service.runs["x"]
    run.rows, run.internal = [*rows(5_000), *rows(2, start=10**10, apart=10**9)], "another"
    service.samples = 2_000
    assert load_run(open_wandb(RUN)).history.index[-1] == 11 * 10**9
    assert len(load_run(open_wandb(RUN)).history) == 5_002
    assert len(asked(service)) < 25


def test_a_tail_that_is_thinned_is_noticed_while_the_run_goes_on(service, open_wandb):
    """As when the whole was read; what it lacked before is no reason to read it again."""
    service.samples = 1_000
    run = service.add(StoredRun("x", "x", rows(100, apart=400), state="running"))
    assert len(load_run(open_wandb(RUN)).history) == 100
    run.rows += rows(3_000, start=40_000)
    assert len(load_run(open_wandb(RUN)).history) == 3_100
    run.counted = 3_105
    found = load_run(open_wandb(RUN))
    assert "5 more rows" in found.problems[0].what
    run.rows += rows(10, start=50_000)
    run.counted += 10
    questions(service)
    assert len(load_run(open_wandb(RUN)).history) == 3_110
    assert len(asked(service)) == 1


@pytest.mark.parametrize("changed", [False, True])
def test_a_live_run_whose_reading_was_stopped_goes_on(service, open_wandb, changed):
    """Also when it has grown since; not when it was rewound, which its last row tells."""
    run = service.add(StoredRun("x", "x", rows(5_000), state="running"))
    source = open_wandb(RUN)
    source.prepare(list_runs(source)[0].files, None, service.stopping_at(3))
    service.before = lambda _: None
    questions(service)
    run.rows += rows(100, start=5_000)
    if changed:
        run.rows = [{**row, "loss": -row["loss"]} for row in run.rows]
    found = load_run(open_wandb(RUN))
    assert found.history["loss"].tolist() == [row["loss"] for row in run.rows]
    assert asked(service)[:2] == [(2_999, 3_999), (0, 1_000) if changed else (3_999, 4_999)]


def test_a_script_that_ends_while_it_shows_progress_ends_the_reading(service, open_wandb):
    """As Streamlit ends one by an exception: no further page is asked for."""
    service.add(StoredRun("x", "x", rows(90_000)))
    source = open_wandb(RUN)
    [info] = list_runs(source)

    def end(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.prepare(info.files, end)
    assert service.counts["HistoryPage"] < 90


@pytest.mark.parametrize("how", ["flip", "zeros", "cut"])
def test_what_a_stopped_reading_left_is_checked(service, open_wandb, how):
    """A bit that flipped, zeros that a power cut leaves: from there on it is read again."""
    service.add(StoredRun("x", "x", rows(5_000)))
    source = open_wandb(RUN)
    source.prepare(list_runs(source)[0].files, None, service.stopping_at(4))
    service.before = lambda _: None
    [part] = source.cache.folder.rglob("*.part")
    data = bytearray(part.read_bytes())
    at = data.index(b'"_step": 2500') + 12
    if how == "flip":
        data[at] ^= 1  # 2501: a good row, and not that which came
    elif how == "zeros":
        data[at:] = bytes(len(data) - at)
    else:
        del data[at:]
    part.write_bytes(data)
    questions(service)
    assert load_run(open_wandb(RUN)).history.index.tolist() == list(range(5_000))
    assert asked(service)[0] == (2_499, 3_499)


def test_no_run_hides_another_by_its_name(service, open_wandb):
    """One is called as another one is shown; and what is skipped in a folder is no name here."""
    names = ["b (x2)", "b (x2) (x2)", "b", "b", ".git", "node_modules", "../b", "a\nb", "wandb"]
    for number, name in enumerate(names):
        run = StoredRun(f"x{number}", name, rows(1), created=BEGAN - number)
        service.add(run)
    infos = list_runs(open_wandb())
    assert len({info.name for info in infos}) == len(infos) == 3 + len(names)
    source = open_wandb()
    for info in infos:
        assert len(load_run(source, info.name).history) in (1, 12, 20, 30)


def test_a_run_with_many_keys_and_one_without_history(service, open_wandb):
    """The cap on metrics is said with how many values it cost; no history is said too."""
    wide = {f"layer/{number}/norm": number / 7 for number in range(5_000)}
    service.add(StoredRun("x", "x", [{**row, **wide} for row in rows(3)]))
    run = load_run(open_wandb(RUN))
    assert len(run.history) == 3
    assert any("VIZ3D_MAX_METRICS" in str(problem) for problem in run.problems)
    service.add(StoredRun("y", "y"))
    run = load_run(open_wandb("wandb://team/nano/y"))
    assert (len(run.history), "no history" in run.problems[0].what) == (0, True)


@pytest.mark.parametrize("said", [None, {}, {"lastStep": None}])
def test_a_run_whose_last_step_is_not_told(service, open_wandb, monkeypatch, said):
    """Its rows cannot be asked for, which is not as if there were none."""
    service.add(StoredRun("x", "x", rows(5), state="running"))
    real = StoredRun.node
    monkeypatch.setattr(
        StoredRun, "node", lambda self, *, whole: {**real(self, whole=whole), "historyKeys": said}
    )
    told = load_run(open_wandb(RUN)).problems
    assert any("5 more rows of this run than it handed out" in problem.what for problem in told)


@pytest.mark.parametrize("after", ["1", lambda: formatdate(time() + 2, usegmt=True)])
def test_retry_after_is_kept_in_seconds_or_as_a_date(service, open_wandb, after):
    """The service is not asked again before."""
    value = after if isinstance(after, str) else after()
    service.fault = Fault("429", on="Runs", times=1, headers={"Retry-After": value})
    times: list[float] = []
    service.before = lambda question: times.append(time()) if question == "Runs" else None
    assert len(list_runs(open_wandb())) == 3
    assert len(times) == 2
    assert times[1] - times[0] > 0.9


@pytest.mark.parametrize("status", ["429", "503"])
def test_a_storm_ends_a_batch_and_is_no_storm_of_ours(service, open_wandb, status):
    """Few questions, one sentence; what was read before is shown."""
    for number in range(40):
        service.add(StoredRun(f"x{number}", f"x{number}", rows(2)))
    source = open_wandb(patience=0.15)
    infos = list_runs(source)
    service.fault = Fault(status)
    questions(service)
    source.prepare([file for info in infos for file in info.files])
    assert sum(questions(service).values()) < 100
    with pytest.raises(WandbError) as caught:
        load_run(source, "x7")
    assert caught.value.kind in ("too_many_requests", "service_down", "offline")


def test_five_thousand_runs_are_listed_by_the_page(service, open_wandb):
    """Fifty questions; beyond that the others are counted."""
    service.runs.clear()
    for number in range(5_010):
        service.add(StoredRun(f"x{number}", f"x{number}", created=BEGAN + number))
    source, told = open_wandb(), list[str]()
    source.tell = told.append
    infos = list_runs(source)
    assert len(infos) == 5_000
    assert told[1] == "200 of 5,010 runs of wandb://team/nano are listed …"
    assert infos[0].name == "x5009"
    assert questions(service)["Runs"] == 50
    assert "5,010 runs; the 5,000 newest" in source.problems()[0].what


def test_the_clock_of_w_and_b_is_there_beside_a_step_of_ones_own(service, open_wandb):
    """`step` differs from `_step` and is missing in some rows, which are not given another one."""
    service.add(
        StoredRun(
            "x", "x",
            [{"_step": 7 * n, "_runtime": n / 2, "_timestamp": BEGAN + n,
              **({"step": 100 * n} if n % 4 else {}), "loss": 1.0 * n} for n in range(20)],
        )
    )  # fmt: skip
    run = load_run(open_wandb(RUN))
    assert run.history.index.tolist() == [100 * n for n in range(20) if n % 4]
    assert run.history["_runtime"].tolist() == [n / 2 for n in range(20) if n % 4]
    assert np.isfinite(run.history["_timestamp"]).all()
    assert any("5 rows" in problem.what for problem in run.problems)
