"""When a page looks again by itself, what makes it draw anew, and what it says meanwhile."""

from __future__ import annotations

from time import monotonic

import pytest

from viz3d.errors import SourceError
from viz3d.run import FileInfo, RunInfo
from viz3d.ui.listing import Listed
from viz3d.ui.live import differs, is_live, last_change, words

NOW = 1_800_000_000.0


def listed(*generations: str, as_of: float | None = None, changed: float = NOW) -> Listed:
    """Return a listing of runs ``run-0``, ``run-1`` … in these states."""
    infos = tuple(
        RunInfo(f"run-{i}", "b", changed, 1, (), (FileInfo(f"run-{i}/m", 1, changed, state),))
        for i, state in enumerate(generations)
    )
    return Listed("gs://b", None, infos, as_of, checked=monotonic())


@pytest.mark.parametrize(
    ("found", "differ"),
    [
        (listed("1", "1"), False),
        (listed("2", "1"), True),
        (listed("1", "2"), False),
        (listed(), True),
        (listed("1", "1", as_of=NOW), True),
        (Listed("gs://b", error=SourceError("away")), False),
    ],
    ids=["same", "grown", "another grew", "gone", "away now", "failed"],
)
def test_only_what_is_shown_makes_the_page_draw_anew(found: Listed, differ: bool) -> None:
    """A selected run that changed, or the bucket coming or going; not its neighbours."""
    assert differs(listed("1", "1"), found, ["run-0"]) is differ


@pytest.mark.parametrize(
    ("age", "live"), [(5, True), (599, True), (601, False), (-30, True), (-86_400, False)]
)
def test_run_counts_as_written_for_ten_minutes(age: float, live: bool) -> None:
    """Clocks never agree, so a moment ahead counts; a day ahead is a wrong clock."""
    assert is_live(NOW - age, NOW) is live
    assert not is_live(None, NOW)


def test_newest_file_counts() -> None:
    """Of several runs the one that changed last keeps the page looking."""
    both = (*listed("1", changed=NOW - 5000).infos, *listed("1", changed=NOW - 5).infos)
    assert last_change(both) == NOW - 5
    assert last_change([]) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (NOW - 12, "Last change 12 s ago."),
        (NOW - 300, "Last change 5 min ago."),
        (NOW + 5, "Last change just now."),
        (NOW + 7200, "Last change 2 h ahead of this computer's clock."),
    ],
)
def test_times_read_well(changed: float, said: str) -> None:
    """No time reads as minus five seconds, and one that cannot be is told as such."""
    assert words(listed("1"), changed, NOW, again=False) == f"{said} Checked just now."
    assert words(listed("1"), changed, NOW, again=True).endswith("Checked just now, unchanged.")


def test_silence_is_told() -> None:
    """A bucket that is away is asked again, and the page says so."""
    away = words(listed("1", as_of=NOW - 60), NOW, NOW, again=True)
    assert away == "Asked just now, no answer. It is asked every 15 s."
    failed = Listed("gs://b", error=SourceError("away"), checked=monotonic())
    assert "what was read before is shown" in words(failed, None, NOW, again=True)
