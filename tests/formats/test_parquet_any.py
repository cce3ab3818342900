"""Parquet histories of any name: which columns are read, and what of a damaged file is left."""

from __future__ import annotations

import decimal
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import limits, parquet, parquet_any
from viz3d.formats.base import Parsed
from viz3d.formats.tally import Tally
from viz3d.load import list_runs, load_run, open_source

from .conftest import joined, said


def read(path: Path, columns: dict[str, Any] | pa.Table, **options: Any) -> Parsed:
    """Write a table and read it."""
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
    (parsed,) = parquet_any.read({path.name: path})
    return parsed


def test_columns_of_numbers_are_read_and_others_are_told(tmp_path: Path) -> None:
    """Decimals, booleans, dictionaries and structs of numbers count; times and lists do not."""
    parsed = read(
        tmp_path / "history.parquet",
        {
            "global_step": pa.array([0, 10, 20], pa.int32()),
            "loss": [3.0, None, float("nan")],
            "lr": pa.array([decimal.Decimal("0.10"), decimal.Decimal("0.20"), None]),
            "coded": pa.array([1.5, 1.5, 2.5]).dictionary_encode(),
            "train": [{"acc": 0.5, "note": "x"}, {"acc": 0.6, "note": "y"}, None],
            "when": pa.array([1, 2, 3], pa.timestamp("ms")),
            "many": [[1], [2], [3]],
            "word": ["a", "b", "c"],
        },
    )
    found = joined(parsed)
    assert found.history.index.tolist() == [0, 10, 20]
    assert list(found.history) == ["loss", "lr", "coded", "train/acc"]
    assert found.history["lr"].dropna().tolist() == [0.1, 0.2]
    assert found.history["coded"].tolist() == [1.5, 1.5, 2.5]
    assert len(found.nonfinite) == 1
    text = said(parsed)
    assert "3 columns of other than numbers were not read (when, many, word)." in text
    assert "train/note" in text


def test_half_floats_are_numbers(tmp_path: Path) -> None:
    """They lie in the file as bytes, as nothing else that is read does."""
    half = pa.array([1.5, None, 2.0, float("inf")], pa.float16())
    table = {"step": [0, 1, 2, 3], "half": half, "bytes": pa.array([b"a"] * 4, pa.binary(1))}
    parsed = read(tmp_path / "history.parquet", table)
    found = joined(parsed)
    assert found.history["half"].loc[[0, 2]].tolist() == [1.5, 2.0]
    assert found.nonfinite["step"].tolist() == [3]
    assert "were not read (half" not in said(parsed)


def test_keys_of_a_group_beyond_the_cap_are_counted_by_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "NESTED_KEYS", 1)
    columns = {
        "step": [0, 1, 2],
        "few": [{"a": 1, "b": None}] * 3,
        "many": [{"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": None}, None],
    }
    parsed = read(tmp_path / "history.parquet", columns)
    assert list(joined(parsed).history) == ["few/a", "many/a"]
    assert "3 values of nested objects beyond the first 1 were left out (many)" in said(parsed)


def test_layers_in_rows_are_layers(tmp_path: Path) -> None:
    """Text that names a layer is read for that."""
    columns = {"step": [0, 0], "layer": ["h.0", "h.1"], "grad_norm": [1.0, 2.0]}
    parsed = read(tmp_path / "a.parquet", columns)
    assert parsed.rows is None
    assert parsed.layers is not None
    assert parsed.layers["name"].tolist() == ["h.0", "h.1"]


def test_objects_and_extensions_are_left_alone(tmp_path: Path) -> None:
    """Bytes that somebody pickled stay bytes."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("unpickled",))

    blob = pickle.dumps(Trap())
    uuid = pa.array([b"0" * 16] * 2, pa.binary(16)).cast(pa.uuid())
    table = pa.table({"step": [0, 1], "loss": [1.0, 2.0], "blob": [blob, blob], "id": uuid})
    about = {b"pandas": b'{"columns": [{"name": "blob", "numpy_type": "object"}]}'}
    parsed = read(tmp_path / "a.parquet", table.replace_schema_metadata(about))
    assert list(joined(parsed).history) == ["loss"]
    assert "2 columns of other than numbers were not read (blob, id)." in said(parsed)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"loss": [1.0], "acc": [2.0]}, "no column of steps"),
        ({"step": [1]}, "no column of steps beside one of other numbers"),
        ({"step": ["1"], "loss": [1.0]}, "no column of steps"),
    ],
)
def test_it_declines_with_a_reason(
    tmp_path: Path, columns: dict[str, list[Any]], reason: str
) -> None:
    """A data set has no steps."""
    with pytest.raises(NotMine, match=reason):
        read(tmp_path / "history.parquet", columns)


def test_too_large_a_table_is_declined_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what would be read: columns of text cost nothing."""
    columns = {"step": [0] * 100, "loss": [1.0] * 100, "word": ["a"] * 100}
    monkeypatch.setattr(limits, "CELLS", 200)
    assert len(joined(read(tmp_path / "a.parquet", columns)).history) == 1
    monkeypatch.setattr(limits, "CELLS", 199)
    monkeypatch.setattr(parquet_any, "batches", lambda *_: pytest.fail("it was read"))
    with pytest.raises(NotMine, match="100 rows of 2 columns"):
        read(tmp_path / "a.parquet", columns)


GROUPS, PER_GROUP = 4, 50
STEPS = np.arange(GROUPS * PER_GROUP)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of four row groups, whose pages carry sums."""
    path = tmp_path_factory.mktemp("parquet") / "history.parquet"
    table = pa.table({"step": STEPS, "loss": STEPS / 7})
    pq.write_table(
        table, path, row_group_size=PER_GROUP, write_page_checksum=True, use_dictionary=False,
        compression="none",
    )  # fmt: skip
    return path


def test_a_damaged_page_costs_its_row_group(whole: Path, tmp_path: Path) -> None:
    """The others are read, and it is told."""
    bad = bytearray(whole.read_bytes())
    place = pq.read_metadata(whole).row_group(1).column(1)
    bad[place.data_page_offset + place.total_compressed_size // 2] ^= 0xFF
    path = tmp_path / "a.parquet"
    path.write_bytes(bad)
    (parsed,) = parquet_any.read({"a.parquet": path})
    assert joined(parsed).history.index.tolist() == [*range(50), *range(100, 200)]
    assert "1 row group is damaged; its rows from there on were left out." in said(parsed)


def test_rows_before_the_damage_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row group may be all that there is."""
    monkeypatch.setattr(parquet, "BATCH", 50)
    path, n = tmp_path / "a.parquet", np.arange(1000)
    table = pa.table({"step": n, "loss": n / 7})
    pq.write_table(
        table, path, use_dictionary=False, compression="none", write_page_checksum=True,
        data_page_size=800, write_batch_size=50,
    )  # fmt: skip
    place = pq.read_metadata(path).row_group(0).column(1)
    bad = bytearray(path.read_bytes())
    bad[place.data_page_offset + place.total_compressed_size * 3 // 4] ^= 0xFF
    path.write_bytes(bad)
    (parsed,) = parquet_any.read({"a.parquet": path})
    steps = joined(parsed).history.index.tolist()
    assert 600 < len(steps) < 800
    assert steps == list(range(len(steps)))
    assert "1 row group is damaged" in said(parsed)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"\xff\xff\xff\x7fPAR1"])
def test_a_file_without_its_end_is_told_as_that(tmp_path: Path, content: bytes) -> None:
    """Nothing in it can be found without the footer, or with a length that lies."""
    path = tmp_path / "history.parquet"
    path.write_bytes(content)
    with pytest.raises(NotMine, match="no complete Parquet file"):
        parquet_any.read({"history.parquet": path})


@settings(max_examples=100, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_whatever_is_cut_or_flipped_nothing_else_is_raised(
    whole: Path, share: float, flip: int
) -> None:
    """Neither by Arrow nor by what it makes of it; a file that is cut has lost its end."""
    content = bytearray(whole.read_bytes())
    at = int(share * len(content))
    if flip:
        content[at] ^= flip
    path = whole.with_name("bad.parquet")
    path.write_bytes(content if flip else content[:at])
    try:
        (parsed,) = parquet_any.read({"bad.parquet": path})
    except NotMine:
        return
    assert flip
    assert len(joined(parsed).history) <= len(STEPS)


def encrypted(path: Path, *, plain_footer: bool) -> None:
    """Write a file of which one column or all is encrypted."""
    import base64

    import pyarrow.parquet.encryption as pe

    class Keys(pe.KmsClient):
        def __init__(self, _: object) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            return base64.b64encode(key)

    how = pe.EncryptionConfiguration(
        footer_key="k", column_keys={"k": ["loss"]}, plaintext_footer=plain_footer
    )
    made = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), how)
    table = pa.table({"step": [0, 1], "loss": [1.0, 2.0]})
    pq.write_table(table, path, encryption_properties=made)


@pytest.mark.parametrize("plain_footer", [True, False])
def test_an_encrypted_file_is_refused_as_that(tmp_path: Path, plain_footer: bool) -> None:
    """It is not damaged."""
    path = tmp_path / "history.parquet"
    encrypted(path, plain_footer=plain_footer)
    with pytest.raises(NotMine, match="it is encrypted"):
        parquet_any.read({"history.parquet": path})


def test_on_this_disk_any_file_is_known_by_its_columns(tmp_path: Path) -> None:
    """A shard of a data set is no run; a history is one, whatever it is called."""
    pq.write_table(pa.table({"text": ["a"], "tokens": [3]}), tmp_path / "shard_00001.parquet")
    pq.write_table(pa.table({"_step": [0, 1], "loss": [1.0, 2.0]}), tmp_path / "0000.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    source = open_source(tmp_path)
    assert [info.name for info in list_runs(source)] == ["0000.parquet"]
    assert load_run(source).history["loss"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("path", "mine"),
    [
        ("a/history.parquet", True), ("a/train_metrics-1.parquet", True), ("a/x.parquet", False),
        ("history/x.parquet", False), ("history.parquet.tmp", False),
    ],
)  # fmt: skip
def test_which_names_are_claimed(path: str, mine: bool) -> None:
    """By name alone only those that say so, since a bucket may hold a data set."""
    assert (parquet_any.claim(path) is not None) == mine


def test_of_two_columns_of_steps_the_later_one_counts(tmp_path: Path) -> None:
    """A row has one step, whatever the names are."""
    columns = [pa.array([0, 1]), pa.array([1.0, 2.0]), pa.array([5, 6])]
    parsed = read(tmp_path / "a.parquet", pa.Table.from_arrays(columns, ["step", "loss", "step"]))
    assert joined(parsed).history["loss"].to_dict() == {5: 1.0, 6: 2.0}
    assert said(parsed) == ""


def test_text_that_a_dictionary_holds_is_read_as_any_other(tmp_path: Path) -> None:
    """Numbers in it are numbers, but where it names layers, and each is counted as it stands."""
    columns = {
        "step": [0, 1, 2, 3],
        "x": ["1.5", None, "2", "1.5"],
        "grad_norm": [1.0, 2.0, 3.0, 4.0],
        "name": ["h.0", "7", None, "n" * 201],
    }
    path = tmp_path / "metrics.parquet"
    for dictionary in (True, False):
        pq.write_table(pa.table(columns), path, use_dictionary=dictionary, row_group_size=3)
        tally = Tally("f")
        table = parquet.read_table(path, tally)
        assert table.columns["x"].row.tolist() == [0, 2, 3]
        assert table.columns["x"].value.tolist() == [1.5, 2, 1.5]
        assert "name" not in table.columns
        assert table.labels["name"].row.tolist() == [0, 1]
        assert table.labels["name"].value.tolist() == ["h.0", "7"]
        told = "\n".join(map(str, tally.problems()))
        assert "3 numbers written as text were taken as numbers (x)" in told
        assert "1 value that was no number was left out (name)" in told


def test_lists_and_bytes_are_not_read_and_text_only_within_its_cap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each a row may hold far more than it takes in the file."""
    table = pa.table({
        "step": [0, 1],
        "a.b": pa.array([decimal.Decimal("0.5")] * 2),
        "in": [{"y": 4.0, "z": [1]}, {"y": 5.0, "z": [2]}],
        "key": pa.array([b"ab"] * 2, pa.binary(2)),
        "s": ["1" * 30, "2" * 30], "t": ["3" * 30, "4" * 30], "u": ["5", "6"],
    })  # fmt: skip
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, use_dictionary=False)
    footer = pq.read_metadata(path).row_group(0)
    *_, s, _, u = (footer.column(at).total_uncompressed_size for at in range(footer.num_columns))
    monkeypatch.setattr(limits, "TEXT_BYTES", s + u)
    tally = Tally("f")
    found = parquet.read_table(path, tally)
    assert list(found.columns) == ["step", "a.b", "in/y", "s", "u"]
    told = "\n".join(map(str, tally.problems()))
    assert "2 columns of lists or bytes were not read (in.z, key)." in told
    assert f"1 column of more than {s + u} bytes of text, together with those before it" in told
    assert "was left out (t)" in told
    monkeypatch.setattr(limits, "TEXT_BYTES", 10)
    assert list(parquet.read_table(path, Tally("f")).columns) == ["step", "a.b", "in/y"]
