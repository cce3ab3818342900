"""What happened to a metric at a step: the one record for every kind of event."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("NaN", "infinity", "divergence", "spike", "drop", "plateau", "restart")
"""Every kind of event, those that end a run first."""

BAD = frozenset({"NaN", "infinity", "divergence"})
"""Kinds after which a run is not what it was."""


@dataclass(frozen=True)
class Event:
    """Something that happened to one metric of a run.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    metric : str
        The column of the history.
    step : int
        Where it is: the peak of a spike or of a drop, else the first step.
    last_step : int
        The last step that belongs to it.
    rows : int
        Logged rows that belong to it; for a restart those that it superseded.
    size : float
        In the unit of the kind. Spike, drop: scatters from the level before. Divergence: factor
        between the final level and the best one. All others: rows.
    value : float or None
        Spike, drop: the peak. Divergence: the final level. Plateau: its level. Restart: what
        the surviving attempt logged at the step. None where nothing finite was logged.
    level : float or None
        The last finite value, or the level, before it; None when there was none.
    before : int or None
        The last step before it with a finite value; None when there was none.
    returned : bool
        Whether a spike or drop was seen to go back to the level before it.
    """

    kind: str
    metric: str
    step: int
    last_step: int
    rows: int
    size: float
    value: float | None = None
    level: float | None = None
    before: int | None = None
    returned: bool = True

    @property
    def bad(self) -> bool:
        """Whether the metric was lost, or went up for good."""
        return self.kind in BAD
