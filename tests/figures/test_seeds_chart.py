"""The seeds chart: every run is seen, the mean stands where runs meet, and n is printed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures.budget import LARGEST_FIGURE
from viz3d.figures.compare import side_by_side
from viz3d.figures.kinds import make_chart
from viz3d.figures.seeds import chart, compute, draw, finish
from viz3d.figures.seeds_words import comparisons
from viz3d.figures.wire import to_wire


@pytest.fixture(scope="module")
def repeated(make_run):
    """Three seeds of one rate, the last shorter; two of another; one run of a third."""
    rng = np.random.default_rng(0)
    runs = []
    for rate, seeds in ((0.1, 3), (0.2, 2), (0.3, 1)):
        for seed in range(seeds):
            n = 150 if (rate, seed) == (0.1, 2) else 200
            loss = 1 + 10 * rate + np.exp(-np.arange(n) / 30) + rng.normal(0, 0.02, n)
            config = {"learning_rate": rate, "seed": seed}
            name = f"gpt-lr-{rate}-seed-{seed}"
            runs.append(make_run({"loss": loss}, name=name, config=config))
    return runs


def test_runs_group_by_themselves(repeated):
    """In the order of the runs, under what their names have in common."""
    result = compute(repeated)
    assert {group.title: len(group.members) for group in result.groups} == {
        "gpt-lr-0.1-seed-*": 3, "gpt-lr-0.2-seed-*": 2, "gpt-lr-0.3-seed-0": 1,
    }  # fmt: skip


def test_groups_can_be_made_by_hand(repeated):
    """Any title and any runs; that they differ in more than the seed is told."""
    made = chart({"low": repeated[:4], "high": repeated[4:], "none": []})
    assert made.table["n"].tolist() == [4, 2]
    assert any("low: its runs differ in learning_rate" in note for note in made.notes)
    assert set(made.table["interval from"]) == {"runs of the group"}
    with pytest.raises(BadArgument, match="two groups"):
        chart({"a": repeated[:2], "b": repeated[1:]})


def test_every_member_is_in_both_pictures(repeated):
    """Each run by name, with all its values, whatever the mean does."""
    made = chart(repeated)
    for figure, axis in ((made.figure, "z"), (made.flat, "y")):
        lines = [trace for trace in figure.data if trace.text is not None]
        shown = np.concatenate([np.asarray(trace[axis], dtype=float) for trace in lines])
        want = np.concatenate([run.history["loss"].to_numpy() for run in repeated])
        assert np.sort(shown[np.isfinite(shown)]) == pytest.approx(np.sort(want), rel=1e-6)
        hovers = {text for trace in lines for text in np.atleast_1d(trace.text)}
        assert len(hovers) >= 4


def test_n_is_printed(repeated):
    """On the axis, in the legend, in the table and aloud."""
    made = chart(repeated)
    titles = made.figure.layout.scene.yaxis.ticktext
    assert [title.rpartition(", ")[2] for title in titles] == ["n = 3", "n = 2", "n = 1"]
    legend = [trace.name for trace in made.flat.data if trace.showlegend]
    assert sorted(name[-5:] for name in legend) == ["n = 1", "n = 2", "n = 3"]
    assert "n = 3" in made.summary
    assert made.table["n"].tolist() == [3, 2, 1]


def test_the_mean_and_its_band_stand_where_runs_meet(repeated):
    """After the shorter run the mean is that of two, and it says so; one run has no band."""
    made = chart(repeated)
    means = [trace for trace in made.figure.data if trace.customdata is not None]
    assert len(means) == len([t for t in made.figure.data if t.type == "surface"]) == 2
    assert means[0].customdata[140][2] == 3
    assert means[0].customdata[160][2] == 2
    low, high, _ = means[0].customdata[140]
    assert low < means[0].z[140] < high
    values = [run.history["loss"].iloc[140] for run in repeated[:3]]
    assert means[0].z[140] == pytest.approx(np.mean(values), rel=1e-6)
    assert any("150 steps with all 3 runs, 50 with fewer" in note for note in made.notes)
    assert any("end at steps from 149 to 199" in note for note in made.notes)
    assert any("pointwise" in note for note in made.notes)
    assert "pointwise" in made.figure.layout.title.text


def test_groups_are_tested_against_the_baseline(repeated):
    """Two groups of several runs are tested; a single run is not, and the reason is said."""
    made = chart(repeated)
    compared = made.numbers["comparisons"]
    assert compared["gpt-lr-0.2-seed-*"]["p"] < 0.05
    assert compared["gpt-lr-0.3-seed-0"]["p"] is None
    assert "one run on a side" in compared["gpt-lr-0.3-seed-0"]["reason"]
    assert "one run on a side" in made.summary
    table = comparisons(compute(repeated))
    assert "higher, more than the spread over seeds explains" in table["what it says"][0]
    assert table["p (Holm)"].dtype == np.float64


def test_of_many_groups_the_extremes_are_told(make_run):
    """With the counts of the others; the table has each."""
    rng = np.random.default_rng(0)
    runs = [
        make_run(
            {"loss": level + rng.normal(0, 0.01, 100)}, name=f"lr-{group}-seed-{seed}",
            config={"lr": group, "seed": seed},
        )
        for group, level in enumerate([3, 3, 3, 1, 3, 3, 5, 3])
        for seed in range(3 if group != 7 else 1)
    ]  # fmt: skip
    made = chart(runs)
    assert "Lowest: lr-3-seed-*: mean 1.002, " in made.summary
    assert "Highest: lr-6-seed-*: mean 4.999, " in made.summary
    assert "2 of 6 groups differ from lr-0-seed-* by more than the spread" in made.summary
    assert "explains (lr-3-seed-* lower and lr-6-seed-* higher)" in made.summary
    assert "No test against lr-0-seed-* for 1 group." in made.summary
    assert "of 22 runs." in made.summary
    assert len(made.summary) < 700


def test_a_comparison_of_single_runs_claims_nothing(repeated):
    """However far apart they are."""
    made = chart([repeated[0], repeated[5]])
    assert "spread" not in made.summary
    assert "No test" in made.summary
    only = comparisons(compute([repeated[0], repeated[5]]))
    assert only[["p (Welch)", "lower 95 %", "Hedges g"]].isna().all(axis=None)


def test_several_comparisons_are_corrected(make_run):
    """Three groups against one: the smallest p counts three times."""
    rng = np.random.default_rng(3)
    runs = [
        make_run({"loss": np.full(50, 2.0) + rng.normal(0, 0.1)}, name=f"{rate}-{seed}",
                 config={"rate": rate, "seed": seed})
        for rate in range(4) for seed in range(3)
    ]  # fmt: skip
    result = compute(runs)
    raw = sorted(one.p for one in result.comparisons.values())
    assert min(result.holm.values()) == pytest.approx(min(1.0, 3 * raw[0]))


def test_the_baseline_can_be_chosen(repeated):
    """By the title of a group, or by a run in it; a name that is neither is refused."""
    assert compute(repeated).baseline == "gpt-lr-0.1-seed-*"
    assert compute(repeated[::-1]).baseline == "gpt-lr-0.2-seed-*"
    assert compute(repeated, baseline="gpt-lr-0.2-seed-1").baseline == "gpt-lr-0.2-seed-*"
    assert set(compute(repeated, baseline="gpt-lr-0.3-seed-0").comparisons) == {
        "gpt-lr-0.1-seed-*", "gpt-lr-0.2-seed-*",
    }  # fmt: skip
    with pytest.raises(BadArgument, match=r"'gpt-lr-0\.2-seed-\*'"):
        compute(repeated, baseline="x")


def test_steps_to_target_say_k_of_n(repeated):
    """The target is where the baseline ended, unless one is given; who misses it is counted."""
    made = chart(repeated, target=2.1)
    assert made.table["target reached"].tolist() == ["3 of 3", "0 of 2", "0 of 1"]
    assert "reached by" in made.summary
    assert np.isnan(made.table["median steps to target"][1])
    result = compute(repeated)
    assert result.target == pytest.approx(result.groups[0].final.mean)


def test_a_reward_is_better_when_higher(make_run):
    """Its target is reached from below."""
    runs = [make_run({"reward": np.arange(100.0)}, config={"a": 1, "seed": i}) for i in range(2)]
    [group] = compute(runs, metric="reward", target=50).groups
    assert group.reached.steps == (50, 50)


def test_a_run_that_ends_in_nan_is_told_and_takes_no_part(make_run):
    """It stays visible until then, and the tests do without it."""
    loss = np.linspace(3, 2, 100)
    bad = pd.DataFrame({"step": np.arange(80, 100), "metric": "loss", "value": np.nan})
    runs = [
        make_run({"loss": np.where(np.arange(100) < 80, loss, np.nan)}, name="bad", nonfinite=bad,
                 config={"a": 1, "seed": 0}),
        *(make_run({"loss": loss + i}, name=f"r{i}", config={"a": 1, "seed": i}) for i in (1, 2)),
    ]  # fmt: skip
    made = chart(runs)
    assert made.numbers["groups"]["bad and 2 more"]["n"] == 3
    assert compute(runs).groups[0].final.n == 2
    assert any("No final mean" in note and "bad" in note for note in made.notes)
    assert any("20 steps a run logged NaN" in note for note in made.notes)


def test_left_out_runs_are_named(repeated, make_run):
    """The same seed twice, no seed at all, no such metric."""
    twin = make_run({"loss": [1.0] * 9}, name="twin", config=repeated[0].config)
    bare = make_run({"loss": [1.0] * 9}, name="bare")
    other = make_run({"reward": [1.0] * 9}, name="other", config={"a": 1, "seed": 0})
    notes = " ".join(chart([*repeated, twin, bare, other]).notes)
    assert "same seed: twin" in notes
    assert "nothing but a seed is known of their settings: bare" in notes
    assert "Without loss: other" in notes


def test_a_diverged_run_does_not_flatten_the_others(make_run):
    """What lies outside the axis, and where the band is cut off, is counted."""
    spiky = np.full(200, 2.0)
    spiky[100] = 1e6
    other = np.linspace(3, 1, 200)
    runs = [
        make_run({"loss": spiky}, name="a", config={"a": 1, "seed": 0}),
        make_run({"loss": other}, name="b", config={"a": 1, "seed": 1}),
    ]
    made = chart(runs)
    assert made.figure.layout.scene.zaxis.range[1] < 10
    assert any("Outside the axis: 1 point" in note for note in made.notes)
    ribbon = next(trace for trace in made.figure.data if trace.type == "surface")
    assert np.nanmax(ribbon.z) < 10


def test_what_cannot_be_drawn_is_refused(make_run, repeated):
    """Each with a sentence that says what there is."""
    with pytest.raises(MissingMetric, match="accuracy"):
        chart(repeated, metric="accuracy")
    with pytest.raises(ChartError, match="no run"):
        chart([])
    many = [make_run({"loss": [1.0]}, name=f"r{i}") for i in range(51)]
    with pytest.raises(ChartError, match="at most 50"):
        chart(many)


def test_hostile_names_stay_text(make_run):
    """Neither tag nor template."""
    runs = [make_run({"loss": [1.0, 2.0]}, name=f"<b>%{{x}}</b>{i}", config={"a": 1, "seed": i})
            for i in range(2)]  # fmt: skip
    made = chart(runs)
    for figure in (made.figure, made.flat):
        assert "<b>" not in to_wire(figure.update_layout(meta=None))
        for trace in figure.data:
            assert "%{x}</b>" not in (trace.hovertemplate or "")


def test_figures_stay_small_and_the_same(make_run):
    """30 runs of 20,000 steps; both pictures below 1 MB, byte for byte the same when made again."""
    rng = np.random.default_rng(1)
    runs = [
        make_run({"loss": 2 + rng.normal(size=20_000)}, name=f"a-rather-long-name-{rate}-{seed}",
                 config={"rate": rate, "seed": seed})
        for rate in range(6) for seed in range(5)
    ]  # fmt: skip
    made = make_chart("seeds", runs)
    for figure in (made.figure, made.flat):
        assert len(figure.to_json()) < LARGEST_FIGURE
    assert draw(compute(runs)).to_json() == draw(compute(runs)).to_json()
    assert any("every extreme kept" in note for note in made.notes)


def test_side_by_side_on_one_axis(repeated):
    """The kind takes part in the view of panels as the others do."""
    left, right = side_by_side([repeated[:3], repeated[3:]], "seeds")
    assert left.figure.layout.scene.zaxis.range == right.figure.layout.scene.zaxis.range


def test_samples_group():
    """The three seeds of the sample sweep are one group; the other rates stand alone."""
    from viz3d.load import list_runs, load_runs, open_source

    source = open_source("sample")
    runs = [run for info in list_runs(source) if info.name.startswith("gpt-lr")
            for run in load_runs(source, info)]  # fmt: skip
    assert sorted(len(group.members) for group in compute(runs).groups) == [1] * 7 + [3]


def test_a_metric_is_as_good_as_the_role_it_plays(make_run):
    """A reward by its own name is reached from below, as by its role; the words say which way."""
    reward = np.linspace(0, 1, 200)
    runs = [
        make_run({"train/reward": reward}, name=f"r{i}", roles={"reward": "train/reward"},
                 config={"a": 1, "seed": i}) for i in range(2)
    ]  # fmt: skip
    for metric in ("reward", "train/reward"):
        made = chart(runs, metric=metric, target=0.5)
        assert made.table["median steps to target"][0] > 90
        assert "Target 0.5 or higher: reached by 2 of 2" in made.summary


def test_without_an_end_there_is_no_target(make_run):
    """A baseline that ended in NaN sets none, and nobody is said to have missed it."""
    loss = np.r_[np.ones(90), np.full(10, np.nan)]
    bad = pd.DataFrame({"step": np.arange(90, 100), "metric": "loss", "value": np.nan})
    runs = [make_run({"loss": loss}, name=f"r{i}", nonfinite=bad, config={"a": 1, "seed": i})
            for i in range(2)]  # fmt: skip
    for made in (chart(runs), chart(runs[0])):
        assert made.table["interval from"].tolist() == ["none: no final value"]
        assert made.table["target reached"].tolist() == ["no target"]
    assert "Target" not in made.summary


def test_runs_of_one_value_have_no_interval(make_run):
    """A band without any width would be a certainty that nobody has."""
    runs = [make_run({"loss": np.ones(50)}, name=f"r{i}", config={"a": 1, "seed": i})
            for i in range(3)]  # fmt: skip
    made = chart(runs)
    assert made.table["interval from"].tolist() == ["none: all runs have one value"]
    assert made.table["lower 95 %"].isna().all()


def test_provenance_names_what_is_drawn(repeated, make_run):
    """A second run of the same seed is left out of the chart, and of its provenance."""
    first = repeated[0]
    again = make_run({"loss": np.ones(9)}, name="again", config=dict(first.config))
    made = chart([*repeated, again])
    drawn = [run["name"] for run in made.figure.layout.meta["viz3d"]["runs"]]
    assert drawn == [run.name for run in repeated]
    assert any("again" in note for note in made.notes)


@pytest.mark.parametrize("groups", [1, 50])
def test_five_hundred_runs_fit(make_run, groups):
    """As one group and as fifty, both pictures below the limit."""
    rng = np.random.default_rng(2)
    runs = [
        make_run({"loss": 2 + rng.normal(size=300)}, name=f"a-rather-long-name-of-a-run-{i}",
                 config={"rate": i % groups, "seed": i}) for i in range(500)
    ]  # fmt: skip
    made = make_chart("seeds", runs)
    for figure in (made.figure, made.flat):
        assert len(figure.to_json()) < LARGEST_FIGURE


def test_a_run_without_the_metric_hides_no_run_of_its_seed(make_run):
    """It crashed before it logged anything, and was started again with the same settings."""
    config = {"learning_rate": 0.1, "seed": 0}
    empty = make_run({"loss": []}, name="crashed", config=config)
    again = make_run({"loss": [3.0, 2, 1]}, name="again", config=config)
    result = compute([empty, again])
    assert [group.title for group in result.groups] == ["again"]
    assert (result.repeated, result.unused) == ((), ("crashed",))


def test_titles_are_unique_whatever_the_runs_are_called(make_run):
    """Two runs of one name, and one that is called as the first of them would be."""
    runs = [make_run({"loss": [3.0, 2, 1]}, name=name) for name in ("a", "a", "a #1")]
    assert len({group.title for group in compute(runs).groups}) == 3


def test_a_logarithmic_axis_holds_the_values_it_was_made_from(make_run):
    """The way to the logarithm and back must not put an end of the axis inside the data."""
    ends = np.random.default_rng(4).uniform(0.1, 0.2, 20)
    for end in ends:
        result = compute(make_run({"loss": np.geomspace(end, 100 * end, 50)}))
        assert result.frame.log
        assert result.frame.z == pytest.approx((end, 100 * end), rel=1e-12)
        assert not any("Outside the axis" in note for note in finish(result).notes)


def test_a_run_too_short_for_a_number_is_said_to_have_none(make_run):
    """And no mean of five rows, which it does not have."""
    notes = chart(make_run({"loss": [3.0, 2.0, 1.0]}, name="short")).notes
    assert [note for note in notes if "short" in note and "mean" in note] == [
        note for note in notes if note.startswith("No final mean")
    ]
    sparse = make_run({"loss": np.linspace(3, 2, 20)}, name="sparse")
    assert any("the mean of the last 5: sparse" in note for note in chart(sparse).notes)


def test_a_run_that_is_not_drawn_makes_no_difference_of_its_group(repeated, make_run):
    """What the members differ in is said of those that logged the metric."""
    other = make_run({"reward": [1.0] * 9}, name="other", config={"learning_rate": 9, "seed": 7})
    made = chart({"low": [*repeated[:3], other]})
    assert not any("differ in learning_rate" in note for note in made.notes)
    assert any("Without loss: other" in note for note in made.notes)
