"""A difference is drawn where both sides are supported, about zero, hatched where undecided."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.colors import get_colorscale

from viz3d.analysis.difference import BAND
from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures import difference, style
from viz3d.figures.difference_hatching import hatching
from viz3d.figures.kinds import make_chart
from viz3d.figures.wire import to_wire


@pytest.fixture(scope="module")
def halves(make_run):
    """Two sweeps; B is worse by up to 0.6 at high rates and equal at low ones."""
    rng = np.random.default_rng(5)
    step = np.arange(200)
    sides = []
    for name in "ab":
        runs = []
        for rate in np.geomspace(1e-4, 1e-1, 5):
            off = np.log10(rate) + 2.5
            loss = 2 + 2 * np.exp(-step / 40) + 0.3 * off**2 + rng.normal(0, 0.05, 200)
            loss += 0.6 / (1 + np.exp(-6 * off)) if name == "b" else 0.0
            columns = {"loss": loss, "lr": np.full(200, rate)}
            config = {"learning_rate": rate}
            runs.append(make_run(columns, name=f"{name}-{rate:.0e}", config=config))
        sides.append(runs)
    return sides


@pytest.fixture(scope="module")
def result(halves):
    """The computed numbers."""
    return difference.compute(*halves)


@pytest.fixture(scope="module")
def chart(result):
    """The finished chart."""
    return difference.finish(result)


def test_it_is_drawn_where_both_are_supported(result, chart):
    """Holes of the common support are holes of the scene and of the flat twin."""
    surfaces = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    drawn = np.any([np.isfinite(t.z) for t in surfaces], axis=0)
    np.testing.assert_array_equal(drawn, result.found.shown)
    (heat,) = [t for t in chart.flat.data if isinstance(t, go.Heatmap)]
    np.testing.assert_array_equal(np.isfinite(heat.z), result.found.shown)


def test_the_colours_are_centred_at_zero(chart):
    """The pale middle of the scale is no difference, in both pictures."""
    surface = next(t for t in chart.figure.data if isinstance(t, go.Surface))
    heat = next(t for t in chart.flat.data if isinstance(t, go.Heatmap))
    assert surface.cmin == -surface.cmax < 0
    assert heat.zmin == -heat.zmax < 0
    low, high = chart.figure.layout.scene.zaxis.range
    assert low < 0 < high


@pytest.fixture(scope="module")
def ratios(make_run):
    """Two sweeps over four decades of loss; A ends at a tenth of B at every rate."""
    rng = np.random.default_rng(6)
    step = np.arange(200)
    sides = []
    for name, end in (("a", 1e-4), ("b", 1e-3)):
        runs = []
        for rate in np.geomspace(1e-4, 1e-1, 4):
            loss = 4 * (end / 4) ** (step / 199) * np.exp(rng.normal(0, 0.05, 200))
            columns = {"loss": loss, "lr": np.full(200, rate)}
            runs.append(make_run(columns, name=f"{name}-{rate:.0e}"))
        sides.append(runs)
    return sides


def test_ratios_are_on_a_logarithmic_axis_and_told_in_per_cent(ratios):
    """Ten times less is as far from zero as ten times more, on the axis and in the colours."""
    result = difference.compute(*ratios)
    assert result.found.log
    assert np.nanmin(result.found.d) < np.log(0.2)
    chart = difference.finish(result)
    axis = chart.figure.layout.scene.zaxis
    assert axis.type == "log"
    ticks = dict(zip(axis.ticktext, axis.tickvals, strict=True))
    assert ticks["0 %"] == 1
    assert ticks["-80 %"] == pytest.approx(0.2)
    surface = next(t for t in chart.figure.data if isinstance(t, go.Surface))
    heat = next(t for t in chart.flat.data if isinstance(t, go.Heatmap))
    assert surface.cmin == pytest.approx(-surface.cmax)
    assert heat.zmin == pytest.approx(-heat.zmax)
    shown = np.isfinite(surface.z)
    np.testing.assert_allclose(surface.z[shown], np.exp(result.found.d)[shown], rtol=1e-6)
    np.testing.assert_allclose(surface.surfacecolor[shown], np.log10(surface.z[shown]), rtol=1e-3)
    said = surface.customdata[shown]
    np.testing.assert_allclose(said[:, 2], 100 * (surface.z[shown] - 1), rtol=1e-3, atol=1e-3)
    assert (said[:, 3] < said[:, 2]).all()
    assert (said[:, 4] > said[:, 2]).all()
    net = next(t for t in chart.figure.data if t.name == "no difference")
    assert set(net.z[np.isfinite(net.z)]) == {1}


def test_a_curve_of_ratios_has_the_same_axis(ratios):
    """Its ticks reach over the band, and the line of no difference is 1."""
    chart = difference.chart(ratios[0][1], ratios[1][1])
    axis = chart.figure.layout.yaxis
    assert axis.type == "log"
    assert {"0 %", "-90 %"} <= set(axis.ticktext)
    line = next(t for t in chart.figure.data if t.name == "no difference")
    assert list(line.y) == [1, 1]
    assert "A is a-1e-03. B is b-1e-03." in chart.summary
    lower = np.asarray(chart.figure.data[1].y)
    assert 10 ** axis.range[0] <= np.nanmin(lower)


def test_the_hatching_is_the_undecided_area(result, chart):
    """Every point of it lies nearest an undecided one, and it covers rows all over that area."""
    found = result.found
    assert 0.05 < found.shares[2] < 0.95
    ends = (found.x[0], found.x[-1]), (found.y[0], found.y[-1])
    lines = hatching(result, *ends)
    lines = lines[np.isfinite(lines[:, 0])]
    column = np.abs(found.x - lines[:, :1]).argmin(axis=1)
    row = np.abs(np.log(found.y) - np.log(lines[:, 1:2])).argmin(axis=1)
    assert found.undecided[row, column].all()
    hatched, rows = np.unique(row), np.flatnonzero(found.undecided.sum(axis=1) > 20)
    assert len(np.intersect1d(hatched, rows)) > 0.8 * len(rows)
    names = [[t.name for t in picture.data] for picture in (chart.figure, chart.flat)]
    assert all("undecided (hatched)" in some for some in names)


def test_the_numbers_are_the_shares(result, chart):
    """Better is lower loss; the three add up to one and stand in words and in the provenance."""
    below, above, undecided = result.found.shares
    said = chart.numbers
    assert (said["better"], said["worse"], said["undecided"]) == (below, above, undecided)
    assert below + above + undecided == pytest.approx(1)
    assert below > 0.3
    assert f"lower loss on {100 * below:.0f} % of the area" in chart.summary
    assert "is undecided, counted on a logarithmic axis of steps." in chart.summary
    meta = json.loads(chart.figure.to_json())["layout"]["meta"]["viz3d"]
    assert meta["kind"] == "difference"
    assert meta["summary"]["better"] == below


def test_what_is_read_off_is_a_b_and_the_band(result, chart, halves):
    """In the label of a point of each picture, and by tenths in the table."""

    def read(result):
        found = result.found
        told = (result.told(found.d + k * BAND * found.deviation) for k in (0, -1, 1))
        return np.stack([found.a, found.b, *told], -1)

    found, want = result.found, read(result)
    (heat,) = [t for t in chart.flat.data if isinstance(t, go.Heatmap)]
    np.testing.assert_allclose(heat.customdata, want, rtol=1e-5)
    surface = next(t for t in chart.figure.data if isinstance(t, go.Surface))
    solid = np.isfinite(surface.z)
    np.testing.assert_allclose(surface.customdata[solid], want[solid], rtol=1e-5)
    row = chart.table.iloc[0]
    first = found.shown & (found.x < row["last step"] + 0.5)
    medians = [float(np.median(side[first])) for side in (found.a, found.b)]
    assert [row["median loss of A"], row["median loss of B"]] == pytest.approx(medians)
    alone = difference.compute(halves[0][4], halves[1][4])
    sure = np.where(alone.found.x < 60, 1e-3, 9.0)[None]
    alone = replace(alone, found=replace(alone.found, deviation=sure))
    *_, decided, undecided = difference.draw_curve(alone).data
    np.testing.assert_allclose(decided.customdata, read(alone)[0], rtol=1e-5)
    # Where one stretch passes into the other there is no gap.
    drawn = [np.isfinite(t.y[:-1]) & np.isfinite(t.y[1:]) for t in (decided, undecided)]
    shown = alone.found.shown[0]
    assert all(part.any() for part in drawn)
    np.testing.assert_array_equal(np.any(drawn, axis=0), shown[:-1] & shown[1:])


def test_the_provenance_says_which_run_is_on_which_side(halves, chart):
    """All runs stand in it, with their side in the settings."""
    meta = chart.figure.layout.meta["viz3d"]
    assert meta["settings"]["a"] == [run.name for run in halves[0]]
    assert meta["settings"]["b"] == [run.name for run in halves[1]]
    assert len(meta["runs"]) == 10


def test_one_run_each_is_a_curve_without_a_claim(halves):
    """The chart says that one run a side supports no claim, and never says better."""
    chart = difference.chart(halves[0][4], halves[1][4])
    assert chart.figure is chart.flat
    assert chart.numbers["one_run"]
    assert "three seeds" in chart.summary
    title = chart.figure.layout.title.text
    assert "no claim" in " ".join(title.split("<br>"))
    assert "better" not in title


def test_of_rewards_higher_is_better(make_run):
    """The side with more reward is the better one."""
    rng = np.random.default_rng(7)
    sides = []
    for gain in (0.5, 0.0):
        reward = np.linspace(0, 1, 150) + gain + rng.normal(0, 0.02, 150)
        loss = np.linspace(3, 2, 150)
        sides.append(make_run({"loss": loss, "reward": reward}, name=f"gain {gain}"))
    chart = difference.chart(*sides, of="reward-landscape")
    assert chart.numbers["better"] > 0.9
    assert "higher reward" in chart.summary


def test_rewards_with_a_surface_on_both_sides_are_subtracted(make_run):
    """Over step and loss, on linear axes, as a surface where both sides have one."""
    rng = np.random.default_rng(8)
    step = np.arange(150)
    sides = []
    for gain in (0.5, 0.0):
        runs = []
        for k, start in enumerate((2.0, 2.5, 3.0)):
            loss = start - step / 150 + rng.normal(0, 0.15, 150)
            reward = gain + step / 150 - 0.3 * loss + rng.normal(0, 0.03, 150)
            runs.append(make_run({"loss": loss, "reward": reward}, name=f"{gain}-{k}"))
        sides.append(runs)
    result = difference.compute(*sides, of="reward-landscape")
    assert not result.found.along
    assert not result.found.log
    np.testing.assert_allclose(np.diff(result.found.y, n=2), 0, atol=1e-9)
    np.testing.assert_allclose(np.nanmedian(result.found.d), 0.5, atol=0.05)
    chart = difference.finish(result)
    assert chart.figure is not chart.flat
    surfaces = [t for t in chart.figure.data if isinstance(t, go.Surface)]
    drawn = np.any([np.isfinite(t.z) for t in surfaces], axis=0)
    np.testing.assert_array_equal(drawn, result.found.shown)
    assert chart.figure.layout.scene.yaxis.type is None
    # Blue is better, as where a low loss is.
    assert surfaces[0].colorscale[-1][1] == get_colorscale(style.DIVERGING)[0][1]
    assert "and loss from" in chart.summary
    assert "higher reward" in chart.summary
    assert chart.numbers["better"] > 0.9
    assert set(chart.data()["part"]) == {"sample", "difference"}


def test_sides_are_called_as_the_viewer_calls_them(halves):
    """By the title of a group, else by the short names of its runs."""
    named = difference.chart(*halves, names=("Muon", "AdamW"))
    assert "A is Muon, 5 runs. B is AdamW, 5 runs." in named.summary
    assert "A is 5 runs: a-1e-04, a-" in difference.chart(*halves).summary


def test_what_cannot_be_compared_is_refused(halves, layered):
    """Sides that share no run, kinds that have no difference, groups that share no steps."""
    with pytest.raises(BadArgument, match="both sides"):
        difference.chart(halves[0], halves[0][:2])
    with pytest.raises(ChartError, match="gradient-flow"):
        difference.chart(*halves, of="gradient-flow")
    with pytest.raises(BadArgument, match="two groups"):
        make_chart("difference", halves[0])
    with pytest.raises(BadArgument, match="two groups"):
        make_chart("loss-landscape", halves[0], halves[1])


def test_no_common_rate_is_a_sentence(halves):
    """The message gives both ranges in the words of the axes."""
    with pytest.raises(ChartError, match="share no peak learning rate"):
        difference.chart(halves[0][:2], halves[1][3:], rate="peak")


def test_the_table_says_lower_and_higher_and_adds_up(chart, halves):
    """In tenths of the steps, and never "better": also where a side is one run."""
    alone = difference.chart(halves[0][4], halves[1][4])
    for table in (chart.table, alone.table):
        shares = table[["A lower", "A higher", "undecided"]]
        assert np.allclose(shares.sum(axis=1), 1)
        assert not any("better" in name for name in table.columns)


def test_what_is_left_out_of_a_side_is_counted(halves, make_run):
    """Rows without a rate, losses that are not finite and runs without a loss, by side."""
    loss = np.r_[np.inf, np.linspace(3, 2, 99)]
    rate = np.r_[np.full(99, 1e-2), np.nan]
    bad = pd.DataFrame({"step": [0], "metric": "loss", "value": np.inf})
    gap = make_run({"loss": loss, "lr": rate}, name="gap", nonfinite=bad)
    blind = make_run({"gnorm": np.ones(9)}, name="blind")
    made = difference.chart(halves[0], [gap, blind], rate="current")
    said = " ".join(made.notes)
    assert "1 row of B with a loss but no learning rate at the same step left out." in said
    assert "1 point of B not finite left out." in said
    both = "for want of a loss and a finite learning rate at the same step"
    assert f"Left out of B, {both}: blind." in said
    assert "of A with" not in said


def test_a_run_of_the_same_name_that_lacks_a_metric_is_not_in_the_provenance(halves, make_run):
    """Runs are told apart by more than their names."""
    twin = make_run({"gnorm": np.ones(9)}, name=halves[0][0].name)
    twin = replace(twin, digest="f" * 64)
    made = difference.chart(halves[0], [*halves[1], twin])
    assert len(made.figure.layout.meta["viz3d"]["runs"]) == 10
    said = f"Left out of B, for want of a learning rate or a loss: {twin.name}"
    assert any(said in note for note in made.notes)


def test_a_side_whose_metrics_never_meet_is_told_so(halves, make_run):
    """They were logged, at other steps; the sentence is of the side and not of another chart."""
    step = np.arange(20)
    columns = {
        "loss": np.where(step % 2, np.nan, 3 - step / 20),
        "lr": np.where(step % 2, 1e-3, np.nan),
        "reward": np.where(step % 2, 1.0, np.nan),
    }
    apart, whole = make_run(columns, name="apart"), make_run({**columns, "lr": np.full(20, 1e-3)})
    needed = r"^Side B of Difference A − B needs "
    with pytest.raises(MissingMetric, match=f"{needed}a loss and a finite learning rate at the s"):
        difference.chart(halves[0], apart, rate="current")
    made = difference.compute(halves[0], [whole, apart], rate="current")
    assert made.sides[1].unused == ("apart",)
    both = make_run({"loss": np.ones(20), "reward": step * 0.1})
    with pytest.raises(MissingMetric, match=f"{needed}'loss' at the steps that have a reward"):
        difference.chart(both, apart, of="reward-landscape")


def test_the_other_metric_is_shown_letter_for_letter(make_run):
    """Its name is no markup and no template; what to choose instead is said in its name."""
    rng = np.random.default_rng(8)
    name, sides = "<b>$x$%{y}", []
    for gain in (0.5, 0.0):
        other = [start - np.linspace(0, 1, 90) + rng.normal(0, 0.15, 90) for start in (2, 2.5, 3)]
        sides.append(
            [make_run({"reward": gain - 0.3 * v + rng.normal(0, 0.03, 90), name: v}) for v in other]
        )
    for runs, side in zip(sides, "ab", strict=True):
        runs[:] = [replace(run, digest=f"{side}{i}") for i, run in enumerate(runs)]
    made = difference.chart(*sides, of="reward-landscape", against=name)
    assert made.figure is not made.flat
    for picture in (made.figure, made.flat):
        assert "<b>" not in to_wire(picture.update_layout(meta=None))
        assert all("%{y}</" not in (trace.hovertemplate or "") for trace in picture.data)
    late = replace(sides[1][0], history=sides[1][0].history.set_axis(range(500, 590)))
    with pytest.raises(ChartError) as error:
        difference.chart(sides[0], late, of="reward-landscape", against=name)
    assert "learning rate" not in str(error.value)
