"""The command ``check``: whether a source can be read, and as whom."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from viz3d.cli_source import open_shown, read_settings
from viz3d.cli_text import one_line, print_json, tell
from viz3d.errors import SettingsError

if TYPE_CHECKING:
    from viz3d.sources.check import Check


def add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("check", help="say whether a source can be read, and as whom")
    parser.add_argument("source", nargs="?", metavar="SOURCE",
                        help="gs://BUCKET, wandb://ENTITY/PROJECT, or a folder")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(command=_check)


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
