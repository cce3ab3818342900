"""Arrow reads blocks of JSON lines, Python those that need a closer look: both read the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.formats import jsonl, limits
from viz3d.formats.joining import join_rows
from viz3d.formats.parse import parse_table
from viz3d.formats.tally import Tally

OFTEN = [60, pytest.param(3_000, marks=pytest.mark.slow)]

NAMES = ["step", "loss", "loss ", "lr", "a", "a/x", "name", "layer", "grad_norm", "flag", "_step",
         "epoch", "n.b", "data"]  # fmt: skip
TEXTS = ["1.5", "nan", "abc", "3", "", "true", "2024-01-02", "2024-01-02 03:04:05", "12:00:00",
         "x" * 201, "none"]  # fmt: skip
KINDS = [
    st.floats(), st.integers(-9, 9), st.integers(2**53, 2**53 + 9), st.none(), st.booleans(),
    *map(st.just, TEXTS), st.sampled_from(TEXTS), st.just([1, 2]), st.just({}), st.just(1e308),
    st.fixed_dictionaries({"x": st.floats()}, optional={"y": st.just({"z": 1}), "x ": st.just(2)}),
]  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> str:
    """Draw lines in which a key has values of one kind, as in most logs."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names}
    kinds |= {"step": st.integers(0, 9)} if draw(st.booleans()) else {}
    rows = [
        {name: draw(kind) for name, kind in kinds.items() if draw(st.integers(0, 9))}
        for _ in range(draw(st.integers(1, 5)))
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(path: Path, by: Callable[[bytes], Any], nested: int) -> dict[str, Any]:
    """Return all that is read, and all that is told but for the line."""
    tally = Tally("f")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "to_arrow", by)
        patch.setattr(limits, "NESTED_KEYS", nested)
        table = jsonl.read_table(path, tally)
    parsed = parse_table(table, tally)
    told = sorted((what, count, sorted(names)) for what, count, names in tally.counted())
    found: dict[str, Any] = {"told": told}
    if parsed.rows is not None:
        joined = join_rows(parsed.rows)
        found["steps"] = joined.history.index.tolist()
        found["columns"] = {name: repr(column.tolist()) for name, column in joined.history.items()}
        found["nonfinite"] = sorted(map(repr, joined.nonfinite.itertuples(index=False)))
    if parsed.layers is not None:
        found["layers"] = repr(parsed.layers.to_dict("list"))
    return found


@pytest.mark.parametrize("count", OFTEN)
def test_both_readers_read_the_same(count: int) -> None:
    arrow = jsonl.to_arrow
    taken = []

    def note(block: bytes) -> Any:
        taken.append(arrow(block))
        return taken[-1]

    @settings(max_examples=count, deadline=None, derandomize=count < 100)
    @given(logs(), st.sampled_from([1, 2, 100]))
    @example(
        '{"step": 0, "name": "7", "grad_norm": 1}\n{"step": 0, "name": "h.0", "grad_norm": 2}\n',
        100,
    )
    @example('{"step": 0, "name": "2024-01-02", "grad_norm": 1}\n', 100)
    @example('{"step": 0, "loss ": 1, "loss": 2}\n{"step": 1, "loss": 1, "loss ": 2}\n', 100)
    @example('{"loss ": 0.5}\n{"loss": {}}\n', 100)
    @example('{"loss ": {}, "loss": 0.5}\n', 100)
    @example('{"step": 0, "a": {"x": 1}}\n{"step": 1, "a": {"y": 2}}\n', 1)
    @example('{"step": 1, "a": {"x": 1, "y": null}}\n', 1)
    def same(log: str, nested: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.jsonl")
            path.write_text(log)
            assert read(path, note, nested) == read(path, lambda _: None, nested)

    same()
    assert sum(table is not None for table in taken) > count / 3
