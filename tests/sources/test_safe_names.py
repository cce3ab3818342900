"""Names that every file system can hold."""

from __future__ import annotations

import random
import re
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.sources.safe_names import PART_BYTES, safe_part, safe_paths

# Every code point, halves of characters included, and what is special somewhere more often.
TEXT = st.text(
    st.characters()
    | st.characters(categories=["Cs", "Cc", "Cf"])
    | st.sampled_from(' ./\\:~?*"1aA')
)
HASH = "-[0-9a-f]{10}"


def fits_windows(part: str) -> bool:
    """Say whether Windows' own rules, as the standard library has them, take `part` as it is."""
    stem = part.partition(".")[0].rstrip(" ").upper()
    devices = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    devices |= {kind + digit for kind in ("COM", "LPT") for digit in "0123456789¹²³"}
    return (
        part == part.rstrip(". ")
        and stem not in devices
        and not set(part) & set('<>:"/\\|?*')
        and all(unicodedata.category(char) not in ("Cc", "Cs") for char in part)
        and PureWindowsPath(part).parts == (part,)
    )


def folded(path: PurePosixPath) -> str:
    """Return what a file system that knows neither case nor accents' spelling makes of a path."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())


@pytest.mark.parametrize(
    "name",
    ["metrics.jsonl", "aquarat-20251023-143022", "lr=1e-3, seed 0 (2)", "ünï-日本-🎉", ".hidden",
     "a" * 255, "console", "com", "auxiliary.txt", "a..b", "-x", "x~", "step~100000.json"],
)  # fmt: skip
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    """What people call their runs is what they find on their disk."""
    assert safe_part(name) == name


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("a:b.json", f"a_b{HASH}.json"),
        ("..", f"_{HASH}"),
        (".", f"_{HASH}"),
        ("", f"_{HASH}"),
        ("C:\\x", f"C__x{HASH}"),
        ("\\\\?\\x", f"____x{HASH}"),
        ("file:stream", f"file_stream{HASH}"),
        ("CON", f"_CON{HASH}"),
        ("aux.txt", f"_aux{HASH}.txt"),
        ("nul .tar.gz", f"_nul .tar{HASH}.gz"),
        ("COM¹.log", f"_COM¹{HASH}.log"),
        ("conin$", rf"_conin\${HASH}"),
        ("end. .", f"end{HASH}"),
        ("a\x1b[31m\n\0b", rf"a_\[31m__b{HASH}"),
        ("a\ud800b.csv", f"a_b{HASH}.csv"),
        ("gpj\u202egpj.exe", f"gpj_gpj{HASH}.exe"),
        ("METRIC~1.JSO", f"METRIC~1{HASH}.JSO"),
        ("x" * 300 + ".jsonl", f"x{{238}}{HASH}.jsonl"),
        ("ü" * 200, f"ü{{122}}{HASH}"),
    ],
)
def test_a_name_that_has_to_change_still_reads(name: str, looks: str) -> None:
    """What can be kept is kept, the suffix above all, and a hash says that it was changed."""
    assert re.fullmatch(looks, safe_part(name))


@settings(deadline=None)
@given(TEXT)
@example("CLOCK$")
@example("com0.x")
@example("a" * 254 + "é")
def test_any_name_fits_any_file_system(name: str) -> None:
    """Whatever comes out can be held, and needs no change any more."""
    part = safe_part(name)
    assert fits_windows(part)
    assert 0 < len(part.encode("utf-8")) <= PART_BYTES
    assert safe_part(part) == part


@settings(deadline=None)
@given(TEXT)
@example("../../x")
@example("/etc/passwd")
@example("//host/share/x")
@example("~/x")
@example("/".join("ab" * 600))
@example("/".join(["x" * 200] * 5))
@example("/".join(":" * 510))
def test_no_path_leads_out_of_its_folder(path: str) -> None:
    """Joined to a folder, on Windows too, a path stays in it, and below every system's limit."""
    safe = safe_paths([path])[path]
    assert safe.parts
    assert all(fits_windows(part) for part in safe.parts)
    assert len(str(safe).encode()) < 900
    inside = PureWindowsPath("C:/out").joinpath(*safe.parts)
    assert inside.parts == ("C:\\", "out", *safe.parts)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=12), st.randoms())
@example(["a", "a/b", "A/c", "a"], random.Random(0))
@example(["é/x", "e\u0301/y", "É/z"], random.Random(0))
@example(["ſ", "s", "S", "ß", "ss"], random.Random(0))
@example(["a:", safe_part("a:"), "a?", safe_part("a?")], random.Random(0))
@example(["\ud800", "\ud801", "a\u200db", "ab"], random.Random(0))
@example([*("/".join("ab" * n) for n in range(300, 312)), "/".join("ab" * 300) + "/x/y"],
         random.Random(0))  # fmt: skip
def test_no_two_paths_fall_together(paths: list[str], shuffle: random.Random) -> None:
    """Neither files nor folders do, nor a file and a folder; the order does not matter."""
    safe = safe_paths(paths)
    assert set(safe) == set(paths)
    files = {folded(path) for path in safe.values()}
    assert len(files) == len(safe)
    parents: dict[str, set[str]] = {}
    for path, place in safe.items():
        parents.setdefault(folded(place.parent), set()).add(path.rpartition("/")[0])
        assert not files & {folded(parent) for parent in place.parents}
    assert all(len(originals) == 1 for parent, originals in parents.items() if parent != ".")
    shuffle.shuffle(paths)
    assert safe_paths(paths) == safe


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Run", "run"),
        ("é", "e\u0301"),
        ("É", "e\u0301"),
        ("ab", "a\u200db"),
        ("I", "ı"),
        ("S", "ſ"),
    ],
)
def test_names_that_are_one_to_some_file_system_are_told_apart(name: str, twin: str) -> None:
    """Neither case nor the spelling of accents nor what cannot be seen makes the difference."""
    assert {str(path) for path in safe_paths([name, twin]).values()} & {name, twin} == {
        min(name, twin)
    }


def test_who_is_called_like_a_changed_name_keeps_it() -> None:
    """A name that needs no change is not taken by one that does."""
    ordinary = safe_part("a:")
    assert str(safe_paths(["a:", ordinary])[ordinary]) == ordinary


def test_halves_of_characters_count_in_the_hash() -> None:
    """Names that are not even text are told apart when each is asked for alone."""
    assert safe_part("\ud800") != safe_part("\ud801")


def test_what_clashes_with_nothing_keeps_its_name_beside_what_does() -> None:
    """Of names that may be one to a file system, the first keeps its name, folders before files."""
    safe = safe_paths(["Run/x", "run/x", "run/y", "report", "report/report.md", "other/run/x"])
    kept = {path for path, place in safe.items() if str(place) == path}
    assert kept == {"Run/x", "report/report.md", "other/run/x"}
    assert safe["run/x"].parent == safe["run/y"].parent


def test_such_files_can_be_written(tmp_path: Path) -> None:
    """A batch of the worst names ends up as as many files, each with its own content."""
    paths = ["../x", "/x", "x", "x/y", "X", "a:b", "CON", "..", "a//b", "é", "e\u0301", "n" * 900]
    for path, place in safe_paths(paths).items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(path)
    written = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(written) == sorted(paths)
