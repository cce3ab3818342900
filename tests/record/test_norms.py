"""viz3d.record.norms: right for every kind of tensor, or left out; one transfer for all."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from viz3d.record.norms import fetch, norms
from viz3d.record.recorder import Recorder


class Stubborn(torch.Tensor):
    """A tensor with which nothing can be done."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise TypeError("no")


class Unsummed(torch.Tensor):
    """A tensor that has everything but a norm."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if "norm" in func.__name__:
            raise TypeError("no")
        return super().__torch_function__(func, types, args, kwargs or {})


def repeated():
    """Two entries in one place: their sum counts."""
    return torch.sparse_coo_tensor([[1, 1, 3]], [[1.0, 0], [2, 0], [0, 4]], (5, 2))


KINDS = {
    "plain": (torch.tensor([3.0, 4.0]), 5.0),
    "no dimension": (torch.tensor(-2.0), 2.0),
    "empty": (torch.empty(0, 3), 0.0),
    "double": (torch.tensor([3e200, 4e100], dtype=torch.float64) / 1e100, 3e100),
    "half, beyond its range": (torch.full((4,), 60000.0, dtype=torch.float16), 120000.0),
    "bfloat16, many": (torch.full((10, 1000), 0.5, dtype=torch.bfloat16), 50.0),
    "complex": (torch.tensor([3 + 4j, 0]), 5.0),
    "sparse": (repeated(), 5.0),
    "compressed": (torch.tensor([[0, 3.0], [4, 0]]).to_sparse_csr(), 5.0),
    "transposed": (torch.tensor([[3.0, 0], [4, 0]]).T, 5.0),
    "nan": (torch.tensor([1.0, math.nan]), math.nan),
    "infinite": (torch.tensor([1.0, -math.inf]), math.inf),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_every_kind_of_tensor_has_its_norm_beside_all_others():
    """Kinds are grouped on the way; each comes back in its place."""
    found = norms([tensor for tensor, _ in KINDS.values()])
    expected = [norm for _, norm in KINDS.values()]
    assert fetch(found) == pytest.approx(expected, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    "strange",
    [
        torch.empty(3, device="meta"),
        torch.ones(3).as_subclass(Stubborn),
        torch.ones(3).as_subclass(Unsummed),
    ],
    ids=["meta", "stubborn", "unsummed"],
)
def test_a_tensor_without_a_norm_costs_no_other_its_own(strange):
    """What cannot be read is None, and nothing is raised."""
    first, none, last = norms([torch.tensor([3.0, 4.0]), strange, torch.tensor([1.0])])
    assert none is None
    assert fetch([first, last]) == [5.0, 1.0]


class Transfers(TorchFunctionMode):
    """Counts what brings values to the host as a whole; on the CPU it is no operation below."""

    seen = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen += getattr(func, "__name__", "") in {"tolist", "numpy", "cpu", "__array__"}
        return func(*args, **(kwargs or {}))


class Scalars(TorchDispatchMode):
    """Counts scalars read back: ``item()``, ``float()``, ``bool()`` and their like."""

    seen = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_record_reads_back_once_and_a_step_between_records_not_at_all(tmp_path):
    """All norms of all layers, and what the optimiser changed, come in one transfer."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double(), nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(tmp_path)
    recorder.watch(model, every=3)
    model[0].weight.grad = torch.ones(2, 2)
    counted = []
    for step in range(7):
        with Transfers() as transfers, Scalars() as scalars:
            recorder.log_layers(step)
            optimizer.step()
        counted.append(transfers.seen + scalars.seen)
    assert counted == [1, 0, 0, 1, 0, 0, 1]
    assert (tmp_path / "layers.jsonl").read_text().count("update_ratio") == 2 * 3


def test_the_counters_see_what_they_count():
    """Each way to the host is seen by one of the two."""
    with Transfers() as transfers, Scalars() as scalars:
        one = torch.ones(2).sum()
        assert one.item() == float(one) == 2
        assert torch.ones(2).tolist() == list(torch.ones(2).numpy())
    assert (transfers.seen, scalars.seen) == (2, 2)
