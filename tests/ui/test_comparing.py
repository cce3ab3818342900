"""Panels side by side do not repeat each other."""

from __future__ import annotations

import pandas as pd

from viz3d.figures.loss_words import ADVICE
from viz3d.run import Run
from viz3d.ui.comparing import FAMILY, groups, said_once


def test_what_all_panels_say_is_said_once() -> None:
    """Sentences of all panels, and advice of any; what some alone say stays with them."""
    summaries = ["Loss of a. All 3 points.", f"Loss of b. No fit. {ADVICE} All 3 points."]
    once, rest = said_once(summaries)
    assert once == f"All panels: All 3 points. {ADVICE}"
    assert rest == ["Loss of a.", "Loss of b. No fit."]


def test_one_panel_keeps_its_words() -> None:
    """There is nobody to share them with."""
    assert said_once([f"Loss of a. {ADVICE}"]) == ("", [f"Loss of a. {ADVICE}"])


def test_families_are_called_by_their_words() -> None:
    """Up to the first digit, without the dash before it."""
    runs = [Run(name, "tests", pd.DataFrame()) for name in ("adamw-lr-1", "adamw-lr-2", "-7", "b")]
    assert list(groups(runs, FAMILY)) == ["adamw-lr", "-7", "b"]
