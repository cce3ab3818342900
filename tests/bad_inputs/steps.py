"""I25 to I32: steps that are missing, repeated, unsorted, no whole numbers, or go back."""

from __future__ import annotations

from pathlib import Path

from tests.bad_inputs.case import GOOD, LOSS, bad, lines


@bad("I25", r"no column of whole steps, so the rows were numbered", read={"loss": {0: 3.0, 1: 1.0}})
def no_steps(folder: Path) -> None:
    lines(folder, '{"loss": 3}', '{"loss": 1}')


@bad("I25", r"1 row without a whole number as 'step' was left out", read=LOSS)
def step_missing_in_a_row(folder: Path) -> None:
    lines(folder, GOOD[0], '{"loss": 9}', GOOD[1])


@bad("I26", r"1 value was logged again at the same step.*later one was kept", read=LOSS)
def step_twice(folder: Path) -> None:
    lines(folder, '{"step": 0, "loss": 9}', *GOOD)


@bad("I27", r"The steps are in no order, so the rows were sorted",
     read={"loss": {step: float(step) for step in range(9)}})  # fmt: skip
def shuffled(folder: Path) -> None:
    order = (4, 0, 7, 2, 8, 1, 6, 3, 5)
    lines(folder, *(f'{{"step": {step}, "loss": {step}}}' for step in order))


@bad("I28", r"1 row without a whole number as 'step'", read={"loss": {-5: 9.0, 0: 3.0, 2: 1.0}})
def negative_and_fractional(folder: Path) -> None:
    lines(folder, '{"step": -5, "loss": 9}', GOOD[0], '{"step": 0.5, "loss": 7}', GOOD[1])


@bad("I29", read={"loss": {0: 3.0, 2: 1.0, 2**53 + 1: 8.0, 2**63 - 1: 7.0}})
def large_whole_steps(folder: Path) -> None:
    rows = (
        f'{{"step": {step}, "loss": {loss}}}' for step, loss in ((2**53 + 1, 8), (2**63 - 1, 7))
    )
    lines(folder, *GOOD, *rows)


@bad("I29", r"2 rows without a whole number as 'step' were left out",
     read={"loss": dict.fromkeys(range(5), 1.0)})  # fmt: skip
def steps_beyond_int64(folder: Path) -> None:
    rows = (f'{{"step": {step}, "loss": 1}}' for step in range(5))
    lines(folder, *rows, f'{{"step": {2**63}, "loss": 9}}', '{"step": 1e30, "loss": 9}')


@bad("I29", r"log.jsonl:2: 1 whole number too large to be stored was left out \(step\)", line=2,
     read={"loss": {0: 3.0, 2: 1.0, 2**53 + 1: 8.0}, "flops": {2: 1e20}})  # fmt: skip
def a_step_beyond_int64_costs_itself(folder: Path) -> None:
    beyond = f'{{"step": {10**400}, "loss": 9}}'
    exact = f'{{"step": {2**53 + 1}, "loss": 8}}'
    lines(folder, GOOD[0], beyond, f'{{"step": 2, "loss": 1, "flops": {10**20}}}', exact)


@bad("I30", r"The steps go back once \(a restart\): 2 rows of earlier attempts were superseded",
     read={"loss": {0: 9.0, 1: 8.0, 2: 2.0, 3: 1.0, 4: 0.5}})  # fmt: skip
def restart(folder: Path) -> None:
    rows = [(0, 9), (1, 8), (2, 7), (3, 6), (2, 2), (3, 1), (4, 0.5)]
    lines(folder, *(f'{{"step": {step}, "loss": {loss}}}' for step, loss in rows))


@bad("I31", r"The steps go back 2 times", read={"loss": {0: 9.0, 1: 5.0, 2: 2.0, 3: 1.0}})
def three_attempts(folder: Path) -> None:
    rows = [(0, 9), (1, 8), (2, 7), (1, 5), (2, 4), (3, 3), (2, 2), (3, 1)]
    lines(folder, *(f'{{"step": {step}, "loss": {loss}}}' for step, loss in rows))


@bad("I32", read={"loss": {0: 3.0, 2: 1.0}, "reward": {3: 0.5, 4: 0.75}, "lr": {4: 0.1}})
def other_metrics_over_time(folder: Path) -> None:
    more = ('{"step": 3, "reward": 0.5}', '{"step": 4, "reward": 0.75, "lr": 0.1}')
    lines(folder, *GOOD, *more)
