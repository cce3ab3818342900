"""The command line: ``python -m viz3d COMMAND``.

Results go to standard output, problems and errors to standard error. Exit status 0: done, 1: failed
with one plain sentence, 2: wrong usage. Everything heavy is imported inside the command that needs
it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.cli_cache import add_cache
from viz3d.cli_check import add_check
from viz3d.cli_demo import add_demo
from viz3d.cli_download import add_download
from viz3d.cli_pack import add_pack
from viz3d.cli_plot import add_plot
from viz3d.cli_runs import NAMED, SOURCES, add_run_options, add_source, load_named, tell_read
from viz3d.cli_source import open_several
from viz3d.cli_text import (
    info_json,
    info_text,
    one_line,
    origin_text,
    print_json,
    tell,
    tell_problems,
)
from viz3d.cli_upload import add_upload
from viz3d.cli_wandb import add_wandb
from viz3d.errors import BadArgument, Viz3dError
from viz3d.sources.several import Several

if TYPE_CHECKING:
    from viz3d.run import Problem, Run


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``python -m viz3d``; by default those of the process.

    Returns
    -------
    int
        The exit status.
    """
    _see_to_streams()
    try:
        words = sys.argv[1:] if argv is None else list(argv)
        parser = _parser()
        _refuse_empty(parser, words)
        args = parser.parse_args(words)
        status = int(args.command(args))
        sys.stdout.flush()
        return status
    except Viz3dError as error:
        tell(f"viz3d: {error}")
        return 2 if isinstance(error, BadArgument) else 1
    except BrokenPipeError:
        # `python -m viz3d list | head`: the reader has what it wanted.
        sys.stdout = None
        return 0
    except OSError as error:
        if error.filename is not None:
            raise
        # `python -m viz3d list > file` on a full disk.
        sys.stdout = None
        tell(f"viz3d: The output cannot be written: {error.strerror}.")
        return 1
    except KeyboardInterrupt:
        return 130


def _see_to_streams() -> None:
    """Make the standard streams take anything, also where the caller closed them (``2>&-``)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It stays open: whatever else were opened next would become the stream in its place.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        # A name may hold what the terminal's or pipe's encoding cannot say.
        sys.stdout.reconfigure(errors="backslashreplace")


def _refuse_empty(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """End where a word is empty, which nothing means: most often a variable that is not set."""
    for at, word in enumerate(words):
        if not word.strip():
            after = f"after {words[at - 1]!r}" if at else "as the command"
            parser.error(f"an empty argument stands {after}; was a variable not set?")
        if re.fullmatch(r"--[a-z-]+=\s*", word):
            parser.error(f"nothing stands behind {word.strip()!r}; was a variable not set?")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m viz3d", description="Honest 3D views of language-model training runs."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="list the runs of a source, newest first")
    listing.add_argument("place", nargs="?", metavar="SOURCE", help=SOURCES)
    add_source(listing)
    listing.set_defaults(command=_list)
    add_check(commands)
    add_download(commands)
    add_cache(commands)

    show = commands.add_parser("show", help="say what was read of a run")
    show.add_argument("run", metavar="RUN", help=NAMED)
    show.set_defaults(command=_show)
    add_run_options(show)

    add_plot(commands)
    add_wandb(commands)
    add_upload(commands)
    add_pack(commands)
    add_demo(commands)
    for command in (listing, show):
        command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _list(args: argparse.Namespace) -> int:
    from viz3d.load import list_runs

    source = open_several([*filter(None, [args.place]), *args.source])
    infos = list_runs(source)
    if isinstance(source, Several):
        tell_problems(source.failures())
    if args.json:
        print_json([info_json(info) for info in infos])
        return 0
    for info in infos:
        print(info_text(info))
    if not infos:
        tell(
            "No runs here. A run is a folder with metrics.jsonl or report/report.md, or a file "
            "that one of the formats in the README reads."
        )
    return 0


def _show(args: argparse.Namespace) -> int:
    runs = load_named([args.run], args)
    tell_read(runs)
    if args.json:
        documents = [_run_json(run) | {"events": _events_json(run)} for run in runs]
        print_json(documents if len(documents) > 1 else documents[0])
    else:
        print("\n\n".join(_run_text(run) for run in runs))
    return 0


def _run_json(run: Run) -> dict[str, Any]:
    steps = run.index
    return {
        "name": run.name,
        "source": run.source,
        "digest": run.digest,
        "steps": len(steps),
        "first_step": int(steps[0]) if len(steps) else None,
        "last_step": int(steps[-1]) if len(steps) else None,
        "metrics": list(run.metrics),
        "roles": dict(run.roles),
        "config": dict(run.config),
        "layers": _layers_json(run),
        "report": _report_json(run),
        "landscapes": [grid.name for grid in run.landscapes],
        "superseded_rows": 0 if run.attempts is None else len(run.attempts),
        "nonfinite_values": 0 if run.nonfinite is None else len(run.nonfinite),
        "problems": [_problem_json(problem) for problem in run.problems],
        "origins": [asdict(origin) for origin in run.origins],
    }


def _layers_json(run: Run) -> list[str] | None:
    if run.layers is None:
        return None
    return list(run.layers.sort_values("layer")["name"].unique())


def _report_json(run: Run) -> dict[str, Any] | None:
    if run.report is None:
        return None
    tasks = {task: dict(scores) for task, scores in run.report.tasks.items()}
    return {"title": run.report.title, "stages": list(run.report.stages), "tasks": tasks}


def _events_json(run: Run) -> list[dict[str, Any]]:
    from viz3d.analysis.events import run_events

    keys = ("kind", "metric", "step", "last_step", "rows", "size", "value")
    return [{key: getattr(event, key) for key in keys} for event in run_events(run)]


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def _run_text(run: Run) -> str:
    facts = _run_json(run)
    steps = f"{facts['steps']:,} steps"
    if facts["steps"]:
        steps += f", {facts['first_step']:,} to {facts['last_step']:,}"
    role_of = {metric: role for role, metric in run.roles.items()}
    lines = [f"{run.name}  ({run.source})", steps, f"digest {run.digest[:12]}"]
    lines += [origin_text(origin) for origin in run.origins]
    lines += [
        f"  {metric}" + (f"  = {role_of[metric]}" if metric in role_of else "")
        for metric in run.metrics
    ]
    if facts["layers"]:
        lines.append(f"{len(facts['layers'])} layers: {', '.join(facts['layers'])}")
    if run.report is not None:
        lines.append(f"report with stages {', '.join(run.report.stages) or 'none'}")
    if run.landscapes:
        lines.append(f"landscapes: {', '.join(grid.name for grid in run.landscapes)}")
    if run.config:
        lines.append("config: " + ", ".join(f"{key}={run.config[key]}" for key in run.config))
    return "\n".join(map(one_line, lines))
