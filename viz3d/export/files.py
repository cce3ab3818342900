"""Write a chart to a file, in the format that the end of its name says.

The same chart gives the same bytes. Images are drawn by a browser, whose version decides about
theirs.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from viz3d.errors import ExportError
from viz3d.export.data import to_csv, to_parquet
from viz3d.export.glb import to_glb
from viz3d.export.images import to_png, to_svg
from viz3d.export.markdown import to_markdown
from viz3d.export.page import to_html
from viz3d.export.ply import to_ply
from viz3d.figures.chart import Chart


def to_json(chart: Chart) -> bytes:
    """Return the scene as Plotly's figure JSON, provenance in ``layout.meta["viz3d"]``."""
    return str(chart.figure.to_json()).encode()


FORMATS: dict[str, Callable[[Chart], bytes]] = {
    ".html": to_html,
    ".png": to_png,
    ".svg": to_svg,
    ".json": to_json,
    ".glb": to_glb,
    ".ply": to_ply,
    ".csv": to_csv,
    ".parquet": to_parquet,
    ".md": to_markdown,
}


def write_figure(chart: Chart, path: str | Path) -> Path:
    """Write a chart in the format that the end of the path names.

    Parameters
    ----------
    chart : Chart
    path : str or pathlib.Path
        Ends in a key of `FORMATS`.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ExportError
        If the format is unknown, the chart has nothing for it, the folder cannot be written to, or
        no browser is there to draw an image.
    """
    path = Path(path)
    make = FORMATS.get(path.suffix.lower())
    if make is None:
        raise ExportError(
            f"{path.name!r} ends in {path.suffix or 'nothing'!r}; a figure can be written as "
            f"{', '.join(FORMATS)}."
        )
    return write_bytes(make(chart), path)


def write_bytes(content: bytes, path: Path) -> Path:
    """Write a file whole or not at all, and return where.

    Raises
    ------
    ExportError
        If it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise ExportError(
            f"{path.name!r} could not be written ({error.strerror}); {_remedy(error)}."
        ) from error
    return path


def _remedy(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "make room on the disk or choose a folder on another"
    if error.errno in {errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST}:
        return "a folder has that name, so choose another"
    return "choose a folder that exists and that you may write to"
