"""How long the network is waited for, and how often it is asked again.

The stock client waits up to two minutes, does not listen to ``Retry-After``, and has no bound at
all for a name that cannot be resolved. Here every question has a deadline of its own.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import TypeVar

from viz3d.errors import ServiceError
from viz3d.sources.faults import PASSING, fault

T = TypeVar("T")


@dataclass(frozen=True)
class Deadlines:
    """Seconds.

    Attributes
    ----------
    connect : float
        Until a connection stands.
    silence : float
        Without a byte; then the transfer counts as stalled.
    answer : float
        Until a question is answered, all tries together.
    refused : float
        The same where nothing listens at all: that does not mend itself.
    transfer : float
        Of a download without a new byte, all tries together.
    login : float
        Until the login service has answered, all tries together.
    first : float
        How long a saved listing is held back for the present one.
    retry_after : float
        The longest wait that the service may ask for.
    pause : float
        Before the second try; doubled before each further one.
    """

    connect: float = 3.0
    silence: float = 10.0
    answer: float = 12.0
    refused: float = 2.5
    transfer: float = 13.0
    login: float = 8.0
    first: float = 2.0
    retry_after: float = 10.0
    pause: float = 0.5

    def scaled(self, factor: float) -> Deadlines:
        """Return the same deadlines, `factor` times as long."""
        return replace(self, **{name: factor * value for name, value in vars(self).items()})

    def of(self, error: ServiceError, others: float) -> float:
        """Return how long a fault is borne; `others` for one that has no deadline of its own."""
        return {"unreachable": self.refused, "token_service": self.login}.get(error.kind, others)


def retry(
    ask: Callable[[float], T], deadlines: Deadlines, tell: Callable[[str], None] | None = None
) -> T:
    """Ask until there is an answer, an error that stays, or the deadline has passed.

    Parameters
    ----------
    ask : callable
        Is given the seconds that are left; raises `ServiceError`.
    deadlines : Deadlines
    tell : callable, optional
        Is told of each further try, in words.

    Raises
    ------
    ServiceError
        The last one.
    """
    began, tries = monotonic(), 0
    while True:
        tries += 1
        try:
            return ask(deadlines.answer - (monotonic() - began))
        except ServiceError as error:
            pause = wait_before(error, tries, deadlines)
            if pause is None or monotonic() - began + pause >= deadlines.of(
                error, deadlines.answer
            ):
                raise
            if tell:
                tell(f"{error.what} Trying again ({tries}) …")
            sleep(pause)


def wait_before(error: ServiceError, tries: int, deadlines: Deadlines) -> float | None:
    """Return the pause before another try; None where another try is of no use.

    Parameters
    ----------
    error : ServiceError
    tries : int
        That failed so far.
    deadlines : Deadlines

    Returns
    -------
    float or None
        Seconds: what the service asked for, else doubling from `Deadlines.pause`, with jitter.
    """
    if error.kind not in PASSING or (error.kind == "bad_answer" and tries > 1):
        return None
    if error.after is not None:
        return error.after if error.after <= deadlines.retry_after else None
    # Not a matter of security: the jitter keeps viewers from asking in step.
    return deadlines.pause * 2 ** (tries - 1) * random.uniform(0.75, 1.25)  # noqa: S311


def within(seconds: float, ask: Callable[[], T], late: str | ServiceError) -> T:
    """Ask on a thread of its own and give up after `seconds`, whatever it hangs in.

    Parameters
    ----------
    seconds : float
    ask : callable
    late : str or ServiceError
        The address of the bucket that is asked, or what to raise in the end.

    Resolving a name has no time-out of its own, and neither has the search for credentials on a
    network that swallows packets. The thread is left behind then; it dies with the process.

    Raises
    ------
    ServiceError
        What `ask` raises, or that nothing answered.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(ask())
        except BaseException as error:  # raised again on the asker's own thread
            failure.append(error)

    thread = threading.Thread(target=run, name="viz3d-bucket", daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not answer:
        if isinstance(late, ServiceError):
            raise late
        raise fault("unreachable", where=late, reason=f"nothing answered within {seconds:g} s")
    return answer[0]
