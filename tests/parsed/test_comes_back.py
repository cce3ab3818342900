"""Logs that were parsed once come back the same, whatever stood in them."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d import load_entries
from viz3d.load import load_runs
from viz3d.parsed import cache, columns

from .opening import OFTEN, assert_alike, load

NAMES = st.sampled_from(
    ["step", "loss", "lr", "a.b", "ä/ß \u202e", "0", "name", "layer", "grad_norm", "time",
     "grad_norm/h.0", "grad_norm/h.1"]
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-(2**63), 2**64), st.integers(0, 9), st.floats(), st.booleans(), st.none(),
    st.sampled_from(["nan", "x", "h.3", "1.5"]),
)  # fmt: skip
LINES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=5).map(json.dumps),
    st.builds(
        lambda step, loss: json.dumps({"step": step, "loss": loss}),
        st.integers(0, 9), st.floats(),
    ),
    st.sampled_from(["", "{", "null", '{"step": 1, "step": 2}', '{"deep": {"er": 1}}']),
)  # fmt: skip


@pytest.mark.parametrize("count", OFTEN)
def test_what_was_parsed_comes_back_the_same(count: int) -> None:
    """The first opening, the second, and one without a cache agree in everything."""
    given_any = given(st.lists(LINES, max_size=12), st.booleans(), st.booleans())
    settings(max_examples=count, deadline=None)(given_any(comes_back_the_same))()


def comes_back_the_same(lines: list[str], lazy: bool, table: bool) -> None:
    """Open some lines three times."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "lr-0.1.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        if table:
            path = path.with_suffix(".csv")
            rows = [",".join(map(str, json.loads(line).values())) for line in lines if '{"' in line]
            path.write_text("\n".join(["step,loss,lr", *rows]), encoding="utf-8", newline="")
        wanted = load(path)
        patch.setenv("VIZ3D_CACHE_DIR", str(Path(name) / "cache"))
        patch.setattr(load_entries, "WORTH", 0)
        patch.setattr(columns, "AT_ONCE", 0 if lazy else 10**6)
        for _ in range(2):
            assert_alike(load(path), wanted)


@pytest.mark.parametrize(
    "line", ['{"step": 0, "grad_norm/h.0": 0, "grad_norm/h.1": 0}', '{"step": 0}'],
    ids=["layers alone", "steps alone"],
)  # fmt: skip
def test_a_history_without_metrics_comes_back_the_same(line: str) -> None:
    comes_back_the_same([line], lazy=False, table=False)


def test_what_is_not_a_number_is_kept_as_that(folder: Path) -> None:
    """NaN, infinities and gaps are three things, from the cache too."""
    (folder / "a.jsonl").write_text('{"step": 0, "a": NaN, "b": Infinity}\n{"step": 1, "a": 1}\n')
    load_runs(folder)
    (run,) = load_runs(folder)
    assert run.nonfinite["metric"].tolist() == ["a", "b"]
    assert math.isinf(run.history["b"][0])
    assert cache.users_cache()[0] is not None
