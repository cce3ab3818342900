"""Deadlines and retries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

import pytest

from viz3d.errors import BucketError
from viz3d.sources.faults import KINDS, PASSING, fault
from viz3d.sources.patience import Deadlines, retry, within

QUICK = Deadlines().scaled(0.02)


class Service:
    """Fails a number of times with one fault, then answers."""

    def __init__(self, failures: int, make: Callable[[], BucketError]) -> None:
        self.failures, self.make, self.asked = failures, make, 0

    def __call__(self, left: float) -> str:
        """Play `ask`."""
        self.asked += 1
        if self.asked <= self.failures:
            raise self.make()
        return "answer"


def down() -> BucketError:
    return fault("service_down", where="gs://b", reason="status 503")


def busy(after: float) -> BucketError:
    error = fault("too_many_requests", where="gs://b", reason="")
    error.after = after
    return error


def test_a_fault_that_passes_is_not_seen():
    service = Service(3, down)
    assert retry(service, QUICK) == "answer"
    assert service.asked == 4


def test_each_further_try_is_told():
    told: list[str] = []
    retry(Service(2, down), QUICK, told.append)
    assert [text.rpartition(" Trying again ")[2] for text in told] == ["(1) …", "(2) …"]


@pytest.mark.deadline
def test_a_service_that_stays_down_is_given_up_at_the_deadline():
    began = monotonic()
    with pytest.raises(BucketError, match="503") as caught:
        retry(Service(10**6, down), QUICK)
    assert caught.value.kind == "service_down"
    assert monotonic() - began <= QUICK.answer


@pytest.mark.parametrize("kind", ["no_permission", "expired_login", "no_bucket", "portal"])
def test_a_fault_that_stays_is_not_asked_about_again(kind: str):
    facts = {"where": "gs://b", "who": "x", "bucket": "b", "nearest": ""}
    service = Service(1, lambda: fault(kind, **facts))
    with pytest.raises(BucketError):
        retry(service, QUICK)
    assert service.asked == 1


def test_an_answer_that_cannot_be_understood_is_asked_for_once_more():
    service = Service(9, lambda: fault("bad_answer", where="gs://b", reason="it is no JSON"))
    with pytest.raises(BucketError):
        retry(service, QUICK)
    assert service.asked == 2


def test_retry_after_is_waited_for():
    began = monotonic()
    assert retry(Service(1, lambda: busy(0.15)), QUICK) == "answer"
    assert monotonic() - began >= 0.15


def test_a_retry_after_beyond_the_limit_fails_at_once():
    service = Service(1, lambda: busy(QUICK.retry_after * 2))
    with pytest.raises(BucketError, match="fewer requests"):
        retry(service, QUICK)
    assert service.asked == 1


def test_what_hangs_for_ever_is_left_behind():
    never = threading.Event()
    with pytest.raises(BucketError, match=r"nothing answered within 0\.05 s") as caught:
        within(0.05, never.wait, "gs://b")
    assert caught.value.kind == "unreachable"
    never.set()


def test_within_hands_on_answers_and_errors():
    assert within(5, lambda: 7, "gs://b") == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0, "gs://b")


def test_every_kind_that_passes_is_a_kind():
    assert set(KINDS) >= PASSING
