"""The command line draws: plot, with each kind's own options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.team_bucket import run


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


def test_landscapes_take_what_stands_in_the_steps_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone, overlaid and subtracted; a run without it is told by name, a chart without it too."""
    for name, each in (("a", 512), ("b", 1024), ("c", 0)):
        (tmp_path / name).mkdir()
        rows = [
            {"step": s, "loss": 3 - s / 60 + each / 1e4, "lr": 0.1}
            | ({"total_tokens": s * each} if each else {})
            for s in range(60)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / name / "metrics.jsonl").write_text(text)
    a, b, c = (str(tmp_path / name) for name in "abc")
    output = tmp_path / "chart.json"
    for words in (
        ("loss-landscape", a, b, c),
        ("loss-landscape", a, b, c, "--overlaid"),
        ("difference", a, "--against", b, c),
    ):
        status, _, err = run(capsys, "plot", *words, "--along", "tokens", "--output", str(output))
        assert status == 0, err
        figure = json.loads(output.read_text())
        assert figure["layout"]["meta"]["viz3d"]["settings"]["along"] == "tokens"
        assert "c was left out." in err
        assert "It did not log tokens." in err
        flat = figure["layout"].get("xaxis")
        axis = flat if flat else figure["layout"]["scene"]["xaxis"]
        assert axis["title"]["text"] == "tokens"
    words = ("plot", "loss-landscape", c, "--along", "time", "--output", str(output))
    status, _, err = run(capsys, *words)
    assert (status, "c: It did not log time." in err) == (1, True)
    words = ("plot", "training-dynamics", a, "--along", "tokens", "--output", str(output))
    status, _, err = run(capsys, *words)
    assert status == 2
    assert (
        "--along goes with loss-landscape, reward-landscape, gradient-flow and curves only" in err
    )


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
