"""The commands about where runs lie: ``check``, ``download``, ``cache``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING

from viz3d.cli_source import Line, ShownSource, open_named, open_shown, read_settings
from viz3d.cli_text import (
    count_text,
    info_text,
    one_line,
    print_json,
    size_text,
    tell,
    tell_problems,
)
from viz3d.errors import RunNotFound, SettingsError, SourceError

if TYPE_CHECKING:
    from viz3d.run import RunInfo
    from viz3d.sources.cache import Cache
    from viz3d.sources.check import Check
    from viz3d.sources.download import Download

# Runs that are listed when asking which; older ones can be named.
MOST_OFFERED = 40
WHICH = "Which? 1-3, 5, latest, all, or nothing to stop: "


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three commands to the parser."""
    _add_check(commands.add_parser("check", help="say whether a source can be read, and as whom"))
    _add_download(commands.add_parser("download", help="copy runs' reports into a folder"))
    _add_cache(commands.add_parser("cache", help="look after what was downloaded"))


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


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="gs://BUCKET, or a folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(command=_check)


def _add_download(parser: argparse.ArgumentParser) -> None:
    from viz3d.sources.places import REPORTS

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


def _add_cache(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="where it is and how much it holds")
    info.set_defaults(command=_cache_info)
    verify = actions.add_parser("verify", help="read every copy and remove the damaged ones")
    verify.set_defaults(command=_cache_verify)
    for action in (info, verify):
        action.add_argument("--json", action="store_true", help="print one JSON document")
    actions.add_parser("clear", help="remove everything").set_defaults(command=_cache_clear)


def _check(args: argparse.Namespace) -> int:
    from viz3d.load import list_runs
    from viz3d.sources.check import Check, check

    try:
        settings = read_settings()
        found = check(args.source or settings.source, settings, open_shown, list_runs)
    except SettingsError as error:
        found = Check(False, "", kind="settings", message=str(error))
    if args.json:
        print_json(asdict(found))
    elif found.ok:
        print("\n".join(_check_lines(found)))
    else:
        for line in _check_lines(found):
            tell(line)
    return 0 if found.ok else 1


def _check_lines(found: Check) -> list[str]:
    """Return what was found, a fact a line; what is not known is left out."""
    reading = {True: "yes", False: "no", None: ""}[found.reading]
    facts = {
        "source": found.source,
        "who": found.identity,
        "project": found.project,
        "bucket": found.bucket,
        "list": "yes" if found.listing else "no",
        "read": reading,
        "next": found.next,
    }
    lines = [f"{name:8} {value}" for name, value in facts.items() if value]
    said = [found.message, found.remedy]
    return list(map(one_line, [*filter(None, said), *lines]))


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
        ready = f"{job.written + job.here:,} of {count_text(len(job.items), 'file')}"
        tell(f"Stopped: {ready} are in {output}. The same command goes on from there.")
        raise
    tell_problems(job.told[told:])
    here = f"; {job.here:,} were here already" if job.here else ""
    seconds = monotonic() - began
    wrote = f"{count_text(job.written, 'file')} ({size_text(job.bytes)})"
    print(one_line(f"{wrote} written to {output} in {seconds:.1f} s{here}."))
    if job.failed:
        tell_problems(job.failed[1:])
        total = count_text(len(job.items), "file")
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


def _cache() -> Cache:
    from viz3d.sources.cache import Cache

    settings = read_settings()
    cache = Cache.open(settings.cache_dir, settings.cache_bytes)
    for problem in cache.problems:
        tell(str(problem))
    return cache


def _cache_info(args: argparse.Namespace) -> int:
    info = _cache().info()
    if args.json:
        print_json(asdict(info))
        return 0
    holds = f"{size_text(info.bytes)} in {count_text(info.files, 'file')}"
    print(one_line(f"folder   {info.folder}"))
    print(f"holds    {holds}, of {size_text(info.limit)} at most")
    if info.parts:
        stopped = count_text(info.parts, "stopped download")
        print(f"parts    {size_text(info.part_bytes)} in {stopped}, which can go on")
    return 0


def _cache_verify(args: argparse.Namespace) -> int:
    """Say what was damaged; that is mended by then, so the exit status is 0 all the same."""
    done = _cache().verify()
    if args.json:
        print_json(asdict(done))
        return 0
    damaged = f"{len(done.bad):,} damaged and removed: the next use fetches them again."
    print(f"{count_text(done.checked, 'file')} checked, {damaged if done.bad else 'all good.'}")
    return 0


def _cache_clear(_: argparse.Namespace) -> int:
    print(f"{size_text(_cache().clear())} freed.")
    return 0
