"""The run model: what every format produces and every chart consumes.

All records are frozen. The frames inside them are shared between pages and viewers: treat them as
read-only and copy before changing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument, ServiceError, Viz3dError
from viz3d.listed import FileInfo, RunInfo

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.grid import LandscapeGrid

__all__ = ["Columns", "FileInfo", "Origin", "Problem", "Report", "Run", "RunInfo"]


@dataclass(frozen=True)
class Problem:
    """Something about the input that the user is told. Nothing good was lost because of it.

    Attributes
    ----------
    what : str
        What was found and what was done about it, one sentence.
    remedy : str
        What to do now; empty where nothing needs doing.
    file : str
        The file's path in the source.
    line : int or None
        The first line concerned, counted from 1.
    """

    what: str
    remedy: str = ""
    file: str = ""
    line: int | None = None

    @classmethod
    def of(cls, error: Viz3dError, file: str = "") -> Problem:
        """Return an error as a problem, which does not end what is being done."""
        if isinstance(error, ServiceError):
            return cls(error.what, error.remedy, file)
        return cls(str(error), file=file)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{where}{self.what}" + (f" {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class Origin:
    """Where a part of a run comes from: files that were read together, and what became of them.

    Attributes
    ----------
    source : str
        Name of the source, as in `RunInfo`.
    files : tuple of str
        Paths in the source; one, but for the parts of a run that was written in parts.
    format : str
        Name of the format that read them; empty where none did.
    rows : int
        Rows of the log, before those of one step were joined.
    first_step, last_step : int or None
        The range of the steps; None where there are no rows.
    counted_by : str
        The column that was taken for the step; empty where there is none, so that rows were
        numbered.
    metrics : tuple of str
        Metrics of the history that stand in these files.
    gave : tuple of str
        What else came from them: ``layers``, ``report``, ``config``, ``landscapes``.
    merged : bool
        Whether the rows were joined on the step with those of other files.
    declined : tuple of (str, str)
        Formats that were asked before and declined, each with its reason.
    """

    source: str = ""
    files: tuple[str, ...] = ()
    format: str = ""
    rows: int = 0
    first_step: int | None = None
    last_step: int | None = None
    counted_by: str = ""
    metrics: tuple[str, ...] = ()
    gave: tuple[str, ...] = ()
    merged: bool = False
    declined: tuple[tuple[str, str], ...] = ()

    @property
    def counts(self) -> str:
        """What its steps count; see `counted`."""
        return counted(self.counted_by)


_COUNTED = {
    "": "row number",
    "_step": "_step",
    "epoch": "epoch",
    "time/iterations": "time/iterations",
    "training_iteration": "training_iteration",
    **dict.fromkeys(
        (
            "time/total_timesteps",
            "time/total timesteps",
            "total_timesteps",
            "timesteps",
            "timesteps_total",
        ),
        "total_timesteps",
    ),
}


def counted(column: str) -> str:
    """Return what a column of steps counts: ``step``, or what is no step of the optimizer.

    Those are the rows themselves where there is no column, calls of ``wandb.log`` (``_step``),
    epochs, steps of an environment, rollouts of it, and reports of a trial of Ray Tune.
    """
    return _COUNTED.get(column.lower(), "step")


@dataclass(frozen=True)
class Report:
    """A nanochat ``report.md``: results per training stage, no per-step history.

    Attributes
    ----------
    title : str
    stages : tuple of str
        Stages that have results, in training order: ``base``, ``mid``, ``sft``, ``rl``.
    tasks : dict of {task: {stage: value}}
        Scores as fractions or as the report prints them; a stage without a score has no key.
    sections : dict of {section: {key: value}}
        Every ``- key: value`` of every section; numbers are floats, the rest text.
    environment : dict of {key: value}
        Git, hardware and software lines, as text.
    """

    title: str
    stages: tuple[str, ...]
    tasks: Mapping[str, Mapping[str, float]]
    sections: Mapping[str, Mapping[str, float | str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


class Columns(ABC):
    """A history that is read column by column when it is asked for.

    Attributes
    ----------
    metrics : tuple of str
        In the order in which they were first logged.
    roles : mapping of {role: metric}
        As recognised.
    rows : int
    logged : mapping of {metric: int}
        At how many steps each has a number.
    """

    metrics: tuple[str, ...]
    roles: Mapping[str, str]
    rows: int
    logged: Mapping[str, int]

    @abstractmethod
    def read(self, metrics: Sequence[str]) -> pd.DataFrame:
        """Return some of them as `Run.history` has them; without any, its index alone."""


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes
    ----------
    name, source : str
        As in `RunInfo`.
    config : mapping
        Hyper-parameters as they were found; empty when none were.
    history : pandas.DataFrame, shape (n_steps, n_metrics)
        Index ``step`` (int64, sorted, unique); one float64 column per metric; NaN where a metric
        was not logged at a step *or* was logged as NaN (`nonfinite` tells them apart).
    layers : pandas.DataFrame or None
        Columns ``step`` (int64), ``layer`` (int64, model order), ``name`` (str), ``grad_norm``
        and where recorded ``weight_norm``, ``update_ratio`` (float64), sorted by step and layer.
    report : Report or None
    landscapes : tuple of LandscapeGrid
        Values measured on planes through the weights, then those on lines, by their names.
    roles : mapping of {role: metric}
        What each metric is, as recognised or as the user said.
    attempts : pandas.DataFrame or None
        Rows that a restart superseded: columns ``attempt`` (int64, from 1), ``step`` and the
        metrics; in the order in which they were logged.
    nonfinite : pandas.DataFrame
        Columns ``step``, ``metric``, ``value``: every NaN or infinity that was really logged.
        Infinities also stand in `history`.
    problems : tuple of Problem
    digest : str
        SHA-256 (hex) of the bytes that were read.
    origins : tuple of Origin
        Which files the run was read from, and those that no format read.
    """

    name: str
    source: str
    history: pd.DataFrame
    config: Mapping[str, Any] = field(default_factory=dict)
    layers: pd.DataFrame | None = None
    report: Report | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    attempts: pd.DataFrame | None = None
    nonfinite: pd.DataFrame | None = None
    problems: tuple[Problem, ...] = ()
    digest: str = ""
    landscapes: tuple[LandscapeGrid, ...] = ()
    origins: tuple[Origin, ...] = ()

    def __post_init__(self) -> None:
        for name in ("config", "roles"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if isinstance(self.history, Columns):  # read when it is asked for
            object.__setattr__(self, "_columns", self.history)
            object.__delattr__(self, "history")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read the whole history where it has not been read so far."""
            if name != "history" or "_columns" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            object.__setattr__(self, "history", self.__dict__["_columns"].read(self.metrics))
            return self.history

    @property
    def _stored(self) -> Columns | None:
        return self.__dict__.get("_columns")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics in the history, in the order in which they were first logged."""
        if self._stored:
            return self._stored.metrics
        return tuple(str(column) for column in self.history.columns)

    def logged(self, metric: str) -> int:
        """Return at how many steps a metric has a number; of what is kept none need be read."""
        if self._stored:
            return self._stored.logged[metric]
        return int(self.history[metric].notna().sum())

    def origin_of(self, metric: str) -> tuple[Origin, ...]:
        """Return where the series of a metric comes from; several where files were joined."""
        return tuple(origin for origin in self.origins if metric in origin.metrics)

    def columns(self, metrics: Sequence[str]) -> pd.DataFrame:
        """Return some columns of the history, of which the others need not be read for it.

        Raises
        ------
        KeyError
            If there is no such metric.
        """
        if self._stored:
            different = list(dict.fromkeys(metrics))
            found = self._stored.read(different)
            return found if len(different) == len(metrics) else found[list(metrics)]
        return self.history[list(metrics)]

    def column(self, metric: str) -> pd.Series:
        """Return one column of the history; see `columns`."""
        return self.columns([metric])[metric]

    @property
    def index(self) -> pd.Index:
        """The steps, of which no metric need be read."""
        return self.columns(()).index

    def role(self, role: str) -> pd.Series | None:
        """Return the series that plays `role`, without the steps at which it was not logged.

        Parameters
        ----------
        role : str
            For example ``"loss"`` or ``"learning_rate"``.

        Returns
        -------
        pandas.Series or None
            Float64, indexed by step; None when no metric plays the role. Values logged as NaN are
            left out too; ask `nonfinite` for them.
        """
        metric = self.roles.get(role)
        if metric is None or metric not in self.metrics:
            return None
        found = self.column(metric)
        return found.dropna() if found.hasnans else found

    def with_roles(self, roles: Mapping[str, str]) -> Run:
        """Return the same run with some roles said by the user.

        Parameters
        ----------
        roles : mapping of {role: metric}
            Each metric must be in the history.

        Raises
        ------
        BadArgument
            If a metric is not in the history.
        """
        for role, metric in roles.items():
            if metric not in self.metrics:
                known = ", ".join(self.metrics) or "none"
                raise BadArgument(
                    f"Run {self.name!r} has no metric {metric!r} for the role {role!r}; it has: "
                    f"{known}."
                )
        history: Any = self._stored or self.history
        return replace(self, history=history, roles={**self.roles, **roles})
