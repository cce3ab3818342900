"""Finds out whether the runs of a source can be read, and what is to be done if not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from viz3d.errors import ServiceError, SourceError
from viz3d.sources.base import Source, is_remote

if TYPE_CHECKING:
    from viz3d.run import FileInfo, RunInfo
    from viz3d.settings import Settings

# What is read for a trial: the smallest file of a run, unless even that is large.
MAX_TRIAL = 10_000_000
COMMAND = "python -m viz3d list"


@dataclass(frozen=True)
class Check:
    """What was found out about a source. It holds nothing secret.

    Attributes
    ----------
    ok : bool
    source : str
        Its name as shown to people; empty where it could not even be opened.
    kind : str
        The fault, for programs: one of the `KINDS` of `viz3d.sources.faults` or
        `viz3d.sources.wandb_faults`, else ``"source"``, or
        ``"settings"`` where those cannot be read. Empty when all is well.
    identity, project, bucket : str
        Who we are to the service, and what we asked; empty for a folder, or where not known.
    runs : int or None
        How many there are; None where they could not be listed.
    listing : bool
        Whether names can be listed.
    reading : bool or None
        Whether a file could be read; None where none was tried.
    message, remedy : str
        What is so, and what to do about it: one sentence each. `remedy` is empty when all is well.
    next : str
        The command to type now; empty where no command helps.
    notes : tuple of str
        What else the listing told.
    """

    ok: bool
    source: str
    kind: str = ""
    identity: str = ""
    project: str = ""
    bucket: str = ""
    runs: int | None = None
    listing: bool = False
    reading: bool | None = None
    message: str = ""
    remedy: str = ""
    next: str = ""
    notes: tuple[str, ...] = ()


def check(
    text: str,
    settings: Settings,
    open_source: Callable[[str, Settings], Source],
    list_runs: Callable[[Source], Sequence[RunInfo]],
) -> Check:
    """Try a source: list it, read one small file of it.

    The cache is left out of it: a copy that is here would prove nothing.

    Parameters
    ----------
    text : str
        As for `viz3d.load.open_source`.
    settings : Settings
    open_source, list_runs : callable
        Those of `viz3d.load`.

    Returns
    -------
    Check
        Never raises for a source that cannot be read.
    """
    with TemporaryDirectory(prefix="viz3d-check-", ignore_cleanup_errors=True) as folder:
        try:
            source = open_source(text, replace(settings, cache_dir=folder))
        except SourceError as error:
            # What was typed may hold a password, as in gs://user:password@bucket.
            return _failed(Check(False, "", project=settings.project), error)
        return _try(source, text, settings, list_runs)


def command(text: str, settings: Settings) -> str:
    """Return the command that lists a source; the one that is set needs no name."""
    if text == settings.source:
        return COMMAND
    plain = re.fullmatch(r"[\w.,:/@+=-]+", text)
    return f"{COMMAND} {text}" if plain else f'{COMMAND} "{text}"'


def _try(
    source: Source, text: str, settings: Settings,
    list_runs: Callable[[Source], Sequence[RunInfo]],
) -> Check:  # fmt: skip
    found = Check(False, source.name)
    try:
        infos = list_runs(source)
        notes = tuple(str(problem) for problem in source.problems())
        found = replace(found, listing=True, runs=len(infos), notes=notes)
        trial = _smallest(infos)
        if trial is not None:
            source.fetch(trial)
            found = replace(found, reading=True)
    except SourceError as error:
        reading = False if found.listing else None
        return _failed(_who(replace(found, reading=reading), source), error)
    count = f"{found.runs:,} run{'' if found.runs == 1 else 's'}"
    how = "listed and read" if found.reading else "listed"
    message = f"{source.name} can be {how}: {count if found.runs else 'no runs'}."
    # A bucket by its plain address: a link that was typed may be signed, which is a secret.
    named = source.name if hasattr(source, "address") and text != settings.source else text
    return _who(replace(found, ok=True, message=message, next=command(named, settings)), source)


def _who(found: Check, source: Source) -> Check:
    """Add who we are to the service, which is known once it was asked."""
    if not is_remote(source):
        return found
    bucket = getattr(source.address, "bucket", "")
    return replace(found, identity=source.identity, project=source.project, bucket=bucket)


def _failed(found: Check, error: SourceError) -> Check:
    if not isinstance(error, ServiceError):
        return replace(found, kind="source", message=str(error))
    named = re.search(r"`([^`]+)`", error.remedy)
    return replace(
        found, kind=error.kind, message=error.what, remedy=error.remedy,
        next=named[1] if named else "",
    )  # fmt: skip


def _smallest(infos: Sequence[RunInfo]) -> FileInfo | None:
    """Return the smallest file that is not empty, where it is small enough to be read for a try."""
    files = (file for info in infos for file in info.files if 0 < file.weight <= MAX_TRIAL)
    return min(files, key=lambda file: file.weight, default=None)
