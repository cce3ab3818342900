"""Sources on the command line: listed once, usable offline, and never silent on a terminal."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.team_bucket import (
    ADDRESS,
    BUCKET,
    NEWEST,
    OLDER,
    UNDATED,
    reports,
    run,
    tree,
)
from tests.storage.server import Fault, StorageServer
from viz3d import cli_source
from viz3d.cli_source import Line
from viz3d.sources.progress import Progress

HERE = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
HALF = Progress(3, 12, 13_500_000, 27_000_000, 1_500_000.0)


def test_a_bucket_is_listed_and_shown_like_a_folder(
    server: StorageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """`list` and `show` print the promised documents; the address of a run will do, too."""
    status, out, err = run(capsys, "list", ADDRESS, "--json")
    assert (status, err) == (0, "")
    assert {info["name"] for info in json.loads(out)} == {NEWEST, OLDER, UNDATED}
    status, out, _ = run(capsys, "show", OLDER, "--source", ADDRESS, "--json")
    assert (status, json.loads(out)["steps"]) == (0, 10)
    status, out, _ = run(capsys, "show", f"{ADDRESS}/runs/{NEWEST}/", "--json")
    assert (status, json.loads(out)["steps"]) == (0, 9)


def test_a_chart_of_several_runs_lists_the_bucket_once(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One listing by level and one by names, whatever the number of runs."""
    words = ("plot", "loss-landscape", NEWEST, OLDER, UNDATED, "--source", ADDRESS)
    status, out, err = run(capsys, *words, "--output", "chart.json")
    assert (status, out.strip()) == (0, "chart.json"), err
    provenance = json.loads((place / "chart.json").read_text())["layout"]["meta"]["viz3d"]
    assert {each["name"] for each in provenance["runs"]} == {NEWEST, OLDER, UNDATED}
    listings = [request for request in server.requests if request.kind == "list"]
    assert len(listings) == 2


def test_without_the_bucket_what_is_here_is_shown_as_of_then(
    server: StorageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last listing and the runs that were read stay usable, and say as of when they are."""
    assert run(capsys, "show", OLDER, "--source", ADDRESS)[0] == 0
    with server.down():
        status, out, err = run(capsys, "list", ADDRESS, "--json")
        assert (status, len(json.loads(out))) == (0, 3)
        assert "as of" in err
        status, out, _ = run(capsys, "show", OLDER, "--source", ADDRESS, "--json")
        assert (status, json.loads(out)["steps"]) == (0, 10)
        status, out, err = run(capsys, "show", NEWEST, "--source", ADDRESS, "--json")
        assert (status, out) == (1, "")
        assert "never downloaded" in err


class Terminal:
    """A command in a terminal of its own, 70 columns wide."""

    def __init__(self, *words: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
        # Whoever runs the tests in the background may have switched Ctrl-C off, also for children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "viz3d", *words],
            stdin=other, stdout=other, stderr=other, start_new_session=True,
            env={**os.environ, "VIZ3D_PATIENCE": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        signal.signal(signal.SIGINT, before)
        os.close(other)
        self.text = ""

    def until(self, pattern: str, seconds: float = 60) -> str:
        """Read up to a pattern; return what came since the last call."""
        began, start = monotonic(), len(self.text)
        while not re.search(pattern, self.text[start:]):
            left = seconds - (monotonic() - began)
            assert left > 0, f"{pattern!r} did not come; this did: {self.text!r}"
            if select.select([self._end], [], [], left)[0]:
                self.text += self._read()
        return self.text[start:]

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._end, text.encode())

    def end(self) -> int:
        """Read until the command ends; return its exit status."""
        while more := self._read():
            self.text += more
        os.close(self._end)
        return self.process.wait(60)

    def _read(self) -> str:
        try:
            return os.read(self._end, 4096).decode()
        except OSError:  # how Linux says that nobody is at the other end
            return ""


@HERE
def test_at_a_terminal_it_asks_which(server: StorageServer, place: Path) -> None:
    """A numbered list, newest first; what is no choice is asked again."""
    terminal = Terminal("download", ADDRESS)
    shown = terminal.until("Which[^:]*: ")
    assert f"Asking {ADDRESS} …" in shown
    assert re.findall(r"[\r\n] +\d+  (\S+)", shown) == [
        UNDATED, NEWEST, OLDER,
    ]  # fmt: skip
    terminal.type("7\n")
    assert "'7' is no number from 1 to 3" in terminal.until("Which[^:]*: ")
    terminal.type("2-3\n")
    assert terminal.end() == 0
    assert tree(place / "reports") == reports(NEWEST, OLDER)


@HERE
@pytest.mark.parametrize(
    ("answer", "runs"),
    [("latest\n", (NEWEST,)), ("ALL\n", (NEWEST, OLDER, UNDATED)), ("\n", ()), ("\x04", ())],
)
def test_at_a_terminal_words_will_do(
    answer: str, runs: tuple[str, ...], server: StorageServer, place: Path
) -> None:
    """`latest`, `all`; nothing or the end of the input stops."""
    terminal = Terminal("download", ADDRESS)
    terminal.until("Which[^:]*: ")
    terminal.type(answer)
    assert terminal.end() == 0
    assert tree(place / "reports") == reports(*runs)
    assert ("Nothing was downloaded." in terminal.text) == (not runs)


@HERE
def test_a_second_try_is_told_while_waiting(server: StorageServer) -> None:
    """A service that fails first: the status line says so, and is gone in the end."""
    server.faults.append(Fault(on="list", kind="status", status=503, times=1))
    terminal = Terminal("list", ADDRESS)
    assert terminal.end() == 0
    assert "Google Cloud Storage answers" in terminal.text
    assert "Trying again (1) …" in terminal.text
    shown = terminal.text.replace("\r\n", "\n").rpartition("\r")[2]
    assert shown.startswith(UNDATED)


@HERE
def test_stopped_by_ctrl_c_it_goes_on_later(server: StorageServer, place: Path) -> None:
    """The bar shows bytes and files; Ctrl-C says what is there; the same command goes on."""
    large = b"x" * 400_000
    server.put(BUCKET, f"runs/{NEWEST}/report/report.md", large)
    slow = Fault(on="media", name="*/report/report.md", kind="drip", at=200_000, rate=20_000)
    server.faults.append(slow)
    terminal = Terminal("download", ADDRESS, "--latest")
    bar = terminal.until(r"\d\d %|\d\d%.*of 400 kB")
    assert all(len(line) < 70 for line in bar.replace("\n", "\r").split("\r"))
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    assert "Stopped: 0 of 2 files are in reports." in terminal.text
    assert "The same command goes on from there." in terminal.text
    assert "Traceback" not in terminal.text
    server.clear()
    terminal = Terminal("download", ADDRESS, "--latest")
    assert terminal.end() == 0, terminal.text
    assert tree(place / "reports")[f"{NEWEST}/report/report.md"] == large
    [resumed] = [r for r in server.requests if r.kind == "media" and r.name.endswith("report.md")]
    assert re.fullmatch(r"bytes=[12]\d{5}-", resumed.range)


def test_a_line_is_drawn_on_terminals_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file of messages there is no status; on a terminal it is gone in the end."""
    with Line() as line:
        line.show("Asking")
        line.watch(HALF)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Line() as line:
        line.show("Asking\x1b[31m gs://b")
        line.show("short")
    first = r"Asking\x1b[31m gs://b"
    shown = ("", first, f"{'short':{len(first)}}", "     ", "")
    assert capsys.readouterr().err == "\r".join(shown)


def test_a_line_is_drawn_ten_times_a_second_at_most(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is told of progress."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    clock = iter(range(0, 100_000, 1))
    monkeypatch.setattr(cli_source, "monotonic", lambda: next(clock) / 100)
    with Line() as line:
        for _ in range(200):
            line.watch(HALF)
    drawn = capsys.readouterr().err.count("50%")
    assert 5 <= drawn <= 21
