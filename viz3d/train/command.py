"""What the commands of the reference trainers share: arguments, record and charts."""

from __future__ import annotations

import argparse
import math
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from viz3d.errors import SettingsError
from viz3d.export.wandb.live import LiveCharts
from viz3d.record.recorder import Recorder
from viz3d.settings import load_settings

DUMMY = "dummy"
"""The name of a run that logs nothing to W&B, as in nanochat."""

MOST = 10**9
_LEAST = {"seed": 0, "warmup": 0, "group": 2}

StepDone = Callable[[int], None]


@dataclass(frozen=True)
class Command:
    """What was asked for.

    Attributes
    ----------
    run : str
        Name of the run; `DUMMY` logs nothing to W&B.
    output : pathlib.Path
        Folder for the run folder.
    options : SFTOptions or GRPOOptions
    words : str
        The whole command, for the record.
    """

    run: str
    output: Path
    options: Any
    words: str


def read_command(
    module: str, about: str, options: Any, arguments: Sequence[str] | None = None
) -> Command:
    """Read the command line of a trainer: each of its options is an argument.

    Parameters
    ----------
    module : str
        Behind ``python -m``.
    about : str
        First lines of ``--help``.
    options : SFTOptions or GRPOOptions
        The defaults.
    arguments : sequence of str, optional
        By default those of the process.

    Raises
    ------
    SystemExit
        2 with a sentence if an argument is unknown or cannot be.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--run", type=_name, default=DUMMY, metavar="NAME",
        help="name of the run, here and at W&B; dummy logs nothing to W&B (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, default=Path("runs"), metavar="FOLDER",
        help="where the run folder is made (default: %(default)s)",
    )  # fmt: skip
    _add_options(parser, options)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(f"there is no argument {unknown[0]!r}; --help lists those that there are")
    chosen = _chosen(options, args)
    size = getattr(chosen, "start", chosen)
    if size.width % size.heads:
        parser.error(f"a width of {size.width} cannot be shared by {size.heads} heads")
    return Command(args.run, args.output, chosen, shlex.join(["python", "-m", module, *words]))


@contextmanager
def recorded(command: Command, config: dict[str, Any]) -> Iterator[tuple[Recorder, StepDone]]:
    """Record a run, with 3D charts every ``eval_every`` steps and at the end.

    Yields
    ------
    recorder : Recorder
    step_done : callable
        To be called with each step when it is over.
    """
    folder = _new_folder(command.output / command.run)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        sys.exit(f"{folder} cannot be made ({error.strerror}); name another folder with --output.")
    try:
        with _charted(command, folder, config) as given:
            yield given
    except KeyboardInterrupt:
        print(f"Stopped; what was recorded is in {folder}", file=sys.stderr)
        sys.exit(130)
    except SettingsError as error:
        sys.exit(str(error))
    shown = shlex.join(["python", "-m", "viz3d", "show", str(folder)])
    print(f"Recorded in {folder}; see what is in it with: {shown}")


@contextmanager
def _charted(
    command: Command, folder: Path, config: dict[str, Any]
) -> Iterator[tuple[Recorder, StepDone]]:
    steps, every = command.options.steps, command.options.eval_every
    settings = load_settings()
    for problem in settings.problems:
        print(problem, file=sys.stderr)
    print(f"Training {steps} steps, recorded in {folder}", flush=True)
    recorder = Recorder(folder, config=config)
    charts = LiveCharts(folder, settings, wandb=command.run != DUMMY, name=command.run)

    def step_done(step: int) -> None:
        if step and step % every == 0:
            charts.draw(step)
        if step == steps - 1:
            charts.draw(step, final=True)

    with charts, recorder:  # the record is closed first, and then the charts are waited for
        yield recorder, step_done
        print("Training is done; the last charts are being made", flush=True)


def _add_options(parser: argparse.ArgumentParser, options: Any, prefix: str = "") -> None:
    for field in fields(options):
        default = getattr(options, field.name)
        if is_dataclass(default):
            _add_options(parser, default, f"{field.name}_")
        else:
            parser.add_argument(
                f"--{prefix}{field.name}", type=_number(field.name, type(default)),
                default=default, metavar="N", help="default: %(default)s",
            )  # fmt: skip


def _chosen(options: Any, args: argparse.Namespace, prefix: str = "") -> Any:
    found = {}
    for field in fields(options):
        default = getattr(options, field.name)
        if is_dataclass(default):
            found[field.name] = _chosen(default, args, f"{field.name}_")
        else:
            found[field.name] = getattr(args, prefix + field.name)
    return replace(options, **found)


def _number(name: str, kind: type) -> Callable[[str], Any]:
    least = _LEAST.get(name, 1 if kind is int else 0)

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= MOST:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least} on")
        return value

    return read


def _name(text: str) -> str:
    """Return the name of a run if a folder can have it everywhere."""
    if not re.fullmatch(r"[A-Za-z0-9_](?:[A-Za-z0-9_. -]{0,98}[A-Za-z0-9_-])?", text):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} cannot be the name of a folder; use at most 100 letters, digits, "
            "dashes and underscores"
        )
    return text


def _new_folder(path: Path) -> Path:
    """Return `path`, with a number behind it where a run lies there: this one begins at step 0."""
    number, folder = 1, path
    while folder.exists():
        number += 1
        folder = path.with_name(f"{path.name}-{number}")
    return folder
