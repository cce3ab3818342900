"""The command ``pack``: the parts of a recorded run as few files of Parquet."""

from __future__ import annotations

import argparse

from viz3d.cli_source import Line, read_settings
from viz3d.cli_text import tell
from viz3d.figures.text import count


def add_pack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("pack", help="pack the rows of a recorded run into Parquet")
    parser.add_argument("run", metavar="RUN", help="a run folder, or gs://BUCKET/FOLDER/RUN")
    parser.set_defaults(command=_pack)


def _pack(args: argparse.Namespace) -> int:
    from viz3d.packing import pack

    settings = read_settings()
    with Line() as line:
        line.show(f"Packing {args.run} …")
        done = pack(args.run, settings)
    if done.unreadable:
        tell(f"{count(done.unreadable, 'line')} left where they are: they hold no whole row.")
    metrics, layers = count(done.metric_rows, "row"), count(done.layer_rows, "row")
    print(f"packed {metrics} of metrics and {layers} of layers")
    return 0
