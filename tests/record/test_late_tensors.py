"""viz3d.record.late: tensors and layers of a device that is behind."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from tests.record.late_values import Number, rows
from viz3d.record import values
from viz3d.record.layers import Reading
from viz3d.record.recorder import Recorder


@pytest.fixture
def on_a_device(monkeypatch):
    """Take tensors of the CPU for those of a device."""
    monkeypatch.setattr(values, "is_known", lambda value: type(value) in (int, float))
    monkeypatch.setattr(Reading, "is_on_host", False)


class Activations:
    """What a graph holds."""


class Holding(torch.autograd.Function):
    """The identity, with a graph that holds something."""

    @staticmethod
    def forward(ctx, value, held):
        """Hold it."""
        ctx.held = held
        return value.clone()


def test_a_tensor_that_waits_is_recorded_as_it_was_and_keeps_no_graph(
    tmp_path, events, on_a_device, monkeypatch
):
    """A loop adds to its sums in place, and its activations are large."""
    monkeypatch.setattr("viz3d.record.rows.is_known", values.is_known)
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, first=Number(0.0, event))
    activations = Activations()
    loss = Holding.apply(torch.tensor(6.0, requires_grad=True), activations)
    graph = weakref.ref(activations)
    total = torch.tensor(1.0)
    rec.log(0, loss=loss, total=total)
    total.zero_()
    del loss, activations
    gc.collect()
    assert graph() is None
    event.set()
    rec.close()
    assert rows(tmp_path / "metrics.jsonl")[-2:] == [
        {"step": 0, "loss": 6.0},
        {"step": 0, "total": 1.0},
    ]


def test_layers_of_a_device_that_is_behind_come_late(tmp_path, events, on_a_device):
    """As they were when they were asked for, and in order."""
    event = events()
    rec = Recorder(tmp_path)
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1))
    nn.init.ones_(model[0].weight)
    rec.watch(model, every=1, updates=False)
    rec.log(0, first=Number(0.0, event))
    rec.log_layers(0)
    nn.init.zeros_(model[0].weight)
    rec.log_layers(1)
    assert not (tmp_path / "layers.jsonl").exists()
    event.set()
    rec.close()
    written = rows(tmp_path / "layers.jsonl")
    assert [(row["step"], row["name"]) for row in written] == [
        (0, "0"), (0, "1"), (1, "0"), (1, "1"),
    ]  # fmt: skip
    assert written[0]["weight_norm"] == pytest.approx(2**0.5)
    assert written[2]["weight_norm"] == 0.0
    assert rec.failures == 0
