"""Charts exported from the pages of W&B: several runs in one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import wandb_chart
from viz3d.formats.base import Parsed
from viz3d.formats.reading import read_run

from .conftest import Reader, joined, said


def table(*columns: tuple[str, list[object]]) -> str:
    """Return a CSV as W&B writes it: every cell in quotes."""
    rows = [[name for name, _ in columns], *zip(*(cells for _, cells in columns), strict=True)]
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n"


def bounded(name: str, cells: list[object]) -> list[tuple[str, list[object]]]:
    """Return a column with bounds that are the metric itself."""
    return [(name, cells), (f"{name}__MIN", cells), (f"{name}__MAX", cells)]


def test_each_run_has_its_own_rows(read: Reader) -> None:
    """Rows that another run alone has are no gaps of this one."""
    text = table(
        ("Step", [0, 1, 5]),
        *bounded("a - train/loss", [3, 2, ""]),
        *bounded("b - train/loss", [4, "", 1]),
    )
    one, two = read(wandb_chart, {"wandb_export.csv": text})
    assert (one.name, two.name) == ("a", "b")
    assert joined(one).history["train/loss"].to_dict() == {0: 3, 1: 2}
    assert joined(two).history["train/loss"].to_dict() == {0: 4, 5: 1}
    assert said(one) == "wandb_export.csv: 2 __MIN or __MAX columns are the metric itself and " \
        "were left out."  # fmt: skip


def test_bounds_of_a_sample_are_kept_and_told(read: Reader) -> None:
    """A point that stands for several values is not taken for one of them."""
    text = table(
        ("Step", [0, 10]),
        ("a - loss", [3, 2]),
        ("a - loss__MIN", [1, 2]),
        ("a - loss__MAX", [3, 2]),
    )
    (parsed,) = read(wandb_chart, {"a.csv": text})
    assert parsed.name == ""
    history = joined(parsed).history
    assert list(history) == ["loss", "loss__MIN"]
    assert history["loss__MIN"].tolist() == [1, 2]
    assert "a point stands for several values, whose bounds are in loss__MIN." in said(parsed)
    assert "1 __MIN or __MAX column is the metric itself" in said(parsed)
    gaps = table(("Step", [0, 1]), ("a - loss", [3, ""]), ("a - loss__MIN", ["", 3]))
    (parsed,) = read(wandb_chart, {"a.csv": gaps})
    assert joined(parsed).history["loss__MIN"].dropna().to_dict() == {1: 3}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a - x - loss", "b - loss"], {("a - x", "loss"), ("b", "loss")}),
        (
            ["a - val - loss", "b - val - loss", "a - acc", "b - acc"],
            {("a", "val - loss"), ("b", "val - loss"), ("a", "acc"), ("b", "acc")},
        ),
        (["a - b - loss", "a - c - loss"], {("a - b", "loss"), ("a - c", "loss")}),
    ],
)
def test_names_that_hold_the_mark_are_parted_so_that_all_agree(
    read: Reader, names: list[str], expected: set[tuple[str, str]]
) -> None:
    """Runs and metrics that stand more than once are believed."""
    text = table(("Step", [1]), *(column for name in names for column in bounded(name, [2])))
    parsed = read(wandb_chart, {"a.csv": text})
    assert {(one.name, metric) for one in parsed for metric in joined(one).history} == expected
    assert "hold ' - ' more than once" in said(parsed[0]) or "holds ' - '" in said(parsed[0])


def test_runs_of_one_name_are_two_runs(tmp_path: Path) -> None:
    """W&B does not ask for unique names; a number in brackets of a metric is left alone."""
    columns = [
        *bounded("gpt - loss", [3]),
        *bounded("gpt - loss", [2]),
        *bounded("gpt - x (1)", [1]),
    ]
    path = tmp_path / "a.csv"
    path.write_text(table(("Step", [0]), *columns), "utf-8")
    found = {contents.name: contents for contents in read_run("a", {"a.csv": path})}
    assert found["gpt"].joined.history.loc[0].to_dict() == {"loss": 3, "x (1)": 1}
    assert found["gpt (2)"].joined.history.loc[0].to_dict() == {"loss": 2}


def test_a_twin_does_not_take_the_name_of_another_run(tmp_path: Path) -> None:
    """Each of its metrics and bounds goes with it, and none is lost."""
    columns = [
        *bounded("a - loss", [1]), *bounded("a - acc", [10]),
        *bounded("a - loss", [2]), *bounded("a - acc", [20]),
        ("a (2) - loss", [3]), ("a (2) - loss__MIN", [0]), ("a (2) - loss__MAX", [5]),
    ]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(table(("Step", [0]), *columns), "utf-8")
    found = {contents.name: contents.joined.history for contents in read_run("a", {"a.csv": path})}
    assert {name: history.loc[0].to_dict() for name, history in found.items()} == {
        "a": {"loss": 1, "acc": 10},
        "a (2)": {"loss": 3, "loss__MIN": 0, "loss__MAX": 5},
        "a (3)": {"loss": 2, "acc": 20},
    }


def test_a_twin_of_a_run_without_a_value_is_one_all_the_same(read: Reader) -> None:
    """The header says whose bounds are whose, also where a whole column is empty."""
    empty, told = bounded("a - loss", ["", ""]), bounded("a - loss", [2, 1])
    (parsed,) = read(wandb_chart, {"a.csv": table(("Step", [0, 1]), *empty, *told)})
    assert {name: list(found) for name, found in joined(parsed).history.items()} == {"loss": [2, 1]}
    other = bounded("b - loss", [4, 3])
    parsed = read(wandb_chart, {"a.csv": table(("Step", [0, 1]), *empty, *told, *other)})
    assert {one.name: list(joined(one).history) for one in parsed} == {
        "a (2)": ["loss"], "b": ["loss"],
    }  # fmt: skip


def test_a_chart_is_known_by_its_header_where_its_bounds_are_empty(read: Reader) -> None:
    text = table(("Step", [0]), ("a - loss", [3]), ("a - loss__MIN", [""]), ("a - loss__MAX", [""]))
    (parsed,) = read(wandb_chart, {"a.csv": text})
    assert joined(parsed).history.loc[0].to_dict() == {"loss": 3}


def test_no_column_takes_the_place_of_another(read: Reader) -> None:
    """A name that ends like a twin's and is none is a metric's."""
    columns = [("a - loss (2)__MIN", [1]), ("a - loss__MIN (2)", [2]), ("a - loss (2)", [3])]
    (parsed,) = read(wandb_chart, {"a.csv": table(("Step", [0]), *columns)})
    assert joined(parsed).history.loc[0].to_dict() == {
        "loss (2)": 3, "loss (2)__MIN": 1, "loss__MIN (2)": 2,
    }  # fmt: skip


def one_with_axis(read: Reader, axis: str, cells: list[object]) -> Parsed:
    """Read a chart over an axis, with W&B's own counter beside the metric."""
    text = table((axis, cells), *bounded("a - _step", [7, 9]), *bounded("a - loss", [2, 1]))
    (parsed,) = read(wandb_chart, {"a.csv": text})
    return parsed


def test_an_axis_that_is_called_like_a_step_is_the_step(read: Reader) -> None:
    """W&B's own counter says less."""
    parsed = one_with_axis(read, "trainer/global_step", [100, 200])
    assert joined(parsed).history.index.tolist() == [100, 200]
    assert "axis" not in said(parsed)


@pytest.mark.parametrize(
    ("axis", "cells"),
    [
        ("Relative Time (Wall)", [0.5, 1.5]),
        ("Relative Time (Process)", [10, 20]),
        ("train/tokens", [1_000_000, 2_000_000]),
    ],
)
def test_any_other_axis_is_a_column_and_told(read: Reader, axis: str, cells: list[object]) -> None:
    """Whole seconds and tokens are no steps, and no row is lost for a broken one."""
    parsed = one_with_axis(read, axis, cells)
    history = joined(parsed).history
    assert history.index.tolist() == [7, 9]
    assert history[axis].tolist() == cells
    assert f"The axis of the chart ({axis}) is not called like a step" in said(parsed)


def test_a_metric_that_is_called_like_the_axis_is_kept(read: Reader) -> None:
    """Beside it."""
    text = table(("epoch", [1, 2]), *bounded("a - epoch", [0.5, 1.5]))
    (parsed,) = read(wandb_chart, {"a.csv": text})
    assert joined(parsed).history["epoch (logged)"].to_dict() == {1: 0.5, 2: 1.5}


def test_rows_without_a_step_are_numbered(read: Reader) -> None:
    """Where the axis is no step and the chart has no other."""
    text = table(("Relative Time (Process)", [10, 31.5]), *bounded("a - loss", [2, 1]))
    (parsed,) = read(wandb_chart, {"a.csv": text})
    history = joined(parsed).history
    assert history["Relative Time (Process)"].to_dict() == {0: 10, 1: 31.5}
    assert "the rows were numbered from 0" in said(parsed)


@pytest.mark.parametrize(
    "text",
    [
        "step,loss\n1,2\n",
        "Step,a - loss\n1,2\n",
        "Step,a - loss,a - loss__MIN,other\n1,2,2,3\n",
        "a - b,a - loss,a - loss__MIN\n1,2,2\n",
        "",
        "Step\n1\n",
    ],
)
def test_it_declines_with_a_reason(read: Reader, text: str) -> None:
    """Any other table is left to the reader of any CSV."""
    with pytest.raises(NotMine, match="RUN - METRIC"):
        read(wandb_chart, {"a.csv": text})


def test_bad_rows_are_told(read: Reader) -> None:
    """A ragged row and a word cost themselves alone."""
    text = table(("Step", [0, 1, 2]), *bounded("a - loss", [3, "x", 1])) + '"3","1"\n'
    (parsed,) = read(wandb_chart, {"a.csv": text})
    assert joined(parsed).history["loss"].dropna().to_dict() == {0: 3, 2: 1}
    assert "another number of cells" in said(parsed)


def test_a_real_chart(real_data: Path) -> None:
    """Eight runs of one metric, whose bounds are the values themselves."""
    path = real_data / "wandb-export-csv" / "wandb_export.csv"
    parsed = wandb_chart.read({"wandb_export.csv": path})
    assert len(parsed) == 8
    assert "gpt2" in {one.name for one in parsed}
    history = joined(parsed[0]).history
    assert list(history) == ["train/loss"]
    assert history["train/loss"].iloc[0] == 25.48284149169922
    assert history["train/loss"].notna().all()
