"""What a resumed landscape sees of the code of its loss: a changed one is another loss."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest
import torch
from torch import nn

from viz3d.record.landscape.code import code_of
from viz3d.record.landscape.fingerprint import fingerprint


def seen(thing):
    return fingerprint(code_of(thing))


def made(source, **names):
    """Return the function ``loss`` of a source, which may name `names`."""
    space = {**names}
    exec(source, space)
    return space["loss"]


BASE = "def loss(m, b):\n    return m(b) * 2 + C\n"


def closing(value):
    return lambda m, b: m(b) * value


def with_inner(power):
    """A function that names another one, which differs."""
    return made(
        "def loss(m, b):\n    return f(m(b))\n", f=made(f"def loss(x): return x ** {power}")
    )


class Loss:
    """Two losses with one setting, of which neither knows."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, m, b):
        """Return the loss."""
        return m(b)

    def method(self, m, b):
        """Return another loss."""
        return m(b) + 1


class Smooth(nn.Module):
    """A loss with settings in itself and in a module of torch's."""

    def __init__(self, by):
        super().__init__()
        self.by = by
        self.inner = nn.CrossEntropyLoss(label_smoothing=by)

    def forward(self, x):
        """Return the loss."""
        return self.inner(x, x)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (made(BASE, C=1), made(BASE.replace("* 2", "- 2"), C=1)),
        (made(BASE, C=1), made(BASE.replace("2", "3"), C=1)),
        (made(BASE, C=1), made(BASE, C=2)),
        (made(BASE.replace("b)", "b, k=1)", 1)), made(BASE.replace("b)", "b, k=2)", 1))),
        (made(BASE.replace("b)", "b, *, k=1)", 1)), made(BASE.replace("b)", "b, *, k=2)", 1))),
        (closing(1.0), closing(2.0)),
        (closing(torch.ones(2)), closing(torch.zeros(2))),
        (closing({"a": [1, {2}]}), closing({"a": [1, {3}]})),
        (with_inner(2), with_inner(4)),
        (made("def loss(m, b):\n    return [x + 1 for x in m(b)]\n"),
         made("def loss(m, b):\n    return [x + 2 for x in m(b)]\n")),
        (made("def loss(m, b):\n    return (lambda x: x + C)(m(b))\n", C=1),
         made("def loss(m, b):\n    return (lambda x: x + C)(m(b))\n", C=2)),
        (functools.partial(closing, 1), functools.partial(closing, 2)),
        (Loss(1).method, Loss(1)),
        (closing(Smooth(0.1)), closing(Smooth(0.2))),
        (Smooth(0.1), nn.Sequential(Smooth(0.1))),
        (nn.Conv1d(1, 1, 3, stride=1), nn.Conv1d(1, 1, 3, stride=2)),
        (closing(torch.abs), closing(torch.exp)),
        (closing(nn.GELU), closing(nn.ReLU)),
        (closing(1), None),
    ],
)  # fmt: skip
def test_another_code_is_another_loss(one, other):
    """Bytecode, constants, defaults, closures, globals, inner functions, settings of modules."""
    assert seen(one) != seen(other)


def test_the_same_code_stays_the_same(tmp_path):
    """In another process and on other lines too: bytecode knows no places and no addresses."""
    code = """
def loss(m, b):
    return helper(m(b)) + sum(x for x in {"a": 1, "b": 2}.values() if x in {1, 2})
def helper(x):
    return helper(x) if LIMIT else loss
LIMIT = 3
"""
    space = {}
    exec("\n\n# moved\n" + code, space)
    tell = (
        "from viz3d.record.landscape.code import code_of\n"
        "from viz3d.record.landscape.fingerprint import fingerprint\n"
        "print(fingerprint(code_of(loss)))"
    )
    (tmp_path / "a.py").write_text(code + tell, "utf-8")
    ran = subprocess.run(
        [sys.executable, tmp_path / "a.py"], capture_output=True, check=True, text=True
    )
    assert ran.stdout.strip() == seen(space["loss"])


def test_what_is_not_seen_is_not_taken_for_a_change():
    """A counter in an object, training mode and weights are no code."""
    one, other = Loss(1), Loss(2)
    assert seen(one) == seen(other)
    assert seen(one.method) == seen(other.method)
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))
    before = seen(model)
    model[0].weight.data.zero_()
    assert seen(model.eval()) == before
    model[1].p = 0.2
    assert seen(model) != before


def test_deep_calls_end():
    """A chain of functions longer than the stack is followed so far and no further."""
    first = None
    for _ in range(3000):
        first = made("def loss(): return f()", f=first)
    assert seen(first)


class Graph:
    """An object that holds itself."""

    def __init__(self, nodes):
        self.nodes, self.me = nodes, self


def test_batches_of_any_object_count_with_what_they_hold():
    """Two graphs are two batches, also where one holds itself."""
    assert fingerprint([Graph([1])]) == fingerprint([Graph([1])])
    assert fingerprint([Graph([1])]) != fingerprint([Graph([2])])
