"""The app bears every bad input: the good runs beside it draw, and what was wrong is told.

The cases lie in one folder with two good runs and are selected a few at a time; with ``-m slow``
each is opened by itself, on every page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.bad_inputs.case import Bad, lines
from tests.bad_inputs.cases import ALL
from tests.bad_inputs.objects import CANARY
from viz3d.load import list_runs, open_source

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("app.py", *sorted(f"pages/{path.name}" for path in ROOT.glob("pages/*.py")))
GOOD = ("good-a", "good-b")
GROUPS = [ALL[at : at + 12] for at in range(0, len(ALL), 12)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case, each in a folder of its own, and two good runs."""
    root = tmp_path_factory.mktemp("bad")
    for case in ALL:
        (root / case.name).mkdir()
        case.make(root / case.name)
    for at, name in enumerate(GOOD, start=1):
        rows = (
            json.dumps({"step": step, "loss": 2 + math.exp(-step / 9) / at, "lr": at / 1000})
            for step in range(30)
        )
        lines(root / name, *rows, name="metrics.jsonl")
    return root


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app where it is started, with nobody's settings and nothing kept."""
    import streamlit as st

    monkeypatch.chdir(ROOT)
    for name in ("VIZ3D_SOURCE", "GCS_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    yield
    st.cache_resource.clear()


def opened(page: str, folder: Path, runs: Sequence[str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if page != "app.py":
        app.switch_page(page)
    app.query_params["source"] = str(folder)
    app.query_params["run"] = list(runs)
    return app.run()


def drawn(app: AppTest) -> set[str]:
    """Return the names of the runs in the charts that the browser is sent."""
    sent = [element.proto for element in app.get("bidi_component")]
    charts = [json.loads(proto.bytes) for proto in sent if proto.WhichOneof("data") == "bytes"]
    abouts = [chart["figure"]["layout"]["meta"]["viz3d"] for chart in charts if "figure" in chart]
    return {run["name"] for about in abouts for run in about["runs"]}


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.warning, *app.error, *app.info]
    return "\n".join(str(part.value) for part in parts).replace("\\", "").replace("\u200b", "")


def names_of(case: Bad, folder: Path) -> list[str]:
    infos = list_runs(open_source(folder))
    return [info.name for info in infos if info.path.split("/")[0] == case.name]


def check(app: AppTest, cases: Sequence[Bad]) -> None:
    """See that no page broke, and that it says of each case what it should."""
    assert not app.exception
    text = said(app)
    for case in cases:
        for wanted in (*case.told, *filter(None, [case.refused])):
            # Backslashes of Markdown are taken out, and those of a quoted line with them.
            pattern = wanted.replace("`", "`?").replace(r"\\+", "")
            assert re.search(pattern, text), f"{case.name} {pattern} {text}"


@pytest.mark.parametrize("cases", GROUPS, ids=[f"{group[0].id}-{group[-1].id}" for group in GROUPS])
def test_good_runs_draw_beside_bad_ones(
    cases: Sequence[Bad], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viz3d.ui.frame.MOST_REMARKS", 1000)
    monkeypatch.setattr("viz3d.ui.telling.MOST", 1000)
    bad = [name for case in cases for name in names_of(case, folder)]
    app = opened("pages/1_Loss_landscape.py", folder, [*GOOD, *bad])
    check(app, cases)
    assert not list(folder.rglob(CANARY))
    assert set(GOOD) <= drawn(app)


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_each_alone_on_every_page(case: Bad, folder: Path) -> None:
    names = names_of(case, folder)
    for page in PAGES:
        assert not opened(page, folder, names).exception
        app = opened(page, folder, [*GOOD, *names])
        check(app, [case])
        assert app.session_state["run"][:2] == list(GOOD)
