"""What is told says what to do now; what says nothing is listed here with the reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.formats.nothing_to_do import NOTHING_TO_DO
from viz3d.formats import limits, remedies
from viz3d.formats.tally import Tally

ROOT = Path(limits.__file__).resolve().parents[1]

# Texts that the code does not show: those of errors end with what to do, those of caps name theirs.
NOT_SEEN = {"str(error)", "too_much", "what", "text.LONG_LINE"}


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}


Names = Mapping[str, Sequence[ast.expr]]


def named(tree: ast.Module) -> Names:
    """Return what a module calls by each name, in any of its functions."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, ast.FunctionDef):
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            found.setdefault(f"{node.name}()", []).extend(filter(None, returned))
    return found


@cache
def imported(path: Path) -> Names:
    """Return the texts that a module takes from others of viz3d."""
    found: dict[str, Sequence[ast.expr]] = {}
    for node in ast.walk(trees()[path]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("viz3d."):
            other = ROOT.parent / f"{(node.module or '').replace('.', '/')}.py"
            there = named(trees()[other]) if other in trees() else {}
            found |= {one.name: there[one.name] for one in node.names if one.name in there}
    return found


def texts(node: ast.expr, names: Names) -> Iterator[str]:
    """Yield what an expression may say, as far as the code shows it."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, names)
        yield from texts(node.orelse, names)
    elif isinstance(node, ast.Name) and (values := names.get(node.id)):
        for value in values:
            yield from texts(value, {})
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".format"):
        assert isinstance(node.func, ast.Attribute)
        yield from texts(node.func.value, names)
    elif isinstance(node, ast.Call) and (returned := names.get(f"{ast.unparse(node.func)}()")):
        for value in returned:
            yield from texts(value, names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".filled"):
        yield from map(limits.filled, texts(node.args[0], names))
    elif isinstance(node, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        yield "".join(parts)
    else:
        yield ast.unparse(node)


def told(*, remedy: bool) -> Iterator[tuple[str, str]]:
    """Yield place and sentence of what is told with a remedy of its own, or with none."""
    for path, tree in trees().items():
        names = {**imported(path), **named(tree)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args or _unpacks(node):
                continue
            call, given = node.func, {one.arg for one in node.keywords}
            counted = (
                isinstance(call, ast.Attribute)
                and call.attr == "add"
                and "tally" in ast.unparse(call.value).lower()
            )
            problem = isinstance(call, ast.Name) and call.id == "Problem" and len(node.args) == 1
            if (counted or problem) and ("remedy" in given) == remedy:
                for text in texts(node.args[0], names):
                    yield f"{path.name}:{node.lineno}", text


def counted_sentences() -> Iterator[tuple[str, str]]:
    """Yield every sentence of a format that a count is put into, whichever way it is handed on."""
    with_remedy = {text for _, text in told(remedy=True)}
    for path, tree in trees().items():
        if path.parent.name != "formats":
            continue
        parts = {
            part
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node not in parts:
                text = str(node.value)
                if text.startswith("{n} ") and text not in with_remedy:
                    yield f"{path.name}:{node.lineno}", text


def _unpacks(call: ast.Call) -> bool:
    return isinstance(call.args[0], ast.Starred)


TOLD = sorted({*told(remedy=False), *counted_sentences()})


def has_remedy(sentence: str) -> bool:
    return bool(limits.remedy(sentence) or remedies.remedy(sentence))


def test_the_code_is_searched() -> None:
    """A search that found nothing would agree to everything."""
    assert len(TOLD) > 80
    assert len([text for _, text in TOLD if has_remedy(text)]) > 50


@pytest.mark.parametrize(("place", "sentence"), TOLD, ids=[place for place, _ in TOLD])
def test_what_is_told_has_a_remedy_or_a_reason_to_have_none(place: str, sentence: str) -> None:
    """A new sentence decides: a remedy in `remedies`, or a line in `NOTHING_TO_DO`."""
    assert (
        has_remedy(sentence)
        or sentence in NOT_SEEN
        or any(phrase in sentence for phrase in NOTHING_TO_DO)
    ), sentence


def test_no_reason_is_left_of_a_sentence_that_is_told_no_more() -> None:
    for phrase in NOTHING_TO_DO:
        assert any(phrase in text and not has_remedy(text) for _, text in TOLD), phrase


@pytest.mark.parametrize(
    ("sentence", "what", "remedy"),
    [
        (
            "The file was left out: it is encrypted; write it without encryption.",
            "The file was left out: it is encrypted.",
            "Write it without encryption.",
        ),
        (
            "The file was not read (JSONL: it is UTF-16 text; convert it with `iconv -f UTF-16`).",
            "The file was not read (JSONL: it is UTF-16 text).",
            "Convert it with `iconv -f UTF-16`.",
        ),
        (
            "The landscape was left out: it has a; set VIZ3D_MAX_GRID_NODES to more if you trust "
            "the file.",
            "The landscape was left out: it has a.",
            "Set VIZ3D_MAX_GRID_NODES to more if you trust the file.",
        ),
        (
            "The file was left out: it is no text.",
            "The file was left out: it is no text.",
            "Copy or write it once more if it should be whole.",
        ),
    ],
)
def test_a_reason_that_says_what_to_do_is_the_remedy(sentence: str, what: str, remedy: str) -> None:
    assert remedies.parted(sentence) == (what, remedy)
    tally = Tally("a")
    tally.add(sentence)
    (problem,) = tally.problems()
    assert (problem.what, problem.remedy) == (what, remedy)


def test_a_name_is_no_remedy() -> None:
    """What a metric is called stays in the sentence."""
    name = "x; write it without encryption"
    tally = Tally("a")
    tally.add("Odd: {names}.", name=name)
    assert tally.problems()[0].what == f"Odd: {name}."
