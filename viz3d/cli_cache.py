"""The command ``cache``: what was downloaded, and what was parsed of it, is looked after."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from viz3d.cli_source import read_settings
from viz3d.cli_text import one_line, print_json, size_text, tell
from viz3d.figures.text import count
from viz3d.sources.entries import Verified

if TYPE_CHECKING:
    from viz3d.parsed.cache import ParsedCache
    from viz3d.sources.cache import Cache


def add_cache(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("cache", help="look after what was downloaded or parsed")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="where it is and how much it holds")
    info.set_defaults(command=_cache_info)
    verify = actions.add_parser("verify", help="read every copy and remove the damaged ones")
    verify.set_defaults(command=_cache_verify)
    for action in (info, verify):
        action.add_argument("--json", action="store_true", help="print one JSON document")
    actions.add_parser("clear", help="remove everything").set_defaults(command=_cache_clear)


def _cache() -> Cache:
    from viz3d.sources.cache import Cache

    settings = read_settings()
    cache = Cache.open(settings.cache_dir, settings.cache_bytes)
    for problem in cache.problems:
        tell(str(problem))
    return cache


def _parsed() -> ParsedCache | None:
    from viz3d.parsed.cache import ParsedCache

    settings = read_settings()
    try:
        return ParsedCache.open(settings.cache_dir, settings.cache_bytes)
    except OSError:
        return None  # as the cache of downloads has told


def _cache_info(args: argparse.Namespace) -> int:
    from viz3d.parsed.cache import ParsedInfo

    info = _cache().info()
    parsed = _parsed()
    kept = parsed.info() if parsed else ParsedInfo(0, 0)
    if args.json:
        print_json({**asdict(info), **asdict(kept)})
        return 0
    holds = f"{size_text(info.bytes)} in {count(info.files, 'file')}"
    print(one_line(f"folder   {info.folder}"))
    print(f"holds    {holds}, of {size_text(info.limit)} at most")
    if info.parts:
        stopped = count(info.parts, "stopped download")
        print(f"parts    {size_text(info.part_bytes)} in {stopped}, which can go on")
    if kept.parsed:
        logs = count(kept.parsed, "run")
        print(
            f"parsed   {size_text(kept.parsed_bytes)} of {logs}, of {size_text(info.limit)} at most"
        )
    return 0


def _cache_verify(args: argparse.Namespace) -> int:
    """Say what was damaged; that is mended by then, so the exit status is 0 all the same."""
    done = _cache().verify()
    if parsed := _parsed():
        checked, bad = parsed.verify()
        done = Verified(done.checked + checked, [*done.bad, *bad])
    if args.json:
        print_json(asdict(done))
        return 0
    damaged = f"{len(done.bad):,} damaged and removed: the next use makes them again."
    print(f"{count(done.checked, 'file')} checked, {damaged if done.bad else 'all good.'}")
    return 0


def _cache_clear(_: argparse.Namespace) -> int:
    parsed = _parsed()
    print(f"{size_text(_cache().clear() + (parsed.clear() if parsed else 0))} freed.")
    return 0
