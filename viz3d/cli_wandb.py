"""The command ``wandb``: charts of runs to Weights & Biases."""

from __future__ import annotations

import argparse

from viz3d.cli_runs import NAMED, add_run_options, load_named, tell_read
from viz3d.cli_source import Line, read_settings
from viz3d.cli_text import one_line, tell
from viz3d.errors import ChartError, ExportError


def add_wandb(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    from viz3d.export.wandb.kinds import WANDB_KINDS

    parser = commands.add_parser("wandb", help="send charts of runs to Weights & Biases")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=NAMED)
    parser.add_argument(
        "--kind", nargs="+", action="extend", default=[], choices=WANDB_KINDS, metavar="KIND",
        help="of %(choices)s; by default all that the runs have the data for",
    )  # fmt: skip
    parser.add_argument("--project", default="", metavar="P", help="by default WANDB_PROJECT")
    parser.add_argument("--entity", default="", metavar="E", help="by default WANDB_ENTITY")
    parser.add_argument(
        "--id", default="", metavar="RUN_ID", help="log into this run of W&B; else a new one"
    )
    parser.add_argument(
        "--mode", default="", choices=("online", "offline"), help="by default WANDB_MODE, or online"
    )
    parser.add_argument("--final", action="store_true", help="under final/3d/ in place of 3d/")
    add_run_options(parser)
    parser.set_defaults(command=_wandb)


def _wandb(args: argparse.Namespace) -> int:
    from viz3d.export.wandb.check import check_export
    from viz3d.export.wandb.kinds import make_charts
    from viz3d.export.wandb.outcome import sentences
    from viz3d.export.wandb.send import export_charts

    settings = read_settings()
    names = {"project": args.project, "entity": args.entity, "run_id": args.id}
    # What cannot work is said before anything is read and drawn.
    check_export(settings, mode=args.mode, **names)
    runs = load_named(args.runs, args)
    tell_read(runs)
    made = make_charts(runs, args.kind, strict=bool(args.kind))
    for text in (*made.notes, *made.skipped):
        tell(text)
    if not made.charts:
        raise ChartError("The runs hold what none of the charts needs, so nothing was sent to W&B.")
    with Line() as line:
        done = export_charts(
            made.charts, runs, settings, mode=args.mode, final=args.final, tell=line.show, **names
        )
    for text in sentences(done):
        tell(text)
    if done.failed:
        raise ExportError(done.failed)
    print(one_line(done.url or done.sync))
    return 0
