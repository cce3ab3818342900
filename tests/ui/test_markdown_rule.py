"""Nothing becomes Markdown but by `viz3d.ui.text`: a lint of all that Streamlit reads as such.

Text is Markdown when it is written in the code, comes from one of the functions that make it safe,
or has the type `Markdown` in the signature that it comes through; then each caller and each
``return`` is looked at in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Of these calls Streamlit reads the first argument as Markdown, and of all calls those by name.
# Options of a choice, cells of a table, code and the text of an input are shown as they are.
SINKS = {
    "badge", "button", "caption", "checkbox", "dialog", "download_button", "error", "expander",
    "form_submit_button", "header", "info", "link_button", "markdown", "metric", "multiselect",
    "number_input", "page_link", "popover", "radio", "segmented_control", "selectbox", "slider",
    "spinner", "status", "subheader", "success", "tabs", "text_area", "text_input", "title",
    "toast", "toggle", "warning", "write",
}  # fmt: skip
NAMED = ("label", "help", "body", "text", "caption", "captions")
# They give numbers with a unit, and text that was made safe.
MAKERS = {"safe", "advice", "count", "size", "moment", "duration", "ago", "say"}
# How a number is written; text in its place raises.
NUMERIC = tuple(",dfeg%")
TYPE = "Markdown"


class Lint:
    """Looks through some files together.

    Parameters
    ----------
    files : dict of {name: code}
    """

    def __init__(self, files: dict[str, str]) -> None:
        self.trees = {name: ast.parse(code) for name, code in files.items()}
        self.functions = {
            node.name: node
            for tree in self.trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
        }
        self._open: list[str] = []
        self.makers = MAKERS | {
            name for name, function in self.functions.items() if _is_markdown(function.returns)
        }

    def breaches(self) -> list[str]:
        """Return every place where something else may be shown as Markdown."""
        return [
            f"{name}:{line}: {code}"
            for name, tree in self.trees.items()
            for line, code in self._look(tree, tree)
        ]

    def _look(self, node: ast.AST, scope: ast.AST) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            inner = child if isinstance(child, ast.FunctionDef) else scope
            if isinstance(child, ast.FunctionDef) and child.name in self.makers - MAKERS:
                yield from self._unsafe(child, inner, [
                    each.value for each in ast.walk(child)
                    if isinstance(each, ast.Return) and each.value
                ])  # fmt: skip
            if isinstance(child, ast.Call):
                yield from self._unsafe(child, inner, list(self._shown(child)))
            yield from self._look(child, inner)

    def _unsafe(
        self, at: ast.AST, scope: ast.AST, shown: list[ast.expr]
    ) -> Iterator[tuple[int, str]]:
        for each in shown:
            if not self._is_safe(each, scope):
                yield each.lineno, f"{getattr(at, 'name', '')}{ast.unparse(each)}"

    def _shown(self, call: ast.Call) -> Iterator[ast.expr]:
        """Yield what a call shows as Markdown, or hands on as such."""
        name = _called(call)
        on_streamlit = isinstance(call.func, ast.Attribute)
        if on_streamlit and name in SINKS:
            yield from call.args[: name != "page_link"]  # whose first argument is a path
            yield from (word.value for word in call.keywords if word.arg in NAMED)
        elif on_streamlit and name == "progress":
            yield from call.args[1:]
            yield from (word.value for word in call.keywords if word.arg in NAMED)
        elif name in self.functions:
            arguments = self.functions[name].args
            given = dict(zip([one.arg for one in arguments.args], call.args, strict=False))
            given |= {word.arg: word.value for word in call.keywords if word.arg}
            for one in (*arguments.args, *arguments.kwonlyargs):
                if _is_markdown(one.annotation) and one.arg in given:
                    yield given[one.arg]

    def _is_safe(self, node: ast.AST, scope: ast.AST) -> bool:
        match node:
            case ast.Constant() | ast.Call(func=ast.Name(id="len")):
                return True
            case ast.FormattedValue(value=value, format_spec=spec):
                return _is_numeric(spec) or self._is_safe(value, scope)
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, op=ast.Add(), right=other):
                return self._is_safe(one, scope) and self._is_safe(other, scope)
            case (
                ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.List(elts=parts)
                | ast.Tuple(elts=parts)
            ):  # fmt: skip
                return all(self._is_safe(part, scope) for part in parts)
            case (
                ast.Starred(value=value) | ast.Subscript(value=value, slice=ast.Slice())
                | ast.ListComp(elt=value) | ast.GeneratorExp(elt=value)
            ):  # fmt: skip
                return self._is_safe(value, scope)
        return (
            self._gives_safe(node, scope)
            if isinstance(node, ast.Call)
            else self._holds_safe(_root(node), scope)
        )

    def _gives_safe(self, call: ast.Call, scope: ast.AST) -> bool:
        match call.func:
            case ast.Name(id="map"):
                return ast.unparse(call.args[0]) in self.makers
            case ast.Attribute(value=text, attr="strip"):
                return self._is_safe(text, scope)
            case ast.Attribute(value=between, attr="join"):
                return self._is_safe(between, scope) and self._is_safe(call.args[0], scope)
        return _called(call) in self.makers or _root(call.func).isupper()

    def _holds_safe(self, name: str, scope: ast.AST) -> bool:
        """Say whether all that a function assigns to a name is safe, or it comes in as Markdown."""
        if name.isupper() or name in self._open:
            return True
        if isinstance(scope, ast.FunctionDef):
            for one in (*scope.args.args, *scope.args.kwonlyargs):
                if one.arg == name:
                    return _is_markdown(one.annotation)
        given = [
            each.value
            for each in ast.walk(scope)
            if isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
            and name in _names(each.targets[0] if isinstance(each, ast.Assign) else each.target)
        ]
        # Of what is safe all parts are.
        given += [
            each.iter
            for each in ast.walk(scope)
            if isinstance(each, ast.For | ast.comprehension) and name in _names(each.target)
        ]
        self._open.append(name)  # what is assigned may name it again
        safe = bool(given) and all(
            value is None or self._is_safe(_without(value, name), scope) for value in given
        )
        self._open.pop()
        return safe


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _without(value: ast.expr, name: str) -> ast.expr:
    """Return a list without ``*name``: ``said = [*said[:3], more]`` only adds to what it held."""
    if isinstance(value, ast.List):
        kept = [one for one in value.elts
                if not (isinstance(one, ast.Starred) and _root(one.value) == name)]  # fmt: skip
        return ast.List(kept, ast.Load())
    return value


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_markdown(annotation: ast.AST | None) -> bool:
    return annotation is not None and TYPE in {
        part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)
    }


def _is_numeric(spec: ast.AST | None) -> bool:
    constants = (
        [part.value for part in ast.walk(spec) if isinstance(part, ast.Constant)] if spec else []
    )
    return bool(constants) and str(constants[-1]).endswith(NUMERIC)


def shown_as_markdown() -> dict[str, str]:
    """Return the code that may use Streamlit."""
    files = [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("viz3d/ui/*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(files)}


def test_markdown_comes_from_the_functions_that_make_it_safe() -> None:
    """A name from data that reaches Markdown raw could load a picture or become a link."""
    assert Lint(shown_as_markdown()).breaches() == []


SIGNED = "def show(text: Markdown, plain: str) -> None: ...\n"


@pytest.mark.parametrize(
    "code",
    [
        "st.markdown(run.name)",
        "st.caption(f'of {run.name}')",
        "st.metric(label=name, value=1)",
        "st.toggle('x', help=run.name)",
        "bar.progress(0.5, text=run.name)",
        "st.info(', '.join(names))",
        "st.info(', '.join(map(str, names)))",
        "st.info(safe(name) + name)",
        "st.info(safe(name) if name else name)",
        "said = safe(name)\nsaid += name\nst.info(said)",
        "said = [safe(name)]\nsaid = [*said, name]\nst.info(' '.join(said))",
        "def f(text):\n    st.info(text)",
        "def f(text: str):\n    st.info(text)",
        f"{SIGNED}show(name, '')",
        f"{SIGNED}show(text=name)",
        "def word(name) -> Markdown:\n    return name",
        "st.error(str(error))",
        "said = name\nsaid = said.strip()\nst.info(said)",
        "st.info(f'{name:>20}')",
    ],
)
def test_the_lint_finds_what_goes_round_them(code: str) -> None:
    """Each way in which a name could get there is found."""
    assert Lint({"x.py": code}).breaches()


@pytest.mark.parametrize(
    "code",
    [
        "st.markdown('**so**')",
        "st.caption(f'{safe(name)}, {n:,} of {count(n, name)}')",
        "st.info('  '.join(map(safe, names)))",
        "st.info(WORDS[kind].label)",
        "def f(text: Markdown):\n    st.info(text)",
        f"{SIGNED}show(safe(name), name)",
        "def word(name) -> Markdown:\n    return safe(name)\nst.info(word(name))",
        "st.code(name)\nst.dataframe(rows)",
        "said = safe(name)\nsaid = said.strip()\nst.info(said)",
        "st.info(f'{n:.1f} of {1e3:g}')",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is safe by these rules needs no exception."""
    assert Lint({"x.py": code}).breaches() == []
