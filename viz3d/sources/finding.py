"""Finds the run that a name means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from viz3d.errors import RunNotFound

if TYPE_CHECKING:
    from viz3d.run import Problem, Run, RunInfo

# Between the name of a file's run and the name of one run among several in it.
INSIDE = "::"
# Between the name of a run and that of its source, where several sources are open.
MARK = " · "


def find_run(infos: Sequence[RunInfo], name: str, source: str) -> tuple[RunInfo, str]:
    """Find a run by its name or an unambiguous trailing part of it.

    Parameters
    ----------
    infos : sequence of RunInfo
    name : str
        May end in ``::NAME``.
    source : str
        Name of the source, for the message.

    Returns
    -------
    info : RunInfo
    inside : str
        What stands behind ``::``, or empty.

    Raises
    ------
    RunNotFound
        With the names that come closest.
    """
    name = whole_text(name)
    outer, _, inside = name.rpartition(INSIDE)
    asked = [(name, "")] + ([(outer, inside)] if outer else [])
    for wanted, rest in asked:
        exact = [info for info in infos if info.name == wanted]
        own = [info for info in infos if plain_name(info) == wanted]
        tail = [info for info in infos if plain_name(info).endswith(f"/{wanted.strip('/')}")]
        # As the folder is called in a bucket; the listing drops it.
        plain = [info for info in infos if plain_name(info) == wanted.removeprefix("runs/")]
        for found in (exact, own, tail, plain):
            if len(found) == 1:
                return found[0], rest
            if found:
                raise RunNotFound(
                    f"{len(found)} runs in {source!r} are called {wanted!r}; name one in full: "
                    f"{some(found)}."
                )
    close = difflib.get_close_matches(name, [info.name for info in infos], n=3, cutoff=0.4)
    hint = f"closest: {', '.join(map(repr, close))}" if close else "list them, or check the path"
    raise RunNotFound(f"There is no run {name!r} in {source!r}; {hint}.")


def names_run(problem: Problem, run: str) -> bool:
    """Say whether the file of a problem names its run already, as one in the run's folder does."""
    return problem.file == run or problem.file.startswith((f"{run}/", f"runs/{run}/"))


def plain_name(run: Run | RunInfo) -> str:
    """Return what a run is called in its own source, without the name of that source."""
    name, mark, inside = run.name.rpartition(f"{MARK}{run.source}")
    return name + inside if mark and (not inside or inside.startswith(INSIDE)) else run.name


def whole_text(text: str) -> str:
    r"""Return a text with ``\udc80`` spelled out for a lone surrogate: a byte that is no UTF-8.

    Names of files may hold such bytes; no table, browser or file of ours can.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def some(runs: Sequence[Run] | Sequence[RunInfo], limit: int = 10) -> str:
    """Return the names of some runs, for a message."""
    names = ", ".join(repr(run.name) for run in runs[:limit])
    return names + (f" and {len(runs) - limit} more" if len(runs) > limit else "")


def run_names(runs: Sequence[str], source: str) -> dict[str, str]:
    """Return {path: name}; a leading ``runs/`` says nothing and goes where that is safe.

    A run at the top of the source is called like the last part of the source's name, or ``.``
    where a run below it is.
    """
    paths = {whole_text(run) for run in runs}
    short = {run: whole_text(run.removeprefix("runs/")) for run in runs}
    names = {run: whole_text(run) if name in paths else name for run, name in short.items()}
    if "" in names:
        own = whole_text(source.rpartition("/")[2] or source)
        names[""] = "." if own in names.values() else own
    return names
