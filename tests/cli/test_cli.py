"""The command line says what was read, writes charts, and fails with one plain sentence."""

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

SAMPLE_SWEEP_SIZE = 6  # at least this many learning rates are bundled


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """A folder with three runs, one of them with a torn line."""
    for i, rate in enumerate((1e-4, 1e-3, 1e-2)):
        folder = tmp_path / f"lr-{rate:g}"
        folder.mkdir()
        rows = [
            {"step": s, "loss": 5.0 / (1 + s * rate) + i, "lr": rate, "custom": s * 2.0}
            for s in range(50)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        folder.joinpath("metrics.jsonl").write_text(text + ('{"step": 50, "lo' if i == 2 else ""))
        folder.joinpath("run.json").write_text(json.dumps({"config": {"learning_rate": rate}}))
    return tmp_path


def test_list_json_is_one_document(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`list --json` prints an array with the promised keys and nothing else."""
    status, out, _ = run(capsys, "list", str(sweep), "--json")
    runs = json.loads(out)
    assert status == 0
    assert {run["name"] for run in runs} == {"lr-0.0001", "lr-0.001", "lr-0.01"}
    assert all({"name", "source", "changed", "size"} <= run.keys() for run in runs)


def test_list_sample_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """The bundled runs are listed by name."""
    status, out, _ = run(capsys, "list", "sample", "--json")
    assert status == 0
    assert len(json.loads(out)) > SAMPLE_SWEEP_SIZE


def test_show_json_has_the_promised_keys(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`show --json` tells what was read; the torn line is told on standard error too."""
    status, out, err = run(capsys, "show", "lr-0.01", "--source", str(sweep), "--json")
    shown = json.loads(out)
    assert status == 0
    assert (shown["steps"], shown["first_step"], shown["last_step"]) == (50, 0, 49)
    assert shown["metrics"] == ["loss", "lr", "custom"]
    assert shown["roles"]["loss"] == "loss"
    assert shown["roles"]["learning_rate"] == "lr"
    assert shown["config"]["learning_rate"] == 0.01
    assert shown["layers"] is None
    assert shown["report"] is None
    (problem,) = shown["problems"]
    assert set(problem) == {"file", "line", "what", "remedy"}
    assert problem["line"] == 51
    assert "metrics.jsonl:51" in err
    rows = {tuple(origin["files"]): origin["rows"] for origin in shown["origins"]}
    assert rows[("lr-0.01/metrics.jsonl",)] == shown["steps"]


def test_show_takes_a_path_and_roles(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path opens without `--source`, and `--role` overrides what was recognised."""
    words = ("show", str(sweep / "lr-0.001"), "--role", "loss=custom", "--json")
    status, out, _ = run(capsys, *words)
    assert status == 0
    assert json.loads(out)["roles"]["loss"] == "custom"


def test_show_of_a_file_with_several_runs_is_an_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A console log with two runs shows both, and either by `PATH::NAME`."""
    lines = [f"step:{s}/3 train_loss:{9 - s}.5 train_time:{s}ms step_avg:1ms" for s in range(1, 4)]
    log = tmp_path / "two.log"
    log.write_text("\n".join(lines + lines) + "\n")
    _, out, _ = run(capsys, "show", str(log), "--json")
    both = json.loads(out)
    assert [run["steps"] for run in both] == [3, 3]
    _, out, _ = run(capsys, "show", f"{log}::{both[1]['name'].partition('::')[2]}", "--json")
    assert json.loads(out)["name"] == both[1]["name"]


def test_show_json_lists_the_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kind, metric, step and size of each; what was not finite is null."""
    rows = ['{"step": 0, "loss": 2.5}', *(f'{{"step": {i}, "loss": NaN}}' for i in (1, 2))]
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n")
    _, out, _ = run(capsys, "show", str(tmp_path), "--json")
    assert json.loads(out)["events"] == [
        {
            "kind": "NaN",
            "metric": "loss",
            "step": 1,
            "last_step": 2,
            "rows": 2,
            "size": 2.0,
            "value": None,
        }
    ]


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be made here")
def test_odd_names_stay_on_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name with a line break or a terminal's control code is shown escaped, in every command."""
    name = "a\nb\x1b[31m.jsonl"
    (tmp_path / name).write_text('{"step": 0, "loss": 1}\n{"step": 1, "lo')
    (tmp_path / f"out-{name}").symlink_to("/nowhere")
    _, out, err = run(capsys, "list", str(tmp_path))
    assert out.startswith(r"a\nb\x1b[31m.jsonl  JSONL")
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


def test_list_tells_what_was_left_out(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link out of the folder is told on standard error; the document stays a document."""
    (sweep / "elsewhere.jsonl").symlink_to(sweep.parent)
    status, out, err = run(capsys, "list", str(sweep), "--json")
    assert status == 0
    assert len(json.loads(out)) == 3
    assert "elsewhere.jsonl: It is a link that leads out of the folder, so it was left out." in err


@pytest.mark.parametrize("suffix", ["html", "json"])
def test_plot_writes_the_same_bytes_twice(
    sweep: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chart is a function of its input, down to the byte."""
    written = []
    for name in ("a", "b"):
        output = tmp_path / f"{name}.{suffix}"
        words = ("plot", "loss-landscape", "lr-0.01", "lr-0.001", "lr-0.0001")
        status, out, err = run(
            capsys, *words, "--source", str(sweep), "--rate", "peak", "--output", str(output)
        )
        assert status == 0, err
        assert out.strip() == str(output)
        written.append(output.read_bytes())
    assert written[0] == written[1]


def test_plot_difference_says_who_is_better(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The runs before --against are A; the shares stand in the JSON."""
    output = tmp_path / "difference.json"
    a, b = str(sweep / "lr-0.0001"), str(sweep / "lr-0.001")
    words = ("plot", "difference", a, "--against", b, "--output", str(output))
    status, _, err = run(capsys, *words)
    assert status == 0
    meta = json.loads(output.read_text())["layout"]["meta"]["viz3d"]
    assert meta["kind"] == "difference"
    assert [r["name"] for r in meta["runs"]] == ["lr-0.0001", "lr-0.001"]
    assert meta["settings"]["a"] == ["lr-0.0001"]
    # The loss of B is higher by 1 at every step.
    assert meta["summary"]["better"] > 0.9
    assert "lower loss" in err


def test_plot_overlaid_gives_each_run_a_colour(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each run is a group of its own name."""
    output = tmp_path / "overlaid.json"
    runs = [str(sweep / name) for name in ("lr-0.0001", "lr-0.001")]
    status, _, err = run(
        capsys, "plot", "loss-landscape", *runs, "--overlaid", "--output", str(output)
    )
    assert status == 0, err
    meta = json.loads(output.read_text())["layout"]["meta"]["viz3d"]
    assert meta["settings"]["overlaid"] == {name: [name] for name in ("lr-0.0001", "lr-0.001")}


def test_a_difference_of_rewards_takes_the_other_axis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--axis reaches it, as it reaches a reward landscape."""
    lines = [{"step": i, "reward": i / 60, "kl": 0.01 * i, "loss": 2.0} for i in range(60)]
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        shift = 0.5 if name == "a" else 0.0
        rows = [json.dumps(line | {"reward": line["reward"] + shift}) for line in lines]
        (folder / "metrics.jsonl").write_text("\n".join(rows) + "\n")
    output = tmp_path / "difference.json"
    words = ("plot", "difference", str(tmp_path / "a"), "--against", str(tmp_path / "b"))
    options = ("--of", "reward-landscape", "--axis", "kl", "--output", str(output))
    status, _, err = run(capsys, *words, *options)
    assert status == 0, err
    meta = json.loads(output.read_text())["layout"]["meta"]["viz3d"]
    assert meta["settings"]["against"] == "kl"
    assert meta["summary"]["better"] > 0.9


def test_plot_json_carries_provenance(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kind, runs with digests, settings, summary and version stand in the figure."""
    output = tmp_path / "chart.json"
    words = ("plot", "loss-landscape", str(sweep / "lr-0.01"), "--output", str(output))
    assert run(capsys, *words)[0] == 0
    meta = json.loads(output.read_text())["layout"]["meta"]["viz3d"]
    assert meta["kind"] == "loss-landscape"
    assert {"kind", "runs", "settings", "summary", "version"} <= meta.keys()
    assert len(meta["runs"][0]["digest"]) == 64
    assert str(sweep) not in json.dumps(meta)


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


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("loss-landscape", ("--rate", "current")),
        ("loss-landscape", ("--strictness", "loose")),
        ("reward-landscape", ("--strictness", "strict")),
        ("reward-landscape", ("--axis", "kl")),
        ("explore", ("--color", "kl")),
        ("explore", ("--y-scale", "log")),
    ],
)
def test_an_option_of_the_kind_reaches_the_chart(
    kind: str, option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked for stands among the chart's settings."""
    output = tmp_path / "chart.json"
    words = ("plot", kind, "grpo-addition", "--source", "sample", *option, "--output", str(output))
    status, _, err = run(capsys, *words)
    assert status == 0, err
    meta = json.loads(output.read_text())["layout"]["meta"]["viz3d"]
    assert option[1] in meta["settings"].values()


def test_a_landscape_is_shown_and_chosen_by_name(
    measured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`show` names the landscapes of a run; `plot` takes one of them, and says which there are."""
    path, output = str(measured / "trained"), str(tmp_path / "a.csv")
    _, out, _ = run(capsys, "show", path, "--json")
    assert json.loads(out)["landscapes"] == ["plane", "random", "along"]
    words = ("plot", "weight-space", path, "--output", output, "--landscape")
    assert run(capsys, *words, "along")[0] == 0
    assert '"along"' in Path(output).read_text("utf-8")
    status, _, err = run(capsys, *words, "x")
    assert (status, "plane, random, along" in err) == (2, True)


def test_missing_metric_names_what_is_there(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chart that needs layers says so, what the run has, and how to record it."""
    words = ("plot", "gradient-flow", str(sweep / "lr-0.01"), "--output", str(tmp_path / "x.json"))
    status, _, err = run(capsys, *words)
    assert status == 1
    assert "custom" in err
    assert "Recorder" in err


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
