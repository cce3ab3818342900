"""Runs into a folder: whole files, in their places, and nowhere else."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.memory import MemorySource
from viz3d.errors import ExportError
from viz3d.load import list_runs
from viz3d.run import FileInfo, Problem, RunInfo
from viz3d.sources import download as module
from viz3d.sources.download import Download
from viz3d.sources.faults import fault
from viz3d.sources.local import LocalSource
from viz3d.sources.places import REPORTS
from viz3d.sources.progress import Progress

EVERYTHING = ("**",)
BUCKET = {
    "runs/a-20251023-143022/report/report.md": b"# Report of a",
    "runs/a-20251023-143022/report/base-loss.md": b"## Base",
    "runs/a-20251023-143022/metrics.jsonl": b'{"step": 1, "loss": 2}\n',
    "runs/a-20251023-143022/checkpoints/model.pt": b"weights",
    "runs/b/report.md": b"# Report of b",
    "runs/b/metrics.jsonl": b'{"step": 1, "loss": 3}\n',
    "runs/bb/report/report.md": b"# Report of bb",
    "tokenizer/tokenizer.pkl": b"?",
}


def runs_of(source: MemorySource | LocalSource, *names: str) -> list[RunInfo]:
    """Return runs by name; all of them where none is named."""
    return [info for info in list_runs(source) if not names or info.name in names]


def fetch(
    source: MemorySource | LocalSource,
    output: Path,
    *names: str,
    include: tuple[str, ...] = REPORTS,
) -> Download:
    """Download runs."""
    job = Download(source, output)
    job.plan(runs_of(source, *names), include)
    job.write()
    return job


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_reports_lie_where_the_guide_says(tmp_path: Path) -> None:
    """A report goes to `<run>/report/report.md`; other files of the run and other runs do not."""
    job = fetch(MemorySource(BUCKET), tmp_path, "a-20251023-143022", "b")
    assert tree(tmp_path) == {
        "a-20251023-143022/report/report.md": b"# Report of a",
        "a-20251023-143022/report/base-loss.md": b"## Base",
        "b/report.md": b"# Report of b",
    }
    assert (job.written, job.here, job.failed, job.told) == (3, 0, [], [])
    assert job.bytes == sum(len(data) for data in tree(tmp_path).values())


def test_a_copy_is_as_old_as_the_object(tmp_path: Path) -> None:
    """The folder sorts like the bucket."""
    source = MemorySource(BUCKET, {"runs/b/report.md": 1_600_000_000.0})
    fetch(source, tmp_path, "b")
    assert (tmp_path / "b" / "report.md").stat().st_mtime == 1_600_000_000.0


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("metrics.jsonl", {"metrics.jsonl"}),
        ("*.md", set()),
        ("checkpoints/*", {"checkpoints/model.pt"}),
        (
            "**",
            {"metrics.jsonl", "checkpoints/model.pt", "report/report.md", "report/base-loss.md"},
        ),
    ],
)
def test_globs_are_relative_to_the_run(glob: str, names: set[str], tmp_path: Path) -> None:
    """`--include` takes more, from skipped folders too, and each file once."""
    fetch(MemorySource(BUCKET), tmp_path, "a-20251023-143022", include=(glob, glob))
    assert set(tree(tmp_path)) == {f"a-20251023-143022/{name}" for name in names}


def test_the_second_time_nothing_is_fetched(tmp_path: Path) -> None:
    """What is here with the same checksum is left alone, whatever the cache holds."""
    fetch(MemorySource(BUCKET), tmp_path)
    before = (tmp_path / "b" / "report.md").stat().st_ino
    again = MemorySource(BUCKET)
    job = fetch(again, tmp_path)
    assert (job.written, job.here) == (0, 4)
    assert again.fetched == []
    assert (tmp_path / "b" / "report.md").stat().st_ino == before


def test_a_file_that_differs_is_replaced(tmp_path: Path) -> None:
    """Also one of the same size; the others stay."""
    fetch(MemorySource(BUCKET), tmp_path)
    (tmp_path / "b" / "report.md").write_bytes(b"# Report of B")
    job = fetch(MemorySource(BUCKET), tmp_path)
    assert (job.written, job.here) == (1, 3)
    assert tree(tmp_path)["b/report.md"] == b"# Report of b"


def test_content_is_compared_where_the_listing_has_no_checksum(tmp_path: Path) -> None:
    """A folder as the source: the same file is left alone, a changed one replaced."""
    for path, data in BUCKET.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(data)
    source = LocalSource(tmp_path / "in")
    assert fetch(source, tmp_path / "out").written == 4
    (tmp_path / "in/runs/b/report.md").write_bytes(b"# Report of B")
    job = fetch(source, tmp_path / "out")
    assert (job.written, job.here) == (1, 3)
    assert tree(tmp_path / "out")["b/report.md"] == b"# Report of B"


def test_an_object_stored_compressed_is_compared_unpacked(tmp_path: Path) -> None:
    """Its listed checksum is that of other bytes than those that are written."""
    source = MemorySource(BUCKET)
    source.listed["runs/b/report.md"] = FileInfo("runs/b/report.md", 7, 0.0, "1", 0, "gzip")
    fetch(source, tmp_path, "b")
    job = fetch(source, tmp_path, "b")
    assert (job.written, job.here) == (0, 1)


HELL = [
    "../../escape.md", "/etc/passwd", "..", ".", "a//b", "C:\\windows\\x.md", "\\\\host\\share",
    "a:stream", "CON", "nul.md", "aux.txt", "dot.", "space ", "line\nbreak", "\x1b[31m", "\x00",
    "x" * 300, "A.md", "a.md", "caf\u00e9.md", "cafe\u0301.md", "\u202egnp.md", "..\\..\\x",
    "%2e%2e%2f", "deep/" * 150 + "x", "x", "x/y", "COM¹", "a|b?c*d<e>f\"g",
]  # fmt: skip


def test_names_from_hell_stay_in_the_folder(tmp_path: Path) -> None:
    """Every object is written, whole, below the output folder, and a changed name is told."""
    objects = {f"run/report/{name}": repr(name).encode() for name in HELL}
    source = MemorySource({"run/report/report.md": b"# R", **objects})
    job = fetch(source, tmp_path / "deep" / "out")
    assert job.failed == []
    assert job.written == len(HELL) + 1
    assert sorted(tree(tmp_path).values()) == sorted([b"# R", *objects.values()])
    assert all(path.startswith("deep/out/") for path in tree(tmp_path))
    assert len({path.casefold() for path in tree(tmp_path)}) == len(HELL) + 1
    renamed = {problem.file for problem in job.told}
    assert {f"run/report/{name}" for name in ("../../escape.md", "CON", "a:stream")} <= renamed
    assert "run/report/report.md" not in renamed


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), max_size=6))
def test_no_name_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    """Whatever the names, every object arrives, and below the output folder."""
    root = tmp_path_factory.mktemp("any")
    kept = {name for name in names if not name.endswith("/")}
    objects = {f"run/{name}": repr(name).encode() for name in names}
    source = MemorySource({**objects, "run/report/report.md": b"# R"})
    info = RunInfo("run", source.name, None, 0, (), tuple(source.files()), "run")
    job = Download(source, root / "out")
    job.plan([info], EVERYTHING)
    job.write()
    assert job.failed == []
    assert sorted(tree(root).values()) == sorted(
        [b"# R", *(objects[f"run/{name}"] for name in kept)]
    )
    assert all(path.startswith("out/") for path in tree(root))


def test_an_object_beside_a_folder_of_its_name_is_told(tmp_path: Path) -> None:
    """`a` and `a/b` are two objects; here they cannot both have their names, but both arrive."""
    source = MemorySource(
        {"r/report/report.md": b"# R", "r/report/a": b"1", "r/report/a/b": b"2", "r/report/a/": b""}
    )
    job = fetch(source, tmp_path)
    assert (job.written, job.failed) == (3, [])
    assert tree(tmp_path)["r/report/a/b"] == b"2"
    [problem] = job.told
    assert problem.file == "r/report/a"
    assert sorted(tree(tmp_path).values()) == [b"# R", b"1", b"2"]


@pytest.mark.parametrize("link", ["b", "b/report.md", "a-20251023-143022/report"])
def test_links_are_not_followed(link: str, tmp_path: Path) -> None:
    """A link in the output, to a folder or a file, is no way out; the other files are written."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "report.md").write_bytes(b"mine")
    output = tmp_path / "out"
    (output / link).parent.mkdir(parents=True)
    (output / link).symlink_to(outside / "report.md" if link.endswith(".md") else outside)
    job = fetch(MemorySource(BUCKET), output)
    assert tree(outside) == {"report.md": b"mine"}
    blocked = [
        path for path in BUCKET
        if path.endswith(".md") and f"{path}/".startswith(f"runs/{link}/")
    ]  # fmt: skip
    assert sorted(problem.file for problem in job.failed) == sorted(blocked)
    assert all("link" in problem.what for problem in job.failed)
    assert job.written == 4 - len(blocked)


def test_a_link_to_the_same_content_is_no_copy(tmp_path: Path) -> None:
    """What a link shows does not count as being here."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "report.md").write_bytes(BUCKET["runs/b/report.md"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b").symlink_to(tmp_path / "elsewhere")
    job = fetch(MemorySource(BUCKET), tmp_path / "out", "b")
    assert (job.here, len(job.failed)) == (0, 1)


def test_one_failure_stops_no_other(tmp_path: Path) -> None:
    """The rest arrives; the failure has its reason and its remedy."""
    source = MemorySource(BUCKET)
    source.broken["runs/b/report.md"] = fault("deleted", name="report.md", where="gs://memory")
    job = fetch(source, tmp_path)
    assert job.written == 3
    [problem] = job.failed
    assert problem.file == "runs/b/report.md"
    reason = source.broken["runs/b/report.md"]
    assert (problem.what, problem.remedy) == (reason.what, reason.remedy)


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "Permission denied"), (errno.EIO, "error")],
)
@pytest.mark.parametrize("call", ["copyfile", "land"])
def test_a_disk_that_fails_leaves_nothing_half_done(
    number: int, says: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file fails with a sentence; no temporary file stays, and the old copy does."""
    fetch(MemorySource(BUCKET), tmp_path)
    (tmp_path / "b" / "report.md").write_bytes(b"older")

    def fail(source: Path, target: Path) -> None:
        if call == "copyfile":
            Path(target).write_bytes(b"half")
        raise OSError(number, os.strerror(number), "/home/somebody/x")

    monkeypatch.setattr(shutil if call == "copyfile" else module, call, fail)
    job = fetch(MemorySource(BUCKET), tmp_path)
    [problem] = job.failed
    assert says in problem.what
    assert "/home" not in problem.what
    assert tree(tmp_path)["b/report.md"] == b"older"
    assert not [path for path in tree(tmp_path) if "tmp" in path]


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    """It stays as it is; other runs arrive."""
    (tmp_path / "b").write_bytes(b"a file")
    job = fetch(MemorySource(BUCKET), tmp_path)
    assert [problem.file for problem in job.failed] == ["runs/b/report.md"]
    assert tree(tmp_path)["b"] == b"a file"
    assert job.written == 3


def test_an_output_that_cannot_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A file of that name; the folder it lies in is not told."""
    (tmp_path / "reports").write_bytes(b"")
    job = Download(MemorySource(BUCKET), tmp_path / "reports")
    with pytest.raises(ExportError, match="'reports' cannot be made") as raised:
        job.write()
    assert str(tmp_path) not in str(raised.value)


def test_stopped_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two batches: whole files stay, and the rest alone is fetched again."""
    monkeypatch.setattr(module, "BATCH", 1)
    source = MemorySource(BUCKET)
    job = Download(source, tmp_path)
    job.plan(runs_of(source))

    def stop(progress: Progress) -> None:
        if progress.files_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job.write(stop)
    assert (job.written, len(tree(tmp_path))) == (2, 2)
    again = MemorySource(BUCKET)
    job = fetch(again, tmp_path)
    assert (job.written, job.here, len(again.fetched)) == (2, 2, 2)


def test_progress_is_that_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches stay within their size; the progress goes on from one to the next up to the end."""
    sizes = [40, 30, 50, 10, 20, 200]
    objects = {f"r{i}/report/report.md": b"x" * size for i, size in enumerate(sizes)}
    monkeypatch.setattr(module, "BATCH", 100)
    source, seen = MemorySource(objects), list[Progress]()
    job = Download(source, tmp_path)
    job.plan(runs_of(source))
    job.write(seen.append)
    batches = [sum(len(objects[name]) for name in batch) for batch in source.prepared]
    assert len(batches) > 2
    assert all(size <= 100 for size in batches if size != 200)
    assert [progress.files_done for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert [progress.bytes_done for progress in seen][-1] == sum(sizes)
    assert {(progress.files, progress.bytes_total) for progress in seen} == {(6, sum(sizes))}


def test_what_a_killed_download_left_is_swept(tmp_path: Path) -> None:
    """An old temporary file of ours goes; a fresh one may be another's, and foreign ones stay."""
    folder = tmp_path / "b"
    folder.mkdir()
    for name in (f"{module.TEMPORARY}.1.tmp", f"{module.TEMPORARY}.2.tmp", "mine.tmp"):
        (folder / name).touch()
    for name in (f"{module.TEMPORARY}.1.tmp", "mine.tmp"):
        os.utime(folder / name, (1e9, 1e9))
    fetch(MemorySource(BUCKET), tmp_path, "b")
    assert set(tree(folder)) == {"report.md", f"{module.TEMPORARY}.2.tmp", "mine.tmp"}


def test_an_older_copy_is_written_and_counts_as_a_failure(tmp_path: Path) -> None:
    """It is better than none, but nobody may take it for the present one."""
    source = MemorySource(BUCKET)
    source.told["runs/b/report.md"] = Problem("Shown is the copy as of yesterday.")
    job = fetch(source, tmp_path, "b")
    assert job.failed == [Problem("Shown is the copy as of yesterday.")]
    assert set(tree(tmp_path)) == {"b/report.md"}
    assert (tmp_path / "b" / "report.md").stat().st_mtime > 1_700_000_000.0


@pytest.mark.skipif(os.name == "nt", reason="there is no umask")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_copy_is_as_private_as_the_users_other_files(
    umask: int, mode: int, tmp_path: Path
) -> None:
    """Reports are for others too, unlike the cache; a stricter user gets what they set."""
    before = os.umask(umask)
    try:
        fetch(MemorySource(BUCKET), tmp_path, "b")
    finally:
        os.umask(before)
    assert (tmp_path / "b" / "report.md").stat().st_mode & 0o777 == mode
