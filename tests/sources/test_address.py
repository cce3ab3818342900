"""Addresses of buckets: what opens, what is repaired, what is refused before any request."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.errors import BucketError
from viz3d.sources.address import Address, is_bucket, parse_bucket


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("gs://team-runs", "team-runs", ""),
        ("gs://team-runs/", "team-runs", ""),
        ("gs://team-runs/runs", "team-runs", "runs/"),
        ("gs://team-runs/runs/", "team-runs", "runs/"),
        ("gs://team-runs//runs//", "team-runs", "runs/"),
        ("gs://team-runs/a//b", "team-runs", "a//b/"),
        (" gs://team-runs/a ", "team-runs", "a/"),
        ("team-runs/runs", "team-runs", "runs/"),
        ("gs://a.b.example.com/x", "a.b.example.com", "x/"),
        ("gs://old_bucket_name", "old_bucket_name", ""),
        ("gs://team-runs/50% ?#[x]&+", "team-runs", "50% ?#[x]&+/"),
        (
            "https://console.cloud.google.com/storage/browser/team-runs/runs/a",
            "team-runs",
            "runs/a/",
        ),
        (
            "https://console.cloud.google.com/storage/browser/team-runs;tab=objects?prefix=&x=1",
            "team-runs",
            "",
        ),
        (
            "https://storage.googleapis.com/team-runs/runs%2Fa/m.jsonl",
            "team-runs",
            "runs/a/m.jsonl/",
        ),
    ],
)
def test_what_opens(text: str, bucket: str, prefix: str):
    address = parse_bucket(text)
    assert (address.bucket, address.prefix) == (bucket, prefix)


@pytest.mark.parametrize(
    "name",
    [
        "", "ab", "x?alt=media", "bad#f", "Upper", "a" * 64, "192.168.5.4", "-a-b", "a-b-", "a..b",
        "a.-b", "has space", "x%2Fo%2Fother", "ümlaut", "..", ".", "a\nb", "a\0b",
    ],
)  # fmt: skip
def test_what_is_refused(name: str):
    with pytest.raises(BucketError, match="cannot be a bucket") as caught:
        parse_bucket(f"gs://{name}")
    assert caught.value.kind == "bad_name"
    assert "gcloud storage ls" in caught.value.remedy


@pytest.mark.parametrize("text", ["gs://me:hunter2@team-runs/x", "gs://team-runs:8080/x"])
def test_a_password_is_never_repeated(text: str):
    with pytest.raises(BucketError) as caught:
        parse_bucket(text)
    assert "hunter2" not in str(caught.value)


def test_too_long_and_impossible_paths_are_refused():
    for key in ("x" * 1025, "a\tb", "a\ud800"):
        with pytest.raises(BucketError):
            parse_bucket(f"gs://team-runs/{key}")


def test_an_address_is_shown_as_people_type_it():
    assert str(Address("team-runs")) == "gs://team-runs"
    assert str(parse_bucket("gs://team-runs/runs/a/")) == "gs://team-runs/runs/a"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("gs://b", True),
        ("https://console.cloud.google.com/storage/browser/b", True),
        ("https://example.com/b", False),
        ("runs/gs", False),
        ("wandb://x/y", False),
        ("http://[", False),
    ],
)
def test_what_is_written_as_a_bucket(text: str, is_one: bool):
    assert is_bucket(text) is is_one


@given(st.text() | st.text(alphabet="ab./:@-_%?# gs", max_size=40))
def test_any_text_is_a_legal_bucket_or_refused(text: str):
    try:
        address = parse_bucket(text)
    except BucketError:
        return
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", address.bucket)
    assert not address.key.startswith("/")
    assert not address.key.endswith("/")
