"""Text, numbers, ticks and the budget of points, which all charts share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.figures.budget import FEWEST, compact, shares, told
from viz3d.figures.frame import Frame, padded, span, union
from viz3d.figures.loss_words import best_rate_sentence
from viz3d.figures.provenance import plain
from viz3d.figures.text import listed, safe, say, scene_text, short_layers, short_names
from viz3d.figures.ticks import nice_ticks


@given(st.text(max_size=300))
def test_no_text_can_be_markup_formula_or_template(text):
    """Whatever a run is called, Plotly gets neither a tag nor a formula nor a template."""
    shown = safe(text)
    assert not set("<>$%") & set(shown)
    assert "&" not in shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").replace(
        "&#36;", ""
    ).replace("&#37;", "")
    assert "\n" not in shown


def test_text_inside_a_scene_has_no_tags_and_no_entities():
    """WebGL draws a few tags and shows entities as they stand."""
    assert scene_text("<b>A&B</b> 5%") == "‹b›A&B‹/b› 5%"


def test_long_names_are_cut_in_the_middle():
    """Beginning and end of a name tell runs apart."""
    assert safe("a" * 30 + "b" * 30, 11) == "aaaaa…bbbbb"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.14159, "3.142"), (0.00002, "2e-5"), (12345.678, "12,346"), (0.5, "0.5"), (0, "0"),
     (1e9, "1,000,000,000"), (1.5e20, "1.5e20"), (-0.02345, "-0.02345"), (None, "unknown"),
     (float("inf"), "infinity"), (100.04, "100")],
)  # fmt: skip
def test_numbers_have_four_significant_digits(value, text):
    """As people write them."""
    assert say(value) == text


def test_names_lose_what_they_share():
    """Whole words only: the point in 0.3 is no end of a word."""
    names = ["exp/gpt-lr-0.3-seed-0-world4", "exp/gpt-lr-0.03-seed-0-world4"]
    assert short_names(names) == ["0.3", "0.03"]
    assert short_names(["a", "b"]) == ["a", "b"]
    same = ["the-same-long-name"] * 2
    assert short_names(same) == same
    nested = ["a-rather-long-name", "a-rather-long-name-2"]
    assert len(set(short_names(nested))) == 2
    assert all(short_names(nested))


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["transformer.wte", "transformer.h.0", "transformer.h.1", "lm_head"],
         ["wte", "h.0", "h.1", "lm_head"]),
        (["model.layers.0", "model.layers.1"], ["layers.0", "layers.1"]),
        (["W1", "b1"], ["W1", "b1"]),
    ],
)  # fmt: skip
def test_layers_keep_telling_names(names, short):
    """No layer becomes a bare number."""
    assert short_layers(names) == short


def test_lists_read_like_sentences():
    """Long ones say how many more there are."""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdef")) == "a, b, c, d and 2 more"


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=60), st.integers(600, 5_000))
def test_runs_share_the_budget(lengths, budget):
    """Never more than the budget in all, and what short runs leave goes to long ones."""
    given = shares(lengths, budget)
    drawn = [min(n, g) for n, g in zip(lengths, given, strict=True)]
    assert sum(drawn) <= budget
    assert all(g >= FEWEST for g in given)
    if sum(lengths) <= budget and max(lengths) <= 2_000:
        assert drawn == lengths


def test_thinning_is_told():
    """The words that stand on the chart."""
    assert told(2_000, 105_385) == "2,000 of 105,385 points, every extreme kept"
    assert told(300, 300) == "all 300 points"


def test_numbers_are_shortened_only_where_that_is_exact():
    """float32 for measured values; float64 for whole numbers beyond 2^24 and for huge values."""
    assert compact(np.array([1.0, 2.5])).dtype == np.float32
    assert compact(np.array([2**24])).dtype == np.float32
    assert compact(np.array([2**24 + 1])).dtype == np.float64
    assert compact(np.array([1e300, 0.5])).dtype == np.float64
    assert compact(np.array([1e6 + 0.5, 1e6 + 0.5])).dtype == np.float32
    assert compact(np.array([1e6 + 0.5, 1e6 + 0.75])).dtype == np.float64
    assert compact(np.array([1e-300, 0.5])).dtype == np.float64
    assert np.isnan(compact(np.array([np.nan, 1.0]))[0])


@given(st.floats(1e-8, 1e6), st.floats(1.01, 1e6), st.booleans())
def test_ticks_are_inside_and_not_too_many(low, ratio, log):
    """Every axis gets at least one tick within its limits."""
    high = low * ratio
    values = [value for value, _ in nice_ticks((low, high), log=log)]
    assert 1 <= len(values) <= 8
    assert min(values) >= low * 0.99
    assert max(values) <= high * 1.01
    assert len({text for _, text in nice_ticks((low, high), log=log)}) == len(values)


@pytest.mark.parametrize("limits", [(2**53 - 2, 2**53 + 2), (0.99991, 0.99999), (1e17, 1e17 + 64)])
def test_ticks_close_together_read_apart(limits):
    """With as many digits as that takes; the same float is one tick."""
    found = nice_ticks((float(limits[0]), float(limits[1])), log=False)
    assert len({value for value, _ in found}) == len({text for _, text in found}) == len(found) > 1
    for value, text in found:
        assert float(text.replace(",", "")) == pytest.approx(value, rel=1e-5)


def test_frames_join():
    """The smallest that holds all; logarithmic only where all are."""
    joined = union([Frame(x=(0, 1), z=(1, 2), log=True), Frame(x=(-1, 0.5), z=(2, 3), log=False)])
    assert joined == Frame(x=(-1, 1), y=None, z=(1, 3), color=None, log=False)
    assert span([np.nan, 1.0], [3.0, np.inf]) == (1.0, 3.0)
    assert span([np.nan]) is None
    low, high = padded((5.0, 5.0))
    assert low < 5 < high


def test_provenance_is_plain_json():
    """NumPy scalars become numbers, and what JSON cannot say becomes null."""
    value = {"a": np.float32(1.5), "b": (np.int64(2), float("nan")), "c": np.array([1.0, np.inf])}
    assert plain(value) == {"a": 1.5, "b": [2, None], "c": [1.0, None]}


@pytest.mark.parametrize(
    ("start", "end", "earlier", "says"),
    [
        (10, 60, False, "is resolved from step 10 to step 60, and no longer after that."),
        (10, 99, False, "is resolved from step 10 to step 99."),
        (40, 40, False, "is resolved at step 40 alone."),
        (
            40,
            40,
            True,
            "is resolved at step 40 and at some earlier places, and no longer after that.",
        ),
        (10, 99, True, "is resolved from step 10 to step 99 and at some earlier places."),
    ],
)
def test_where_the_best_rate_is_resolved_reads_well(start, end, earlier, says):
    """A range that ends early, one that lasts, and a single step each get their own sentence."""
    said = {
        "best_rate": 1e-3,
        "best_rate_low": 5e-4,
        "best_rate_high": 2e-3,
        "best_at_step": end,
        "best_loss": 2.5,
        "best_at_edge": False,
        "resolved_earlier": earlier,
        "resolved_from_step": start,
        "resolved_to_step": end,
        "last_step": 100,
    }
    assert best_rate_sentence(said).endswith(says)
