"""What a file's name alone says about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.formats.names import folder, is_document, rate_in_name, stem, suffix, timestamp


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("adamw-lr-0.0005-constant-linear-d09b-world4.json", 0.0005),
        ("adamw-lr-5e-05-constant.json", 5e-05),
        ("muon-defl-0.01-lr-0.02.json", 0.02),
        ("sweep/lr=3e-4/metrics.jsonl", 3e-4),
        ("lr1e-4.log", 1e-4),
        ("learning_rate_0.1.csv", 0.1),
        ("gpt-lr-0.003-seed-1", 0.003),
        ("gpt-lr6e-4-min_lr6e-5.jsonl", 6e-4),
        ("min-lr-1e-5_lr-1e-3.csv", 1e-3),
        ("final_learning_rate=1e-5.csv", None),
        ("color-0.5.json", None),
        ("lr-3.json", None),
        ("lr-0.0.json", None),
        ("defl-0.01.json", None),
    ],
)
def test_a_learning_rate_is_found_in_a_name(name: str, rate: float | None) -> None:
    """Only a plain lr with a plain number counts; an index or another word does not."""
    assert rate_in_name(name) == rate


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("aquarat-20251023-143022", datetime(2025, 10, 23, 14, 30, 22, tzinfo=UTC)),
        ("2025-10-23_14-30-22-x/20240101_000000", datetime(2025, 10, 23, 14, 30, 22, tzinfo=UTC)),
        ("run 2025-10-23T14:30", datetime(2025, 10, 23, 14, 30, tzinfo=UTC)),
        ("run-20251399-143022", None),
        ("d8", None),
        ("7202510231430220", None),
    ],
)
def test_a_timestamp_is_found_in_a_name(name: str, when: datetime | None) -> None:
    """The newest valid time counts; digits that are no time do not."""
    assert timestamp(name) == (None if when is None else when.timestamp())


def test_documents_beside_runs_are_not_taken_for_runs() -> None:
    """Vocabularies, indexes and configs lie everywhere and hold no history."""
    for name in ("a/tokenizer.json", "config.json", "b/meta_000462.json", "requirements.txt"):
        assert is_document(name)
    for name in ("metrics.json", "log.txt", "run-1.json"):
        assert not is_document(name)


@given(st.text(alphabet="ab./ ", max_size=12))
def test_parts_of_a_path_put_together_are_the_path(path: str) -> None:
    """Folder, stem and suffix agree on where a path is cut."""
    name = path.rpartition("/")[2]
    assert folder(path) + ("/" if "/" in path else "") + name == path
    assert name.startswith(stem(path))
    assert name.lower().endswith(suffix(path))
