"""How a download is told, and that nothing of it goes on when the viewer has gone."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

import pytest

from viz3d.run import FileInfo, RunInfo
from viz3d.sources.progress import Progress, Watch
from viz3d.ui import downloads

FILES = (FileInfo("a/metrics.jsonl", 10), FileInfo("a/layers.jsonl", 10))
RUN = RunInfo("a", "b", None, 20, (), FILES)


class Left(BaseException):
    """Streamlit ends a script by an exception of this kind."""


class Endless:
    """A source whose files take for ever; `here` are those that need not come."""

    def __init__(self, here: Sequence[FileInfo] = ()) -> None:
        self.here, self.cancel = here, Event()

    def prepare(self, files: Sequence[FileInfo], watch: Watch, cancel: Event) -> None:
        """Tell of progress until it is cancelled."""
        self.cancel = cancel
        missing = [file for file in files if file not in self.here]
        while missing and not cancel.is_set():
            watch(Progress(0, len(missing), 0, 20, 0.0))


def test_words_name_bytes_rate_and_time_left() -> None:
    """What a viewer wants to know, in units that read well."""
    said = downloads.words(Progress(2, 9, 12_000_000, 240_000_000, 3_000_000))
    assert said == "Downloading: 12.0 of 240.0 MB in 9 files, 3 MB per second, 1 min left"
    assert downloads.words(Progress(0, 1, 0, 5_000, 0.0)) == (
        "Downloading: 0.0 of 5.0 kB in 1 file, waiting for the next bytes"
    )
    said = downloads.words(Progress(2, 9, 12_000, 240_000, 3_800.0, "rows"))
    assert said == "Reading: 12,000 of 240,000 rows of 9 runs, 3,800 per second, 1 min left"


def test_viewer_who_leaves_cancels_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed tab or another choice ends the script where it draws, and the transfer with it."""

    def leave(bar: object, progress: Progress) -> None:
        raise Left

    monkeypatch.setattr(downloads._Bar, "update", leave)
    source = Endless()
    with pytest.raises(Left):
        downloads._download(source, "gs://b", [RUN])  # type: ignore[arg-type]
    assert source.cancel.is_set()


def test_looking_whether_a_run_is_here_downloads_nothing() -> None:
    """It ends at the first sign that something is missing."""
    assert downloads._is_here(Endless(FILES), FILES)  # type: ignore[arg-type]
    assert not downloads._is_here(Endless(FILES[:1]), FILES)  # type: ignore[arg-type]
