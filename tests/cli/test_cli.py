"""The command line fails with one plain sentence, whatever names, outputs and users do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.cli.team_bucket import run
from viz3d.__main__ import run as entry


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be made here")
def test_odd_names_stay_on_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name with a line break or a terminal's control code is shown escaped, in every command."""
    name = "a\nb\x1b[31m.jsonl"
    (tmp_path / name).write_text('{"step": 0, "loss": 1}\n{"step": 1, "lo')
    (tmp_path / f"out-{name}").symlink_to("/nowhere")
    _, out, err = run(capsys, "list", str(tmp_path))
    assert out.startswith(r"a\nb\x1b[31m.jsonl  JSON  ")
    assert err.startswith(r"out-a\nb\x1b[31m.jsonl: It is")
    _, out, err = run(capsys, "show", str(tmp_path / name))
    assert r"a\nb\x1b[31m.jsonl" in out
    assert "\x1b" not in out + err


def test_a_name_that_is_no_utf8_can_be_plotted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder may have any bytes for a name, a chart may not."""
    try:
        folder = Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"\xff"))
        folder.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no name that is no UTF-8")
    rows = "".join(json.dumps({"step": s, "loss": 1 / (1 + s), "lr": 0.1}) + "\n" for s in range(9))
    (folder / "metrics.jsonl").write_text(rows)
    words = ("plot", "explore", str(folder), "--output", str(tmp_path / "x.html"))
    status, _, err = run(capsys, *words)
    assert status == 0, err
    assert r"a\udcff" in (tmp_path / "x.html").read_text("utf-8")


@pytest.mark.parametrize("words", [("list",), ("show", "a\N{FIRE}.jsonl", "--source")])
def test_names_beyond_the_output_encoding_are_escaped(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """A pipe that takes only ASCII gets the name escaped, and no traceback."""
    (tmp_path / "a\N{FIRE}.jsonl").write_text('{"step": 0, "loss": 1}\n')
    done = subprocess.run(
        [sys.executable, "-m", "viz3d", *words, str(tmp_path)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"a\U0001f525.jsonl" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
@pytest.mark.parametrize("words", [("list", "sample"), ("list", "sample", "--json")])
def test_output_on_a_full_disk_fails_plainly(words: tuple[str, ...]) -> None:
    """One sentence, whether the disk is found full at once or when the last bytes are written."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "viz3d", *words], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "viz3d: The output cannot be written: No space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="no shell that closes streams")
def test_closed_streams_change_nothing() -> None:
    """As a service's manager may start it."""
    for closed, gone in ((">&-", "out"), ("2>&-", "err"), ("<&-", "in")):
        done = subprocess.run(
            ["sh", "-c", f'"$0" -m viz3d list sample {closed}', sys.executable],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert bool(done.stdout) == (gone != "out")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("show", "no-such-run", "--source", "sample"), 1, "no-such-run"),
        (("show", ""), 2, "was a variable not set?"),
        (("plot", "seeds", "x", "--metric", "", "--output", "x.md"), 2, "after '--metric'"),
        (("wandb", "x", "--id="), 2, "behind '--id='"),
        (("show", "/no/such/folder"), 1, "no folder or file 'folder'"),
        (("show", "./folder"), 1, "no folder or file 'folder'"),
        (("show", "::"), 1, "no run '::'"),
        (("show", "no/such"), 1, "Nothing is at the path 'no/such'. There is no run"),
        (("show", "x" * 5000), 1, "check the path"),
        (("list", "no/such/folder"), 1, "folder"),
        (("list", "gs://Some.Bucket"), 1, "'Some.Bucket' is no name of a bucket"),
        (("show", "x", "--source", "gs://a/b"), 1, "'a' is no name of a bucket"),
        (("show", "gs://user:secret@bucket"), 1, "gcloud storage ls"),
        (("list", "s3://bucket/runs"), 1, "that begin with s3:// are not read; copy the runs"),
        (("show", "hf://me:hunter2@x/y"), 1, "viz3d: Addresses that begin with hf:// are not"),
        (("cache",), 2, "ACTION"),
        (("show", "x", "--role", "loss"), 2, "ROLE=METRIC"),
        (("plot", "loss-landscape", "x", "--output", "x.gif"), 2, ".svg"),
        (("show", "x", "--role", "lossy=a"), 2, "choose one of: loss, val_loss"),
        (
            ("plot", "gradient-flow", "x", "--rate", "peak", "--output", "x.png"),
            2,
            "loss-landscape",
        ),
        (
            ("plot", "loss-landscape", "x", "--axis", "kl", "--output", "x.png"),
            2,
            "reward-landscape",
        ),
        (("plot", "gradient-flow", "x", "--x", "loss", "--output", "x.png"), 2, "explore only"),
        (("plot", "explore", "x", "--quantity", "a", "--output", "x.png"), 2, "weight-space only"),
        (("plot", "seeds", "x", "--target", "nan", "--output", "x.png"), 2, "--target"),
        (("plot", "moon", "x", "--output", "x.png"), 2, "gradient-flow"),
        (("plot", "difference", "x", "--output", "x.png"), 2, "--against"),
        (("plot", "seeds", "x", "y", "--overlaid", "--output", "x.png"), 2, "goes with loss-"),
        (
            ("plot", "loss-landscape", "x", "--against", "y", "--output", "x.png"),
            2,
            "difference only",
        ),
        (
            ("plot", "difference", "x", "--against", "y", "--axis", "kl", "--output", "x.png"),
            2,
            "this is a difference --of loss-landscape",
        ),
        (
            (
                "plot",
                "difference",
                "grpo-addition",
                "--against",
                "grpo-addition",
                "--source",
                "sample",
                "--output",
                "x.json",
            ),
            2,
            "both sides",
        ),
        (
            ("plot", "loss-landscape", *["gpt-lr-0.01-seed-0"] * 2, "--output", "x.json"),
            2,
            "is named twice; name it once.",
        ),
        ((), 2, "COMMAND"),
    ],
)
def test_failures_are_plain(
    words: tuple[str, ...], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with one sentence, or 2 with the usage; never a traceback, nothing on stdout."""
    got, out, err = run(capsys, *words)
    assert got == status
    assert says in err
    assert "Traceback" not in err
    assert out == ""


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as it comes nor as the error that a library makes of it while it is imported."""
    before = signal.getsignal(signal.SIGINT)

    def press(*, swallow: bool) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if not swallow:
                raise
            raise ImportError("numpy failed to import") from None
        return 0

    try:
        for swallow in (False, True):
            signal.signal(signal.SIGINT, signal.default_int_handler)
            monkeypatch.setattr("viz3d.cli.main", partial(press, swallow=swallow))
            with pytest.raises(SystemExit) as stop:
                entry()
            assert stop.value.code == 130
        signal.signal(signal.SIGINT, signal.default_int_handler)
        monkeypatch.setattr("viz3d.cli.main", lambda: int("x"))  # any other fault stays one
        with pytest.raises(ValueError, match="'x'"):
            entry()
    finally:
        signal.signal(signal.SIGINT, before)


def test_help_imports_nothing_heavy() -> None:
    """`--help` answers at once because neither numpy nor pandas nor Plotly is imported."""
    code = (
        "import sys\nfrom viz3d.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'google', 'numpy', 'pandas', 'plotly', 'streamlit', 'sklearn', 'scipy',\n"
        "    'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
