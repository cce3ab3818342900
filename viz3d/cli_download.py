"""The command ``download``: files of runs into a folder."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from viz3d.cli_source import Line, ShownSource, open_named
from viz3d.cli_text import info_text, one_line, size_text, tell, tell_problems
from viz3d.errors import RunNotFound, SourceError
from viz3d.figures.text import count

if TYPE_CHECKING:
    from viz3d.run import RunInfo
    from viz3d.sources.download import Download

# Runs that are listed when asking which; older ones can be named.
MOST_OFFERED = 40
WHICH = "Which? 1-3, 5, latest, all, or nothing to stop: "


def add_download(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    from viz3d.sources.places import REPORTS

    parser = commands.add_parser("download", help="copy runs' reports into a folder")
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="gs://BUCKET, or a folder")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--latest", action="store_true", help="the newest run")
    which.add_argument("--all", action="store_true", help="every run")
    which.add_argument(
        "--run", nargs="+", action="extend", default=[], metavar="NAME", help="runs by name"
    )
    which.add_argument("--list", action="store_true", help="only list the runs")
    parser.add_argument(
        "--include", nargs="+", action="extend", default=[], metavar="GLOB",
        help=f"more than {' and '.join(REPORTS)}: files of the run, for example metrics.jsonl, "
        '"checkpoints/*" or "**"',
    )  # fmt: skip
    parser.add_argument(
        "--output", default="reports", type=_folder, metavar="FOLDER", help="%(default)s"
    )
    parser.set_defaults(command=_download, refuse=parser.error)


def choices(answer: str, count: int) -> list[int]:
    """Read which entries of a numbered list were meant.

    Parameters
    ----------
    answer : str
        Such as ``1-3, 5``, or nothing.
    count : int
        How many entries there are.

    Returns
    -------
    list of int
        Indices from 0, each once, in the order of the list.

    Raises
    ------
    ValueError
        If it is no choice; the message is for people.
    """
    words = re.sub(r"\s*-\s*", "-", answer).replace(",", " ").split()
    chosen: set[int] = set()
    for word in words:
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", word)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= count:
            raise ValueError(f"{word!r} is no number from 1 to {count}, and no range of them.")
        chosen.update(range(first - 1, last))
    return sorted(chosen)


def latest(infos: Sequence[RunInfo]) -> RunInfo:
    """Return the run whose name carries the newest time, else the one that changed last.

    Parameters
    ----------
    infos : sequence of RunInfo
        As `viz3d.load.list_runs` sorts them; at least one.
    """
    from viz3d.formats.names import timestamp

    return next((info for info in infos if timestamp(info.name) is not None), infos[0])


def _download(args: argparse.Namespace) -> int:
    from viz3d.load import list_runs
    from viz3d.sources.download import Download
    from viz3d.sources.places import REPORTS

    for word in (*args.run, *args.include):
        if word.lower().startswith("gs://"):
            args.refuse(f"SOURCE comes first: download {word} --…")
    if not (args.latest or args.all or args.run or args.list or _can_ask()):
        args.refuse("say which runs: add --latest, --all, --run NAME, or --list to see them")
    source = open_named(args.source)
    infos = list_runs(source)
    if args.list:
        for info in infos:
            print(info_text(info))
        return 0
    if not infos:
        raise RunNotFound(f"There are no runs in {source.name!r}.")
    chosen = _chosen(args, infos, source)
    if not chosen:
        tell("Nothing was downloaded.")
        return 0
    include = (*REPORTS, *args.include)
    job = Download(source, args.output)
    job.plan(chosen, include)
    if not job.items:
        raise RunNotFound(
            f"No file of {_some(chosen)} matches {' or '.join(include)}; --include takes more, for "
            "example --include metrics.jsonl."
        )
    return _run(job, args.output)


def _chosen(args: argparse.Namespace, infos: list[RunInfo], source: ShownSource) -> list[RunInfo]:
    from viz3d.sources.finding import find_run

    if args.all:
        return infos
    if args.latest:
        return [latest(infos)]
    if args.run:
        found = [find_run(infos, name, source.name)[0] for name in args.run]
        return list({info.name: info for info in found}.values())
    return _ask(infos)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(infos: list[RunInfo]) -> list[RunInfo]:
    """Ask until there is an answer; the end of the input is none."""
    offered = infos[:MOST_OFFERED]
    for number, info in enumerate(offered, 1):
        tell(f"{number:3}  {info_text(info)}")
    if len(infos) > len(offered):
        tell(f"     and {len(infos) - len(offered):,} older ones: --run NAME takes one")
    while True:
        print(WHICH, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip().lower()
        if answer == "latest":
            return [latest(infos)]
        if answer == "all":
            return infos
        try:
            return [offered[index] for index in choices(answer, len(offered))]
        except ValueError as error:
            tell(str(error))


def _run(job: Download, output: str) -> int:
    """Carry a download out and say how it went."""
    tell_problems(job.told)
    told, began = len(job.told), monotonic()
    try:
        with Line() as line:
            job.write(line.watch)
    except KeyboardInterrupt:
        ready = f"{job.written + job.here:,} of {count(len(job.items), 'file')}"
        tell(f"Stopped: {ready} are in {output}. The same command goes on from there.")
        raise
    tell_problems(job.told[told:])
    here = f"; {job.here:,} were here already" if job.here else ""
    seconds = monotonic() - began
    wrote = f"{count(job.written, 'file')} ({size_text(job.bytes)})"
    print(one_line(f"{wrote} written to {output} in {seconds:.1f} s{here}."))
    if job.failed:
        tell_problems(job.failed[1:])
        total = count(len(job.items), "file")
        raise SourceError(
            f"{len(job.failed):,} of {total} could not be downloaded; the same command tries only "
            f"those again. The first: {job.failed[0]}"
        )
    return 0


def _folder(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("name a folder; a dot is the present one")
    return text


def _some(infos: Sequence[RunInfo]) -> str:
    return repr(infos[0].name) if len(infos) == 1 else f"the {len(infos):,} runs"
