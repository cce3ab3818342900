"""The files of the Export page: all chosen charts in one, and each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ChartError
from viz3d.figures.text import count
from viz3d.ui import preparing
from viz3d.ui.files import file_name, offer
from viz3d.ui.missing import explain, has
from viz3d.ui.seeding import any_group
from viz3d.ui.text import Markdown, advice, safe
from viz3d.ui.weights import landscapes

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.figures.chart import Chart
    from viz3d.run import Run
    from viz3d.ui.frame import Page

CHARTS = {
    "loss-landscape": "Loss landscape",
    "gradient-flow": "Gradient flow",
    "reward-landscape": "Reward landscape",
    "training-dynamics": "Training dynamics",
    "seeds": "Seeds",
    "explore": "Explore",
    "weight-space": "Weight space",
    "report": "Report",
}
# Charts that show one run, or one landscape: this many of them get one each.
MOST_EACH = 8


def export_files(page: Page) -> None:
    """Let the viewer choose charts of the selected runs and offer them as files."""
    able = {words: kind for kind, words in CHARTS.items() if _fills(kind, page.runs)}
    if not able:
        explain(page, "loss-landscape", "None of the selected runs has what a chart needs.")
        return
    chosen = st.multiselect(
        "Charts", list(able), default=list(able)[:1], key="charts", bind="query-params",
        help="As their pages draw them when nothing is set there. To export a chart with other "
        "settings, use the downloads below it on its page.",
    )  # fmt: skip
    if not chosen:
        st.info("Choose a chart to export.")
    charts = _charts(page.runs, [able[words] for words in chosen])
    if not charts:
        return
    _together(page.runs, charts)
    st.header("Each chart as a file")
    for heading, what in charts.items():
        with st.expander(safe(heading), expanded=len(charts) == 1):
            offer(what, heading, f"export-{heading}")


def offer_comparison(
    runs: Sequence[Run],
    shown: Sequence[tuple[str, preparing.Prepared]],
    baseline: str,
    more: Mapping[str, pd.DataFrame],
) -> None:
    """Offer what the Compare page shows as one file: its charts, and how the runs differ.

    Parameters
    ----------
    runs : sequence of Run
    shown : sequence of (title, Prepared)
        Nothing is offered where it is empty.
    baseline : str
        The run that the others are compared with.
    more : mapping of {caption: DataFrame}
        Further tables, which have an index.
    """
    if not shown:
        return
    charts = [(title, ready.chart) for title, ready in shown]
    kinds = dict.fromkeys(chart.title for _, chart in charts)
    title = f"{', '.join(kinds)}: comparison of {count(len(runs), 'run')}"
    first = [run.name for run in runs].index(baseline)
    _one_file("Download this comparison", charts, title, {**_tables(runs, first), **more})
    st.caption(
        "One HTML file with these charts, their tables and the tables below. It opens anywhere."
    )


def _fills(kind: str, runs: Sequence[Run]) -> bool:
    # Whoever groups runs by hand, with no seeds among them, does so on the Compare page.
    return any(has(kind, run) for run in runs) and (kind != "seeds" or any_group(runs))


def _charts(runs: Sequence[Run], kinds: Sequence[str]) -> dict[str, Chart]:
    """Make the charts by their headings; say why one cannot be made."""
    found: dict[str, Chart] = {}
    for kind in kinds:
        having = [run for run in runs if has(kind, run)]
        try:
            found |= _EACH[kind](having) if kind in _EACH else _one(kind, having)
        except ChartError as error:
            st.warning(f"{CHARTS[kind]} was left out. {advice(str(error))}")
    return found


def _one(kind: str, runs: Sequence[Run]) -> dict[str, Chart]:
    return {CHARTS[kind]: preparing.make(kind, runs, {}).chart}


def _one_each(runs: Sequence[Run]) -> dict[str, Chart]:
    from viz3d.figures.compare import column_names

    shown = runs[:MOST_EACH]
    if len(shown) < len(runs):
        st.caption(f"Gradient flow of the first {MOST_EACH} of {count(len(runs), 'run')}.")
    made = preparing.make_beside("gradient-flow", [[run] for run in shown])
    names = column_names(shown)
    return {f"Gradient flow of {name}": one.chart for name, one in zip(names, made, strict=True)}


def _landscapes(runs: Sequence[Run]) -> dict[str, Chart]:
    found = landscapes(runs)
    shown = dict(list(found.items())[:MOST_EACH])
    if len(shown) < len(found):
        st.caption(f"The first {MOST_EACH} of {count(len(found), 'landscape')}.")
    return {
        f"Weight space, {title}": preparing.make("weight-space", [run], {"landscape": name}).chart
        for title, (run, name) in shown.items()
    }


# These show one run, or a part of one: each gets a chart.
_EACH = {"gradient-flow": _one_each, "weight-space": _landscapes}


def _together(runs: Sequence[Run], charts: dict[str, Chart]) -> None:
    """Offer everything in one file, and as text to copy."""
    st.header("Everything in one file")
    st.caption(
        "All chosen charts with cameras that turn together, their tables and words, and where "
        "they come from. It opens in any browser, without a network or an account."
    )
    title = f"Comparison of {count(len(runs), 'run')}" if len(runs) > 1 else runs[0].name
    _one_file("Download as one HTML file", list(charts.items()), title, _tables(runs, 0))


def _one_file(
    label: Markdown,
    shown: Sequence[tuple[str, Chart]],
    title: str,
    tables: Mapping[str, pd.DataFrame],
) -> None:
    """Offer charts and tables as one page, and as text to copy."""
    from viz3d.export import markdown, page

    headings, charts = zip(*shown, strict=True)
    st.download_button(
        label,
        lambda: page.to_html_page(charts, title, headings=headings, tables=tables),
        file_name=file_name(title, ".html"),
        mime="text/html",
        on_click="ignore",
        type="primary",
        key="one-file",
    )
    with st.expander("Markdown to copy, for a pull request"):
        text = markdown.to_markdown_page(charts, title, headings=headings, tables=tables)
        st.code(text.decode(), language=None, wrap_lines=True)


def _tables(runs: Sequence[Run], first: int) -> dict[str, pd.DataFrame]:
    """Return how the runs differ, for a page of several."""
    from viz3d.figures.compare import config_diff, final_metrics

    if len(runs) < 2:
        return {}
    return {
        "Settings in which the runs differ": config_diff(runs).astype(str),
        f"Final metrics, and how they differ from those of {runs[first].name}": final_metrics(
            runs, first
        ),
    }
