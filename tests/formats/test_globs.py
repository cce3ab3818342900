"""The file names that formats claim, as one pattern for a service that filters listings."""

from __future__ import annotations

import re
from pathlib import Path
from string import ascii_letters

import pytest
from gcp_storage_emulator.gcs_glob import gcs_glob_match
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.formats import FORMATS
from viz3d.formats.globs import claimed, claimed_names
from viz3d.formats.names import CONFIG_STEMS
from viz3d.formats.patterns import any_case, not_beginning_with

ROOT = Path(__file__).resolve().parents[2]
# As the source of a bucket asks the service.
GLOB = f"**/{{{','.join(claimed_names())}}}"

NAMED = re.compile(r"[\w*./@-]*\w\.(?:md|jsonl?|csv|tsv|log|txt|out|ya?ml|parquet|ndjson|pt|pkl)\b")
STEMS = st.sampled_from([
    "m", "me", "meta", "meta_", "meta_1", "meta_000650", "meta_x", "META_1", "metrics", "part-1",
    "part-٣", "run", "report", "chat-sft", "header", "layers", "trainer_state", "measurements",
    *sorted(CONFIG_STEMS),
])  # fmt: skip
SUFFIXES = st.sampled_from([
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".log", ".out", ".txt", ".md", ".yaml", ".yml",
    ".parquet", ".pt", "", ".json.json",
]).flatmap(lambda suffix: st.sampled_from([suffix, suffix.upper(), suffix.title()]))  # fmt: skip
FOLDERS = st.sampled_from(["", "a/", "report/", "metrics/", "checkpoint-5/", "meta_1/", "a//", "/"])
# The service has no objects with line ends in their names.
TEXTS = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=8)
PATHS = st.tuples(FOLDERS, STEMS | TEXTS, SUFFIXES).map("".join) | TEXTS


def last(path: str) -> str:
    return path.rpartition("/")[2]


def check(path: str) -> None:
    """Fail where a format claims what its own names or the service's pattern leave out."""
    for form in FORMATS:
        if form.claim(path) is not None:
            assert any(gcs_glob_match(name, last(path)) for name in form.NAMES), form.NAME
    if claimed(path):
        assert gcs_glob_match(GLOB, path)


@settings(deadline=None)
@given(PATHS)
@example("run.json")
@example("a/metrics/part-00001.parquet")
@example("a/report/base-model-training.MD")
@example("meta_5.json.json")
@example("meta.json")
def test_what_is_claimed_is_asked_for(path: str) -> None:
    """No run is missed because the service was asked for too little."""
    check(path)


def test_every_name_in_the_readme_and_the_tests_is_asked_for() -> None:
    """The names that the project itself speaks of are found in a bucket too."""
    texts = [ROOT / "README.md", *(ROOT / "tests").rglob("*.py")]
    found = {name for text in texts for name in NAMED.findall(text.read_text("utf-8"))}
    names = {name.replace("*", "x") for name in found}
    assert len([name for name in names if claimed(name)]) > 50
    for name in names:
        check(name)


def test_every_real_log_is_asked_for(real_data: Path) -> None:
    """What opens from the folder of real logs opens from a bucket with the same files."""
    paths = [path.relative_to(real_data).as_posix() for path in real_data.rglob("*.*")]
    assert sum(map(claimed, paths)) > 30
    for path in paths:
        check(path)


@pytest.mark.parametrize("path", ["A.JSONL", "a/B.Csv", "A.JSONL.GZ", "a/TRAIN.LOG.GZ"])
def test_a_suffix_may_be_written_in_capitals(path: str) -> None:
    """Of a compressed log too."""
    assert gcs_glob_match(GLOB, path)
    assert claimed(path)


@pytest.mark.parametrize(
    "path",
    [
        "base_checkpoints/d20/meta_000650.json",
        "meta_000000.json",
        "a/meta_9.JSON",
        "base_checkpoints/d20/model_000650.pt",
        "model.safetensors",
        "pytorch_model-00001-of-00002.bin",
        "base_data/shard_00001.parquet",
        "tokenizer/tokenizer.pkl",
        "tokenizer/token_bytes.pt",
        "README.md",
        "a/.json",
        "a/report/",
        "c4/c4-train.00000-of-01024.json.gz",
        "a/metrics.json.gz",
    ],
)
def test_what_lies_by_the_thousand_is_not_asked_for(path: str) -> None:
    """Weights, their metadata and the data of a training do not make a listing long."""
    assert not gcs_glob_match(GLOB, path)
    assert not claimed(path)


@pytest.mark.parametrize(
    "path",
    ["a/shard_00012.jsonl.gz", "a/tokenizer.json", "a/meta_1.JSON", "requirements.txt", "a.yml"],
)
def test_documents_are_claimed_by_no_format(path: str) -> None:
    """What the pattern lets through by its suffix alone does not get further."""
    assert not claimed(path)


def test_the_pattern_is_one_that_the_service_takes() -> None:
    """In braces it knows no slash and no ``**``, and in brackets no comma or brace."""
    for name in claimed_names():
        assert re.fullmatch(r"(\[!?[\w-]+\]|[\w.*-])+", name)
        assert "**" not in name
    assert len(GLOB) < 1024
    assert len(set(claimed_names())) == len(claimed_names())


def test_a_name_that_another_pattern_takes_in_is_left_out() -> None:
    """``progress.csv`` needs no mention beside every CSV."""
    assert "progress.csv" not in claimed_names()
    assert "metrics.jsonl" not in claimed_names()
    assert "part-*.parquet" in claimed_names()


@settings(deadline=None)
@given(
    st.text("ab_", min_size=1, max_size=4),
    st.text("ab_.x", max_size=6) | st.text("ab_", max_size=4).map("{}.x".format),
)
def test_what_does_not_begin_with_a_text_and_nothing_else(start: str, name: str) -> None:
    """The alternatives together are the plain pattern without the names that begin so."""
    found = [glob for glob in not_beginning_with(start, "*.x") if gcs_glob_match(glob, name)]
    assert bool(found) == (name.endswith(".x") and not name.startswith(start))
    assert len(found) <= 1


def test_the_alternatives_for_checkpoints_read_plainly() -> None:
    """The first letter that differs decides."""
    assert not_beginning_with("met", "*.json") == (
        "[!m]*.json", "m[!e]*.json", "me[!t]*.json", ".json", "m.json", "me.json",
    )  # fmt: skip


@settings(deadline=None)
@given(st.text(ascii_letters + ".-_1", max_size=6), st.text(ascii_letters + ".-_1", max_size=6))
def test_any_case_is_any_case(text: str, other: str) -> None:
    """A name fits in whatever case it is written, and no other name does."""
    assert gcs_glob_match(any_case(f"x{text}"), f"X{text.upper()}")
    assert gcs_glob_match(any_case(f"x{text}"), f"x{other}") == (text.lower() == other.lower())
