"""The code and the command that read a run elsewhere, as text."""

from __future__ import annotations

import ast
import shlex

import pytest

from viz3d.cli import _parser
from viz3d.ui.rereading import in_python, in_terminal

ODD = [
    "-run",
    "a b",
    "it's",
    'say "x"',
    "$HOME `ls` \\n",
    "100%",
    "ünï · code",
    "a::b",
    "line\nbreak",
]


@pytest.mark.parametrize("name", ODD)
def test_every_name_comes_through(name: str) -> None:
    """Whatever stands in a name, the shell hands it to the program letter for letter."""
    places, roles = [("gs://bucket/some folder", name)], {"loss": name}
    words = shlex.split(in_terminal(places, roles))
    args = _parser().parse_args(words[3:])
    assert (args.run, args.source, args.role) == (
        name,
        ["gs://bucket/some folder"],
        [("loss", name)],
    )
    tree = ast.parse(in_python(places, roles))
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert said.count(name) == 2


def test_the_same_line_serves_other_shells() -> None:
    """Double quotes alone, which PowerShell and cmd take as bash does, wherever they are enough."""
    assert in_terminal([("C:/my runs", "a b")], {}) == (
        'python -m viz3d show "--source=C:/my runs" "a b"'
    )


def test_joined_runs_name_every_source_once() -> None:
    """The command joins; where the names differ there is none, and the code says it all."""
    places = [("here", "a"), ("gs://there", "a")]
    assert in_terminal(places, {}).split()[4:] == [
        "--source=here",
        "--source=gs://there",
        "--join",
        "a",
    ]
    assert in_terminal([("here", "a"), ("there", "b")], {}) == ""
    assert in_python(places, {"loss": "x"}).endswith(").with_roles({'loss': 'x'})")
