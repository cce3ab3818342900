"""The import rule: layers import downwards only, and heavy packages stay in their place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Top to bottom; a part may import what stands in a lower row, and files of its own package.
ROWS = (
    {"app", "pages", "train", "__main__"},
    {"ui", "cli", "record"},
    {
        "cli_cache",
        "cli_check",
        "cli_demo",
        "cli_download",
        "cli_pack",
        "cli_plot",
        "cli_upload",
        "cli_wandb",
    },
    {"cli_runs"},
    {"cli_source"},
    {"cli_text"},
    {"export", "packing"},
    {"figures", "load"},
    {"load_entries", "load_listing"},
    {"parsed"},
    {"analysis", "sources", "formats"},
    # Two modules of one row: settings tell what is wrong with them as a run.Problem, never back.
    {"settings"},
    {"exposed"},
    {"run"},
    {"grid", "listed"},
    {"errors", "durations", "characters", "whole_file"},
)
# The lazy door and the version are no layer: the first reaches everything, the second nothing.
OUTSIDE = {"__init__", "version"}

# package -> the places (a part, a folder or one file of it) that may import it
PLACES = {
    "streamlit": {"ui", "app", "pages"},
    "plotly": {"figures", "export"},
    "sklearn": {"analysis"},
    "google": {"sources/gcs", "sources/login", "formats/wandb_records", "formats/wandb_offline"},
    "google.cloud": {"sources/gcs"},
    "transformers": {"record/huggingface"},
    "wandb": {"sources/wandb", "formats/wandb_offline", "export/wandb"},
}
# These are imported inside functions, wherever they are.
LATE = {"sklearn", "h5py", "google", "google_crc32c", "wandb", "scipy", "pyarrow", "torch",
        "transformers"}  # fmt: skip
# The training side must not cost a training loop more than numpy.
RECORD_AT_IMPORT = {"numpy", "viz3d"}


def breaches(root: Path) -> list[str]:
    """Return every breach of the rule in the tree at `root`, as ``file:line: what``."""
    return [
        f"{path.relative_to(root).as_posix()}:{line}: {what}"
        for path in _sources(root)
        for line, what in _check(path.relative_to(root), path.read_text("utf-8"))
    ]


def _sources(root: Path) -> list[Path]:
    return sorted([*root.glob("app.py"), *root.glob("pages/*.py"), *root.glob("viz3d/**/*.py")])


def _check(path: Path, code: str) -> Iterator[tuple[int, str]]:
    """Yield the breaches of one file."""
    place = path.with_suffix("").as_posix().removeprefix("viz3d/")
    part = place.split("/")[0]
    within = set(accumulate(place.split("/"), "{}/{}".format))
    inside = path.parts[0] == "viz3d"
    for line, module, late in _imports(ast.parse(code)):
        top = module.split(".")[0]
        for name in dict.fromkeys((top, ".".join(module.split(".")[:2]))):
            allowed = PLACES.get(name)
            if allowed is not None and not within & allowed:
                yield line, f"{name} belongs into {', '.join(sorted(allowed))} alone"
                break
        if top in LATE and not late and part not in {"train"}:
            yield line, f"{top} is heavy: import it inside the function that needs it"
        if part == "record" and not late and not _light(top):
            yield line, f"record/ may import numpy and the standard library alone, not {top}"
        if inside and module == "viz3d" and part not in OUTSIDE:
            yield line, "inside viz3d, import from the module that defines the name"
        if top == "viz3d" and "." in module and part not in OUTSIDE:
            yield from _upward(line, part, module.split(".")[1], late)


def _upward(line: int, part: str, target: str, late: bool) -> Iterator[tuple[int, str]]:
    if part == target or target in OUTSIDE:
        return
    if part == "record" and target in {"figures", "export"} and not late:
        yield line, f"record/ reaches {target}/ inside functions alone"
    if _row(target) <= _row(part):
        yield line, f"{part} must not import {target}: imports go one way, down the list"


def _row(part: str) -> int:
    return next((row for row, parts in enumerate(ROWS) if part in parts), -1)


def _light(top: str) -> bool:
    return top in RECORD_AT_IMPORT or top in sys.stdlib_module_names


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield line, module and whether it is inside a function; type-checking blocks do not run."""

    def visit(node: ast.AST, late: bool) -> Iterator[tuple[int, str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from ((child.lineno, alias.name, late) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "relative imports hide what is imported"
                module = child.module or ""
                # `from viz3d import ui` names the part; `from viz3d import Run` names an object.
                parts = {name for row in ROWS for name in row} | OUTSIDE
                for alias in child.names:
                    named = module == "viz3d" and alias.name in parts
                    yield child.lineno, f"viz3d.{alias.name}" if named else module, late
            else:
                inner = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
                yield from visit(child, inner)

    yield from visit(tree, False)


def test_imports_go_one_way() -> None:
    """No file of the project imports upwards, sideways, or a heavy package out of its place."""
    assert breaches(ROOT) == []


def test_every_part_has_a_row() -> None:
    """A new package or module has to be given its place in the list."""
    here = {path.stem for path in (ROOT / "viz3d").iterdir() if _is_code(path)}
    assert here - OUTSIDE <= {part for row in ROWS for part in row} | {"samples"}


def _is_code(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))


@pytest.mark.parametrize(
    ("path", "code", "what"),
    [
        ("viz3d/analysis/a.py", "from viz3d.figures.chart import Chart", "must not import figures"),
        ("viz3d/sources/a.py", "from viz3d.formats.base import Claim", "must not import formats"),
        ("viz3d/figures/a.py", "def f():\n    import viz3d.ui.chart", "must not import ui"),
        ("viz3d/run.py", "from viz3d import settings", "must not import settings"),
        ("viz3d/cli.py", "import streamlit", "streamlit belongs"),
        ("viz3d/ui/a.py", "import plotly.graph_objects as go", "plotly belongs"),
        ("viz3d/figures/a.py", "def f():\n    from sklearn import cluster", "sklearn belongs"),
        ("viz3d/analysis/a.py", "from sklearn import cluster", "inside the function"),
        ("viz3d/sources/local.py", "def f():\n    import google.cloud.storage", "google belongs"),
        ("viz3d/sources/login.py", "def f():\n    import google.cloud", "google.cloud belongs"),
        ("viz3d/ui/a.py", "def f():\n    import wandb", "wandb belongs"),
        ("viz3d/export/a.py", "def f():\n    import wandb", "wandb belongs"),
        ("viz3d/export/wandb/a.py", "import wandb", "inside the function"),
        ("viz3d/record/a.py", "import pandas", "numpy and the standard library alone"),
        ("viz3d/record/a.py", "from viz3d.figures import kinds", "inside functions alone"),
        ("viz3d/load.py", "from viz3d import Run", "the module that defines"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, path: str, code: str, what: str) -> None:
    """Each kind of breach is reported with its line, so that the rule cannot rot unseen."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(code, "utf-8")
    [found] = breaches(tmp_path)
    assert found.startswith(f"{path}:")
    assert what in found


def test_type_hints_may_look_anywhere_below_them(tmp_path: Path) -> None:
    """An import for annotations alone costs nothing at run time and is no breach."""
    (tmp_path / "viz3d").mkdir()
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import plotly\n"
    (tmp_path / "viz3d" / "run.py").write_text(code, "utf-8")
    assert breaches(tmp_path) == []
