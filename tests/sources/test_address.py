"""Addresses of buckets: what opens, what is repaired, what is refused before any request."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.errors import BucketError
from viz3d.sources.address import Address, is_bucket, parse_bucket

CONSOLE = "https://console.cloud.google.com/storage/browser"


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("gs://team-runs", "team-runs", ""),
        ("gs://team-runs/", "team-runs", ""),
        ("gs://team-runs/runs", "team-runs", "runs"),
        ("gs://team-runs/runs/", "team-runs", "runs"),
        ("gs://team-runs//runs//", "team-runs", "runs"),
        ("gs:///team-runs/runs", "team-runs", "runs"),
        ("gs:/team-runs/runs", "team-runs", "runs"),
        ("GS://team-runs", "team-runs", ""),
        ("gs://gs://team-runs", "team-runs", ""),
        ("gs://team-runs/a//b", "team-runs", "a//b"),
        ("gs://team-runs/a/gs://b", "team-runs", "a/gs://b"),
        (" 'gs://team-runs/a' ", "team-runs", "a"),
        ("team-runs/runs", "team-runs", "runs"),
        ("gs://nanochat-aquarat-datasets/runs/", "nanochat-aquarat-datasets", "runs"),
        ("gs://a.b.example.com/x", "a.b.example.com", "x"),
        ("gs://old_bucket_name", "old_bucket_name", ""),
        ("gs://google-code-archive", "google-code-archive", ""),
        (f"gs://{'a' * 63}.{'b' * 63}", f"{'a' * 63}.{'b' * 63}", ""),
        ("gs://team-runs/50% ?#[x]&+:@", "team-runs", "50% ?#[x]&+:@"),
        (f"{CONSOLE}/team-runs/runs/a", "team-runs", "runs/a"),
        (f"gs://{CONSOLE}/team-runs/runs/a", "team-runs", "runs/a"),
        (f"{CONSOLE}/team-runs;tab=objects?prefix=&project=x", "team-runs", ""),
        (f"{CONSOLE}/_details/team-runs/a%20b.md;tab=live_object", "team-runs", "a b.md"),
        ("https://storage.googleapis.com/team-runs/runs/m%3F.jsonl", "team-runs", "runs/m?.jsonl"),
        ("https://storage.cloud.google.com/team-runs/a;b=c", "team-runs", "a;b=c"),
        ("https://team-runs.storage.googleapis.com/runs/a", "team-runs", "runs/a"),
    ],
)
def test_what_is_meant_opens(text: str, bucket: str, key: str) -> None:
    """The forms that people copy and type are read; slashes at the seams are repaired."""
    assert parse_bucket(text) == Address(bucket, key)


@pytest.mark.parametrize(
    ("bucket", "rule"),
    [
        ("", "empty"),
        ("ab", "3 to 63 characters"),
        ("a" * 64, "3 to 63 characters"),
        (f"{'a' * 64}.b", "3 to 63 characters"),
        (".".join(["a" * 60] * 4), "3 to 63 characters"),
        ("x?alt=media", "only lower-case letters"),
        ("bad#f", "only lower-case letters"),
        ("x%2Fo%2Fother", "only lower-case letters"),
        ("Upper", "only lower-case letters"),
        ("has space", "only lower-case letters"),
        ("ümlaut", "only lower-case letters"),
        ("a\nb", "only lower-case letters"),
        ("a\0b", "only lower-case letters"),
        ("١٢٣", "only lower-case letters"),
        ("-abc", "begin and end"),
        ("abc-", "begin and end"),
        ("...", "begin and end"),
        ("a..b", "two dots"),
        ("192.168.5.4", "IP address"),
    ],
)
def test_what_is_no_name_is_refused_with_the_rule(bucket: str, rule: str) -> None:
    """A name that would change the request never gets as far as a client."""
    with pytest.raises(BucketError, match=rule) as caught:
        parse_bucket(f"gs://{bucket}")
    assert caught.value.kind == "bad_name"
    assert "gcloud storage ls" in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_long_name_is_cut_in_the_message() -> None:
    """A page of text that was pasted by mistake is not repeated."""
    with pytest.raises(BucketError) as caught:
        parse_bucket("gs://" + "x" * 5000)
    assert len(caught.value.what) < 200


@pytest.mark.parametrize(
    "text",
    [
        "gs://me:hunter2@team-runs/x",
        "gs://hunter2@team-runs",
        "gs://me:hun/ter2@team-runs",
        "gs://me:hunter2#x/@b",
        "me:hunter2@team-runs",
        "https://me:hunter2@console.cloud.google.com/storage/browser/team-runs",
        "https://me:hunter2/@storage.googleapis.com/team-runs",
        "https://hunter2.example.com/team-runs?X-Goog-Signature=hunter2",
        f"{CONSOLE}/Bad?token=hunter2",
        "https://[hunter2",
    ],
)
def test_a_password_is_never_repeated(text: str) -> None:
    """Whatever may be a secret, or a part of one, is not in the message."""
    with pytest.raises(BucketError) as caught:
        parse_bucket(text)
    assert caught.value.kind == "bad_name"
    assert "hun" not in str(caught.value)
    assert "hun" not in repr(caught.value.__cause__)


@pytest.mark.parametrize("text", ["https://example.com/b", f"{CONSOLE[:-8]}/overview/b", "http://"])
def test_another_web_address_is_refused(text: str) -> None:
    """A page that is not one of a bucket is not taken for a bucket called like its path."""
    with pytest.raises(BucketError, match="web address is not one of a bucket"):
        parse_bucket(text)


@pytest.mark.parametrize(
    ("key", "what"),
    [("x" * 1025, "1,024 bytes"), ("ü" * 513, "1,024 bytes"), ("a\nb", "end of a line"),
     ("a\rb", "end of a line"), ("a\ud800b", "half a character")],
)  # fmt: skip
def test_a_path_that_no_object_has_is_refused(key: str, what: str) -> None:
    """The service would answer such a path with an error that says less."""
    with pytest.raises(BucketError, match=what):
        parse_bucket(f"gs://team-runs/{key}")


def test_an_address_is_shown_as_people_type_it() -> None:
    """What is shown can be typed again, and the prefix is that of a folder."""
    address = parse_bucket("gs://team-runs/runs/a/")
    assert (str(address), address.prefix) == ("gs://team-runs/runs/a", "runs/a/")
    assert (str(Address("team-runs")), Address("team-runs").prefix) == ("gs://team-runs", "")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("gs://b", True),
        ("gs:/b", True),
        (" 'gs://b'", True),
        (f"{CONSOLE}/b", True),
        ("https://example.com/b", True),
        ("runs/gs", False),
        ("gs", False),
        ("https", False),
        ("C:\\runs", False),
        ("wandb://x/y", False),
        ("", False),
    ],
)
def test_an_address_is_told_from_a_path(text: str, meant: bool) -> None:
    """A wrong address is no path either: it is refused as what it was meant to be."""
    assert is_bucket(text) is meant


@settings(deadline=None)
@given(
    st.text()
    | st.text(alphabet="abg1./:@-_%?# s\n", max_size=40).map("gs://".__add__)
    | st.text(alphabet="ab./:@-_%?#;=[]", max_size=40).map("https://storage.googleapis.com".__add__)
)
@example("https://storage.googleapis.com/%2F%2e%2e/x")
@example("https://storage.googleapis.com/%ff%0a")
def test_any_text_is_a_legal_bucket_or_refused(text: str) -> None:
    """Nothing else comes out, and what opens, opens again under the address that is shown."""
    try:
        address = parse_bucket(text)
    except BucketError:
        return
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", address.bucket)
    assert not re.search(r"^/|/$|[\r\n]", address.key)
    assert parse_bucket(str(address)).bucket == address.bucket
