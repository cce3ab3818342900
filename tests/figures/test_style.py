"""Colours."""

from __future__ import annotations

import pytest
from plotly.colors import unlabel_rgb

from viz3d.figures.style import run_color

PAGES = {"white": (255, 255, 255), "dark": (23, 22, 20)}


def luminance(color: tuple[float, ...]) -> float:
    """Return the relative luminance of sRGB, as WCAG 2 defines it."""
    parts = [part / 255 for part in color]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", PAGES)
def test_the_shade_of_no_run_is_lost_on_a_page(page: str) -> None:
    """Neither the first of many on a dark page nor the last on a white one."""
    behind = luminance(PAGES[page])
    for i in range(12):
        line = luminance(unlabel_rgb(run_color(i, 12)))
        high, low = max(line, behind) + 0.05, min(line, behind) + 0.05
        assert high / low > 1.4
