"""One HTML file that needs nothing else: charts, tables, words and where they come from.

It asks no other host for anything and forbids itself to. The same charts give the same bytes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from viz3d.export.about import about, series_text, settings_text
from viz3d.figures.chart import Chart
from viz3d.version import __version__

if TYPE_CHECKING:
    import pandas as pd

# Text that is read as HTML: written in the code, or escaped. A test looks at each place where tags
# are written, and at each caller of what takes or returns such text.
Html: TypeAlias = str

MOST_SCENES = 8
"""A browser gives one page no more WebGL contexts than this at a time."""

FLAT_ONLY = (
    f"Drawn flat: a browser shows at most {MOST_SCENES} scenes on one page, and those above take "
    "them all."
)
KEYS = (
    "In a scene the arrow keys turn it, + and − zoom, 1 to 4 choose a view and 0 shows it as it "
    "was."
)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="viz3d {version}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<noscript><p>The pictures need JavaScript; the words and numbers do not.</p></noscript>
{controls}
{body}
</main>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""


def to_html(chart: Chart) -> bytes:
    """Return the page of one chart."""
    return to_html_page([chart], chart.title)


def to_html_page(
    charts: Sequence[Chart],
    title: str,
    *,
    headings: Sequence[str] = (),
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> bytes:
    """Return one page with several charts, whose scenes share one camera.

    Parameters
    ----------
    charts : sequence of Chart
        Of the first eight with a scene it is drawn; the others are flat, and the page says so.
    title : str
    headings : sequence of str, optional
        One for each chart; by default their titles.
    tables : mapping of {caption: DataFrame}, optional
        Further tables, such as those of `viz3d.figures.compare`; their index is shown.

    Raises
    ------
    ValueError
        If there is no chart, or the number of headings is not that of the charts.
    """
    if not charts:
        raise ValueError("There is no chart to put on the page.")
    names = list(headings) or [chart.title for chart in charts]
    if len(names) != len(charts):
        raise ValueError(f"There are {len(names)} headings for {len(charts)} charts.")
    with_scene = [i for i, chart in enumerate(charts) if chart.figure is not chart.flat]
    drawn = set(with_scene[:MOST_SCENES])
    sections = [
        _chart(chart, names[i], i + 1, scene=i in drawn, left=i in set(with_scene) - drawn)
        for i, chart in enumerate(charts)
    ]
    more = [_more(caption, frame) for caption, frame in (tables or {}).items()]
    plotly = _plotly()
    script = _joined("cameras.js", "camera_controls.js", "legend.js", "page.js")
    return PAGE.format(
        policy=_policy(plotly, script),
        version=escape(__version__),
        title=escape(title),
        style=_joined("page.css", "cameras.css"),
        controls=_controls(len(drawn)),
        body="\n".join([*sections, *more, _provenance(charts, names)]),
        plotly=plotly,
        script=script,
    ).encode()


def _chart(chart: Chart, heading: str, number: int, *, scene: bool, left: bool) -> Html:
    pictures = [_picture(chart.figure, chart, heading, f"viz3d-figure-{number:d}")] if scene else []
    pictures.append(_picture(chart.flat, chart, heading, f"viz3d-flat-{number:d}"))
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in chart.notes)
    return f"""\
<section class="chart" aria-labelledby="viz3d-heading-{number:d}">
<h2 id="viz3d-heading-{number:d}">{escape(heading)}</h2>
<p>{escape(chart.summary)}</p>
{f'<p class="hint">{FLAT_ONLY}</p>' if left else ""}
<div class="pictures">
{"".join(pictures)}</div>
{_table(chart.table, f"Numbers of {heading}", index=False)}
<ul class="notes">
{notes}
</ul>
</section>"""


def _picture(figure: Any, chart: Chart, heading: str, name: Html) -> Html:
    from viz3d.figures.wire import to_wire

    kind = "2D" if figure is chart.flat else "3D"
    label = escape(f"{heading}, {kind}. {chart.summary}")
    return (
        f'<div class="frame"><div class="picture" id="{name}" role="img" tabindex="0" '
        f'aria-busy="true" aria-label="{label}"></div></div>\n'
        f'<script type="application/json" id="{name}-data">{_in_script(to_wire(figure))}</script>\n'
    )


def _in_script(json: str) -> Html:
    """Write JSON so that it cannot end the script around it, which only "<" could."""
    return json.replace("<", "\\u003c")


def _table(frame: pd.DataFrame, caption: str, *, index: bool) -> Html:
    if frame.empty:
        return ""
    shown = frame.astype(object).where(frame.notna(), "")
    html = shown.to_html(index=index, border=0, float_format="{:.4g}".format)
    label = escape(caption)
    return f'<div class="table" role="region" tabindex="0" aria-label="{label}">\n{html}\n</div>'


def _more(caption: str, frame: pd.DataFrame) -> Html:
    found = _table(frame, caption, index=True) or "<p>Nothing to show.</p>"
    return f'<section class="more">\n<h2>{escape(caption)}</h2>\n{found}\n</section>'


def _controls(scenes: int) -> Html:
    link = '<p class="controls" id="viz3d-link"></p>\n'  # the script puts the switch in
    hint = f'<p class="controls hint">{KEYS}</p>' if scenes else ""
    return (link if scenes > 1 else "") + hint


def _provenance(charts: Sequence[Chart], headings: Sequence[str]) -> Html:
    """Say with which version, settings and data the charts were made."""
    import pandas as pd

    found = [about(chart) for chart in charts]
    made = "\n".join(
        f"<li>{escape(heading)}: {escape(said['kind'])}"
        + (f" with {escape(settings_text(said))}" if settings_text(said) else "")
        + "</li>"
        for heading, said in zip(headings, found, strict=True)
    )
    joined = dict.fromkeys(series_text(run) for one in found for run in one.get("runs", []))
    made += "".join(f"\n<li>{escape(text)}</li>" for text in joined if text)
    keys = ("name", "source", "digest")
    runs = dict.fromkeys(
        tuple(run[k] for k in keys) for one in found for run in one.get("runs", [])
    )
    frame = pd.DataFrame(list(runs), columns=["run", "source", "SHA-256 of its data"])
    return f"""\
<section class="more">
<h2>Where this comes from</h2>
<p>Made with viz3d {escape(__version__)}.</p>
<ul>
{made}
</ul>
{_table(frame, "Runs and the SHA-256 of their data", index=False)}
</section>"""


def _policy(*scripts: str) -> Html:
    """Allow these scripts, the styles that plotly.js sets and pictures made here; nothing else."""
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


@cache
def _hash(text: str) -> Html:
    return b64encode(sha256(text.encode()).digest()).decode()


@cache
def _plotly() -> Html:
    from plotly.offline import get_plotlyjs

    # Inside a script, this alone would end it.
    return str(get_plotlyjs()).replace("</script", "<\\/script")


@cache
def _joined(*names: str) -> Html:
    """Return files that stand beside this one as one."""
    return "\n".join((Path(__file__).parent / name).read_text("utf-8") for name in names)
