"""The three files of each chart that go to W&B: the figure, an image of it, and a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import ExportError
from viz3d.export.images import to_png
from viz3d.export.page import to_html
from viz3d.export.plain_lists import LARGEST_VALUE, to_plain

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run


FILES = {"_image": "image", "_html": "page"}
"""Ending of the key -> what stands beside a figure."""


@dataclass(frozen=True)
class Made:
    """A chart as files, ready to be logged.

    Attributes
    ----------
    key : str
        Of the figure, such as ``3d/loss_landscape``; image and page have it with an ending.
    step : int
        Training step at which it is logged.
    files : mapping of {key: path}
        A file ends in ``.plotly.json``, ``.png`` or ``.html``.
    provenance : mapping
        What the run's config says about the chart, JSON-serialisable.
    notes : tuple of str
        What is missing or rounded.
    """

    key: str
    step: int
    files: Mapping[str, str]
    provenance: Mapping[str, Any]
    notes: tuple[str, ...]


def make_files(
    chart: Chart,
    step: int,
    folder: Path,
    *,
    final: bool = False,
    beside: bool = True,
    most: int = LARGEST_VALUE,
) -> Made:
    """Write the three files of a chart.

    Parameters
    ----------
    chart : Chart
    step : int
        Training step of the chart.
    folder : pathlib.Path
        Where the files are written; it exists.
    final : bool
        Whether the keys begin with ``final/``.
    beside : bool
        Whether there are image and page also where there is the figure.
    most : int
        Bytes of the figure's JSON at most.

    Returns
    -------
    Made
        Without an image where no browser can draw one, and without the figure where its JSON is
        too large; both are told in its notes.
    """
    key = chart_key(chart.kind, final=final)
    stem = folder / key.replace("/", "_")
    plain = to_plain(chart.figure, most)
    files: dict[str, str] = {}
    notes: list[str] = []
    if plain.bytes > most:
        notes.append(
            f"{chart.title}: the figure has {plain.bytes:,} bytes, more than the {most:,} that "
            "W&B advises, so only its image and its page are logged. Choose fewer runs to have it."
        )
    else:
        files[key] = _write(stem, ".plotly.json", plain.text.encode())
    if plain.digits and plain.bytes <= most:
        notes.append(
            f"{chart.title}: numbers of the figure are rounded to {plain.digits} digits to stay "
            f"below {most:,} bytes" + ("; the page beside it has them all." if beside else ".")
        )
    if beside or not files:
        try:
            files[f"{key}_image"] = _write(stem, ".png", to_png(chart))
        except ExportError as error:
            notes.append(f"{chart.title}: there is no image. {error}")
        files[f"{key}_html"] = _write(stem, ".html", to_html(chart))
    about = {"step": step, "sha256": plain.digest, "digits": plain.digits}
    return Made(key, step, files, about | _origin(chart), tuple(notes))


def chart_key(kind: str, *, final: bool = False) -> str:
    """Return the key of a kind of chart, such as ``3d/loss_landscape``.

    Parameters
    ----------
    kind : str
        For example ``"loss-landscape"``.
    final : bool
        Whether it is the chart at the end of training: ``final/3d/...``.
    """
    # W&B makes a file name of a key, and on Windows refuses what a file name there cannot hold.
    word = re.sub(r"[^A-Za-z0-9_]+", "_", kind).strip("_")
    return f"{'final/' if final else ''}3d/{word}"


def last_step(chart: Chart, runs: Sequence[Run]) -> int:
    """Return the last step of the runs that a chart shows; 0 where they have none."""
    shown = {(run["name"], run["digest"]) for run in _origin(chart).get("runs", ())}
    steps = [0]
    for run in runs:
        if (run.name, run.digest) in shown:
            steps += [int(step) for step in run.index[-1:]]
            steps += [] if run.layers is None else [int(run.layers["step"].max())]
    return max(steps)


def _origin(chart: Chart) -> dict[str, Any]:
    return dict((chart.figure.layout.meta or {}).get("viz3d", {}))


def _write(stem: Path, ending: str, content: bytes) -> str:
    path = stem.with_name(stem.name + ending)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ExportError(
            f"{path.name!r} could not be written ({error.strerror}); make room in the folder for "
            "temporary files, or name another with TMPDIR."
        ) from error
    return str(path)
