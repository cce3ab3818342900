"""Nothing becomes a text of Plotly but by `viz3d.figures.text`: a lint of all that it draws."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.text_flow import called, root
from tests.text_rule import KEEPERS, Lint, Rule

ROOT = Path(__file__).resolve().parents[2]

# Plotly reads tags and formulas in these, and templates in some.
NAMED = (
    "name", "title", "text", "hovertemplate", "hovertext", "ticktext", "texttemplate",
    "legendgroup", "ticksuffix", "tickprefix", "customdata", "titles",
)  # fmt: skip
# And in these of a trace, where they are no numbers.
PLACES = ("x", "y")
# They make text safe, or give text of numbers; `compact` gives numbers alone.
MAKERS = frozenset({"safe", "scene_text", "count", "say", "compact"})


def shown(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what Plotly shows: settings by name of traces, of layouts and of parts of them."""
    match node:
        case ast.Call(func=function, keywords=words):
            of = root(function)
            trace = of == "go" or any(word.arg == "mode" for word in words)
            if trace or of in ("style", "figure") or called(node) in ("dict", "update"):
                wanted = (*NAMED, *PLACES) if trace else NAMED
                given = [word.value for word in words if word.arg in wanted]
                yield from (one for one in given if not isinstance(one, ast.Dict))
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                named = isinstance(key, ast.Constant) and key.value in NAMED
                if named and not isinstance(value, ast.Dict):  # whose parts are looked at
                    yield value
        case ast.Assign(
            targets=[ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=name))],
            value=value,
        ) if name in NAMED:
            yield value


RULE = Rule("Drawn", MAKERS, shown, KEEPERS | {"wrapped", "listed", "with_names"})


def code(*patterns: str) -> dict[str, str]:
    """Return code of the project; what makes tables for export draws nothing."""
    paths = sorted(path for pattern in patterns for path in ROOT.glob(f"viz3d/{pattern}"))
    made = [path for path in paths if not path.stem.endswith(("_tidy", "provenance"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in made}


def drawn() -> Lint:
    """Return the lint of the figures."""
    return Lint(code("figures/*.py"), RULE, code("analysis/*.py", "run.py", "grid.py"))


def test_what_plotly_shows_comes_from_the_functions_that_make_it_safe() -> None:
    """A name from data could be a link, a formula or a template."""
    assert drawn().breaches() == []


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
        "def f() -> list[tuple[Drawn, int]]:\n    return [(run.name, 1)]",
        "def f() -> list[tuple[int, Drawn]]:\n    return list(zip(range(2), names))",
        "look = {'name': run.name}",
        "trace.name = run.name",
        "look['colorbar']['ticktext'] = names",
        "style.axis('step', ticktext=names)",
        "said = [safe(a)]\nsaid.append(b)\ngo.Scatter(text=said)",
        "for name, place in zip(names, map(safe, names)):\n    go.Scatter(name=name)",
        "parts = [(n, safe(n)) for n in names]\nfor a, b in parts:\n    go.Scatter(name=a)",
        "def f(name: Drawn):\n    def g(name: str):\n        go.Scatter(name=name)",
        "go.Scatter(name=PREFIX + name)",
        "go.Scatter(name=PREFIX.format(name))",
        "go.Scatter(name=WORDS.get(name, name))",
        "go.Scatter(text=table.T)",
        "kind(mode='lines', name=run.name)",
        "def f(name: Drawn):\n    name = run.name\n    go.Scatter(name=name)",
        "parts = [('a', 1)]\nparts.append((b, 2))\nfor a, n in parts:\n    go.Scatter(name=a)",
        "parts = [('a', 1)]\nparts += more\nfor a, n in parts:\n    go.Scatter(name=a)",
        "go.Heatmap(y=[run.name for run in runs])",
        "(safe if flat else str)(name)\ngo.Scatter(name=(safe if flat else str)(name))",
        "def f(text: Callable[[str], Drawn]): ...\nf(str)",
        f"{RECORD}class Run:\n    label: str\ngo.Scatter(name=line.label)",
        f"{RECORD}replace(line, label=run.name)",
        f"{RECORD}def f(line: Line):\n    go.Scatter(name=line.label.name)",
        "def f(a):\n    name = safe(a)\ndef g(name):\n    go.Scatter(name=name)",
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
        "go.Scatter(name=WORDS.get(name, 'other'))",
        "go.Scatter(x=compact(run.step), customdata=compact(values))",
        "def f() -> list[tuple[Drawn, str]]:\n    return [(safe(run.name), run.name)]",
        "def f() -> list[tuple[int, Drawn]]:\n    return list(zip(names, map(safe, names)))",
        "said = [safe(a)]\nsaid.append(f'{b:d}')\ngo.Scatter(text=list(said))",
        "for n, (a, b) in enumerate(zip(names, map(safe, names))):\n    go.Scatter(name=b)",
        "parts = [(n, safe(n)) for n in names]\nfor a, b in parts:\n    go.Scatter(name=b)",
        "looks = (('a', 1), ('b', 2))\nfor a, x in looks:\n    go.Scatter(x=compact(x), name=a)",
        "def f(name: Drawn):\n    def g():\n        go.Scatter(name=name)",
        "text = safe if flat else scene_text\nstyle.axis('', ticktext=[text(n) for n in names])",
        "def f(text: Callable[[str], Drawn]):\n    go.Scatter(name=text(a))\nf(safe)",
        "for kind, look in LOOKS.items():\n    go.Scatter(name=kind, text=look.label)",
        f"{RECORD}replace(line, label=safe(run.name), title=run.name)",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is safe by these rules needs no exception."""
    assert Lint({"x.py": code}, RULE).breaches() == []
