"""Runs that are still being written: the page looks again by itself and draws what has grown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.sources.sample import NAME as SAMPLE
from viz3d.ui.text import Markdown, ago, duration
from viz3d.ui.waiting import listings

if TYPE_CHECKING:
    from viz3d.run import RunInfo
    from viz3d.settings import Settings
    from viz3d.ui.listing import Listed

# Seconds between two looks, and how long after its last change a run counts as being written.
EVERY, LIVE = 15.0, 600.0
# What is not listed by then is seen at the next look.
PATIENCE = 2.0
# A change this far ahead of the clock is told as what it is: one of two clocks is wrong.
SKEW = 60.0


def watch(listed: Listed, chosen: Sequence[RunInfo], settings: Settings) -> None:
    """Look again every few seconds while a chosen run grows, or while the source is away.

    Parameters
    ----------
    listed : Listed
        What the page shows.
    chosen : sequence of RunInfo
        The selected entries of it.
    settings : Settings
    """
    if listed.text == SAMPLE:
        return  # recordings; a fresh installation has just written their files
    if listed.as_of is not None or is_live(last_change(chosen), time.time()):
        _look(listed, [info.name for info in chosen], settings)


@st.fragment(run_every=EVERY)
def _look(listed: Listed, names: Sequence[str], settings: Settings) -> None:
    """Compare the source with what the page shows; where it differs, run the page again."""
    inquiry = listings().ask(listed.text, settings)
    inquiry.done.wait(PATIENCE)
    found = inquiry.listed or listed
    if differs(listed, found, names):
        st.rerun()
    changed = last_change([info for info in found.infos if info.name in set(names)])
    if listed.as_of is None and found.error is None and not is_live(changed, time.time()):
        st.rerun()  # it has ended: the page goes on without looking
    st.caption(words(found, changed, time.time(), again=found is not listed))


def differs(shown: Listed, found: Listed, names: Sequence[str]) -> bool:
    """Say whether a newer listing changes what a page shows of some runs.

    One that failed changes nothing: what was read stays on the page.
    """
    if found is shown or found.error is not None:
        return False
    if (shown.as_of is None) != (found.as_of is None):
        return True
    return _states(shown, names) != _states(found, names)


def _states(listed: Listed, names: Sequence[str]) -> set[tuple[str, str, str]]:
    wanted = set(names)
    return {
        (info.name, file.path, file.generation)
        for info in listed.infos
        if info.name in wanted
        for file in info.files
    }


def last_change(infos: Sequence[RunInfo]) -> float | None:
    """Return when the newest file of some runs was changed, seconds since 1970."""
    return max((info.changed for info in infos if info.changed is not None), default=None)


def is_live(changed: float | None, now: float) -> bool:
    """Say whether something that changed then is probably still being written.

    A time slightly ahead counts too: the clock of the source and ours never agree.
    """
    return changed is not None and abs(now - changed) <= LIVE


def words(found: Listed, changed: float | None, now: float, *, again: bool) -> Markdown:
    """Say when the runs changed last and when that was looked at.

    Parameters
    ----------
    found : Listed
        The last listing.
    changed : float or None
        When the newest file of the runs was changed.
    now : float
        Seconds since 1970.
    again : bool
        Whether the listing is newer than what the page was made from.
    """
    if found.error is not None:
        return f"The last look failed, {ago(found.age)}; what was read before is shown."
    if found.as_of is not None or changed is None:
        return f"Asked {ago(found.age)}, no answer. It is asked every {duration(EVERY)}."
    ahead = changed - now
    if ahead > SKEW:
        said = f"Last change {duration(ahead)} ahead of this computer's clock"
    else:
        said = f"Last change {ago(-ahead)}"
    return f"{said}. Checked {ago(found.age)}{', unchanged' if again else ''}."
