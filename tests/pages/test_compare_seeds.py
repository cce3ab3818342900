"""The lower part of the Compare page: a baseline, deltas, and groups of runs by their seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]

PAGE = "pages/5_Compare.py"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of one rate and two of another, with losses far apart."""
    root = tmp_path_factory.mktemp("seeded")
    for rate, seeds in ((0.1, 3), (0.2, 2)):
        for seed in range(seeds):
            path = root / f"lr-{rate}-seed-{seed}"
            path.mkdir()
            config = {"learning_rate": rate, "seed": seed}
            (path / "run.json").write_text(json.dumps({"schema": 1, "config": config}), "utf-8")
            level, zero = 10 * rate + 0.01 * seed, 0.0 if rate == 0.1 else 1.0
            rows = [
                {"step": s, "loss": level + 1 / (s + 1), "learning_rate": rate, "zero": zero}
                for s in range(60)
            ]
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (path / "metrics.jsonl").write_text(text, "utf-8")
    return root


def tables(app: AppTest) -> list:
    return [frame.value for frame in app.dataframe]


def with_column(app: AppTest, column: str):
    return next(table for table in tables(app) if column in table.columns)


def names(seeded: Path) -> list[str]:
    return sorted(path.name for path in seeded.iterdir())


def test_seeds_group_and_are_compared(open_page: Open, seeded: Path) -> None:
    """Both groups with their n, and a test of one against the other."""
    app = open_page(PAGE, source=str(seeded), run=names(seeded), baseline="lr-0.1-seed-1")
    assert not app.exception
    found = with_column(app, "target reached")
    assert dict(zip(found["group"], found["n"], strict=True)) == {
        "lr-0.1-seed-*": 3, "lr-0.2-seed-*": 2,
    }  # fmt: skip
    compared = with_column(app, "p (Holm)")
    assert compared["group"].tolist() == ["lr-0.2-seed-*"]
    assert compared["p (Holm)"][0] < 0.05
    assert compared["difference"][0] == pytest.approx(0.995, abs=0.01)


def test_single_runs_get_a_sentence_and_no_claim(open_page: Open, seeded: Path) -> None:
    """Groups of one run each: the difference, no p, and why."""
    runs = ["lr-0.1-seed-0", "lr-0.2-seed-0"]
    by_hand = {"seeds": "As grouped at the top"}
    app = open_page(PAGE, source=str(seeded), run=runs, **by_hand)
    assert not app.exception
    compared = with_column(app, "what it says")
    assert "difference" in compared
    assert "p (Holm)" not in compared
    assert "one run on a side" in compared["what it says"][0]


def test_runs_without_partners_are_explained(open_page: Open, seeded: Path) -> None:
    """No chart of seeds where no two runs differ in the seed alone."""
    app = open_page(PAGE, source=str(seeded), run=["lr-0.1-seed-0", "lr-0.2-seed-0"])
    assert not app.exception
    assert any("differ in their seed alone" in info.value for info in app.info)


def test_groups_follow_the_panels(open_page: Open, seeded: Path) -> None:
    """By hand means by the setting that the page groups by."""
    choice = {"by": "seed", "seeds": "As grouped at the top"}
    app = open_page(PAGE, source=str(seeded), run=names(seeded), **choice)
    found = with_column(app, "target reached")
    assert sorted(found["group"]) == ["seed = 0", "seed = 1", "seed = 2"]


def test_final_metrics_show_deltas_from_the_chosen_baseline(open_page: Open, seeded: Path) -> None:
    """In value and in percent; blank where the baseline is 0."""
    runs = ["lr-0.1-seed-0", "lr-0.2-seed-0"]
    app = open_page(PAGE, source=str(seeded), run=runs, baseline="lr-0.1-seed-0")
    table = with_column(app, "lr-0.2-seed-0 (percent)")
    assert table.loc["loss", "lr-0.2-seed-0 (difference)"] == pytest.approx(1.0)
    assert table.loc["loss", "lr-0.2-seed-0 (percent)"] == pytest.approx(100 / (1 + 1 / 60))
    assert table.loc["zero", "lr-0.2-seed-0 (difference)"] == 1.0
    assert table["lr-0.2-seed-0 (percent)"].isna()["zero"]
    other = open_page(PAGE, source=str(seeded), run=runs, baseline="lr-0.2-seed-0")
    assert "lr-0.1-seed-0 (percent)" in with_column(other, "lr-0.1-seed-0 (difference)").columns


def test_a_metric_and_a_target_can_be_chosen(open_page: Open, seeded: Path) -> None:
    """Both stand in the address."""
    address = {"metric": "zero", "target": 0.5}
    app = open_page(PAGE, source=str(seeded), run=names(seeded), **address)
    assert not app.exception
    assert set(with_column(app, "target reached")["target reached"]) == {"3 of 3", "0 of 2"}


def test_seeds_can_be_exported(open_page: Open, seeded: Path) -> None:
    """The Export page offers them where two runs differ in their seed alone."""
    app = open_page("pages/7_Export.py", source=str(seeded), run=names(seeded), charts=["Seeds"])
    assert not app.exception
    assert "CSV" in {button.proto.label for button in app.get("download_button")}
    assert any("Seeds" in code.value for code in app.code)
