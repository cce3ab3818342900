"""Finding the run that a name means."""

from __future__ import annotations

import pytest

from viz3d.errors import RunNotFound
from viz3d.run import RunInfo
from viz3d.sources.finding import find_run

NAMES = ("x/runs/aquarat-20251023-222655", "y/a", "z/a", "a", "deep/y/b", "log.txt")
INFOS = [RunInfo(name, "s", None, 0, ()) for name in NAMES]


@pytest.mark.parametrize(
    ("asked", "found", "inside"),
    [
        ("y/a", "y/a", ""),
        ("a", "a", ""),
        ("aquarat-20251023-222655", "x/runs/aquarat-20251023-222655", ""),
        ("y/b", "deep/y/b", ""),
        ("runs/a", "a", ""),
        ("log.txt::base-2", "log.txt", "base-2"),
        ("b::rl", "deep/y/b", "rl"),
    ],
)
def test_a_name_or_its_unambiguous_end_finds_the_run(asked: str, found: str, inside: str) -> None:
    """An exact name wins; else a trailing part will do; ``::`` names a run inside."""
    info, rest = find_run(INFOS, asked, "s")
    assert (info.name, rest) == (found, inside)


def test_an_ambiguous_end_lists_the_runs() -> None:
    """Two runs that end alike are named, so that one can be chosen."""
    infos = [info for info in INFOS if info.name != "a"]
    with pytest.raises(RunNotFound, match=r"2 runs in 's' are called 'a'.*'y/a', 'z/a'"):
        find_run(infos, "a", "s")


def test_an_unknown_name_lists_the_closest() -> None:
    """A typing mistake is answered with what was probably meant."""
    with pytest.raises(RunNotFound, match="no run 'aquarat-20251023' in 's'; closest: 'x/runs/aq"):
        find_run(INFOS, "aquarat-20251023", "s")
    with pytest.raises(RunNotFound, match="list them, or check the path"):
        find_run(INFOS, "@@@@@@@", "s")


def test_a_name_in_another_folder_is_not_taken_for_the_run() -> None:
    """Who asks for ``w/a`` does not get ``a``, which is another run."""
    with pytest.raises(RunNotFound, match="no run 'w/a'"):
        find_run(INFOS, "w/a", "s")
