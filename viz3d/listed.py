"""Files and runs as a listing shows them, before any of them is read."""

from __future__ import annotations

from dataclasses import dataclass, field

# What a row of some dozen metrics is as text.
ROW_BYTES = 500


@dataclass(frozen=True)
class FileInfo:
    """One file or object of a source, as its listing describes it; nothing was read.

    Attributes
    ----------
    path : str
        Relative to the source, with ``/`` between the parts.
    size : int
        Bytes.
    changed : float or None
        Seconds since 1970, UTC.
    generation : str
        Changes whenever the content changes.
    crc32c : int or None
        CRC32C of the stored bytes, where the listing tells it.
    encoding : str
        ``"gzip"`` where the stored bytes are compressed and stand for others; else empty.
    rows : int or None
        Rows of history, where the listing tells them instead of bytes; `size` is 0 then.
    state : str
        What the run is doing, such as ``running`` or ``finished``, where the listing tells it.
    created : float or None
        Seconds since 1970, UTC: when the run began, where the listing tells it.
    key : str
        What the source knows it by, where that is not its path.
    """

    path: str
    size: int
    changed: float | None = None
    generation: str = ""
    crc32c: int | None = None
    encoding: str = ""
    rows: int | None = None
    state: str = ""
    created: float | None = None
    key: str = ""

    @property
    def weight(self) -> int:
        """About how many bytes come along when it is read."""
        return self.size or ROW_BYTES * (self.rows or 0)


@dataclass(frozen=True)
class RunInfo:
    """A run as the listing shows it, before any of it is read.

    Attributes
    ----------
    name : str
        Unique in the source. A run inside a file of several is ``PATH::NAME``.
    source : str
        Name of the source as shown to people; of a folder only the last part.
    changed : float or None
        Seconds since 1970 of the newest file.
    size : int
        Bytes of the files that formats claim.
    formats : tuple of str
        Formats that claim a file of it, by file name alone.
    files : tuple of FileInfo
        The claimed files.
    path : str
        Of the run's folder, or of its file where it has but one, in the source; empty for the top.
    """

    name: str
    source: str
    changed: float | None
    size: int
    formats: tuple[str, ...]
    files: tuple[FileInfo, ...] = field(default=(), repr=False)
    path: str = ""

    @property
    def weight(self) -> int:
        """About how many bytes come along when it is read."""
        return sum(file.weight for file in self.files) or self.size

    @property
    def rows(self) -> int | None:
        """Rows of history, where the listing tells them."""
        told = [file.rows for file in self.files if file.rows is not None]
        return sum(told) if told else None

    @property
    def state(self) -> str:
        """What the run is doing, where the listing tells it."""
        return next((file.state for file in self.files if file.state), "")

    @property
    def created(self) -> float | None:
        """When the run began, seconds since 1970, where the listing tells it."""
        return min((file.created for file in self.files if file.created is not None), default=None)
