"""Nothing becomes HTML but through `html.escape`: a lint of all tags that the exporters write."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.text_flow import called, root
from tests.text_rule import Lint, Rule

ROOT = Path(__file__).resolve().parents[2]
TAG = re.compile(r"<[a-zA-Z/!]")
# They escape, or give code of our own and hashes of it.
MAKERS = frozenset({"escape", "to_html", "_in_script", "_hash", "_plotly", "_joined"})


def shown(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what stands in text with tags, and what goes into the template of a page."""
    if isinstance(node, ast.JoinedStr):
        ours = [part.value for part in node.values if isinstance(part, ast.Constant)]
        if any(TAG.search(text) for text in ours):
            yield from node.values
    elif isinstance(node, ast.Call) and called(node) == "format" and root(node).isupper():
        yield from (*node.args, *(word.value for word in node.keywords))


RULE = Rule("Html", MAKERS, shown)


def test_html_is_escaped_where_it_is_made() -> None:
    """A name from data that reaches the page raw could be a tag."""
    code = {path.name: path.read_text("utf-8") for path in ROOT.glob("viz3d/export/*.py")}
    assert Lint(code, RULE).breaches() == []


@pytest.mark.parametrize(
    "code",
    [
        "page = f'<p>{run.name}</p>'",
        "items = ''.join(f'<li>{note}</li>' for note in notes)",
        "PAGE.format(title=title)",
        "def f(name: str):\n    return f'<p id={name}>'",
        "def f() -> Html:\n    return '<p>' + run.name",
    ],
)
def test_the_lint_finds_what_is_not_escaped(code: str) -> None:
    """Each way in which a name could get there is found."""
    assert Lint({"x.py": code}, RULE).breaches()


@pytest.mark.parametrize(
    "code",
    [
        "page = f'<p>{escape(run.name)}</p>'",
        "items = ''.join(f'<li>{escape(note)}</li>' for note in notes)\nPAGE.format(items=items)",
        "said = f'{run.name}'",
        "def f(name: Html, n: int):\n    return f'<p id={name}>{n:d}'",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is escaped needs no exception."""
    assert Lint({"x.py": code}, RULE).breaches() == []
