"""What is already measured, on the disk: what is taken, what is not, what a failing disk costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viz3d.errors import ExportError
from viz3d.record.append import AppendFile
from viz3d.record.landscape.ledger import Ledger

ASKED = {"grid": [3, 3]}


def lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "landscape" / ".plane.rows"


def test_parts_are_there_again(file: Path) -> None:
    with Ledger(file, ASKED) as ledger:
        assert ledger.get("0") is None
        ledger.put("0", [1.0, 2.0])
    with Ledger(file, ASKED) as ledger:
        assert ledger.get("0") == [1.0, 2.0]
        ledger.put("1", [3.0])
        assert len(lines(file)) == 3
        ledger.done()
    assert not file.exists()


def test_without_a_file_they_are_in_memory(tmp_path: Path) -> None:
    with Ledger(None, ASKED) as ledger:
        ledger.put("0", [1.0])
        assert ledger.get("0") == [1.0]
        ledger.done()
    assert not list(tmp_path.iterdir())


def test_a_file_without_a_part_of_this_measure_is_replaced(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Else what others left would lie there, and be told, for ever."""
    for asked in ({"grid": [9]}, ASKED):
        with Ledger(file, asked) as ledger:
            assert ledger.get("0") is None
            ledger.put("0", [1.0])
    assert "begun with other weights" in caplog.text
    assert [json.loads(line).get("asked", ASKED) for line in lines(file)] == [ASKED, ASKED]


def test_a_measure_that_was_only_begun_is_replaced_and_nothing_said(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        Ledger(file, ASKED).__exit__(None, None, None)
    assert len(lines(file)) == 1
    assert not caplog.records


def test_lines_that_are_no_parts_are_passed_over(file: Path) -> None:
    with Ledger(file, ASKED) as ledger:
        ledger.put("0", [1.0])
    junk = b"7\n[]\nnull\n" + b"[" * 200_000 + b"\n\xff\xfe\n" + lines(file)[1][:-5]
    file.write_bytes(file.read_bytes() + junk)
    with Ledger(file, ASKED) as ledger:
        assert ledger.get("0") == [1.0]


def test_a_file_of_junk_was_not_begun_with_anything(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"junk\n")
    with Ledger(file, ASKED) as ledger:
        ledger.put("0", [1.0])
    assert len(lines(file)) == 2
    assert not caplog.records


def test_a_disk_that_fails_is_told_once(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And closing, which may fail there as well, costs nothing."""

    def fails(self: AppendFile, data: bytes = b"") -> None:
        raise OSError(5, "Input/output error")

    with Ledger(file, ASKED) as ledger:
        monkeypatch.setattr(AppendFile, "write", fails)
        monkeypatch.setattr(AppendFile, "close", fails)
        for part in "012":
            ledger.put(part, [1.0])
        assert [ledger.get(part) for part in "012"] == [[1.0]] * 3
    assert len(caplog.records) == 1
    assert ".plane.rows cannot be written (Input/output error)" in caplog.text


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(ExportError, match=r"'run' cannot be written \(.*\); name another folder\."):
        Ledger(tmp_path / "run" / "landscape" / ".plane.rows", ASKED)
