"""Eighty names that folders should not have, through every command and the app."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.bad_inputs.case import lines
from tests.bad_inputs.test_app import alone, opened  # noqa: F401 - a fixture
from viz3d.cli import main
from viz3d.load import list_runs, load_run, open_source

pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="no name there may be just any bytes"
)

NAMES = tuple(
    os.fsencode(name) if isinstance(name, str) else name
    for name in (
        # Ways out, places, devices
        "%2e%2e%2fx", "C:\\x", "\\\\host\\share", "a\\b", "CON", "NUL", "aux.txt", "com1", "~",
        "~root", "gs:", "wandb:", "sample", "latest", "run", "runs", "metrics.jsonl", "a.jsonl.gz",
        # What steers a terminal or cannot be seen
        "a\nb", "a\rb", "a\tb", "a\x1b[31mred", "\x07bell", "\x7fdel", "a\x85nel", "a\u2028b",
        "\u202egnp.exe", "\u200b", "\ufeffbom", "l\u043ess", "a\u00a0b", b"\xff\xfe", b"caf\xe9",
        b"\xed\xa0\x80",
        # Long, from the right, combined, of one look
        "x" * 255, "é" * 127, "🚀🔥💥", "👩\u200d🚀", "e\u0301" * 60, "\u05e9\u05dd 1", "Ａ",
        "ﬀ", "ı", "İ",
        # What a shell, a parser, a template or Markdown would act on
        "-rf", "--help", "-", "'single'", '"double"', "`tick`", "$(touch pwned)", "$HOME", "a;b",
        "a|b", "a&b", "a>b", "*", "?", "[a]", "{a,b}", "!bang", "#hash", "=cmd|", "@SUM(A1)",
        "<script>alert(1)<|script>", "%{x}", "$x^2$", "[a](javascript:alert(1))", "{names}",
        "{limit:METRICS}", "{0}", "%s%n", "nan", "None", "0", "a#b?c=d&e", "a b+c",
        # Blanks, dots, and the signs that stand between names
        "trail.", "trail ", " lead", "a  b", "a::b", "::", "a · b",
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run in a folder of each name."""
    root = tmp_path_factory.mktemp("hostile")
    for at, name in enumerate(NAMES):
        folder = Path(os.fsdecode(os.fsencode(root) + b"/" + name))
        rows = (f'{{"step": {step}, "loss": {step + at}}}' for step in range(3))
        lines(folder, *rows, name="metrics.jsonl")
    return root


@pytest.fixture(scope="module")
def names(hostile: Path) -> list[str]:
    return [info.name for info in list_runs(open_source(hostile))]


def test_each_is_listed_apart(
    hostile: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(NAMES) > 80
    assert len({*names}) == len(names) == len(NAMES)
    assert main(["list", str(hostile), "--json"]) == 0
    assert [run["name"] for run in json.loads(capsys.readouterr().out)] == names
    assert main(["list", str(hostile)]) == 0
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == len(NAMES)
    assert printed.replace("\n", "").isprintable()
    assert main(["check", str(hostile)]) == 0
    assert capsys.readouterr().out.replace("\n", "").isprintable()


def test_each_is_shown_by_its_name_and_by_its_path(
    hostile: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own rows and no other's; what is said of it stands on lines of its own."""
    for name in names:
        assert main(["show", "--source", str(hostile), "--json", "--", name]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["name"] == name
        assert err.replace("\n", "").isprintable()
    for at, name in enumerate(NAMES):
        run = load_run(os.fsdecode(os.fsencode(hostile) + b"/" + name))
        assert run.history["loss"].iloc[0] == at


def test_all_are_drawn_and_exported(
    hostile: Path, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.json"
    words = ["plot", "curves", "--source", str(hostile), "--output", str(file), "--", *names]
    assert main(words) == 0
    assert capsys.readouterr().err.replace("\n", "").isprintable()
    figure = json.loads(file.read_text("utf-8"))
    assert {run["name"] for run in figure["layout"]["meta"]["viz3d"]["runs"]} == {*names}
    assert "<script" not in json.dumps([trace.get("name") for trace in figure["data"]])
    assert not list(tmp_path.glob("pwned*"))


def test_all_are_downloaded_into_the_folder(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["download", str(hostile), "--all", "--include", "metrics.jsonl"]
    assert main([*words, "--output", "out/here"]) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(NAMES)
    assert all(path.resolve().is_relative_to(tmp_path / "out" / "here") for path in files)
    assert len({str(path).casefold() for path in files}) == len(NAMES)
    shutil.rmtree(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_app_opens_them(hostile: Path, names: list[str]) -> None:
    app = opened("app.py", hostile, names)
    assert not app.exception
    assert app.session_state["run"] == names
