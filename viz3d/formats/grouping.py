"""Decides by names alone which files make up a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass

from viz3d.formats import FORMATS
from viz3d.formats.base import Claim, Format
from viz3d.formats.names import folder
from viz3d.formats.peek import by_content

Claims = list[tuple[Format, Claim]]


@dataclass(frozen=True)
class Group:
    """The files of one run.

    Attributes
    ----------
    run : str
        Path of the run: a folder (empty at the top of the source), or a file.
    files : tuple of str
        Claimed files, sorted.
    formats : tuple of str
        What claims one of them as more than a config: names of formats, of several that a name
        cannot tell apart their kind.
    """

    run: str
    files: tuple[str, ...]
    formats: tuple[str, ...]


def claims(path: str, *, known: bool = False) -> Claims:
    """Return the formats that claim the file at `path`, in the order in which they are asked."""
    found = ((form, form.claim(path) or (by_content(form, path) if known else None))
             for form in FORMATS)  # fmt: skip
    return [(form, claim) for form, claim in found if claim is not None]


def group(paths: Sequence[str], known: Container[str] = ()) -> list[Group]:
    """Put files together into runs.

    A file claimed for a folder makes that folder a run, and what lies directly in it joins. Every
    other file with a history is a run by itself. A config joins the runs beside it; where it lies
    beside a single file, the two are named after their folder.

    Parameters
    ----------
    paths : sequence of str
        Relative to the source.
    known : container of str
        Those that are claimed by what they hold where no name claims them.

    Returns
    -------
    list of Group
        In the order of their paths.
    """
    claimed = {path: found for path in paths if (found := claims(path, known=path in known))}
    folders = {
        claim.run
        for path, found in claimed.items()
        for _, claim in found
        if claim.run != path and not claim.beside
    }
    members: dict[str, list[str]] = defaultdict(list)
    configs: dict[str, list[str]] = defaultdict(list)
    for path, found in claimed.items():
        runs = [claim.run for _, claim in found if claim.run != path and not claim.beside]
        if runs:
            members[runs[0]].append(path)
        elif joins := [
            run
            for _, claim in found
            if claim.beside
            for run in (claim.run, claim.otherwise)
            if run in folders
        ]:
            members[joins[0]].append(path)
        elif folder(path) in folders:
            members[folder(path)].append(path)
        elif all(claim.beside for _, claim in found):
            configs[folder(path)].append(path)
        else:
            members[path].append(path)
    _add_configs(members, configs)
    return [_group(run, files, claimed) for run, files in sorted(members.items())]


def _add_configs(members: dict[str, list[str]], configs: dict[str, list[str]]) -> None:
    lone: dict[str, list[str]] = defaultdict(list)
    for run, files in members.items():
        if files == [run]:
            lone[folder(run)].append(run)
    for where, beside in configs.items():
        runs = lone.get(where, [])
        if len(runs) == 1 and where:
            members[where] = members.pop(runs[0])
            runs = [where]
        for run in runs:
            members[run].extend(beside)


def _group(run: str, files: Sequence[str], claimed: dict[str, Claims]) -> Group:
    kinds = (
        getattr(form, "KIND", form.NAME)
        for path in files
        for form, claim in claimed[path]
        if not claim.beside
    )
    return Group(run, tuple(sorted(files)), tuple(dict.fromkeys(kinds)))
