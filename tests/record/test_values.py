"""viz3d.record.values: where a number is read, and when."""

from __future__ import annotations

import json
import threading
import time
from collections import UserDict

import numpy as np
import pytest
import torch

from viz3d.record import limit, values
from viz3d.record.recorder import Recorder


def later() -> float:
    """Wait for what has to come for as long as a busy machine takes."""
    return time.monotonic() + 30


def test_numbers_that_lie_in_memory_are_read_without_a_thread(tmp_path, monkeypatch):
    """Python's, NumPy's and PyTorch's own on the CPU: a thread would cost many times more."""

    def fail(*_):
        raise AssertionError("a thread was asked")

    monkeypatch.setattr(values, "foreign", fail)
    monkeypatch.setattr("viz3d.record.metrics.reader", fail)
    rec = Recorder(tmp_path)
    weight = torch.nn.Parameter(torch.tensor(2.0))
    rec.log(np.int64(1), a=1, b=True, c=np.float32(1), d=np.ones(1), e=torch.ones(1), f=weight,
            g="text", h=[1], i=None, j=np.zeros(2))  # fmt: skip
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {"step", "time", "a", "b", "c", "d", "e", "f"}


def test_a_value_is_read_on_the_stream_of_the_caller(monkeypatch):
    """On the helper's own it could be read before the GPU has computed it."""
    happened = []

    class Stream:
        def __init__(self, of):
            self.of = of

        def __enter__(self):
            happened.append(("entered", self.of, threading.get_ident()))

        def __exit__(self, *_):
            happened.append("left")

    class Value:
        def item(self):
            happened.append("read")
            return 1.0

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_stream", threading.get_ident)
    monkeypatch.setattr(torch.cuda, "stream", Stream)
    monkeypatch.setattr(values, "_helper", limit.Helper())
    assert values.foreign([Value()], later()) == [1.0]
    (entered, of, there), *rest = happened
    assert (entered, of, rest) == ("entered", threading.get_ident(), ["read", "left"])
    assert there != of


def test_a_value_that_ends_its_thread_costs_no_other(monkeypatch):
    """What it raises, SystemExit included, is its own."""
    monkeypatch.setattr(values, "_helper", limit.Helper())

    class Exits:
        def item(self):
            raise SystemExit

    class Five:
        def item(self):
            return 5.0

    assert values.foreign([Exits(), Five()], later()) == [None, 5.0]


def test_a_mapping_that_raises_costs_no_other(monkeypatch):
    """The thread that reads mappings of a stranger's goes on."""
    monkeypatch.setattr(values, "_helper", limit.Helper())

    class Exits(UserDict):
        def __iter__(self):
            raise SystemExit

    with pytest.raises(ValueError, match="could not be read"):
        values.copied(Exits(a=1), later())
    assert values.copied(UserDict(a=1), later()) == {"a": 1}


def test_names_that_are_no_text_are_written_as_text():
    """A mapping of bins, say; JSON has no other names."""
    assert values.copied({1: 2.0, "a": 3.0}, later()) == {"1": 2.0, "a": 3.0}
