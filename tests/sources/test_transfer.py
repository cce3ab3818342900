"""One object to the disk, whatever the network does; many at once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pytest

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources.crew import FEWEST, WORKERS, all_at_once
from viz3d.sources.faults import fault
from viz3d.sources.patience import Deadlines
from viz3d.sources.progress import Meter, Progress
from viz3d.sources.transfer import download

DATA = bytes(range(256)) * 400
FILE = FileInfo("runs/a/metrics.jsonl", len(DATA), 0.0, "1", google_crc32c.value(DATA))
Serve = Callable[[int], bytes | BucketError]


class Wire:
    """Plays the bucket: each read is answered by the next of `answers`, the last one for ever.

    An answer is given the offset asked for and returns the bytes that come; with a fault after
    them where the connection breaks.
    """

    def __init__(self, *answers: Callable[[int], tuple[bytes, BucketError | None]]) -> None:
        self.deadlines = Deadlines().scaled(0.02)
        self.answers, self.starts = list(answers), []

    def read(self, file: FileInfo, start: int, sink: io.RawIOBase, left: float) -> None:
        """Play one try."""
        self.starts.append(start)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        data, broken = answer(start)
        for at in range(0, len(data), 8192):
            sink.write(data[at : at + 8192])
        if broken:
            raise broken


def whole(start: int) -> tuple[bytes, None]:
    return DATA[start:], None


def cut(size: int) -> Callable[[int], tuple[bytes, BucketError]]:
    return lambda start: (DATA[start : start + size], fault("dropped", where="gs://b"))


def flipped(start: int) -> tuple[bytes, None]:
    data = bytearray(DATA[start:])
    data[len(data) // 2] ^= 1
    return bytes(data), None


def short(start: int) -> tuple[bytes, None]:
    return DATA[start:-100], None


def page(start: int) -> tuple[bytes, None]:
    return b"<!doctype html><title>Log in</title>".ljust(len(DATA)), None


def fetch(wire: Wire, temp: Path, file: FileInfo = FILE, meter: Meter | None = None) -> int:
    return download(wire, file, temp, meter or Meter(), "gs://b")


def test_a_clean_answer(tmp_path: Path):
    wire = Wire(whole)
    assert fetch(wire, tmp_path / "t") == FILE.crc32c
    assert (tmp_path / "t").read_bytes() == DATA
    assert wire.starts == [0]


def test_a_broken_transfer_goes_on_where_it_broke(tmp_path: Path):
    wire = Wire(cut(30_000), cut(1), whole)
    fetch(wire, tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == DATA
    assert wire.starts == [0, 30_000, 30_001]


def test_bytes_of_an_earlier_try_are_not_fetched_again(tmp_path: Path):
    (tmp_path / "t").write_bytes(DATA[:50_000])
    wire = Wire(whole)
    fetch(wire, tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == DATA
    assert wire.starts == [50_000]


@pytest.mark.parametrize("before", [b"x" * 50_000, DATA + b"more"])
def test_an_earlier_copy_that_is_another_is_dropped(before: bytes, tmp_path: Path):
    (tmp_path / "t").write_bytes(before)
    wire, meter = Wire(whole), Meter()
    meter.plan(FILE.size - len(before))
    fetch(wire, tmp_path / "t", meter=meter)
    assert (tmp_path / "t").read_bytes() == DATA
    assert wire.starts[-1] == 0
    shown = meter.progress()
    assert shown.bytes_done == shown.bytes_total == FILE.size


def test_a_wrong_byte_in_the_resumed_part_is_found_and_all_of_it_fetched_again(tmp_path: Path):
    wire = Wire(cut(30_000), flipped, whole)
    fetch(wire, tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == DATA
    assert wire.starts == [0, 30_000, 0]


@pytest.mark.parametrize("bad", [flipped, lambda start: (DATA + b"tail", None)])
def test_wrong_bytes_twice_are_refused(bad, tmp_path: Path):
    wire = Wire(bad)
    with pytest.raises(BucketError, match="wrong bytes") as caught:
        fetch(wire, tmp_path / "t")
    assert caught.value.kind == "corrupt"
    assert wire.starts == [0, 0]
    assert (tmp_path / "t").read_bytes() == b""


def test_a_short_answer_that_calls_itself_whole_is_never_taken(tmp_path: Path):
    with pytest.raises(BucketError):
        fetch(Wire(short), tmp_path / "t")


def test_a_login_page_in_place_of_the_object_is_called_that(tmp_path: Path):
    with pytest.raises(BucketError, match="login page") as caught:
        fetch(Wire(page), tmp_path / "t")
    assert caught.value.kind == "portal"


def test_an_object_without_checksum_is_not_fetched(tmp_path: Path):
    wire = Wire(whole)
    with pytest.raises(BucketError, match="no checksum"):
        fetch(wire, tmp_path / "t", FileInfo("a", 3, 0.0, "1"))
    assert wire.starts == []


def test_an_empty_object_needs_no_request(tmp_path: Path):
    wire = Wire(whole)
    assert fetch(wire, tmp_path / "t", FileInfo("a", 0, 0.0, "1", 0)) == 0
    assert (tmp_path / "t").read_bytes() == b""
    assert wire.starts == []


def test_a_connection_that_always_breaks_is_given_up(tmp_path: Path):
    with pytest.raises(BucketError) as caught:
        fetch(Wire(cut(0)), tmp_path / "t")
    assert caught.value.kind == "dropped"


def test_a_stopped_download_keeps_what_came(tmp_path: Path):
    meter = Meter()

    def half(start: int) -> tuple[bytes, BucketError]:
        meter.cancel.set()
        return DATA[start:], fault("dropped", where="gs://b")

    with pytest.raises(BucketError) as caught:
        fetch(Wire(cut(40_000), half), tmp_path / "t", meter=meter)
    assert caught.value.kind == "cancelled"
    assert (tmp_path / "t").read_bytes() == DATA[:40_000]


def test_many_at_once_are_all_done_and_shown_on_the_callers_thread():
    done: list[int] = []
    shown: list[tuple[int, Progress]] = []
    meter = Meter()

    def task(number: int) -> Callable[[], None]:
        def run() -> None:
            done.append(number)
            meter.count(10)
            meter.done()

        return run

    for _ in range(50):
        meter.plan(10)
    all_at_once(
        [task(number) for number in range(50)],
        meter,
        lambda progress: shown.append((threading.get_ident(), progress)),
    )
    assert sorted(done) == list(range(50))
    assert {thread for thread, _ in shown} == {threading.get_ident()}
    last = shown[-1][1]
    assert (last.files_done, last.files, last.bytes_done, last.share) == (50, 50, 500, 1.0)


def test_what_the_watcher_raises_stops_everything():
    meter, release = Meter(), threading.Event()

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        all_at_once([release.wait] * 4, meter, stop)
    assert meter.cancel.is_set()
    release.set()


def test_a_cancelled_transfer_returns_without_the_threads_that_hang():
    meter, release = Meter(), threading.Event()
    threading.Timer(0.05, meter.cancel.set).start()
    all_at_once([release.wait] * 4, meter)
    assert not release.is_set()
    release.set()


def test_downloads_that_wait_run_beside_one_another():
    """None of them ends before all have begun."""
    together = threading.Barrier(WORKERS, timeout=30)
    all_at_once([together.wait] * WORKERS, Meter())
    assert not together.broken


@pytest.mark.parametrize(("busy", "crew"), [(1.0, FEWEST), (0.01, WORKERS)])
def test_a_crew_grows_by_what_its_tasks_wait_and_not_by_what_they_work(
    monkeypatch: pytest.MonkeyPatch, busy: float, crew: int
):
    """The clocks are counted up by the task: a second for all, `busy` of it for its thread."""
    clock = threading.local()
    monkeypatch.setattr("viz3d.sources.crew.TICK", 60.0)
    monkeypatch.setattr("viz3d.sources.crew.monotonic", lambda: getattr(clock, "passed", 0.0))
    monkeypatch.setattr(
        "viz3d.sources.crew.thread_time", lambda: getattr(clock, "passed", 0.0) * busy
    )
    workers = set()
    last = threading.Barrier(crew, timeout=30)

    def task() -> None:
        workers.add(threading.get_ident())
        clock.passed = getattr(clock, "passed", 0.0) + 1.0

    def held() -> None:
        """Hold each thread until as many are there as are expected, so that all are seen."""
        task()
        last.wait()

    all_at_once([task] * 200 + [held] * crew, Meter())
    assert len(workers) == crew
