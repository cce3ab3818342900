"""How often Hypothesis tries: few times in every run of the tests, many behind the marker slow."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same logs in every run, so that a change is judged by what it changed; new ones behind slow.
FAST = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LONG = settings(FAST, max_examples=20_000, derandomize=False)
