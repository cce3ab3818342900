"""Listing and loading runs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from viz3d import load
from viz3d.errors import NoFormat, RunNotFound, SettingsError, SourceError
from viz3d.formats.reading import read_run
from viz3d.load import is_path, list_runs, load_path, load_run, load_runs, open_source
from viz3d.run import FileInfo
from viz3d.sources.local import LocalSource

ROWS = '{"step": 0, "train/loss": 3, "x": 1}\n{"step": 1, "train/loss": 2, "x": 2}\n'
LOG = "".join(
    f"step {step:05d}/00003 (0.00%) | loss: {step}.5 | lrm: 1.00\n" for step in [0, 1, 2, 0, 1]
)


def write(root: Path, files: dict[str, str], changed: float | None = None) -> None:
    """Write files, all changed at one time where one is given."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
        if changed is not None:
            os.utime(root / name, (changed, changed))


def names(root: Path) -> list[str]:
    return [info.name for info in list_runs(open_source(root))]


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    """A timestamp in the name counts before the time of change; names break ties."""
    write(tmp_path, {"runs/b/metrics.jsonl": ROWS, "runs/a/metrics.jsonl": ROWS}, changed=1e9)
    write(tmp_path, {"runs/old-20100101-000000/metrics.jsonl": ROWS}, changed=2e9)
    write(tmp_path, {"runs/new-20251023-143022/metrics.jsonl": ROWS}, changed=1.0)
    assert names(tmp_path) == ["new-20251023-143022", "old-20100101-000000", "a", "b"]


def test_listing_reads_no_file(tmp_path: Path) -> None:
    """A run is listed by its names, sizes and times alone, whatever its files hold."""
    write(tmp_path, {"top/r/metrics.jsonl": "not a row", "top/r/run.json": "{"}, changed=1e9)
    (info,) = list_runs(open_source(tmp_path / "top"))
    assert (info.name, info.source, info.changed, info.size) == ("r", "top", 1e9, 10)
    assert info.formats == ("viz3d run", "JSON")
    assert [file.path for file in info.files] == ["r/metrics.jsonl", "r/run.json"]


def test_a_leading_runs_is_dropped_where_names_stay_unique(tmp_path: Path) -> None:
    """``runs/`` says nothing, but two runs never get one name."""
    write(tmp_path, {"runs/a/metrics.jsonl": ROWS, "a/metrics.jsonl": ROWS})
    write(tmp_path, {"runs/b/metrics.jsonl": ROWS})
    assert sorted(names(tmp_path)) == ["a", "b", "runs/a"]
    write(tmp_path, {"runs/runs/a/metrics.jsonl": ROWS})
    assert sorted(names(tmp_path)) == ["a", "b", "runs/a", "runs/runs/a"]


def test_the_run_at_the_top_has_a_name_of_its_own(tmp_path: Path) -> None:
    """A folder that is a run goes by its own name, unless a run below it is called so too."""
    write(tmp_path / "r", {"metrics.jsonl": ROWS, "r/metrics.jsonl": ROWS})
    assert sorted(names(tmp_path / "r")) == [".", "r"]
    assert len(load_run(tmp_path / "r", ".").history) == 2
    assert load_run(tmp_path / "r", "r").source == "r"


def test_a_source_that_is_a_run_goes_by_its_folder(tmp_path: Path) -> None:
    """Opening a run itself gives that run, without a name being asked for."""
    write(tmp_path / "mine", {"metrics.jsonl": ROWS})
    run = load_run(tmp_path / "mine")
    assert (run.name, run.source) == ("mine", "mine")
    assert run.history["train/loss"].tolist() == [3.0, 2.0]
    assert dict(run.roles) == {"loss": "train/loss"}
    assert len(run.digest) == 64


def test_a_run_is_the_same_however_it_is_opened(tmp_path: Path) -> None:
    """From its source, by a part of its name, or by its path: the same data and digest."""
    write(tmp_path, {"x/runs/r/metrics.jsonl": ROWS})
    source = open_source(tmp_path)
    found = [load_run(source, "x/runs/r"), load_run(source, "r"), load_run(tmp_path / "x/runs/r")]
    assert len({run.digest for run in found}) == 1
    assert [run.name for run in found] == ["x/runs/r", "x/runs/r", "r"]


def test_a_file_of_several_runs_is_one_entry_until_opened(tmp_path: Path) -> None:
    """The runs in it are PATH::NAME, and asking for one of several says which there are."""
    write(tmp_path, {"a.log": LOG})
    assert names(tmp_path) == ["a.log"]
    source = open_source(tmp_path)
    assert [run.name for run in load_runs(source, "a.log")] == ["a.log::base-1", "a.log::base-2"]
    assert len(load_run(source, "a.log::base-2").history) == 2
    assert len(load_run(f"{tmp_path / 'a.log'}::base-1").history) == 3
    with pytest.raises(RunNotFound, match=r"holds 2 runs; choose one: 'a\.log::base-1'"):
        load_run(source, "a.log")
    with pytest.raises(RunNotFound, match=r"holds no run 'sft'; it holds: 'a\.log::base-1'"):
        load_run(source, "a.log::sft")


def test_a_record_in_the_folder_of_a_trainer_opens_by_its_name(tmp_path: Path) -> None:
    """Checkpoints of the Hugging Face Trainer hold its state, which logs the same metrics."""
    state = '{"log_history": [{"step": 0, "train/loss": 9.0}]}'
    write(tmp_path, {"a/metrics.jsonl": ROWS, "a/checkpoint-2/trainer_state.json": state})
    source = open_source(tmp_path)
    (found,) = list_runs(source)
    run = load_run(source, found.name)
    assert run.name == "a"
    assert len(run.history) == len(ROWS.splitlines())
    assert len(load_run(tmp_path / "a/checkpoint-2/trainer_state.json").history) == 1


def test_every_run_of_a_folder_can_be_asked_for(tmp_path: Path) -> None:
    """Where two files of a folder are two runs, each of them opens by the name that it has."""
    write(tmp_path, {"a/metrics.jsonl": ROWS, "a/old.csv": "step,train/loss\n0,1\n1,2\n"})
    source = open_source(tmp_path)
    found = [run.name for run in load_runs(source, "a")]
    assert found == ["a::metrics", "a::old"]
    assert [load_run(source, name).name for name in found] == found


def test_a_file_may_have_two_colons_in_its_name(tmp_path: Path) -> None:
    """What is there under the whole path is taken before a run inside another file."""
    path = tmp_path / "a::b.jsonl"
    path.write_text(ROWS)
    assert is_path(str(path))
    assert load_run(path).name == "a::b.jsonl"
    assert is_path(f"{path}::x")
    assert not is_path(str(tmp_path / "c::b.jsonl"))


def test_a_path_of_several_runs_gives_them_all(tmp_path: Path) -> None:
    """One file that cannot be read does not cost the others, and is told."""
    write(tmp_path, {"a.jsonl": ROWS, "b.jsonl": ROWS, "c.json": '{"a": "b"}'}, changed=1e9)
    runs = load_path(tmp_path)
    assert [run.name for run in runs] == ["a.jsonl", "b.jsonl"]
    assert [problem.file for problem in runs[0].problems] == ["c.json"]
    with pytest.raises(NoFormat, match="no arrays of numbers"):
        load_path(tmp_path / "c.json")


def test_a_run_that_is_gone_does_not_cost_the_others(tmp_path: Path) -> None:
    """A file deleted between listing and loading is told beside the runs that are there."""
    write(tmp_path, {"a.jsonl": ROWS, "b.jsonl": ROWS}, changed=1e9)
    source = open_source(tmp_path)
    listed = source.files()
    source.files = lambda: listed  # type: ignore[method-assign]
    (tmp_path / "b.jsonl").unlink()
    (run,) = load_runs(source)
    assert run.name == "a.jsonl"
    assert "no longer in" in run.problems[0].what


def test_roles_can_be_said_by_the_user(tmp_path: Path) -> None:
    """A said role wins over the recognised one; a metric that is not there is refused."""
    write(tmp_path, {"a.jsonl": ROWS})
    assert load_run(tmp_path / "a.jsonl", roles={"loss": "x"}).roles["loss"] == "x"
    with pytest.raises(ValueError, match="has no metric 'y' for the role 'loss'"):
        load_run(tmp_path / "a.jsonl", roles={"loss": "y"})


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    """Nothing to load is said as such."""
    (tmp_path / "top").mkdir()
    assert list_runs(open_source(tmp_path / "top")) == []
    with pytest.raises(RunNotFound, match="no runs in 'top'"):
        load_run(tmp_path / "top")


def test_places_that_cannot_be_opened_say_what_to_do() -> None:
    """What is nowhere, or is no address, is one sentence."""
    with pytest.raises(SourceError, match="wandb://ENTITY/PROJECT"):
        open_source("wandb://entity")
    with pytest.raises(SourceError, match="no folder or file 'nothing'"):
        open_source("nothing")


def test_settings_are_read_once_and_needed_by_services_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many places are opened; a folder opens where the settings cannot be read."""
    write(tmp_path, {"a/metrics.jsonl": ROWS, "b/metrics.jsonl": ROWS})
    read: list[int] = []
    real = load.load_settings
    monkeypatch.setattr(load, "load_settings", lambda: read.append(1) or real())
    monkeypatch.chdir(tmp_path)
    open_source(["a", "b", "gs://bucket", "wandb://team/project"])
    assert len(read) == 1
    (tmp_path / ".env").write_bytes(b"\xff")
    assert len(list_runs(open_source(["a", "b"]))) == 2
    with pytest.raises(SettingsError):
        open_source(["a", "gs://bucket"])


def test_attempts_and_facts_reach_the_run(tmp_path: Path) -> None:
    """What was superseded or not finite is in the run; a run without either says so."""
    steps = [0, 1, 2, 3, 4, 5, 3, 4]
    rows = [f'{{"step": {step}, "loss": {at}}}\n' for at, step in enumerate(steps)]
    write(tmp_path, {"a.jsonl": "".join([*rows, '{"step": 6, "loss": NaN}\n']), "b.jsonl": ROWS})
    source = open_source(tmp_path)
    run, plain = load_run(source, "a.jsonl"), load_run(source, "b.jsonl")
    assert run.attempts is not None
    assert run.attempts["loss"].tolist() == [3.0, 4.0, 5.0]
    assert run.nonfinite is not None
    assert run.nonfinite["step"].tolist() == [6]
    assert plain.attempts is None
    assert plain.nonfinite is not None
    assert len(plain.nonfinite) == 0


def test_the_real_folders_list_their_runs(real_data: Path) -> None:
    """11 sweep files, five trials, two trainers and five reports with a log, by name alone."""
    counts = {
        folder: len(list_runs(open_source(real_data / folder)))
        for folder in ("gpt-large-lr-sweep", "algoperf-wmt", "hf-trainer", "nanochat-reports")
    }
    assert counts == {
        "gpt-large-lr-sweep": 11, "algoperf-wmt": 5, "hf-trainer": 2, "nanochat-reports": 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        (
            "algoperf-wmt/trial_5",
            {"loss": "loss", "grad_norm": "grad_norm", "val_loss": "validation/loss"},
        ),
        (
            "sb3-jobshop",
            {"loss": "train/loss", "reward": "rollout/ep_rew_mean",
             "learning_rate": "train/learning_rate", "kl": "train/approx_kl"},
        ),
        (
            "hf-trainer/grpo-unsloth",
            {"loss": "loss", "reward": "reward", "reward_std": "reward_std", "kl": "kl",
             "learning_rate": "learning_rate", "grad_norm": "grad_norm",
             "length": "completion_length"},
        ),
        (
            "modded-nanogpt/llmc/main.log",
            {"loss": "trl", "val_loss": "tel", "learning_rate": "lr", "grad_norm": "norm"},
        ),
        (
            "nanochat-console/sweep_p22.log::base-1",
            {"loss": "loss", "val_bpb": "val_bpb", "lr_multiplier": "lrm",
             "learning_rate": "lr/muon", "tokens_per_second": "tok/sec"},
        ),
        ("per-layer-jsonl", {"loss": "train_loss"}),
    ],
)  # fmt: skip
def test_the_roles_of_real_runs(real_data: Path, path: str, roles: dict[str, str]) -> None:
    """The names that the field uses are recognised in real logs."""
    found = load_run(f"{real_data}/{path}").roles
    assert {role: found.get(role) for role in roles} == roles


def test_the_real_sweep_knows_its_rates(real_data: Path) -> None:
    """The peak rates, which stand only in names, are in the configs and told."""
    source = open_source(real_data / "gpt-large-lr-sweep")
    runs = [run for info in list_runs(source) for run in load_runs(source, info.name)]
    adamw = sorted(run.config["learning_rate"] for run in runs if run.name.startswith("adamw"))
    assert adamw == [5e-05, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 2e-2]
    assert all("comes from the name" in " ".join(map(str, run.problems)) for run in runs)
    assert max(run.history["losses"].max() for run in runs) > 100


def test_a_real_trial_has_its_hyper_parameters(real_data: Path) -> None:
    """hparams.json beside the measurements is the config of the run."""
    run = load_run(real_data / "algoperf-wmt" / "trial_4")
    assert run.config["learning_rate"] == 0.004958460849689891
    assert run.history.index[-1] == 133_333
    assert len(run.history) == 1391


def test_an_entry_tells_where_the_run_lies(tmp_path: Path) -> None:
    """The path in the source stays whole where the name is short."""
    write(tmp_path, {"runs/a/metrics/part-00001.parquet": "", "runs/b.csv": "", "run.json": "{}"})
    places = {info.name: info.path for info in list_runs(open_source(tmp_path))}
    assert places == {"a": "runs/a", "b.csv": "runs/b.csv", tmp_path.name: ""}


def test_an_entry_of_the_listing_is_loaded_as_it_is(tmp_path: Path) -> None:
    """An entry names its files, so nothing is listed again, and the name stays the listed one."""
    write(tmp_path, {"s/a.csv": "step,loss\n0,1\n1,2\n", "s/args.json": '{"lr": 1}'})
    source = open_source(tmp_path)
    (info,) = list_runs(source)
    (run,) = load_runs(source, info)
    assert (run.name, dict(run.config)) == ("s", {"lr": 1})


def test_bytes_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    """In the name of a folder and in a config; either would break every table and page."""
    write(tmp_path, {"a/metrics.jsonl": ROWS, "a/config.json": '{"k\\udc80": ["v\\udc80"]}'})

    class Odd(LocalSource):
        """The same folder under a name that this disk may not be able to hold."""

        def files(self) -> list[FileInfo]:
            return [replace(file, path=f"\udc80{file.path}") for file in super().files()]

        def fetch(self, file: FileInfo) -> Path:
            return super().fetch(replace(file, path=file.path.removeprefix("\udc80")))

    source = Odd(tmp_path)
    assert [info.name for info in list_runs(source)] == ["\\udc80a"]
    run = load_run(source, "\udc80a")
    assert run.name == load_run(source, "\\udc80a").name == "\\udc80a"
    assert dict(run.config) == {"k\\udc80": ["v\\udc80"]}


def test_the_digest_is_that_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a run that is written while it is read: rows and digest are of one moment."""
    write(tmp_path, {"a/metrics.jsonl": ROWS})
    file = tmp_path / "a" / "metrics.jsonl"

    def read_and_write(*args: Any) -> Any:
        contents = read_run(*args)
        with file.open("a") as more:
            more.write(f'{{"step": {file.stat().st_size}, "train/loss": 1}}\n')
        return contents

    with monkeypatch.context() as patch:
        patch.setattr("viz3d.load_entries.read_run", read_and_write)
        run = load_run(tmp_path / "a")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[: len(run.history)]))
    assert load_run(tmp_path / "a").digest == run.digest
