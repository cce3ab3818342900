"""Console logs of llm.c, in C, CUDA and Python, through its history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, MAX_LINE, claim_log, read_alike
from viz3d.formats.console_lines import BEHIND, begin, step_of, tell_unread
from viz3d.formats.console_ranks import Ranks
from viz3d.formats.console_runs import PrintedRuns
from viz3d.formats.printed_numbers import NUMBER, STEP, Numbers, solid
from viz3d.formats.tally import Tally

NAME = "llm.c log"

# step 1/100: train loss … (… ms), or step 1/100 | loss … (…z)| norm …; train_gpt2.c has no /100.
_BEGINS = re.compile(rf"(?<!\w)step +({STEP})(/\d+)?(?::| \|) +(?=(?:train )?loss +\S)")
_TIMED = re.compile(r" ms\b")
_METRICS = {
    name: re.compile(pattern.format(rf"({NUMBER})"), re.IGNORECASE)
    for name, pattern in {
        "train_loss": r"(?:train )?loss +{}",
        "train_loss_z": r"loss +\S+ +\((?:z )?{}z?\)",
        "accumulated_loss": r"\(acc {}\)",
        "norm": r"norm +{}",
        "norm_z": r"norm +\S+ +\({}z\)",
        "lr": r"lr +{}",
        "dt_ms": r"(?<![\d,.]){} ms\b",
        "mfu": r"(?<=\| ){}% [^|]*MFU",
        "tok/s": r"(?<![\d,.]){} tok/s",
    }.items()
}
_EVALUATIONS = {
    "val_loss": re.compile(rf"(?<!\w)val loss ({NUMBER})\s*$", re.IGNORECASE),
    "hellaswag": re.compile(rf"(?<!\w)HellaSwag: \d+/\d+ = ({NUMBER})\s*$", re.IGNORECASE),
}
# What the versions print first.
_STARTS = re.compile(r"\| Parameter|\[GPT-2\]|Running pytorch|using device")
_MARKS = (b"step ", b"val loss", b"HellaSwag", b"| Param", b"[GPT-2", b"Running", b"using device")
NO_STEP = (
    "{n} evaluation{|s} {was|were} left out, since nothing says at which step {it was|they were} "
    "made."
)

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log.

    Evaluations are printed without a step. They come before the next update, or behind the last
    one, and stand at the step that the updates have reached by then. Where the steps go back, what
    a start prints first says whether an evaluation before them ended one or began the next.

    Raises
    ------
    NotMine
        If no line of it reads ``step N/M | loss …`` as llm.c prints it.
    """
    return read_alike(files, _read)


def _read(name: str, path: Path, number: Numbers, ranks: Ranks) -> list[Parsed]:
    tally = Tally(name)
    log = _Log(PrintedRuns(name, mfu_may_lack=True), tally)
    for at, raw in text.lines(path, tally):
        if len(raw) > MAX_LINE or not any(mark in raw for mark in _MARKS):
            continue
        printed = solid(text.printed(raw))
        match, own = begin(_BEGINS, printed)
        if match and _TIMED.search(rest := printed[match.end() :]):
            if not own:
                tally.add(BEHIND, line=at, found=raw)
            elif (step := step_of(match[1], number, tally, at)) is not None:
                values, unread = _values(rest, number)
                tell_unread(unread, tally, at)
                if not ranks.take(printed[: match.start()], step, values, tally, at):
                    continue
                log.runs.came_from(at, raw)
                log.update(step, values, at, from_0=not match[2])
        elif (found := _evaluated(printed, number)) and ranks.take(printed, None, found, tally, at):
            log.runs.came_from(at, raw)
            log.evaluation(found, at)
        elif begin(_STARTS, printed)[1]:
            log.start()
    if not log.updates:
        raise NotMine("no line of it reads `step N/M | loss …` with the time in ms behind")
    log.end()
    return log.runs.parsed(path, tally)


@dataclass
class _Log:
    runs: PrintedRuns
    tally: Tally
    updates: int = 0
    reached: int = 0
    started: bool = False  # and no update since
    waiting: dict[str, float | None] = field(default_factory=dict)
    line: int = 0

    def update(
        self, step: int, values: Mapping[str, float | None], line: int, *, from_0: bool
    ) -> None:
        """Take a line about an update; steps are counted from 1 where it says of how many."""
        before = step if from_0 else step - 1
        # Each run evaluates before its first step; what goes on may have, or the run before it.
        known = self.started or before == 0 or before >= self.reached
        self._place(before if known else None)
        self.runs.add(step, values, line)
        self.reached = step + 1 if from_0 else step
        self.updates += 1
        self.started = False

    def evaluation(self, values: Mapping[str, float | None], line: int) -> None:
        """Let an evaluation wait for the next update; of two the first ended the run before."""
        if self.waiting.keys() & values:
            self.start()
        self.waiting.update(values)
        self.line = line

    def start(self) -> None:
        """Take note that a start begins."""
        self.end()
        self.started = True

    def end(self) -> None:
        """Log the evaluations that wait behind the last update."""
        self._place(self.reached if self.updates else None)

    def _place(self, step: int | None) -> None:
        if not self.waiting:
            return
        if step is None:
            self.tally.add(NO_STEP, line=self.line, count=len(self.waiting))
        else:
            self.runs.add(step, self.waiting, self.line)
        self.waiting = {}


def _values(rest: str, number: Numbers) -> tuple[dict[str, float | None], list[str]]:
    """Return the numbers of an update, and what of its line was not read."""
    found = {name: pattern.search(rest) for name, pattern in _METRICS.items()}
    left = rest
    for match in filter(None, found.values()):
        left = left[: match.start()] + " " * len(match[0]) + left[match.end() :]
    return {name: number(match[1]) for name, match in found.items() if match}, left.split("|")


def _evaluated(printed: str, number: Numbers) -> dict[str, float | None]:
    found = {name: begin(pattern, printed) for name, pattern in _EVALUATIONS.items()}
    return {name: number(match[1]) for name, (match, own) in found.items() if match and own}
