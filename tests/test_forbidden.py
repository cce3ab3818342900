"""What no file of the project may use: it would run, unpickle or show as HTML what data holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# They run code that stands in a file.
PACKAGES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
NAMES = {"read_pickle", "to_pickle", "unsafe_load", "full_load", "UnsafeLoader", "FullLoader",
         "unpickle"}  # fmt: skip
# They show text as HTML, or keep pickles in a cache on disk.
STREAMLIT = {"html", "iframe"}
# With one value only, or not at all.
ALLOWED = {
    "unsafe_allow_html": (),
    "unsafe_allow_javascript": (),
    "persist": (),
    "allow_pickle": (False,),
    "weights_only": (True,),
    "escape": (True,),
}
# What makes nodes of text, or runs it.
SCRIPTED = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser|srcdoc"
    r"|setHTML|document\s*\.\s*write|\beval\s*\(|\bFunction\s*\(|javascript:"
    r"|set(?:Timeout|Interval)\s*\(\s*[\"'`]|setAttribute\(\s*[\"'`](?:on|href|src|style)"
)


def uses(code: str) -> Iterator[str]:
    """Yield what a file uses that none may."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names if one.name.split(".")[0] in PACKAGES)
            case ast.ImportFrom(module=str() as module, names=names):
                yield from [module] if module.split(".")[0] in PACKAGES else []
                yield from (one.name for one in names if one.name in NAMES)
            case ast.Attribute(attr=attr) | ast.Name(id=attr) if attr in NAMES:
                yield attr
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield name
            case ast.Call(func=ast.Attribute(value=of, attr=attr)):
                yield from _method(ast.unparse(of), attr, node)
            case ast.keyword(arg=str() as name, value=value) if name in ALLOWED:
                constant = value.value if isinstance(value, ast.Constant) else value
                yield from [name] if constant not in ALLOWED[name] else []


def _method(of: str, attr: str, call: ast.Call) -> Iterator[str]:
    given = {word.arg for word in call.keywords}
    if of.split(".", maxsplit=1)[0] in ("st", "components", "v1") and attr in STREAMLIT:
        yield f"{of}.{attr}"
    if (of, attr) == ("torch", "load") and "weights_only" not in given:
        yield "torch.load"
    if (of, attr) == ("yaml", "load") and "SafeLoader" not in ast.unparse(call):
        yield "yaml.load"


def python_files() -> list[Path]:
    """Return the code of the project."""
    return sorted([ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("viz3d/**/*.py")])


def test_no_file_runs_unpickles_or_renders_what_data_holds() -> None:
    """The one loader of YAML is a SafeLoader of its own; ruff looks at it too (S506)."""
    found = [
        (path.relative_to(ROOT).as_posix(), what)
        for path in python_files()
        for what in uses(path.read_text("utf-8"))
    ]
    assert found == [("viz3d/formats/config.py", "yaml.load")]


def test_scripts_set_text_and_never_markup() -> None:
    """Names reach the page of a browser as `textContent` and attributes that run nothing."""
    scripts = sorted(ROOT.glob("viz3d/**/*.js"))
    assert scripts
    found = [
        (path.name, match[0])
        for path in scripts
        for match in SCRIPTED.finditer(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import dill.settings",
        "eval(text)",
        "exec(text)",
        "pd.read_pickle(path)",
        "yaml.load(text)",
        "yaml.load(text, Loader)",
        "yaml.unsafe_load(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "st.markdown(text, unsafe_allow_html=True)",
        "st.html(text)",
        "st.components.v1.html(text)",
        "v1.html(text)",
        "st.cache_data(persist='disk')",
        "@st.cache_data(persist='disk')\ndef f(): ...",
        "frame.to_html(escape=False)",
    ],
)
def test_a_use_is_found(code: str) -> None:
    """Each of them is reported."""
    assert list(uses(code))


@pytest.mark.parametrize(
    "code",
    [
        "model.eval()",
        "yaml.load(text, yaml.SafeLoader)",
        "torch.load(path, map_location='cpu', weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "frame.to_html(index=False)",
        "re.compile('a')",
        "from html import escape",
    ],
)
def test_the_rest_may_be_used(code: str) -> None:
    """What only looks like them is left alone."""
    assert list(uses(code)) == []


@pytest.mark.parametrize(
    "script",
    [
        "div.innerHTML = name",
        "div.insertAdjacentHTML('beforeend', name)",
        "document.write(name)",
        "eval(name)",
        "new Function(name)",
        "setTimeout('go()', 1)",
        "a.setAttribute('onclick', name)",
    ],
)
def test_a_use_in_a_script_is_found(script: str) -> None:
    """Each way from text to nodes or code is reported."""
    assert SCRIPTED.search(script)
