"""Gradient norms per layer, wherever they stand."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.formats import csv_any, jsonl, parquet_any
from viz3d.formats.layers import model_order, split_layers
from viz3d.formats.tally import Tally

from .conftest import Reader, joined, said


def wide(*columns: str) -> pd.DataFrame:
    """Return a history of two steps with a value per column."""
    return pd.DataFrame({name: [at, at + 0.5] for at, name in enumerate(columns)}, index=[0, 10])


def test_layers_come_in_model_order() -> None:
    """Embeddings, layers by number (10 after 2), the final norm, the head."""
    names = ["lm_head", "h.10.attn", "h.2.mlp", "h.2.attn", "ln_f", "wte", "h.0.attn"]
    assert model_order(names) == [
        "wte", "h.0.attn", "h.2.mlp", "h.2.attn", "h.10.attn", "ln_f", "lm_head",
    ]  # fmt: skip
    assert model_order(["W1", "W2", "b1", "b2"]) == ["W1", "b1", "W2", "b2"]


@given(st.lists(st.text(max_size=12), unique=True, max_size=12))
def test_the_order_keeps_every_layer(names: list[str]) -> None:
    """Whatever layers are called, none is lost or doubled, and the order is settled."""
    ordered = model_order(names)
    assert sorted(ordered) == sorted(names)
    assert model_order(ordered) == ordered


@pytest.mark.parametrize(
    ("columns", "layers"),
    [
        (("grad_norm_S1", "grad_norm_S0"), ["S0", "S1"]),
        (("grad_norm/h.1", "grad_norm/h.0", "grad_norm/wte"), ["wte", "h.0", "h.1"]),
        (("layers.0/grad_norm", "layers.1/grad_norm"), ["layers.0", "layers.1"]),
        (("grad_2.0_norm/a.0", "grad_2.0_norm/a.1", "grad_2.0_norm_total"), ["a.0", "a.1"]),
        (("grad_norm/0", "grad_norm/1", "grad_norm/total"), ["0", "1"]),
        (("grad_norm_l1", "grad_norm_l2", "grad_norm_l3"), ["l1", "l2", "l3"]),
        (("grad_norm/h.0", "grad_norm/h.1", "grad_norm/rank0_total"), ["h.0", "h.1"]),
    ],
)
def test_columns_that_are_layers_are_taken(columns: tuple[str, ...], layers: list[str]) -> None:
    """The naming schemes of the field are found; a total stays a metric."""
    history, found = split_layers(wide("loss", *columns), Tally("f"))
    assert found is not None
    assert found["name"].tolist() == layers * 2
    assert found["layer"].tolist() == list(range(len(layers))) * 2
    assert set(history.columns) == {"loss"} | {name for name in columns if "total" in name}


@pytest.mark.parametrize(
    "columns",
    [
        ("grad_norm",), ("grad_norm/mean", "grad_norm/max"), ("grad_norm_2",), ("norm_1",),
        ("grad_norm_p50", "grad_norm_p90", "grad_norm_p99"), ("grad_norm/L1", "grad_norm/L2"),
        ("grad_norm/rank0", "grad_norm/rank_1", "grad_norm/rank.2"),
    ],
)  # fmt: skip
def test_what_is_not_plainly_layers_stays_a_metric(columns: tuple[str, ...]) -> None:
    """A single norm and summaries of norms are not made into layers."""
    history, found = split_layers(wide("loss", *columns), Tally("f"))
    assert found is None
    assert set(history.columns) == {"loss", *columns}


def test_a_long_table_with_numbers_for_layers(read: Reader) -> None:
    """Layers that are only numbered get a name that says so, and the given order."""
    text = "step,layer,grad_norm,weight_norm\n0,1,0.5,2\n0,0,0.25,3\n"
    (parsed,) = read(csv_any, {"a.csv": text})
    assert parsed.layers is not None
    assert parsed.layers.to_dict("records") == [
        {"step": 0, "layer": 0, "name": "layer 0", "grad_norm": 0.25, "weight_norm": 3.0},
        {"step": 0, "layer": 1, "name": "layer 1", "grad_norm": 0.5, "weight_norm": 2.0},
    ]


@pytest.mark.parametrize("twin", [False, True], ids=["columns", "rows"])
def test_modules_of_a_sequence_keep_their_names(read: Reader, twin: bool) -> None:
    """``nn.Sequential`` calls them "0" and "2", which is text, whichever way lines are read."""
    more = ', "loss": 1, "loss ": 1' if twin else ""  # which of the two came last rows tell
    rows = [f'{{"step": 0, "name": "{name}", "grad_norm": 1{more}}}' for name in ("0", "2")]
    (parsed,) = read(jsonl, {"layers.jsonl": "\n".join(rows) + "\n"})
    assert parsed.layers is not None
    assert parsed.layers["name"].tolist() == ["0", "2"]
    assert "as text" not in said(parsed)


def test_a_restart_supersedes_layers_too(read: Reader) -> None:
    """After a restart no layer keeps a norm of the attempt before."""
    rows = [
        f'{{"step": {step}, "name": "h.{layer}", "grad_norm": {at}}}'
        for at, step in enumerate([0, 1, 2, 3, 4, 5, 3])
        for layer in (0, 1)
    ]
    (parsed,) = read(jsonl, {"a.jsonl": "\n".join(rows) + "\n"})
    assert parsed.layers is not None
    assert parsed.layers["step"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert parsed.layers["grad_norm"].tolist()[-2:] == [6.0, 6.0]
    assert "6 rows of earlier attempts were superseded" in said(parsed)


def test_rows_without_a_layer_are_told(read: Reader) -> None:
    """A row that names no layer, or no step, is left out and counted."""
    text = "step,layer,grad_norm\n0,a,1\n0,,2\n,b,3\n1,a,4\n"
    (parsed,) = read(csv_any, {"a.csv": text})
    assert parsed.layers is not None
    assert parsed.layers["grad_norm"].tolist() == [1.0, 4.0]
    assert "2 rows without a step or a layer" in said(parsed)


@pytest.mark.parametrize("layer", ["1e300", "0.5"])
def test_a_place_that_is_no_whole_number_is_no_place(read: Reader, layer: str) -> None:
    """A layer's number that cannot be one costs the row, and no made-up place takes its part."""
    text = f"step,layer,grad_norm\n0,0,1\n0,{layer},2\n0,1,3\n"
    (parsed,) = read(csv_any, {"a.csv": text})
    assert parsed.layers is not None
    assert parsed.layers["layer"].tolist() == [0, 1]
    assert "1 row without a step or a layer" in said(parsed)


def lines(rows: list[dict[str, object]]) -> str:
    """Return rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


LOSSES: list[dict[str, object]] = [
    {"step": step, "loss": 3 - step / 10, "grad_norm": 1.0} for step in range(6)
]


@pytest.mark.parametrize("label", [{"name": "gpt-a"}, {"param": "7B"}, {"layer": 12}])
def test_a_label_that_tells_no_layers_apart_costs_no_row(
    read: Reader, label: dict[str, object]
) -> None:
    """The name of a run stands in every row, whatever they are written as."""
    rows = pd.DataFrame([row | label for row in LOSSES])
    rows.to_parquet(packed := io.BytesIO())
    for form, name, content in (
        (jsonl, "a.jsonl", rows.to_json(orient="records", lines=True)),
        (csv_any, "a.csv", rows.to_csv(index=False)),
        (parquet_any, "metrics.parquet", packed.getvalue()),
    ):
        (parsed,) = read(form, {name: content})
        assert parsed.layers is None
        assert joined(parsed).history["loss"].tolist() == rows["loss"].tolist()


def test_a_late_row_of_one_module_costs_no_row(read: Reader) -> None:
    """One row that names a module makes no layers of the rows before it."""
    late: dict[str, object] = {"step": 6, "module": "optimizer", "loss": 2.0, "grad_norm": 0.5}
    (parsed,) = read(jsonl, {"a.jsonl": lines([*LOSSES, late])})
    assert parsed.layers is None
    assert joined(parsed).history["loss"].tolist()[-2:] == [2.5, 2.0]


def test_a_run_that_was_resumed_under_another_name_has_no_layers(read: Reader) -> None:
    """Its name differs within those steps that were logged twice, fewer than half of them."""
    again = [{"step": step, "loss": 9.0, "grad_norm": 1.0} for step in range(3, 7)]
    rows = [{"name": "a"} | row for row in LOSSES] + [{"name": "a-resumed"} | row for row in again]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert parsed.layers is None
    assert joined(parsed).history["loss"].tolist() == [3.0, 2.9, 2.8, 9.0, 9.0, 9.0, 9.0]


def test_layers_may_tell_of_more_than_their_norms(read: Reader) -> None:
    """Those of most steps, with the loss of the run in each row."""
    names = [("h.0", "h.1")] * 4 + [("h.0",)] * 2
    rows = [row | {"name": name} for row, each in zip(LOSSES, names, strict=True) for name in each]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert parsed.layers is not None
    assert parsed.layers["name"].tolist() == ["h.0", "h.1"] * 4 + ["h.0"] * 2
    assert "1 column of the rows of layers was not read (loss)" in said(parsed)


def test_rows_of_layers_need_no_second_one_at_most_steps(read: Reader) -> None:
    """Where they hold nothing else; that of the run has a name as well."""
    rows: list[dict[str, object]] = [{"step": 0, "name": "h.1", "grad_norm": 0.5}]
    for step in range(6):
        rows.append({"step": step, "name": "gpt-a", "loss": 2.0})
        rows.append({"step": step, "name": "h.0", "grad_norm": 0.25})
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert parsed.layers is not None
    assert len(parsed.layers) == 7
    assert joined(parsed).history["loss"].tolist() == [2.0] * 6


def test_names_of_which_one_has_a_gradient_norm_are_no_layers(read: Reader) -> None:
    rows = [
        row for at in LOSSES
        for row in (at | {"name": "a"}, {"step": at["step"], "name": "b", "weight_norm": 7.0})
    ]  # fmt: skip
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert parsed.layers is None
    assert joined(parsed).history["weight_norm"].tolist() == [7.0] * 6


def test_rows_of_layers_and_of_the_run_in_one_file(read: Reader) -> None:
    """Each goes where it belongs; what a row of a layer holds beside its norms is told."""
    rows: list[dict[str, object]] = [
        {"name": "gpt-a"} | row
        for whole in LOSSES
        for row in (
            whole,
            {"step": whole["step"], "layer": 0, "grad_norm": 0.25},
            {"step": whole["step"], "layer": 1, "weight_norm": 4.0, "rank": 8},
        )
    ]
    rows[2] |= {"grad_norm": 0.5}
    rows.append({"name": "gpt-a", "step": 6, "layer": 1, "loss": 2.0})  # no norm of it
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    history = joined(parsed).history
    assert history["loss"].tolist() == [*(row["loss"] for row in LOSSES), 2.0]
    assert history["grad_norm"].dropna().tolist() == [1.0] * 6
    assert parsed.layers is not None
    assert parsed.layers["name"].tolist() == ["layer 0", "layer 1"] * 6
    assert parsed.layers["weight_norm"].tolist()[1::2] == [4.0] * 6
    assert "1 column of the rows of layers was not read (rank)" in said(parsed)
