"""Listings: made once, shared, kept for a moment, and never waited for twice."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from viz3d.errors import BucketError, SourceError
from viz3d.run import FileInfo, Problem
from viz3d.settings import Settings
from viz3d.ui import listing, waiting
from viz3d.ui.listing import Inquiry, Listings

SETTINGS = Settings()


class Slow:
    """A source that lists when it is let to."""

    name, as_of = "slow", None
    begun = threading.Event()  # set when any of them is being listed

    def __init__(self) -> None:
        self.gate, self.listings = threading.Event(), 0
        self.error: Exception | None = None

    def names(self) -> list[str]:
        """Return folders, whatever the gate."""
        return ["a", "b"]

    def files(self) -> list[FileInfo]:
        """List once the gate is open."""
        self.begun.set()
        assert self.gate.wait(10)
        self.listings += 1
        if self.error:
            raise self.error
        return [FileInfo("a/metrics.jsonl", 10, 1.0, "1")]

    def problems(self) -> tuple[Problem, ...]:
        """Tell nothing."""
        return ()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Slow]:
    """Every source that is opened."""
    made: list[Slow] = []
    Slow.begun.clear()

    def open_source(text: str, settings: Settings) -> Slow:
        if text == "nowhere":
            raise SourceError("There is nothing.")
        made.append(Slow())
        if text == "quick":
            made[-1].gate.set()
        return made[-1]

    monkeypatch.setattr("viz3d.load.open_source", open_source)
    return made


def test_viewers_who_ask_at_once_share_one_listing(opened: list[Slow]) -> None:
    """Twenty who open the same bucket make one listing of it."""
    shared = Listings()
    asked = {id(shared.ask("slow", SETTINGS)) for _ in range(20)}
    assert len(asked) == 1
    assert Slow.begun.wait(10)
    opened[0].gate.set()
    found = shared.ask("slow", SETTINGS).result()
    assert [info.name for info in found.infos] == ["a"]
    assert opened[0].listings == 1


def test_listing_is_believed_for_a_moment(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that it is made anew, on the same connections and with the same login."""
    shared = Listings()
    first = shared.ask("quick", SETTINGS)
    first.result()
    assert shared.ask("quick", SETTINGS) is first
    monkeypatch.setattr(listing, "LISTING_AGE", 0.0)
    second = shared.ask("quick", SETTINGS)
    assert second is not first
    assert second.spare is first.result()
    second.result()
    assert len(opened) == 1
    assert opened[0].listings == 2


@pytest.mark.parametrize("why", ["failed", "forgotten", "other settings"])
def test_source_is_opened_anew(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """A failed one may find a new login, and new settings must not meet an old one."""
    shared = Listings()
    shared.ask("quick", SETTINGS).result()
    opened[0].error = BucketError("expired_login", "It has expired.")
    if why == "failed":
        monkeypatch.setattr(listing, "LISTING_AGE", 0.0)
        assert shared.ask("quick", SETTINGS).result().error is opened[0].error
    if why == "forgotten":
        shared.forget("quick")
    settings = Settings(project="other") if why == "other settings" else SETTINGS
    assert shared.ask("quick", settings).result().error is None
    assert len(opened) == 2


def test_what_cannot_be_opened_is_tried_at_every_question(opened: list[Slow]) -> None:
    """A wrong path costs nothing to try: it works the moment that the folder is there."""
    shared = Listings()
    first = shared.ask("nowhere", SETTINGS)
    assert isinstance(first.result().error, SourceError)
    assert shared.ask("nowhere", SETTINGS) is not first


def test_error_of_the_program_is_no_fault_of_the_source(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised where the page waits, and the next question starts afresh."""

    def broken(text: str, settings: Settings) -> Slow:
        raise KeyError(text)

    shared = Listings()
    with monkeypatch.context() as patched:
        patched.setattr("viz3d.load.open_source", broken)
        with pytest.raises(RuntimeError) as raised:
            shared.ask("quick", SETTINGS).result()
    assert isinstance(raised.value.__cause__, KeyError)
    assert shared.ask("quick", SETTINGS).result().infos


def test_only_the_last_places_are_kept(opened: list[Slow], tmp_path: Path) -> None:
    """Addresses typed by the hundred do not pile up."""
    shared = Listings()
    for number in range(listing.MOST_PLACES + 5):
        shared.ask(f"nowhere-{number}" if number else "quick", SETTINGS)
    assert len(shared._places) == listing.MOST_PLACES
    assert "quick" not in shared._places
    for source in opened:
        source.gate.set()


class Place:
    """Stands in for a placeholder of the page, and keeps what was shown."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.on_show: Any = lambda _: None

    def container(self) -> Place:
        """Return itself: one record is enough."""
        return self

    def empty(self) -> Place:
        """Note that it was emptied."""
        self.shown.append(None)
        return self

    def markdown(self, text: str) -> None:
        """Note the words."""
        self.shown.append(text)
        self.on_show(text)

    def dataframe(self, data: object, **_: object) -> None:
        """Note the table."""
        self.shown.append(data)


def share(monkeypatch: pytest.MonkeyPatch, inquiry: object) -> None:
    """Let the page find this inquiry."""
    found = SimpleNamespace(ask=lambda text, settings: inquiry)
    monkeypatch.setattr(waiting, "listings", lambda: found)


@pytest.mark.deadline
def test_names_are_shown_while_the_rest_is_listed(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders come first; they go when the runs are there."""
    place, began, seen = Place(), monotonic(), []

    def look(text: str) -> None:
        if "2 folders found" in text:
            seen.append(monotonic())
            opened[0].gate.set()

    place.on_show = look
    share(monkeypatch, Inquiry("slow", SETTINGS, None))
    found = waiting.list_source("slow", SETTINGS, place)  # type: ignore[arg-type]
    assert seen[0] - began < 2, "the promise is something on the screen within two seconds"
    assert [info.name for info in found.infos] == ["a"]
    assert any("**2 folders found**, reading" in str(text) for text in place.shown)
    assert place.shown[-1] is None


def test_quick_listing_shows_nothing_of_itself(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there at once does not flicker."""
    place = Place()
    share(monkeypatch, Inquiry("quick", SETTINGS, None))
    waiting.list_source("quick", SETTINGS, place)  # type: ignore[arg-type]
    assert place.shown == []


def test_listing_of_before_serves_while_a_new_one_takes_long(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that takes a minute to list does not take it at every click."""
    monkeypatch.setattr(waiting, "SPARE_AFTER", 0.0)
    first = Inquiry("quick", SETTINGS, None)
    shown = first.result()
    opened[0].gate.clear()
    again = Inquiry("quick", SETTINGS, first)
    share(monkeypatch, again)
    assert waiting.list_source("quick", SETTINGS, Place()) is shown  # type: ignore[arg-type]
    opened[0].gate.set()
    assert again.result() is not shown


def test_second_try_of_the_source_is_told(
    opened: list[Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the source says of its troubles stands beside the seconds, as text."""
    monkeypatch.setattr(Slow, "identity", "nobody", raising=False)
    inquiry = Inquiry("slow", SETTINGS, None)
    assert Slow.begun.wait(10)
    opened[0].tell("503. Trying *again* …")  # type: ignore[attr-defined]
    place = Place()
    place.on_show = lambda text: opened[0].gate.set()
    share(monkeypatch, inquiry)
    waiting.list_source("slow", SETTINGS, place)  # type: ignore[arg-type]
    assert r"503. Trying \*again\* …" in place.shown[2]
