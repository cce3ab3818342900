"""Nothing becomes a text of Plotly but by `viz3d.figures.text`: a lint of all that it draws."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.text_rule import Lint, Rule, called

ROOT = Path(__file__).resolve().parents[2]

# Plotly reads tags and formulas in these, and templates in some.
NAMED = (
    "name", "title", "text", "hovertemplate", "hovertext", "ticktext", "texttemplate",
    "legendgroup", "ticksuffix", "tickprefix", "customdata",
)  # fmt: skip
# They make text safe, or give text of numbers; `compact` gives numbers alone.
MAKERS = frozenset({"safe", "scene_text", "count", "say", "compact"})


def shown(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the arguments of a call that Plotly shows: of traces, layouts and parts of them."""
    of_plotly = ast.unparse(call.func).startswith(("go.", "figure.", "fig.", "flat."))
    if of_plotly or called(call) in ("dict", "update_layout"):
        yield from (word.value for word in call.keywords if word.arg in NAMED)
        for each in (*call.args, *(word.value for word in call.keywords)):
            yield from _in_dict(each)


def _in_dict(node: ast.AST) -> Iterator[ast.expr]:
    for each in ast.walk(node):
        if isinstance(each, ast.Dict):
            for key, value in zip(each.keys, each.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in NAMED:
                    yield value


RULE = Rule("Drawn", MAKERS, shown)


def drawn() -> dict[str, str]:
    """Return the code that makes figures."""
    return {path.name: path.read_text("utf-8") for path in sorted(ROOT.glob("viz3d/figures/*.py"))}


def test_what_plotly_shows_comes_from_the_functions_that_make_it_safe() -> None:
    """A name from data could be a link, a formula or a template."""
    assert Lint(drawn(), RULE).breaches() == []


RECORD = "class Line:\n    label: Drawn\n    title: str\n"


@pytest.mark.parametrize(
    "code",
    [
        "go.Scatter(name=run.name)",
        "go.Scatter(hovertemplate=f'{run.name}<br>%{x}')",
        "figure.update_layout(title=dict(text=run.name))",
        "go.Scatter(colorbar={'title': metric})",
        "go.Scatter(text=[run.name for run in runs])",
        f"{RECORD}Line(run.name, '')",
        f"{RECORD}Line(label=run.name)",
        f"{RECORD}go.Scatter(name=line.title)",
        "def f(name: str):\n    go.Scatter(name=name)",
        "def f() -> Drawn:\n    return run.name",
    ],
)
def test_the_lint_finds_what_goes_round_them(code: str) -> None:
    """Each way in which a name could get there is found."""
    assert Lint({"x.py": code}, RULE).breaches()


@pytest.mark.parametrize(
    "code",
    [
        "go.Scatter(name=safe(run.name), hovertemplate=f'{safe(run.name)} %{x:.2f}')",
        f"{RECORD}Line(safe(run.name), run.name)\ngo.Scatter(name=line.label)",
        "def f(name: Drawn):\n    go.Scatter(name=name)",
        "go.Scatter(x=run.name, customdata=compact(values))",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is safe by these rules needs no exception."""
    assert Lint({"x.py": code}, RULE).breaches() == []
