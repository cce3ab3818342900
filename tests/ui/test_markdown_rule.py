"""Nothing becomes Markdown but by `viz3d.ui.text`: a lint of all that Streamlit reads as such."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.text_flow import called
from tests.text_rule import Lint, Rule

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
MAKERS = frozenset({"safe", "advice", "count", "size", "moment", "duration", "ago", "say"})


def shown(call: ast.AST) -> Iterator[ast.expr]:
    """Yield the arguments of a call that Streamlit reads as Markdown."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    name = called(call)
    if name not in (*SINKS, "progress"):
        return
    if name == "progress":  # whose first argument is a number
        yield from call.args[1:]
    elif name != "page_link":  # whose first argument is a path
        yield from call.args[:1]
    yield from (word.value for word in call.keywords if word.arg in NAMED)


RULE = Rule("Markdown", MAKERS, shown)


def shown_as_markdown() -> dict[str, str]:
    """Return the code that may use Streamlit."""
    files = [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("viz3d/ui/*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(files)}


def test_markdown_comes_from_the_functions_that_make_it_safe() -> None:
    """A name from data that reaches Markdown raw could load a picture or become a link."""
    assert Lint(shown_as_markdown(), RULE).breaches() == []


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
        "for name, kind in KINDS.items():\n    st.info(kind.of(run).name + run.name)",
        "said = []\nsaid.extend(names)\nst.info(' '.join(said))",
    ],
)
def test_the_lint_finds_what_goes_round_them(code: str) -> None:
    """Each way in which a name could get there is found."""
    assert Lint({"x.py": code}, RULE).breaches()


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
        "for name, kind in KINDS.items():\n    st.info(kind.label)",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is safe by these rules needs no exception."""
    assert Lint({"x.py": code}, RULE).breaches() == []
