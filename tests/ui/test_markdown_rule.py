"""Nothing becomes Markdown but by `viz3d.ui.text`: a lint of all that Streamlit reads as such."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

from tests.text_flow import called, root
from tests.text_rule import Lint, Rule

ROOT = Path(__file__).resolve().parents[2]

# Calls on `st` that show no text, or show all of it as it is; of every other one, and of calls by
# the names below on anything, Streamlit reads the first argument as Markdown.
PLAIN = {
    "cache_data", "cache_resource", "code", "column_config", "columns", "container", "dataframe",
    "empty", "form", "fragment", "get_option", "json", "plotly_chart", "query_params", "rerun",
    "secrets", "session_state", "set_page_config", "sidebar", "stop",
}  # fmt: skip
SINKS = {
    "badge", "button", "caption", "checkbox", "dialog", "download_button", "error", "expander",
    "form_submit_button", "header", "info", "link_button", "markdown", "metric", "multiselect",
    "number_input", "page_link", "pills", "popover", "progress", "radio", "segmented_control",
    "select_slider", "selectbox", "slider", "spinner", "status", "subheader", "success", "table",
    "tabs", "text_area", "text_input", "title", "toast", "toggle", "warning", "write",
}  # fmt: skip
# Places of arguments that are Markdown, where it is not the first alone: a progress is a number at
# first, the link to a page a path, and `write` shows all that it gets.
PLACES = {
    "progress": slice(1, None), "page_link": slice(0), "metric": slice(3), "write": slice(None),
}  # fmt: skip
NAMED = {"label", "help", "body", "text", "caption", "captions"}
MORE_NAMED = {"metric": {"value", "delta"}, "table": {"data"}, "tabs": {"tabs"}}
# Choices whose options are Markdown, as `format_func` gives them; those of others are not.
CHOICES = {"pills", "radio", "segmented_control", "select_slider"}
# They give numbers with a unit, and text that was made safe.
MAKERS = frozenset({"safe", "advice", "count", "size", "moment", "duration", "ago", "say"})


def shown(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what Streamlit reads as Markdown, and its functions where they get another name."""
    if isinstance(node, ast.ImportFrom) and node.module == "streamlit":
        yield ast.Name(node.module, lineno=node.lineno)
    if isinstance(node, ast.Import):
        renamed = (one for one in node.names if one.name == "streamlit" and one.asname != "st")
        yield from (ast.Name(one.name, lineno=node.lineno) for one in renamed)
    if isinstance(node, ast.Call) and called(node) == "getattr":
        yield from (given for given in node.args[:1] if ast.unparse(given) == "st")
    # Of functions that are handed one of Streamlit's, `box` alone says that it takes Markdown.
    for child in ast.iter_child_nodes(node):
        used = isinstance(node, ast.Call | ast.Attribute) and child is _function(node)
        if not used and called(node) != "box" and _is_sink(child) and root(child) == "st":
            yield child
    if not isinstance(node, ast.Call) or not _is_sink(node.func):
        return
    name = called(node)
    yield from node.args[PLACES.get(name, slice(1))]
    named = NAMED | MORE_NAMED.get(name, set())
    words = {word.arg: word.value for word in node.keywords}
    yield from (value for word, value in words.items() if word in named)
    if name in CHOICES:
        for options in (*node.args[1:2], *filter(None, [words.get("options")])):
            how = words.get("format_func")
            yield _mapped(how, options) if how else options


def _function(node: ast.Call | ast.Attribute) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node.value


def _is_sink(function: ast.AST) -> TypeGuard[ast.Attribute]:
    if not isinstance(function, ast.Attribute):
        return False
    on_st = isinstance(function.value, ast.Name) and function.value.id == "st"
    return function.attr not in PLAIN if on_st else function.attr in SINKS


def _mapped(function: ast.expr, options: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name("map"), [function, options], []), options)


RULE = Rule("Markdown", MAKERS, shown)


def shown_as_markdown() -> dict[str, str]:
    """Return the code that may use Streamlit."""
    files = [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("viz3d/ui/*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(files)}


def test_markdown_comes_from_the_functions_that_make_it_safe() -> None:
    """A name from data that reaches Markdown raw could load a picture or become a link."""
    assert Lint(shown_as_markdown(), RULE).breaches() == []


BOX = "def box(show, what: Markdown, remedy: str) -> None: ...\n"
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
        "st.pills(run.name, [1, 2])",
        "st.pills('x', names)",
        "st.pills('x', names, format_func=str)",
        "st.radio('x', options=names)",
        "st.segmented_control('x', names)",
        "st.select_slider(run.name, [1, 2])",
        "st.metric('x', run.name)",
        "st.metric('x', 1, delta=run.name)",
        "st.table(names)",
        "st.tabs(names)",
        "st.write('so', name)",
        "st.new_in_streamlit(name)",
        "from streamlit import markdown\nmarkdown(name)",
        "w = st.markdown\nw(name)",
        "list(map(st.markdown, names))",
        "getattr(st, 'markdown')(name)",
        "import streamlit\nstreamlit.markdown(name)",
        f"{BOX}box(st.error, name, '')",
        "show(st.error, name)",
        "N = name\nst.markdown(N)",
        "def f(name):\n    N = name\n    st.markdown(N)",
        "N = f'{name}'\nst.markdown(N)",
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
        "st.pills('x', names, format_func=safe)",
        "st.metric('x', f'{n:,}', delta=count(n, 'run'))",
        "N = 'so'\nst.markdown(N)",
        f"{BOX}box(st.error, safe(name), name)",
        "st.selectbox('x', names)",
        "box = st.container()\nwith st.sidebar:\n    st.query_params['x'] = name",
    ],
)
def test_the_lint_lets_the_rest_be(code: str) -> None:
    """What is safe by these rules needs no exception."""
    assert Lint({"x.py": code}, RULE).breaches() == []
