"""Which files make up a run."""

from __future__ import annotations

import pytest

from viz3d.formats.grouping import group


def runs(*paths: str) -> dict[str, list[str]]:
    """Return {run: files} of a listing."""
    return {found.run: list(found.files) for found in group(paths)}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/metrics.jsonl", "a/run.json"], {"a": ["a/metrics.jsonl", "a/run.json"]}),
        (["metrics.jsonl"], {"": ["metrics.jsonl"]}),
        (["a/metrics/part-00001.parquet"], {"a": ["a/metrics/part-00001.parquet"]}),
        (["a/x.parquet", "a/model.pt", "a/b.pkl"], {}),
        (["a/report/report.md", "a/train.log"], {"a": ["a/report/report.md", "a/train.log"]}),
        (["a/report/base-model-training.md"], {"a": ["a/report/base-model-training.md"]}),
        (["a/base-model-training.md"], {}),
        (
            ["t/measurements.csv", "t/hparams.json"],
            {"t": ["t/hparams.json", "t/measurements.csv"]},
        ),
        (
            ["o/checkpoint-9/trainer_state.json", "o/trainer_state.json"],
            {"o": ["o/checkpoint-9/trainer_state.json", "o/trainer_state.json"]},
        ),
        (["s/a.json", "s/b.json"], {"s/a.json": ["s/a.json"], "s/b.json": ["s/b.json"]}),
        (["s/a.csv", "s/config.yaml"], {"s": ["s/a.csv", "s/config.yaml"]}),
        (["a.csv", "config.yaml"], {"a.csv": ["a.csv", "config.yaml"]}),
        (
            ["s/a.csv", "s/b.csv", "s/args.json"],
            {"s/a.csv": ["s/a.csv", "s/args.json"], "s/b.csv": ["s/args.json", "s/b.csv"]},
        ),
        (
            [
                "k/train/e.tfevents.1.h",
                "k/validation/e.tfevents.1.h",
                "k/validation/e.tfevents.2.h",
            ],
            {
                "k/train": ["k/train/e.tfevents.1.h"],
                "k/validation": ["k/validation/e.tfevents.1.h", "k/validation/e.tfevents.2.h"],
            },
        ),
        (
            ["b/e.tfevents.1.h", "b/progress.csv", "b/hparams.yaml"],
            {"b": ["b/e.tfevents.1.h", "b/hparams.yaml", "b/progress.csv"]},
        ),
        (["s/config.json"], {}),
        (["s/config.json", "s/deep/a.csv"], {"s/deep/a.csv": ["s/deep/a.csv"]}),
    ],
)
def test_files_become_runs(paths: list[str], expected: dict[str, list[str]]) -> None:
    """Folders with claimed files are runs, what lies in them joins, other histories stand alone."""
    assert runs(*paths) == expected


@pytest.mark.parametrize(
    ("paths", "formats"),
    [
        (["t/measurements.csv", "t/hparams.json"], ("AlgoPerf trial", "CSV")),
        (["a.csv"], ("CSV",)),
        (["a.log"], ("console log",)),
        (["a.json"], ("JSON",)),
        (["trainer_state.json"], ("Hugging Face trainer",)),
        (["a.wandb"], ("W&B offline run",)),
    ],
)
def test_a_run_tells_its_formats_by_name_alone(paths: list[str], formats: tuple[str, ...]) -> None:
    """A listing says what may be read, once where names tell no more, without configs beside it."""
    (found,) = group(paths)
    assert found.formats == formats
