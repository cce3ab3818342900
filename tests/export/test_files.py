"""Charts as files: the same bytes each time, whole or not at all, plain answers when not."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import plotly.graph_objects as go
import pytest

from viz3d import cli_plot
from viz3d.errors import ExportError
from viz3d.export.files import FORMATS, write_figure

DRAWN_HERE = sorted(set(FORMATS) - {".png", ".svg"})
ELSEWHERE = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
from drawn import make_charts, make_report, make_runs
from viz3d.export.files import FORMATS
charts = make_charts(make_runs()) | {"report": make_report()}
print(json.dumps({
    end: {
        kind: hashlib.sha256(FORMATS[end](chart)).hexdigest() for kind, chart in charts.items()
        if kind != "report" or end not in (".glb", ".ply")
    }
    for end in sys.argv[2:]
}))
"""


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, dict[str, str]]:
    """The digest of each file of each chart as another process makes it, by ending and kind."""
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(Path(__file__).parent), *DRAWN_HERE],
        env=os.environ | {"PYTHONHASHSEED": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("suffix", DRAWN_HERE)
def test_the_same_chart_gives_the_same_bytes(every, elsewhere, tmp_path, suffix):
    """Twice here, and where sets have another order: no address and no time gets into a file."""
    for kind, digest in elsewhere[suffix].items():
        first = write_figure(every[kind], tmp_path / f"{kind}{suffix}").read_bytes()
        assert FORMATS[suffix](every[kind]) == first, kind
        assert hashlib.sha256(first).hexdigest() == digest, kind
    assert set(every) - set(elsewhere[suffix]) <= {"report"}


def test_every_file_says_where_it_comes_from(charts):
    """Version, a setting and the digest of each run stand in every format."""
    for end in DRAWN_HERE:
        content = FORMATS[end](charts["loss-landscape"]).decode("utf-8", "replace")
        for i in range(4):
            assert f"{i}" * 64 in content, end
        assert "strictness" in content, end
        assert "0.1.0" in content, end


def test_json_is_the_figure_with_its_provenance(charts, tmp_path):
    """What Plotly reads back is the figure."""
    spec = json.loads(write_figure(charts["loss-landscape"], tmp_path / "a.json").read_text())
    assert spec["layout"]["meta"]["viz3d"]["kind"] == "loss-landscape"
    assert go.Figure(spec).data[0].type == "surface"


def test_the_command_line_knows_the_same_formats():
    """It lists them without importing what writes them."""
    assert tuple(FORMATS) == cli_plot.ENDINGS


def test_an_unknown_format_lists_the_known_ones(charts, tmp_path):
    """The message names the ending and the choices, and nothing is written."""
    with pytest.raises(ExportError, match=r"\.bmp.*\.html, \.png, \.svg, \.json, \.glb"):
        write_figure(charts["plain"], tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["missing/a.json", "a-file/b.json", "a" * 300 + ".json"])
def test_a_path_that_cannot_be_written_is_one_sentence(charts, tmp_path, name):
    """No half-written file stays."""
    (tmp_path / "a-file").write_text("kept")
    with pytest.raises(ExportError, match="could not be written"):
        write_figure(charts["plain"], tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "make room"), (errno.EROFS, "that you may write to")]
)
def test_a_disk_that_fails_halfway_leaves_what_was_there(
    charts, tmp_path, monkeypatch, number, said
):
    """In every format: the old file stays whole, and no half of the new one."""

    def fail(path, content):
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(number, os.strerror(number))

    (tmp_path / "a-folder.json").mkdir()
    with pytest.raises(ExportError, match="a folder has that name"):
        write_figure(charts["plain"], tmp_path / "a-folder.json")
    for end in DRAWN_HERE:
        (tmp_path / f"a{end}").write_text("before")
    monkeypatch.setattr(Path, "write_bytes", fail)
    for end in DRAWN_HERE:
        with pytest.raises(ExportError, match=said):
            write_figure(charts["plain"], tmp_path / f"a{end}")
        assert (tmp_path / f"a{end}").read_text() == "before"
    assert not list(tmp_path.glob(".*"))


def test_what_was_there_stays_when_a_chart_cannot_be_made(charts, tmp_path):
    """A file is replaced whole or not at all."""
    before = tmp_path / "a.glb"
    before.write_bytes(b"before")
    flat = charts["plain"]
    flat = type(flat)(flat.kind, "Flat", flat.flat, flat.flat, flat.table, "", flat.data)
    with pytest.raises(ExportError, match="no 3D scene"):
        write_figure(flat, before)
    assert before.read_bytes() == b"before"
