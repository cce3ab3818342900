"""A chart as Markdown, for a pull request: what it says, in words and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from viz3d.export.about import about, series_text, settings_text
from viz3d.figures.chart import Chart
from viz3d.figures.text import say

if TYPE_CHECKING:
    import pandas as pd

# Marks of Markdown and tags of HTML are escaped. Links, mail addresses, @names, #numbers and
# :emoji: are looked for in the finished text, where an escape is no longer seen; a zero-width space
# is.
MARKS = re.compile(r"([\\`*_\[\]<>|~&$])")
TELLING = re.compile(r"(:(?=\S)|@|#|\bwww(?=\.))", re.IGNORECASE)
START = re.compile(r"^([-+=]|\d+(?=[.)]))")
BREAK = "\u200b"
# What steers a terminal or turns the direction of the line round.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def to_markdown(chart: Chart) -> bytes:
    """Return title, summary, table, notes and provenance; no name in it becomes a link or a tag."""
    return _chart(chart, chart.title).encode()


def to_markdown_page(
    charts: Sequence[Chart],
    title: str,
    *,
    headings: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
) -> bytes:
    """Return several charts below one title, then further tables; likewise harmless.

    Parameters
    ----------
    charts : sequence of Chart
    title : str
    headings : sequence of str
        One for each chart.
    tables : mapping of {caption: DataFrame}
        Such as those of `viz3d.figures.compare`; their index is shown, one without rows is not.
    """
    parts = [f"# {escape(title)}\n"]
    parts += [_chart(chart, heading) for chart, heading in zip(charts, headings, strict=True)]
    parts += [
        f"## {escape(caption)}\n\n{table(frame.reset_index(names=frame.index.name or ''))}\n"
        for caption, frame in tables.items()
        if len(frame)
    ]
    return "\n".join(parts).encode()


def _chart(chart: Chart, heading: str) -> str:
    found = about(chart)
    runs = found.get("runs", [])
    parts = [
        f"## {escape(heading)}",
        escape(chart.summary),
        table(chart.table),
        "\n".join(f"- {escape(note)}" for note in chart.notes),
        f"Made with viz3d {found['version']}"
        + (f", {escape(settings_text(found))}." if settings_text(found) else "."),
        _rows(
            ["run", "source", "SHA-256 of its data"],
            [[code(run[key]) for key in ("name", "source", "digest")] for run in runs],
        ),
        "\n".join(f"- {escape(text)}" for text in map(series_text, runs) if text),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(frame: pd.DataFrame) -> str:
    """Return a data frame as a table with pipes; its texts are code, so nothing in them acts."""
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return _rows([escape(str(name)) for name in frame.columns], rows)


def escape(text: str) -> str:
    """Return text on one line so that Markdown shows it letter for letter."""
    plain = _line(text)
    plain = TELLING.sub(lambda found: BREAK.join(found[0]) + BREAK, plain)
    return START.sub(
        r"\\\1" if not plain[:1].isdigit() else rf"\1{BREAK}", MARKS.sub(r"\\\1", plain)
    )


def code(text: object) -> str:
    """Return text as a code span, in which nothing is a link, a mention or a tag."""
    plain = _line(str(text)).replace("|", "\\|")
    longest = max(map(len, re.findall("`+", plain)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{plain}{pad}{fence}" if plain else ""


def _line(text: str) -> str:
    return CONTROLS.sub("\ufffd", " ".join(text.split()))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return code(value)
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return "" if _missing(value) else code(value)
    return "" if _missing(value) else say(float(value))


def _missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))


def _rows(names: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
