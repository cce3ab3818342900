"""The commands about where runs lie, with Google's own client against a server that fails."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from gcp_storage_emulator.server import create_server

from tests.storage.server import Fault, StorageServer, service_account_key
from viz3d import cli_source
from viz3d.cli import main
from viz3d.cli_source import Line
from viz3d.cli_storage import choices, latest
from viz3d.cli_text import count_text, duration_text, progress_text, size_text
from viz3d.run import RunInfo
from viz3d.sources.check import Check
from viz3d.sources.progress import Progress

BUCKET = "team-runs"
ADDRESS = f"gs://{BUCKET}"
NEWEST, OLDER, UNDATED = "aquarat-20251023-143022", "aquarat-20250901-000000", "scratch"
ROWS = b"".join(b'{"step": %d, "loss": %d.5, "lr": 0.1}\n' % (step, 9 - step) for step in range(9))
# The undated run changed last of all.
OBJECTS = {
    f"runs/{NEWEST}/report/report.md": b"# Report of the newest",
    f"runs/{NEWEST}/report/base-loss.md": b"## Base loss",
    f"runs/{NEWEST}/metrics.jsonl": ROWS,
    f"runs/{NEWEST}/checkpoints/model.pt": b"weights",
    f"runs/{OLDER}/report/report.md": b"# Report of the older",
    f"runs/{OLDER}/metrics.jsonl": ROWS + b'{"step": 9, "loss": 0.1}\n',
    f"runs/{UNDATED}/report.md": b"# Report of the other",
    f"runs/{UNDATED}/metrics.jsonl": ROWS,
}
HERE = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a cache of its own and nobody's settings."""
    for name in [name for name in os.environ if name.startswith(("GOOGLE_", "GCP_", "GCS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VIZ3D_PATIENCE", "0.1")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def server(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """The team's bucket."""
    with StorageServer() as running:
        for name, data in OBJECTS.items():
            running.put(BUCKET, name, data)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        yield running


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one command; exit status, standard output, standard error."""
    try:
        status = main(words)
    except SystemExit as stop:  # argparse leaves this way
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def reports(*runs: str) -> dict[str, bytes]:
    """Return what the reports of some runs are on the disk."""
    return {
        name.removeprefix("runs/"): data
        for name, data in OBJECTS.items()
        if name.endswith(".md") and name.split("/")[1] in runs
    }


def media(server: StorageServer) -> list[str]:
    """Return the names of the objects whose bytes were asked for."""
    return [request.name for request in server.requests if request.kind == "media"]


# --- list, show, plot -------------------------------------------------------------------------


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
    assert len(json.loads((place / "chart.json").read_text())["layout"]["meta"]["viz3d"]["runs"])
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


# --- download ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (("--latest",), (NEWEST,)),
        (("--all",), (NEWEST, OLDER, UNDATED)),
        (("--run", UNDATED), (UNDATED,)),
        (("--run", OLDER, f"runs/{UNDATED}", OLDER), (OLDER, UNDATED)),
        (("--run", OLDER, "--run", UNDATED), (OLDER, UNDATED)),
    ],
)
def test_download_writes_the_reports(
    words: tuple[str, ...], runs: tuple[str, ...], server: StorageServer, place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """`reports/<run>/report/report.md` and the other report files; nothing else is fetched."""
    status, out, err = run(capsys, "download", ADDRESS, *words)
    assert (status, err) == (0, "")
    assert tree(place / "reports") == reports(*runs)
    assert sorted(media(server)) == sorted(f"runs/{name}" for name in reports(*runs))
    size = size_text(sum(map(len, reports(*runs).values())))
    files = re.escape(f"{count_text(len(reports(*runs)), 'file')} ({size})")
    assert re.fullmatch(files + r" written to reports in \d+\.\d s\.\n", out)


def test_download_takes_more_where_it_is_told(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--include` reaches into the folders that are never listed; `--output` names the folder."""
    words = ("--latest", "--include", "checkpoints/*", "*.jsonl", "--output", "there/it is")
    assert run(capsys, "download", ADDRESS, *words)[0] == 0
    assert set(tree(place / "there" / "it is")) == {
        name.removeprefix("runs/") for name in OBJECTS if NEWEST in name
    }


def test_download_of_the_emulators_bucket(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same by the storage emulator, which others wrote."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.storage import Client

    emulator = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    emulator.start()
    try:
        url = f"http://127.0.0.1:{emulator._api._httpd.socket.getsockname()[1]}"
        client = Client(
            "p", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
        )
        for name, data in OBJECTS.items():
            client.bucket(BUCKET).blob(name).upload_from_string(data)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        status, _, err = run(capsys, "download", ADDRESS, "--all")
        assert status == 0, err
        assert tree(place / "reports") == reports(NEWEST, OLDER, UNDATED)
    finally:
        emulator.stop()


def test_download_list_lists(server: StorageServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The same lines as `list`; nothing is fetched."""
    _, listed, _ = run(capsys, "list", ADDRESS)
    status, out, _ = run(capsys, "download", ADDRESS, "--list")
    assert (status, out) == (0, listed)
    assert out.count("\n") == 3
    assert media(server) == []


def test_what_is_here_is_not_fetched_again(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with an empty cache; only what changed comes."""
    run(capsys, "download", ADDRESS, "--all")
    run(capsys, "cache", "clear")
    server.put(BUCKET, f"runs/{UNDATED}/report.md", b"# Report, rewritten!!")
    server.clear()
    status, out, _ = run(capsys, "download", ADDRESS, "--all")
    assert status == 0
    assert media(server) == [f"runs/{UNDATED}/report.md"]
    assert re.match(r"1 file \(21 B\) written to reports in .* s; 3 were here already\.", out)
    assert tree(place / "reports")[f"{UNDATED}/report.md"] == b"# Report, rewritten!!"


def test_one_object_that_fails_stops_no_other(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 at the end, with the count, the first reason and what to do; the rest is there."""
    bad = f"runs/{OLDER}/report/report.md"
    server.faults.append(Fault(on="media", name=bad, kind="status", status=404, times=None))
    status, out, err = run(capsys, "download", ADDRESS, "--all")
    assert status == 1
    assert tree(place / "reports") == reports(NEWEST, UNDATED)
    assert out.startswith("3 files ")
    assert "1 of 4 files could not be downloaded" in err
    assert f"{bad} is no longer in {ADDRESS}. List the runs again" in err
    assert "Traceback" not in err
    server.clear()
    status, out, _ = run(capsys, "download", ADDRESS, "--all")
    assert (status, media(server)) == (0, [bad])


def test_object_names_stay_in_the_output(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names that lead elsewhere are changed and told, on one line each."""
    for name in ("../../../../escape.md", "CON", "a\nb", "folder/"):
        server.put(BUCKET, f"runs/{NEWEST}/report/{name}", b"" if name == "folder/" else b"x")
    status, _, err = run(capsys, "download", ADDRESS, "--latest")
    assert status == 0
    assert len(tree(place / "reports" / NEWEST)) == 5
    assert len(tree(place)) == 5
    assert len(err.splitlines()) == 3
    assert r"a\nb: Not every system can hold its name" in err


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((ADDRESS,), 2, "--latest, --all, --run NAME, or --list"),
        (("--run", NEWEST, ADDRESS), 2, f"SOURCE comes first: download {ADDRESS}"),
        (("--all", "--include", "x", ADDRESS), 2, f"SOURCE comes first: download {ADDRESS}"),
        ((ADDRESS, "--latest", "--all"), 2, "not allowed with"),
        ((ADDRESS, "--run", "aquarat-2025102"), 1, f"closest: '{NEWEST}'"),
        ((f"{ADDRESS}/nothing", "--all"), 1, "There are no runs in"),
        (("gs://Upper_Case", "--all"), 1, "no name of a bucket"),
        (("gs://other-runs", "--all"), 1, "There is no bucket other-runs."),
        ((ADDRESS, "--all", "--output", "taken"), 1, "'taken' cannot be made"),
        (("plain", "--all"), 1, "--include metrics.jsonl"),
    ],
)
def test_download_fails_in_one_sentence(
    words: tuple[str, ...], status: int, says: str, server: StorageServer, place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Exit 2 for what has to be typed otherwise, before anything is asked; else exit 1."""
    (place / "taken").write_bytes(b"")
    (place / "plain" / "r").mkdir(parents=True)
    (place / "plain" / "r" / "metrics.jsonl").write_bytes(ROWS)
    got, out, err = run(capsys, "download", *words)
    assert (got, out) == (status, "")
    assert says in err
    assert "Traceback" not in err
    assert not (place / "reports").exists()
    if status == 2:
        assert server.requests == []


# --- check ------------------------------------------------------------------------------------


def test_check_says_who_what_and_what_next(
    server: StorageServer, place: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As text and as one document; a key's secrets stand in neither."""
    key = service_account_key(server.url)
    (place / "key.json").write_text(json.dumps(key), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place / "key.json"))
    monkeypatch.setenv("GCP_PROJECT_ID", "team-project")
    server.open = False
    server.tokens[server.issues] = {BUCKET}
    status, out, err = run(capsys, "check", ADDRESS)
    assert (status, err) == (0, "")
    facts = (key["client_email"], "team-project", BUCKET, "3 runs", f"list {ADDRESS}")
    assert all(fact in out for fact in facts)
    status, text, _ = run(capsys, "check", ADDRESS, "--json")
    found = json.loads(text)
    assert status == 0
    assert set(found) == set(Check.__dataclass_fields__)
    assert (found["ok"], found["listing"], found["reading"], found["runs"]) == (True, True, True, 3)
    assert found["next"] == f"python -m viz3d list {ADDRESS}"
    assert key["private_key"] not in out + text
    assert server.issues not in out + text
    assert str(place) not in out + text


def _expire(server: StorageServer) -> None:
    server.open = False
    server.faults.append(Fault(on="token", kind="invalid_grant", times=None))


def _refuse(server: StorageServer) -> None:
    server.open = False
    server.tokens[server.issues] = set()


def _lose(server: StorageServer) -> None:
    server.faults.append(Fault(on="media", kind="status", status=403, times=None))


@pytest.mark.parametrize(
    ("break_it", "source", "kind", "next_one"),
    [
        (_expire, ADDRESS, "expired_login", "gcloud auth application-default login"),
        (_refuse, ADDRESS, "no_permission", ""),
        (_lose, ADDRESS, "no_permission", ""),
        (None, "gs://team-run", "no_bucket", "gcloud storage ls"),
        (StorageServer.stop, ADDRESS, "unreachable", ""),
        (None, "gs://x?alt=media", "bad_name", "gcloud storage ls"),
        (None, "no/such/folder", "source", ""),
    ],
)
def test_check_fails_with_the_faults_own_words(
    break_it: object, source: str, kind: str, next_one: str, server: StorageServer, place: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Exit 1; a sentence and a remedy on standard error, or one document on standard output."""
    key = service_account_key(server.url)
    (place / "key.json").write_text(json.dumps(key), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place / "key.json"))
    run(capsys, "list", ADDRESS)  # a listing that is here does not hide the fault
    if callable(break_it):
        break_it(server)
    began = monotonic()
    status, out, err = run(capsys, "check", source, "--json")
    assert monotonic() - began < 2
    found = json.loads(out)
    assert (status, found["ok"], found["kind"], found["next"]) == (1, False, kind, next_one)
    assert found["message"].endswith(".")
    assert key["private_key"] not in out + err
    status, out, err = run(capsys, "check", source)
    assert (status, out) == (1, "")
    assert found["message"] in err
    assert found["remedy"] in err
    assert str(place) not in err


def test_check_of_a_public_bucket_needs_no_login(
    server: StorageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody may read it, and that is said."""
    server.open = False
    server.public.add(BUCKET)
    status, out, _ = run(capsys, "check", ADDRESS)
    assert status == 0
    assert "nobody (anonymous)" in out


def test_check_of_the_settings_own_source(
    server: StorageServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a word it checks what is set; a settings file that is none is one document, too."""
    monkeypatch.setenv("GCS_BUCKET", BUCKET)
    status, out, _ = run(capsys, "check", "--json")
    assert (status, json.loads(out)["bucket"]) == (0, BUCKET)
    Path(".env").write_bytes(b"\xff\xfe")
    status, out, _ = run(capsys, "check", "--json")
    assert (status, json.loads(out)["kind"]) == (1, "settings")


# --- cache ------------------------------------------------------------------------------------


def test_the_cache_is_looked_after(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`info` counts, `verify` finds a flipped byte and mends it, `clear` empties."""
    run(capsys, "download", ADDRESS, "--run", OLDER)
    run(capsys, "show", OLDER, "--source", ADDRESS)
    info = json.loads(run(capsys, "cache", "info", "--json")[1])
    assert info["folder"] == str(place.parent / "cache")
    assert info["files"] == 2
    assert info["bytes"] == sum(len(data) for name, data in OBJECTS.items() if OLDER in name)
    out = run(capsys, "cache", "info")[1]
    assert "in 2 files, of 10.0 GB at most" in out
    assert run(capsys, "cache", "verify")[1] == "2 files checked, all good.\n"
    objects = place.parent / "cache" / "v1" / "objects"
    damaged = max((path for path in objects.rglob("*") if path.is_file()), key=os.path.getsize)
    damaged.write_bytes(b"!" + damaged.read_bytes()[1:])
    found = json.loads(run(capsys, "cache", "verify", "--json")[1])
    assert (found["checked"], len(found["bad"])) == (2, 1)
    assert "1 file checked" in run(capsys, "cache", "verify")[1]
    assert re.fullmatch(r"\d+ k?B freed\.\n", run(capsys, "cache", "clear")[1])
    assert json.loads(run(capsys, "cache", "info", "--json")[1])["files"] == 0


# --- on a terminal ----------------------------------------------------------------------------


class Terminal:
    """A command in a terminal of its own, 70 columns wide."""

    def __init__(self, *words: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "viz3d", *words],
            stdin=other, stdout=other, stderr=other, start_new_session=True,
            env={**os.environ, "VIZ3D_PATIENCE": "1", "PYTHONPATH": str(Path(__file__).parents[1])},
        )  # fmt: skip
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


# --- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("", []), ("2", [1]), ("1-3, 5", [0, 1, 2, 4]), ("5 1", [0, 4]), ("2 - 3", [1, 2]),
        ("1,1-2", [0, 1]),
    ],
)  # fmt: skip
def test_choices(answer: str, chosen: list[int]) -> None:
    """Numbers and ranges, in any order, each once."""
    assert choices(answer, 5) == chosen


@pytest.mark.parametrize("answer", ["0", "6", "3-1", "1-9", "x", "1-", "²", "9" * 5000, "-1"])
def test_no_choices(answer: str) -> None:
    """What is no number of the list is refused with a sentence."""
    with pytest.raises(ValueError, match="is no number from 1 to 5"):
        choices(answer, 5)


def test_the_latest_is_the_newest_by_name_else_by_change() -> None:
    """A time in a name counts more than a change, wherever in the list the run stands."""
    dated, other = (RunInfo(name, "s", 0.0, 0, ()) for name in (NEWEST, UNDATED))
    assert latest([other, dated]) is dated
    assert latest([other]) is other


HALF = Progress(3, 12, 13_500_000, 27_000_000, 1_500_000.0)


@pytest.mark.parametrize(
    ("progress", "width", "text"),
    [
        (
            HALF, 100,
            "[##########----------]   50%  13.5 MB of 27.0 MB  1.5 MB/s  9 s left  3 of 12 files",
        ),
        (HALF, 70, " 50%  13.5 MB of 27.0 MB  1.5 MB/s  9 s left  3 of 12 files"),
        (HALF, 30, " 50%  13.5 MB of 27.0 MB"),
        (HALF, 10, " 50%"),
        (HALF, 3, ""),
        (Progress(0, 1, 0, 900, 0.0), 62, "  0%  0 B of 900 B  waiting  0 of 1 file"),
        (Progress(1, 1, 0, 0, 0.0), 60, "100%  0 B of 0 B  waiting  1 of 1 file"),
    ],
)  # fmt: skip
def test_progress_text_fits_the_terminal(progress: Progress, width: int, text: str) -> None:
    """All facts where there is room, the most important ones where there is not."""
    assert progress_text(progress, width) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7_300, "2 h 1 min")]
)
def test_duration_text(seconds: float, text: str) -> None:
    """Two units at most."""
    assert duration_text(seconds) == text


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
