"""Listings of sources: each made once, on a thread of its own, and shared by all viewers.

The page that asked first may be gone before the answer comes: the thread belongs to nobody, keeps
the deadlines of the source, and what it found is there for the next who asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from viz3d.errors import Viz3dError
from viz3d.sources.base import is_remote
from viz3d.sources.finding import plain_name, whole_text
from viz3d.sources.several import labels_of

if TYPE_CHECKING:
    from viz3d.run import Problem, Run, RunInfo
    from viz3d.settings import Settings
    from viz3d.sources.base import Source

# How long a listing is believed, in seconds: new runs appear at the next click after it.
LISTING_AGE = 15.0
# While a new listing takes long, one that is no older than this serves in its place.
SPARE_AGE = 600.0
# A place that cannot be asked is opened anew after this long: the login may have been mended.
LOGIN_AGE = 60.0
MOST_PLACES = 16


@dataclass(frozen=True)
class Listed:
    """What a source held when it was asked.

    Attributes
    ----------
    text : str
        The source as the viewer named it.
    source : Source or None
        None where there is nothing to open.
    infos : tuple of RunInfo
        Newest first; empty when it could not be listed.
    as_of : float or None
        Seconds since 1970 of the listing that is shown because the place cannot be asked now.
    problems : tuple of Problem
        What the listing has to tell; the first says why, where `as_of` is set.
    error : Viz3dError or None
        Why it could not be listed.
    checked : float
        When it was asked, by the monotonic clock.
    parts : tuple of Listed
        The listings that it is made of, where several sources are open.
    """

    text: str
    source: Source | None = None
    infos: tuple[RunInfo, ...] = ()
    as_of: float | None = None
    problems: tuple[Problem, ...] = ()
    error: Viz3dError | None = None
    checked: float = 0.0
    parts: tuple[Listed, ...] = ()

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return monotonic() - self.checked

    @property
    def name(self) -> str:
        """The source as shown to people: of a folder only the last part."""
        return self.source.name if self.source is not None else self.text

    def places(self) -> dict[str, Listed]:
        """Return the listing behind each name of a source, as entries and runs say it."""
        if not self.parts:
            return {self.name: self}
        return dict(zip(labels_of([part.name for part in self.parts]), self.parts, strict=True))

    def part_of(self, run: Run) -> Listed:
        """Return the listing that a run was loaded from."""
        return {whole_text(label): part for label, part in self.places().items()}[run.source]

    def only(self, chosen: Sequence[RunInfo], label: str) -> list[RunInfo]:
        """Return the entries of this listing that stand among those of `together`."""
        names = {plain_name(info) for info in chosen if info.source == label}
        return [info for info in self.infos if info.name in names]


class Inquiry:
    """One listing, under way or done.

    Attributes
    ----------
    done : threading.Event
    listed : Listed or None
        None until it is done.
    spare : Listed or None
        An earlier listing of the same place, young enough to be shown meanwhile.
    said : str
        What the source told while it worked, such as a second try.
    source : Source or None
        None until it is opened; that of an earlier listing goes on where it can.
    opened : float
        When it was opened, by the monotonic clock.
    settings : Settings
    """

    def __init__(self, text: str, settings: Settings, before: Inquiry | None) -> None:
        self.settings = settings
        self.done = Event()
        self.listed: Listed | None = None
        self.said = ""
        self.opened = monotonic()
        self.source: Source | None = None
        old = before.listed if before else None
        self.spare = old if old and not old.error and old.age < SPARE_AGE else None
        if before and old and _still_good(old, before.opened):
            self.source, self.opened = before.source, before.opened
        self._text = text
        self._names: list[str] = []
        self._names_asked = False
        self._failure: BaseException | None = None
        Thread(target=self._run, name="viz3d-list", daemon=True).start()

    def result(self) -> Listed:
        """Wait for the listing.

        Raises
        ------
        Exception
            Only what is no fault of the source: an error of the program.
        """
        self.done.wait()
        if self.listed is None:
            raise RuntimeError("The listing broke off.") from self._failure
        return self.listed

    def names(self) -> list[str]:
        """Return the names of folders, once they are known; the first call asks for them."""
        if not self._names_asked and self.source is not None:
            self._names_asked = True
            Thread(target=self._ask_names, name="viz3d-names", daemon=True).start()
        return self._names

    @property
    def current(self) -> bool:
        """Whether it is under way, or done so lately that it need not be made again."""
        if not self.done.is_set():
            return True
        # What could not even be opened costs nothing to try again.
        openable = self.listed is not None and self.listed.source is not None
        return openable and self.result().age < LISTING_AGE

    def _run(self) -> None:
        try:
            self.listed = self._list()
        except BaseException as error:  # raised again on the thread that waits
            self._failure = error
        finally:
            self.done.set()

    def _list(self) -> Listed:
        from viz3d.load import list_runs, open_source

        try:
            if self.source is None:
                self.source = open_source(self._text, self.settings)
            if is_remote(self.source):
                self.source.tell = self._hear
            infos = tuple(list_runs(self.source))
            as_of, problems = self.source.as_of, self.source.problems()
        except Viz3dError as error:
            return Listed(self._text, self.source, error=error, checked=monotonic())
        return Listed(self._text, self.source, infos, as_of, problems, None, monotonic())

    def _ask_names(self) -> None:
        try:
            if self.source is not None:
                self._names = self.source.names()
        except Viz3dError:
            pass  # the listing itself will say so

    def _hear(self, said: str) -> None:
        self.said = said


class Listings:
    """The sources that viewers look at, the least recently asked forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._places: OrderedDict[str, Inquiry] = OrderedDict()

    def ask(self, text: str, settings: Settings) -> Inquiry:
        """Return the present listing of a source, or one that has just begun.

        Parameters
        ----------
        text : str
            As for `viz3d.load.open_source`.
        settings : Settings
            Held in memory, and compared; no part of a key.
        """
        with self._lock:
            before = self._places.get(text)
            if before and before.settings != settings:
                before = None
            if before is None or not before.current:
                self._places[text] = Inquiry(text, settings, before)
            self._places.move_to_end(text)
            while len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)
            return self._places[text]

    def forget(self, text: str) -> None:
        """Let the next who asks open the source anew, with a new login, and list it at once."""
        with self._lock:
            self._places.pop(text, None)


def _still_good(old: Listed, opened: float) -> bool:
    """Say whether a source goes on as it is: its connections and its login are kept."""
    if old.error is not None:
        return False
    return old.as_of is None or monotonic() - opened < LOGIN_AGE
