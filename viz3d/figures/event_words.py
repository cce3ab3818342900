"""What events are called and how they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from viz3d.analysis.event import KINDS, Event
from viz3d.analysis.plateaus import SHARE, SLOWED
from viz3d.analysis.spikes import THRESHOLD, WINDOW
from viz3d.figures.text import Drawn, count, listed, say

PLURAL = {
    "NaN": "stretches of NaN",
    "infinity": "stretches of infinite values",
    "divergence": "divergences",
    "plateau": "plateaus",
}
SINGULAR = {"NaN": "stretch of NaN", "infinity": "stretch of infinite values"}


def told_event(event: Event, name: Drawn) -> Drawn:
    """Say what happened; `name` is the metric's in words, and lines break at ``<br>``."""
    return _TELL[event.kind](event, name)


def told_size(event: Event) -> str:
    """Say how large an event was, in the unit of its kind."""
    if event.kind == "divergence":
        return f"{_factor(event.size)} its best level"
    if event.kind in ("spike", "drop"):
        return f"{_factor(event.size)} the scatter, {_lasted(event)}"
    words = {"plateau": "{} without progress", "restart": "{} superseded"}
    return words.get(event.kind, "{}").format(count(event.rows, "row"))


def tally(events: Iterable[Event]) -> dict[str, int]:
    """Count events by kind, in the order of `KINDS`."""
    found = Counter(event.kind for event in events)
    return {kind: found[kind] for kind in KINDS if found[kind]}


def told_tally(found: Mapping[str, int]) -> str:
    """Return counts in words: ``"2 stretches of NaN and 3 spikes"``."""
    return listed(
        [
            count(found[kind], SINGULAR.get(kind, kind), PLURAL.get(kind, ""))
            for kind in KINDS
            if kind in found
        ],
        7,
    )


def summed_up(found: Mapping[str, int]) -> str:
    """Return the sentence of a summary; empty without events."""
    return f"Events: {told_tally(found)}." if found else ""


def rules(found: Mapping[str, int]) -> list[str]:
    """Return the rules by which the events were found that are no plain facts."""
    said = []
    if "spike" in found or "drop" in found:
        said.append(
            f"Spikes and drops are rows more than {THRESHOLD:g} times the scatter away from the "
            f"level of the {WINDOW} rows before them: their median, corrected where they slope. "
            "The scatter is the median distance of those rows from such levels, scaled to the "
            "standard deviation of normal noise."
        )
    if "plateau" in found:
        said.append(
            f"A plateau is at least {100 * SHARE:.0f} % of a run in which the level changes by no "
            f"more than the noise, and by less than {100 * SLOWED:.0f} % of what as long a stretch "
            "before it brought, on a logarithmic axis of steps."
        )
    return said


def _not_a_number(event: Event, name: Drawn) -> Drawn:
    what = "NaN" if event.kind == "NaN" else "infinite"
    text = f"{name} became {what}, {count(event.rows, 'logged row')}"
    if event.before is None:
        return f"{text};<br>no finite value before it"
    return f"{text};<br>last good value {say(event.level)} at step {event.before:,}"


def _divergence(event: Event, name: Drawn) -> Drawn:
    return (
        f"{name} diverged from here:<br>it ends at {say(event.value)}, "
        f"{_factor(event.size)} its best level"
    )


def _spike(event: Event, name: Drawn) -> Drawn:
    verb, where = ("spiked", "above") if event.kind == "spike" else ("dropped", "below")
    return (
        f"{name} {verb} to {say(event.value)} {_lasted(event)},<br>{_factor(event.size)} the "
        f"scatter {where} {say(event.level)}"
    )


def _plateau(event: Event, name: Drawn) -> Drawn:
    return (
        f"no progress of {name} from step {event.step:,} to {event.last_step:,},<br>at "
        f"{say(event.value)}"
    )


def _restart(event: Event, name: Drawn) -> Drawn:
    return (
        f"restarted: steps {event.step:,} to {event.last_step:,} were logged again,<br>"
        f"{count(event.rows, 'row')} of {name} superseded"
    )


def _factor(size: float) -> Drawn:
    return f"{say(float(f'{size:.2g}'))} times"


def _lasted(event: Event) -> Drawn:
    rows = count(event.rows, "row")
    return f"for {rows}" if event.returned else f"for {rows} and more"


_TELL = {
    "NaN": _not_a_number,
    "infinity": _not_a_number,
    "divergence": _divergence,
    "spike": _spike,
    "drop": _spike,
    "plateau": _plateau,
    "restart": _restart,
}
