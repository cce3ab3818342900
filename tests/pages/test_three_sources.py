"""A bucket, a project on W&B and a folder side by side, with a run of one name in each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.fakes import TEXT, FakeBucket
from tests.pages.test_pages import charts, said
from tests.storage.conftest import one_service, service
from tests.storage.wandb_service import KEY, Fault, Service, StoredRun
from viz3d import load
from viz3d.sources.faults import fault
from viz3d.ui import listing

__all__ = ["one_service", "service"]
Open = Callable[..., AppTest]
Shown = tuple[Callable[..., AppTest], FakeBucket, Service]

PROJECT = "wandb://team/nano"
COMPARE = "pages/5_Compare.py"
IN_BUCKET, ON_WANDB, IN_FOLDER = (
    f"speedrun · {place}" for place in (TEXT, PROJECT, "here")
)  # fmt: skip


def write(folder: Path, columns: dict[str, Callable[[int], float]]) -> None:
    """Write the run ``speedrun`` of 30 steps."""
    (folder / "speedrun").mkdir(parents=True)
    rows = [{"step": s, **{name: f(s) for name, f in columns.items()}} for s in range(30)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "speedrun" / "metrics.jsonl").write_text(text, "utf-8")


@pytest.fixture
def three(
    open_page: Open, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shown:
    """Each place calls the loss otherwise and has steps of another size; one logs no tokens."""
    rate = {"lr": lambda _: 1e-2}
    loss = {"train/loss": lambda s: 9 / (s + 1), "total_tokens": lambda s: 512.0 * s, **rate}
    write(tmp_path / "bucket", loss)
    write(tmp_path / "here", {"lm_loss": lambda s: 8 / (s + 1), "lr": lambda _: 1e-3})
    rows = [
        {"_step": s, "_runtime": s / 2, "loss": 7 / (s + 1), "train/tokens": 1024.0 * s, "lr": 0.1}
        for s in range(30)
    ]
    service.runs.clear()
    service.add(StoredRun("abc", "speedrun", rows))
    bucket = FakeBucket(tmp_path / "bucket")
    real = load.open_source
    monkeypatch.setattr(
        load, "open_source", lambda text, *more: bucket if text == TEXT else real(text, *more)
    )
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(listing, "LISTING_AGE", 0.0)

    def opened(page: str = COMPARE, **more: Any) -> AppTest:
        sources = {"source": TEXT, "also": [PROJECT, str(tmp_path / "here")]}
        app = open_page(page, **sources, run=[IN_BUCKET, ON_WANDB, IN_FOLDER], **more)
        assert not app.exception
        return app

    return opened, bucket, service


def runs_of(app: AppTest) -> list[str]:
    """Return the runs that the first chart shows."""
    about = charts(app)[0]["flat"]["layout"]["meta"]["viz3d"]
    return sorted(run["name"] for run in about["runs"])


def test_three_places_side_by_side_along_what_they_logged(three: Shown) -> None:
    """Roles meet whatever the names; along tokens the one without is named."""
    opened, _, _ = three
    app = opened(view="Curves")
    assert runs_of(app) == sorted([IN_BUCKET, ON_WANDB, IN_FOLDER])
    app.selectbox(key="along").set_value("Tokens").run()
    assert runs_of(app) == sorted([IN_BUCKET, ON_WANDB])
    assert f"{IN_FOLDER} was left out. It did not log tokens." in said(app)
    # The choice holds for the scenes, and a link has it.
    app = opened(view="Overlaid", along="Tokens")
    [made] = charts(app)
    assert made["figure"]["layout"]["scene"]["xaxis"]["title"]["text"] == "tokens"
    assert runs_of(app) == sorted([IN_BUCKET, ON_WANDB])
    assert f"{IN_FOLDER} was left out." in said(app)
    app.selectbox(key="view").set_value("Side by side").run()
    assert not app.exception
    assert len(charts(app)) == 2
    assert f"{IN_FOLDER} was left out." in said(app)
    app.selectbox(key="kind").set_value("Training dynamics").run()
    assert not app.exception
    assert "along" not in [box.key for box in app.selectbox]


@pytest.mark.parametrize("away", ["bucket", "project"])
def test_one_that_is_away_takes_no_other_along(three: Shown, away: str) -> None:
    """It is told with what to do; the others are compared as ever."""
    opened, bucket, project = three
    if away == "bucket":
        bucket.away = fault("offline", name="", where=TEXT)
    else:
        project.fault = Fault("403")
    app = opened(view="Curves")
    assert len(app.error) == 1
    gone = IN_BUCKET if away == "bucket" else ON_WANDB
    assert runs_of(app) == sorted({IN_BUCKET, ON_WANDB, IN_FOLDER} - {gone})


def test_all_three_are_one_run_when_somebody_says_so(three: Shown) -> None:
    """In the order of the sources, each series with the source that gave it."""
    opened, _, _ = three
    app = opened(join=["speedrun"], view="Curves", along="Tokens", curve="lr")
    (run,) = charts(app)[0]["flat"]["layout"]["meta"]["viz3d"]["runs"]
    assert run["source"] == f"{TEXT} + {PROJECT} + here"
    assert set(run["series"]) == {TEXT, PROJECT, "here"}
    assert "lm_loss" in run["series"]["here"]
    assert "60 values were logged in both places with different numbers" not in said(app)
    assert said(app).count("30 values were logged in both places with different numbers (lr)") == 2
