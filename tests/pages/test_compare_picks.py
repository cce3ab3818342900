"""Sides and baseline of the Compare page: what a link names and the selection does not hold."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import SWEEP, said

Open = Callable[..., AppTest]

KEYS = ("a", "b", "baseline")


def picked(app: AppTest) -> list[str]:
    """Return what is shown as A, as B and as the baseline."""
    return [str(app.selectbox(key=key).value) for key in KEYS]


def test_what_is_gone_is_named_until_it_comes_back(open_page: Open) -> None:
    """What stands in for A leaves B alone; what the viewer picks meanwhile stays."""
    first, second, third, fourth = SWEEP  # shown newest first
    app = open_page(
        "pages/5_Compare.py", view="Difference A − B", kind="Training dynamics",
        run=[first, second, third], a=fourth, b=third, baseline=fourth,
    )  # fmt: skip
    for _ in range(2):
        assert not app.exception
        assert picked(app) == [second, third, third]
        assert f"A: {fourth} is no choice for these runs; {second} stands in for it." in said(app)
        assert f"Baseline: {fourth} is no choice for these runs; {third} stands in" in said(app)
        assert "B: " not in said(app)
        app.run()
    app.multiselect(key="run").set_value(SWEEP).run()
    assert picked(app) == [fourth, third, fourth]
    assert "stands in" not in said(app)
    app.multiselect(key="run").set_value(SWEEP[:3]).run()
    app.selectbox(key="baseline").select(first).run()
    assert "Baseline: " not in said(app)
    app.multiselect(key="run").set_value(SWEEP).run()
    assert picked(app) == [fourth, third, first]
    app.selectbox(key="a").select(third).run()
    assert picked(app)[0] == third
    assert "stands in" not in said(app)
