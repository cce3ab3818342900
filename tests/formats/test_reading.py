"""Reading the files of one run with all formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from viz3d.errors import NoFormat
from viz3d.formats.reading import Contents, read_run
from viz3d.run import Origin

ReadRun = Callable[..., list[Contents]]

REPORT = "# nanochat training report\n\n## Base model training\n- depth: 8\n"
STEP = "step {step:05d}/00009 (0.00%) | loss: {step}.5 | lrm: 1.00\n"


@pytest.fixture
def read(tmp_path: Path) -> ReadRun:
    """Write files and read them as one run."""

    def read(name: str, files: dict[str, str]) -> list[Contents]:
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
        return read_run(name, {path: tmp_path / path for path in files})

    return read


def test_a_log_beside_a_report_gives_the_run_its_history(read: ReadRun) -> None:
    """One nanochat run: stages from the report, steps from the console."""
    log = "".join(STEP.format(step=step) for step in range(3))
    (run,) = read("x", {"x/report/report.md": REPORT, "x/train.log": log})
    assert run.report is not None
    assert run.joined.history["loss"].tolist() == [0.5, 1.5, 2.5]
    assert run.config["base/depth"] == 8
    assert set(run.used) == {"x/report/report.md", "x/train.log"}


def test_files_that_log_the_same_metric_are_runs_of_their_own(read: ReadRun) -> None:
    """Logs of two stages in one folder do not overwrite each other; both get the report."""
    log = "".join(STEP.format(step=step) for step in range(3))
    files = {"x/report/report.md": REPORT, "x/base_train.log": log, "x/mid_train.log": log}
    runs = read("x", files)
    assert [run.name for run in runs] == ["base_train", "mid_train"]
    assert [len(run.joined.history) for run in runs] == [3, 3]
    assert all(run.report is not None for run in runs)


def test_each_of_several_runs_has_a_name_of_its_own(read: ReadRun) -> None:
    """Files of one stem do not become one run, in which the last would hide the others."""
    table = "step,loss\n0,{}\n1,1\n"
    files = {
        "lr-0.5/metrics.jsonl": '{"step": 0, "loss": 1}\n',
        "lr-0.5/metrics.csv": table.format(2),
        "lr-0.5/metrics.tsv": "step\tloss\n0\t3\n",
    }
    runs = read("lr-0.5", files)
    found = {run.name: run.joined.history["loss"].iloc[0] for run in runs}
    assert found == {"metrics.jsonl": 1.0, "metrics": 2.0, "metrics.tsv": 3.0}
    assert [run.config["learning_rate"] for run in runs] == [0.5, 0.5, 0.5]


def test_files_with_other_metrics_are_joined_on_the_step(read: ReadRun) -> None:
    """A second log of a run adds its columns."""
    files = {"x/metrics.jsonl": '{"step": 0, "loss": 1}\n', "x/val.csv": "step,val\n0,2\n5,3\n"}
    (run,) = read("x", files)
    assert run.joined.history.index.tolist() == [0, 5]
    assert run.joined.history["val"].tolist() == [2.0, 3.0]


def test_when_all_decline_the_message_lists_every_reason(read: ReadRun) -> None:
    """The user learns why each format that was asked said no."""
    with pytest.raises(NoFormat) as caught:
        read("notes.json", {"notes.json": '{"a": "b"}'})
    assert caught.value.reasons == (
        ("JSON arrays", "it has no arrays of numbers"),
        ("JSONL", "its JSON objects hold no numbers"),
    )
    assert "JSON arrays: it has no arrays of numbers" in str(caught.value)


def test_a_config_alone_is_no_run(read: ReadRun) -> None:
    """A broken history is not hidden by a good config beside it."""
    with pytest.raises(NoFormat, match="single column"):
        read("x", {"x/a.csv": "one\n1\n", "x/config.json": '{"lr": 1}'})


def test_a_file_that_nobody_reads_is_told(read: ReadRun) -> None:
    """In a run that is read, a broken file beside is named with its reasons."""
    files = {"x/metrics.jsonl": '{"step": 0, "loss": 1}\n', "x/notes.csv": "who\nme\n"}
    (run,) = read("x", files)
    (problem,) = run.problems
    assert problem.file == "x/notes.csv"
    assert "CSV" in problem.what


def test_a_file_that_vanished_is_a_reason(tmp_path: Path) -> None:
    """A file that went between listing and reading is told, not raised as it comes."""
    with pytest.raises(NoFormat, match="cannot be opened"):
        read_run("a.csv", {"a.csv": tmp_path / "gone.csv"})


def test_a_rate_that_stands_only_in_the_name_is_taken_and_told(read: ReadRun) -> None:
    """The config says the learning rate of the sweep, and where it comes from."""
    (run,) = read("lr-0.01.json", {"lr-0.01.json": '{"losses": [3, 2, 1]}'})
    assert run.config["learning_rate"] == 0.01
    assert "comes from the name 'lr-0.01.json'" in str(run.problems[-1])


def test_a_rate_in_the_config_wins_over_the_name(read: ReadRun) -> None:
    """What was written down counts more than what a file is called."""
    files = {"lr-0.01.csv": "step,loss\n0,1\n1,2\n", "config.json": '{"lr": 0.5}'}
    (run,) = read("lr-0.01.csv", files)
    assert dict(run.config) == {"lr": 0.5}
    (problem,) = run.problems
    assert "tells of a learning rate of 0.01, and the config of 0.5 (lr)" in problem.what
    for rate in ("0.01", '"1e-2"', "0.01003"):
        files["config.json"] = f'{{"lr": {rate}}}'
        assert read("lr-0.01.csv", files)[0].problems == ()


def test_settings_that_differ_between_files_are_told(read: ReadRun) -> None:
    """The last file counts, and it is said of which settings; what is the same needs no word."""
    files = {
        "x/metrics.jsonl": '{"step": 0, "loss": 1}\n',
        "x/args.json": '{"lr": 3e-4, "wd": 0.1, "seed": 1, "clip": NaN}',
        "x/config.json": '{"lr": 1e-3, "wd": 0.2, "seed": 1.0, "clip": NaN}',
        "x/hparams.yaml": "lr: 1.0e-5\n",
    }
    (run,) = read("x", files)
    assert (run.config["lr"], run.config["wd"]) == (1e-5, 0.2)
    told = {problem.file: problem.what for problem in run.problems}
    assert set(told) == {"x/config.json", "x/hparams.yaml"}
    assert "1 setting of this file stands otherwise" in told["x/config.json"]
    assert "(wd)" in told["x/config.json"]
    assert "(lr); that of this file was taken" in told["x/hparams.yaml"]


def test_layers_in_columns_leave_the_history(read: ReadRun) -> None:
    """Norms per layer in a JSONL log become layers, in step with the joined history."""
    rows = [
        f'{{"step": {step}, "loss": 1, "grad_norm_S0": {at}, "grad_norm_S1": 2}}'
        for at, step in enumerate([0, 1, 2, 3, 4, 5, 2, 3])
    ]
    (run,) = read("a.jsonl", {"a.jsonl": "\n".join(rows) + "\n"})
    assert list(run.joined.history.columns) == ["loss"]
    assert run.layers is not None
    assert run.layers[run.layers["name"] == "S0"]["grad_norm"].tolist() == [0, 1, 6, 7]


STATE = '{"log_history": [{"step": 1, "loss": 4.5}, {"step": 2, "loss": NaN, "epoch": 0.5}]}'


def test_a_trainers_state_beside_a_record_is_no_second_run(read: ReadRun) -> None:
    """The callback recorded the same rows; what differs in the state is counted."""
    record = '{"step": 1, "time": 7, "loss": 4.5}\n{"step": 2, "loss": NaN, "epoch": 0.5}\n'
    files = {"x/metrics.jsonl": record, "x/checkpoint-2/trainer_state.json": STATE}
    (run,) = read("x", files)
    assert run.joined.history["loss"].tolist()[:1] == [4.5]
    assert run.used == ("x/metrics.jsonl",)
    assert run.problems == ()
    (_, state) = run.origins
    assert state.files == ("x/checkpoint-2/trainer_state.json",)
    assert "tells of the same training" in state.declined[-1][1]
    files["x/metrics.jsonl"] = '{"step": 1, "loss": 4.25}\n{"step": 3, "loss": 1}\n'
    (run,) = read("x", files)
    assert run.joined.history["loss"].tolist() == [4.25, 1.0]
    (problem,) = run.problems
    assert problem.file == "x/checkpoint-2/trainer_state.json"
    assert "but 3 values in it are not in the record" in problem.what
    assert "Open the file by itself" in problem.remedy


def test_a_trainers_state_adds_what_nobody_recorded(read: ReadRun) -> None:
    """Where the record has none of its metrics, or layers alone, both are one run."""
    layers = '{"step": 1, "layer": 0, "name": "h.0", "grad_norm": 0.5}\n'
    for name, text in (("metrics", '{"step": 1, "reward": 2}\n'), ("layers", layers)):
        files = {f"{name}/{name}.jsonl": text, f"{name}/trainer_state.json": STATE}
        (run,) = read(name, files)
        assert run.joined.history["loss"].tolist()[:1] == [4.5]


PROGRESS = "rollout/ep_rew_mean,time/total_timesteps\n1,2048\n2,4096\n"
MONITOR = '#{"t_start": 1.0, "env_id": "CartPole-v1"}\nr,l,t\n10,200,0.5\n11,210,1.5\n12,9,2.5\n'
TINKER = '{"name": "20", "batch": 20, "epoch": 0}\n{"name": "40", "batch": 40, "epoch": 1}\n'


@pytest.mark.parametrize(
    ("run", "beside", "said"),
    [
        (("trainer_state.json", STATE), ("a.csv", "epoch,bleu\n1,20\n2,21\n"), ("epoch", "step")),
        (("progress.csv", PROGRESS), ("monitor.csv", MONITOR), ("row number", "total_timesteps")),
        (("metrics.jsonl", '{"step": 0, "lr": 1}\n'), ("checkpoints.jsonl", TINKER),
         ("epoch", "step")),
    ],
)  # fmt: skip
def test_what_counts_something_else_is_not_joined_on_the_step(
    read: ReadRun, run: tuple[str, str], beside: tuple[str, str], said: tuple[str, str]
) -> None:
    """An episode, an epoch or a checkpoint is no step, though its number may be one."""
    (alone,) = read("x", {f"x/{run[0]}": run[1]})
    (found,) = read("x", {f"x/{name}": text for name, text in (run, beside)})
    assert found.joined.history.equals(alone.joined.history)
    (problem,) = (each for each in found.problems if each.file == f"x/{beside[0]}")
    assert "counted by {}, those of the run by {}.".format(*said) in problem.what
    assert [origin.files for origin in found.origins if not origin.rows] == [(f"x/{beside[0]}",)]


def test_two_files_that_count_different_things_are_two_runs(read: ReadRun) -> None:
    """Where neither is that of the folder each is read, on a count of its own."""
    files = {"x/a.csv": "step,loss\n0,3\n9,2\n", "x/b.csv": "epoch,bleu\n0,1\n1,2\n"}
    runs = read("x", {"x/report/report.md": REPORT, **files})
    found = {run.name: list(run.joined.history) for run in runs}
    assert found == {"a": ["loss"], "b": ["bleu"]}


def test_each_file_says_what_it_gave(read: ReadRun) -> None:
    """Rows before they were joined, the range of steps, the metrics, and who declined before."""
    files = {
        "x/log.jsonl": '{"step": 0, "loss": 1}\n{"step": 4, "loss": 2}\n{"step": 4, "lr": 3}\n',
        "x/val.csv": "step,val\n5,2\n",
        "x/config.json": '{"seed": 1}',
        "x/notes.csv": "one\n1\n",
    }
    (run,) = read("x", files)
    by_file = {origin.files[0]: origin for origin in run.origins}
    assert by_file["x/log.jsonl"] == Origin(
        files=("x/log.jsonl",), format="JSONL", rows=3, first_step=0, last_step=4,
        counted_by="step", metrics=("loss", "lr"), merged=True,
    )  # fmt: skip
    assert (by_file["x/val.csv"].metrics, by_file["x/val.csv"].last_step) == (("val",), 5)
    assert by_file["x/config.json"].gave == ("config",)
    assert not by_file["x/config.json"].merged
    notes = by_file["x/notes.csv"]
    assert (notes.format, notes.rows, notes.metrics) == ("", 0, ())
    assert "single column" in notes.declined[-1][1]


def test_who_declined_before_is_told(read: ReadRun) -> None:
    """A file that one format declined and the next one read keeps the reason."""
    rows = '{"step": 0, "loss": 1}\n{"step": 1, "loss": 2}\n'
    (run,) = read("x", {"x/log.json": rows})
    (origin,) = run.origins
    assert origin.format == "JSONL"
    assert [name for name, _ in origin.declined] == ["JSON arrays"]
    assert all(reason for _, reason in origin.declined)


def test_a_metric_that_became_layers_is_no_metric_of_its_file(read: ReadRun) -> None:
    """Columns per layer leave the history, and the file is said to have given layers."""
    line = '{"step": %d, "loss": 1, "grad_norm/layer_0": 2, "grad_norm/layer_1": 3}\n'
    (run,) = read("x", {"x/metrics.jsonl": line % 0 + line % 1})
    (origin,) = run.origins
    assert run.layers is not None
    assert (origin.metrics, origin.gave) == (("loss",), ("layers",))


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        ('{"global_step": 3, "epoch": 1, "loss": 2}\n{"loss": 1}\n', "global_step"),
        ('{"step": 3, "loss": 2}\n', "step"),
        ('{"loss": 2}\n', ""),
    ],
)
def test_an_origin_says_which_column_was_the_step(tmp_path: Path, log: str, wanted: str) -> None:
    (tmp_path / "a.jsonl").write_text(log)
    (run,) = read_run("a", {"a.jsonl": tmp_path / "a.jsonl"})
    assert [origin.counted_by for origin in run.origins] == [wanted]
