"""Reports across runs: what has no score stays empty."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.errors import ChartError
from viz3d.figures import report
from viz3d.run import Report


@pytest.fixture(scope="module")
def runs(make_run):
    """A run with three stages, one with two, and one without a report."""
    full = Report(
        "full", ("base", "sft", "rl"),
        {"CORE": {"base": 0.2}, "GSM8K": {"sft": 0.05, "rl": 0.0}, "copa": {"base": -0.1}},
    )  # fmt: skip
    part = Report("part", ("base", "mid"), {"CORE": {"base": 0.3}, "GSM8K": {"mid": 0.02}})
    empty = Report("empty", (), {})
    return [
        make_run({}, name="one", report=full),
        make_run({}, name="two", report=part),
        make_run({}, name="cut", report=empty),
        make_run({}, name="none"),
    ]


def test_missing_is_blank_and_zero_is_zero(runs):
    """A stage without a score is an empty cell; a score of zero is a score."""
    chart = report.chart(runs)
    table = chart.table.set_index("task")
    assert table.loc["GSM8K", "rl: one"] == 0.0
    assert np.isnan(table.loc["CORE", "rl: one"])
    cells = chart.flat.data[0]
    row = list(cells.y).index("CORE")
    shown = dict(zip(list(chart.table.columns)[1:], cells.text[row], strict=True))
    assert shown["base: two"] == "0.3"
    assert shown["rl: one"] == ""
    assert np.isnan(cells.z[row][list(shown).index("rl: one")])


def test_an_export_has_the_scores_of_the_reports_and_no_more(runs):
    """A stage that did not run a task has no row, where the picture has an empty cell."""
    table = report.chart(runs).data()
    rows = {(run, stage, task): score for _, run, stage, task, score in table.to_numpy()}
    assert len(rows) == len(table)
    assert rows == {
        (run.name, stage, task): score
        for run in runs[:2]
        for task, scores in run.report.tasks.items()
        for stage, score in scores.items()
    }


def test_columns_are_stages_in_training_order(runs):
    """base, mid, sft, rl; in each the runs that have it. The summaries are on top."""
    chart = report.chart(runs)
    expected = ["task", "base: one", "base: two", "mid: two", "sft: one", "rl: one"]
    assert list(chart.table.columns) == expected
    assert list(chart.table["task"]) == ["CORE", "GSM8K", "copa"]
    assert "The highest CORE is 0.3, of two after base." in chart.summary


def test_runs_without_scores_are_named(runs):
    """They are left out, and the notes say so; with none left the answer is plain."""
    chart = report.chart(runs)
    assert any("cut and none" in note for note in chart.notes)
    with pytest.raises(ChartError, match=r"report/report\.md"):
        report.chart(runs[2:])


def test_there_is_no_third_axis(runs):
    """The scene of this chart is the flat figure itself."""
    chart = report.chart(runs)
    assert chart.figure is chart.flat
    assert chart.flat.layout.meta["viz3d"]["summary"]["scores"]["one"]["rl"] == {"GSM8K": 0.0}


def test_real_reports(real_data):
    """Five reports, one of them cut short before any score."""
    from viz3d.load import load_path

    folder = real_data / "nanochat-reports" / "runs"
    runs = [run for path in sorted(folder.iterdir()) for run in load_path(path)]
    chart = report.chart(runs)
    assert any("speedrun-001-truncated" in note for note in chart.notes)
    scores = chart.numbers["scores"]
    assert scores["run2-with-rl"]["rl"] == {"GSM8K": pytest.approx(0.0758)}
    assert "rl" not in scores["run1-no-rl"]


def test_two_runs_of_one_name_keep_their_own_scores(make_run):
    """Runs of two sources may share a name; neither may show the other's numbers."""
    runs = [
        make_run({}, name="same", report=Report("r", ("base",), {"CORE": {"base": score}}))
        for score in (0.1, 0.4)
    ]
    chart = report.chart(runs)
    assert chart.table.iloc[0].tolist() == ["CORE", 0.1, 0.4]
    assert [scores["base"]["CORE"] for scores in chart.numbers["scores"].values()] == [0.1, 0.4]


def test_the_text_of_a_cell_reads_on_every_colour():
    """Contrast of at least 4.5 to 1, the least that WCAG asks of text."""

    def luminance(color):
        part = np.array(color) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    ink = luminance([int(report.TEXT[i : i + 2], 16) for i in (1, 3, 5)])
    for color in report.LIGHT:
        cell = luminance([float(part) for part in color[4:-1].split(",")])
        assert (cell + 0.05) / (ink + 0.05) >= 4.5
