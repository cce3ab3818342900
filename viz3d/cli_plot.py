"""The command ``plot``: a chart of runs to a file."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.cli_runs import NAMED, add_run_options, load_named, tell_read
from viz3d.cli_text import tell
from viz3d.errors import BadArgument

if TYPE_CHECKING:
    from viz3d.run import Run

# The keys of `viz3d.export.files.FORMATS`, known without importing it.
ENDINGS = (".html", ".png", ".svg", ".json", ".glb", ".ply", ".csv", ".parquet", ".md")
LANDSCAPES = ("loss-landscape", "reward-landscape")
OVERLAID = ("loss-landscape", "gradient-flow", "reward-landscape", "training-dynamics")


@dataclass(frozen=True)
class Option:
    """An option that some kinds of charts have.

    Attributes
    ----------
    setting : str
        Of the chart.
    kinds : tuple of str
    help : str
    more : dict
        Further words to argparse, such as the choices.
    """

    setting: str
    kinds: tuple[str, ...]
    help: str
    more: dict[str, Any] = field(default_factory=dict)


def _number(text: str) -> float:
    with suppress(ValueError):
        if math.isfinite(value := float(text)):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number")


EXPLORE = ("explore",)
WEIGHTS = ("weight-space",)
SCALES = ("auto", "linear", "log")
# A difference has its own and those of the landscape that it is of.
OPTIONS = {
    "--rate": Option(
        "rate", ("loss-landscape",), "which learning rate is the axis",
        {"choices": ("auto", "current", "peak")},
    ),
    "--strictness": Option(
        "strictness", (*LANDSCAPES, "explore"),
        "how much data must stand behind a surface",
        {"choices": ("strict", "default", "loose")},
    ),
    "--axis": Option("against", ("reward-landscape",), "metric beside the step; else the loss"),
    "--of": Option("of", ("difference",), "what is subtracted", {"choices": LANDSCAPES}),
    "--along": Option(
        "along", (*LANDSCAPES, "gradient-flow", "curves"),
        "what stands in the step's place, where it was logged",
        {"choices": ("step", "tokens", "flops", "time")},
    ),
    "--metric": Option(
        "metric", ("seeds", "curves"), "metric or role that is compared; else the loss"
    ),
    "--target": Option(
        "target", ("seeds",), "value that the runs are to reach",
        {"type": _number, "metavar": "VALUE"},
    ),
    **{f"--{axis}": Option(axis, EXPLORE, "metric, role or setting on it") for axis in "xyz"},
    **{
        f"--{axis}-scale": Option(f"{axis}_scale", EXPLORE, "", {"choices": SCALES})
        for axis in "xyz"
    },
    "--color": Option("color", EXPLORE, "metric, role or setting as colour"),
    "--draw": Option(
        "draw", EXPLORE, "how rows are drawn", {"choices": ("path", "points", "surface")}
    ),
    "--landscape": Option(
        "landscape", WEIGHTS, "which of the run's; else the first", {"metavar": "NAME"}
    ),
    "--quantity": Option(
        "quantity", WEIGHTS, "what was measured; else the first", {"metavar": "NAME"}
    ),
    "--scale": Option("scale", WEIGHTS, "of what was measured", {"choices": SCALES}),
}  # fmt: skip


def add_plot(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    from viz3d.figures.kinds import KINDS

    parser = commands.add_parser("plot", help="write a chart to a file")
    parser.add_argument("kind", metavar="KIND", help="one of: %(choices)s", choices=tuple(KINDS))
    parser.add_argument("runs", metavar="RUN", nargs="+", help=NAMED)
    parser.add_argument(
        "--output", required=True, type=_output, metavar="FILE",
        help=f"where to write it; the end says what it is: {', '.join(ENDINGS)}",
    )  # fmt: skip
    parser.add_argument(
        "--against", nargs="+", default=[], metavar="RUN",
        help="difference: the runs that are subtracted from the first",
    )  # fmt: skip
    parser.add_argument(
        "--overlaid", action="store_true",
        help=f"{', '.join(OVERLAID)}: two to eight runs in one scene, each in its colour",
    )  # fmt: skip
    for name, option in OPTIONS.items():
        said = ": ".join(filter(None, (", ".join(option.kinds), option.help)))
        named = {} if "choices" in option.more else {"metavar": "METRIC"}
        parser.add_argument(name, help=said, **named | option.more)
    add_run_options(parser)
    parser.set_defaults(command=_plot, refuse=parser.error)


def _output(text: str) -> Path:
    if Path(text).suffix.lower() not in ENDINGS:
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of: {', '.join(ENDINGS)}")
    return Path(text)


def _plot(args: argparse.Namespace) -> int:
    from viz3d.export.files import write_figure
    from viz3d.figures import overlay
    from viz3d.figures.compare import column_names
    from viz3d.figures.kinds import make_chart

    settings = _settings(args)
    runs, subtracted = load_named(args.runs, args), load_named(args.against, args)
    for side in (runs, subtracted):
        _check_once(side)
    tell_read([*runs, *subtracted])
    if args.overlaid:
        groups = {name: [run] for name, run in zip(column_names(runs), runs, strict=True)}
        chart = overlay.chart(groups, args.kind, **settings)
    else:
        chart = make_chart(args.kind, runs, subtracted, **settings)
    write_figure(chart, args.output)
    for line in (chart.summary, *chart.notes):
        tell(line)
    print(args.output)
    return 0


def _check_once(runs: Sequence[Run]) -> None:
    """Refuse a run that is named twice: it would count as two that agree."""
    places = Counter((run.source, run.name) for run in runs)
    twice = [name for (_, name), n in places.items() if n > 1]
    if twice:
        raise BadArgument(f"The run {twice[0]!r} is named twice; name it once.")


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the chart; an option of another kind is wrong usage."""
    from viz3d.figures.kinds import TWO_SIDES
    from viz3d.figures.text import listed

    if args.kind == TWO_SIDES and not args.against:
        args.refuse(f"a {TWO_SIDES} takes two groups of runs: RUN ... --against RUN ...")
    if args.kind != TWO_SIDES and args.against:
        args.refuse(f"--against goes with {TWO_SIDES} only")
    if args.overlaid and args.kind not in OVERLAID:
        args.refuse(f"--overlaid goes with {listed(list(OVERLAID))} only")
    of = args.of or LANDSCAPES[0]
    drawn, hint = {args.kind}, ""
    if args.kind == TWO_SIDES:
        drawn, hint = {args.kind, of}, f"; this is a {TWO_SIDES} --of {of}"
    settings = {}
    for name, option in OPTIONS.items():
        value = getattr(args, name.removeprefix("--").replace("-", "_"))
        if value is None:
            continue
        if drawn.isdisjoint(option.kinds):
            args.refuse(f"{name} goes with {listed(list(option.kinds))} only{hint}")
        settings[option.setting] = value
    return settings
