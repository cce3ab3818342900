"""Runs as the commands take them: by name in a source, or by path."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.cli_source import open_named, open_several, open_shown
from viz3d.cli_text import tell, tell_problems
from viz3d.errors import BadArgument, RunNotFound, SourceError
from viz3d.sources.finding import MARK, names_run
from viz3d.sources.several import Several

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.sources.base import Source

SOURCES = (
    '"sample", a folder, a file, gs://BUCKET/FOLDER or wandb://ENTITY/PROJECT; by default that of '
    "the settings"
)
NAMED = "a name in the source, or a path"


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that reads runs."""
    add_source(parser)
    parser.add_argument(
        "--join", action="store_true",
        help="with several sources: what they hold of a run of one name becomes one run, in which "
        "the source that is named first counts",
    )  # fmt: skip
    parser.add_argument(
        "--role", action="append", default=[], type=_role, metavar="ROLE=METRIC",
        help="what a metric is, for example loss=train_nll; may be repeated",
    )  # fmt: skip


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the option that names sources."""
    parser.add_argument(
        "--source", metavar="SOURCE", action="append", default=[],
        help=f"{SOURCES}; may be repeated, and runs are then called NAME{MARK}SOURCE",
    )  # fmt: skip


def load_named(names: Sequence[str], args: argparse.Namespace) -> list[Run]:
    """Load what the user named: addresses and paths, else runs of the source, listed once."""
    from viz3d.load import is_address, is_path, load_path, load_runs
    from viz3d.sources.finding import INSIDE

    roles = dict(args.role)
    source: Source | None = None
    runs: list[Run] = []
    for name in names:
        if not args.source and (is_path(name) or _can_only_be_path(name)):
            runs += load_path(name, roles=roles, opened=open_shown)
        elif not args.source and is_address(name):
            runs += load_runs(open_named(name), roles=roles)
        else:
            source = source or open_several(args.source)
            try:
                if args.join:
                    runs.append(_joined(source, name).with_roles(roles))
                else:
                    runs += load_runs(source, name, roles=roles)
            except RunNotFound as error:
                if args.source or "/" not in name or INSIDE in name:
                    raise
                raise RunNotFound(f"Nothing is at the path {name!r}. {error}") from None
    if isinstance(source, Several):
        tell_problems(source.failures())
    return runs


def _joined(source: Source, name: str) -> Run:
    """Load what several sources hold of a run and join it, in the order of the sources."""
    from viz3d.analysis.joining import join_runs
    from viz3d.load import load_run

    if not isinstance(source, Several):
        raise BadArgument("--join joins a run of several sources; name each with --source.")
    found: list[Run] = []
    for part, label in zip(source.parts, source.labels, strict=True):
        try:
            found.append(replace(load_run(part, name), source=label))
        except (RunNotFound, SourceError) as error:
            tell(f"{label}: {error}")
    if not found:
        raise RunNotFound(f"There is no run {name!r} in {source.name!r}.")
    return join_runs(*found)


def _can_only_be_path(name: str) -> bool:
    """Say whether no run is called so, wherever it is: where nothing is there, that is said."""
    return name.startswith(("./", "../", "~/")) or Path(name).is_absolute()


def tell_read(runs: Sequence[Run]) -> None:
    """Print on standard error what was wrong with the files of runs."""
    for run in runs:
        for problem in run.problems:
            tell(f"{problem}" if names_run(problem, run.name) else f"{run.name}: {problem}")


def _role(text: str) -> tuple[str, str]:
    role, sign, metric = text.partition("=")
    if not (role and sign and metric):
        raise argparse.ArgumentTypeError(f"{text!r} is not ROLE=METRIC, as in loss=train_nll")
    from viz3d.analysis.roles import ROLES

    if role not in ROLES:
        raise argparse.ArgumentTypeError(
            f"there is no role {role!r}; choose one of: {', '.join(ROLES)}"
        )
    return role, metric
