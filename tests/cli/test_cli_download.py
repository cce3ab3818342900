"""The command ``download``, with Google's own client against a server that fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gcp_storage_emulator.server import create_server

from tests.cli.team_bucket import (
    ADDRESS,
    BUCKET,
    NEWEST,
    OBJECTS,
    OLDER,
    ROWS,
    UNDATED,
    reports,
    run,
    tree,
)
from tests.storage.server import Fault, StorageServer
from viz3d.cli_download import choices, latest
from viz3d.cli_text import size_text
from viz3d.figures.text import count
from viz3d.run import RunInfo


def media(server: StorageServer) -> list[str]:
    """Return the names of the objects whose bytes were asked for."""
    return [request.name for request in server.requests if request.kind == "media"]


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
    files = re.escape(f"{count(len(reports(*runs)), 'file')} ({size})")
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
