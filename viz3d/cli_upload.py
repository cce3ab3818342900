"""The command ``upload``: what a recorder could not send to a bucket."""

from __future__ import annotations

import argparse
from pathlib import Path

from viz3d.cli_source import Line, read_settings
from viz3d.cli_text import one_line, tell
from viz3d.errors import BadArgument, SourceError
from viz3d.figures.text import count


def add_upload(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("upload", help="send what a bucket lacks of a recorded run")
    parser.add_argument("run", metavar="RUN", type=Path, help="the folder of a recorded run")
    parser.add_argument("address", metavar="gs://BUCKET/FOLDER", help="the run's name is added")
    parser.set_defaults(command=_upload)


def _upload(args: argparse.Namespace) -> int:
    from viz3d.sources.sending import open_sending

    if not any((args.run / name).is_file() for name in ("metrics.jsonl", "layers.jsonl")):
        raise BadArgument(
            f"{args.run.name or str(args.run)!r} has no metrics.jsonl; name the folder of a "
            "recorded run."
        )
    sending = open_sending(args.run, args.address, read_settings())
    with Line() as line:
        line.show(f"Sending to {args.address} …")
        try:
            sending.send()
        except OSError as error:
            raise SourceError(
                f"{args.run.name} cannot be read: {error.strerror}; what was sent stays sent."
            ) from error
    if sending.foreign:
        tell(
            f"{args.address} held {count(sending.foreign, 'part')} of another record of this name; "
            "the rows of this one stand behind them."
        )
    print(one_line(f"{args.address.rstrip('/')}/{args.run.resolve().name}"))
    return 0
