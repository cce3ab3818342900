"""Every error that viz3d raises on purpose.

Viz3dError
├── SettingsError     a setting has a value that cannot be used
├── SourceError       the place where runs live cannot be read
│   ├── RunNotFound   it can be read, but that run is not there
│   └── ServiceError  a service or the copy here of what it holds; says which of the known faults
│       ├── BucketError   a bucket
│       └── WandbError    Weights & Biases
├── FormatError       a file was found and cannot be understood
│   ├── NotMine       one format declines a file, with its reason
│   └── NoFormat      every format declined; the message lists each reason
├── ChartError        the runs do not hold what a chart needs
│   └── MissingMetric a metric with the needed role was never logged
├── ExportError       a chart was made and could not be written
└── BadArgument       an argument names something that is not there (also a ``ValueError``)

A message is one plain sentence that names the value, the rule and the next step. Arguments that
only a programming error can get wrong are plain ``ValueError``, as everywhere in Python.
"""

from __future__ import annotations

from collections.abc import Sequence


class Viz3dError(Exception):
    """Base of all errors that viz3d raises on purpose."""


class SettingsError(Viz3dError):
    """A setting has a value that cannot be used."""


class SourceError(Viz3dError):
    """The place where runs live cannot be read."""


class RunNotFound(SourceError):
    """The source can be read, but the run is not in it."""


class ServiceError(SourceError):
    """A service cannot be read, for one of the reasons that are known of it.

    Parameters
    ----------
    kind : str
        Short name of the fault, for programs: ``"expired_login"``, ``"no_bucket"`` and so on.
    what : str
        What happened, one sentence.
    remedy : str
        What to do now, one sentence.

    Attributes
    ----------
    after : float or None
        Seconds after which the service asked to be asked again.
    """

    def __init__(self, kind: str, what: str, remedy: str = "") -> None:
        self.kind, self.what, self.remedy = kind, what, remedy
        self.after: float | None = None
        super().__init__(f"{what} {remedy}".strip())


class BucketError(ServiceError):
    """A bucket cannot be read, for one of the reasons in `viz3d.sources.faults`."""


class WandbError(ServiceError):
    """W&B cannot be read, for one of the reasons in `viz3d.sources.wandb_faults`."""


class FormatError(Viz3dError):
    """A file was found and cannot be understood."""


class NotMine(FormatError):
    """One format declines a file; the message is its reason."""


class NoFormat(FormatError):
    """Every format declined a run.

    Parameters
    ----------
    run : str
        Name of the run.
    reasons : sequence of (format name, reason)
        In the order in which the formats were asked.
    """

    def __init__(self, run: str, reasons: Sequence[tuple[str, str]]) -> None:
        self.run, self.reasons = run, tuple(reasons)
        said = "; ".join(f"{name}: {reason}" for name, reason in reasons)
        super().__init__(
            f"No format can read {run!r} ({said or 'no file in it has a known name'}); "
            "see the table of formats in the README for what can be read."
        )


class ChartError(Viz3dError):
    """The runs do not hold what a chart needs."""


class MissingMetric(ChartError):
    """A metric with the needed role was never logged.

    Parameters
    ----------
    chart : str
        Title of the chart, as shown to the user.
    role : str
        What was looked for, in words: ``"loss"``, ``"per-layer gradient norms"``.
    metrics : sequence of str
        What the runs do have.
    remedy : str
        How to record it, one sentence.
    """

    def __init__(self, chart: str, role: str, metrics: Sequence[str], remedy: str) -> None:
        self.chart, self.role, self.metrics, self.remedy = chart, role, tuple(metrics), remedy
        has = ", ".join(self.metrics[:8]) + (", …" if len(self.metrics) > 8 else "")
        super().__init__(
            f"{chart} needs {role}, which none of the chosen runs logged "
            f"(they have: {has or 'no metrics at all'}). {remedy}"
        )


class ExportError(Viz3dError):
    """A chart was made and could not be written."""


class BadArgument(Viz3dError, ValueError):
    """An argument that a user can get wrong names something that is not there."""
