"""Buckets on the pages: what is said when they are away, and that what is here stays usable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from tests.pages.fakes import TEXT, FakeBucket, opened_as
from tests.pages.test_pages import PAGES, SWEEP, charts, said
from viz3d.errors import BucketError, SettingsError
from viz3d.run import Problem
from viz3d.sources.faults import fault
from viz3d.ui import frame

Open = Callable[..., AppTest]
LOSS = "pages/1_Loss_landscape.py"


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBucket:
    """The runs of the other tests, in a bucket; whatever source a page names is this one."""
    fake = FakeBucket(folder)
    monkeypatch.setattr("viz3d.load.open_source", opened_as(fake))
    return fake


def warnings(app: AppTest) -> str:
    """Return what the page warns of, as a reader sees it."""
    return read([warning.value for warning in app.warning])


def read(parts: list[str]) -> str:
    """Return Markdown as a reader sees it."""
    return " ".join(parts).replace("\\", "").replace("\u200b", "")


def button(app: AppTest, key: str) -> AppTest:
    """Return a button of the page by its key."""
    return next(found for found in app.button if found.key == key)


@pytest.mark.parametrize("page", PAGES)
def test_fault_is_told_on_every_page_with_the_command_to_type(
    open_page: Open, bucket: FakeBucket, page: str
) -> None:
    """One box in the main area: what happened, what to do, the command ready to be copied."""
    bucket.away = fault("expired_login")
    app = open_page(page, source=TEXT)
    assert not app.exception
    [error] = app.main.error
    assert "Your Google login has expired" in error.value
    assert "`gcloud auth application-default login`" in error.value
    assert [code.value for code in app.main.code] == ["gcloud auth application-default login"]
    assert "No run" not in said(app), "it is not known whether there are runs"
    assert not charts(app)


@pytest.mark.parametrize("page", PAGES)
def test_why_nothing_was_found_stands_on_every_page(
    open_page: Open, bucket: FakeBucket, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was mistyped: what is near it is named in the main area, not folded away."""
    problem = Problem("There is nothing under gs://runs-of-ours/rums.", "Nearest: runs.")
    monkeypatch.setattr(bucket, "files", list)
    monkeypatch.setattr(bucket, "problems", lambda: (problem,))
    app = open_page(page, source=TEXT)
    assert not app.exception
    told = read([info.value for info in app.main.info])
    assert problem.what in told
    assert problem.remedy in told


def test_fault_passes_when_the_viewer_tries_again(open_page: Open, bucket: FakeBucket) -> None:
    """One click asks anew, with a new login, and the selection of the link is still there."""
    bucket.away = fault("expired_login")
    app = open_page(LOSS, source=TEXT, run=SWEEP[:2])
    bucket.away = None
    button(app, "try-again").click().run()
    assert not app.exception
    assert not app.error
    assert bucket.asked.count("open") == 2
    assert app.session_state["run"] == SWEEP[:2]
    assert len(charts(app)) == 1


def test_run_that_is_deleted_while_it_is_shown_is_named(
    open_page: Open, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The selection loses it, and the sidebar says which, until the viewer chooses anew."""
    app = open_page(LOSS, source=TEXT, run=SWEEP[:2])
    assert "No longer" not in captions(app)
    left = [file for file in bucket.files() if not file.path.startswith(f"{SWEEP[0]}/")]
    monkeypatch.setattr(bucket, "files", lambda: left)
    forget(app)
    for _ in range(2):
        app.run()
        assert app.session_state["run"] == SWEEP[1:2]
        assert f"No longer in this source: {SWEEP[0]}." in captions(app)
    app.multiselect(key="run").set_value(SWEEP[2:3]).run()
    assert "No longer" not in captions(app)


def captions(app: AppTest) -> str:
    """Return the small print of the sidebar, as a reader sees it."""
    return read([caption.value for caption in app.sidebar.caption])


def test_selection_outlives_a_fault(open_page: Open, bucket: FakeBucket) -> None:
    """A source that is away for a while takes neither the chosen runs nor the roles with it."""
    app = open_page(LOSS, source=TEXT, run=SWEEP[:2], **{"role.loss": "held"})
    # A browser takes what is not drawn out of the address.
    del app.query_params["role.loss"]
    for away in (fault("expired_login"), None):
        bucket.away = away
        forget(app)
    assert not app.exception
    assert app.session_state["run"] == SWEEP[:2]
    assert app.session_state["role.loss"] == "held"


def forget(app: AppTest) -> None:
    """Run the page with a listing made anew."""
    from viz3d.ui.waiting import listings

    listings().forget(TEXT)
    app.run()


def test_fault_is_not_asked_for_again_at_every_click(open_page: Open, bucket: FakeBucket) -> None:
    """A bucket that does not answer costs its deadline once, not at each rerun of the page."""
    bucket.away = fault("unreachable", where=TEXT, reason="it does not answer")
    app = open_page("app.py", source=TEXT)
    app.run()
    app.run()
    assert bucket.asked.count("files") == 1
    assert "cannot be reached" in app.error[0].value


def test_name_in_a_remedy_is_no_command(open_page: Open, bucket: FakeBucket) -> None:
    """What looks like a command and comes from the data is shown as text, not for copying."""
    bucket.away = BucketError("no_bucket", "There is nothing.", "Nearest: gs://b/`curl x | sh`.")
    app = open_page("app.py", source=TEXT)
    assert not app.main.code
    assert "`curl" not in re.sub(r"\\.", "", app.error[0].value)


def test_earlier_listing_says_as_of_when_it_is(open_page: Open, bucket: FakeBucket) -> None:
    """A bucket that is away: its runs are shown, with the time they are from and the reason."""
    bucket.away, bucket.snapshot = fault("stalled", where=TEXT, seconds=10.0), True
    app = open_page(LOSS, source=TEXT, run=SWEEP)
    assert not app.exception
    assert not app.error
    assert "stopped answering" in warnings(app)
    assert "as of 2026-11-23 20:01 UTC" in warnings(app)
    assert "As of 2026-11-23 20:01 UTC" in read([text.value for text in app.sidebar.caption])
    assert len(charts(app)) == 1


def test_run_that_is_not_here_is_told_and_the_others_are_drawn(
    open_page: Open, bucket: FakeBucket
) -> None:
    """Offline, a run that was never downloaded is left out by name."""
    bucket.away, bucket.snapshot = fault("stalled", where=TEXT, seconds=10.0), True
    bucket.here = {path for path in bucket.here if SWEEP[0] not in path}
    app = open_page(LOSS, source=TEXT, run=SWEEP)
    assert f"{SWEEP[0]} was left out" in warnings(app)
    assert "never downloaded" in warnings(app)
    [chart] = charts(app)
    about = chart["figure"]["layout"]["meta"]["viz3d"]
    assert {run["name"] for run in about["runs"]} == set(SWEEP[1:])


def test_older_copy_is_told_above_the_chart_and_not_kept(
    open_page: Open, bucket: FakeBucket
) -> None:
    """An older copy is drawn and named; the next run of the page tries the present one again."""
    metrics = f"{SWEEP[0]}/metrics.jsonl"
    bucket.older = {metrics}
    app = open_page(LOSS, source=TEXT, run=SWEEP[:2])
    assert f"{SWEEP[0]} · {metrics}: Shown is the copy as of 2026" in warnings(app).replace("*", "")
    assert len(charts(app)) == 1
    bucket.older = set()
    app.run()
    assert not app.warning
    assert bucket.asked.count(metrics) == 2
    assert bucket.asked.count(f"{SWEEP[1]}/metrics.jsonl") == 1, "what is whole is kept"
    app.run()
    assert bucket.asked.count(metrics) == 2
    assert bucket.asked.count("files") == 1, "opening runs lists nothing again"


def test_file_that_cannot_be_had_is_told_and_tried_again(
    open_page: Open, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without one of its files is shown as what it is, a part, and is not kept as a whole."""
    layers, real = f"{SWEEP[0]}/layers.jsonl", bucket.fetch

    def fetch(file: object) -> Path:
        if file.path == layers:  # type: ignore[attr-defined]
            raise fault("stalled", where=layers, seconds=10.0)
        return real(file)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(bucket, "fetch", fetch)
        app = open_page(LOSS, source=TEXT, run=SWEEP[:1])
    assert "stopped answering" in warnings(app)
    assert len(charts(app)) == 1
    app.run()
    assert not app.warning
    assert layers in bucket.asked


def test_chosen_runs_are_brought_all_at_once(open_page: Open, bucket: FakeBucket) -> None:
    """One call for the files of all chosen runs: they share connections and one progress bar."""
    bucket.here = set()
    app = open_page(LOSS, source=TEXT, run=SWEEP)
    assert not app.exception
    assert {path.split("/")[0] for path in bucket.prepared[0]} == set(SWEEP)
    assert len(charts(app)) == 1


def test_stopped_download_shows_what_is_here_and_goes_on_at_a_click(
    open_page: Open, bucket: FakeBucket
) -> None:
    """After a stop the runs that came are drawn; nothing more is fetched until Continue."""
    from viz3d.ui.downloads import STOPPED

    app = open_page("app.py", source=TEXT, run=SWEEP)
    bucket.here = {path for path in bucket.here if SWEEP[3] not in path}
    app.session_state[STOPPED] = (TEXT, tuple(SWEEP))
    app.switch_page(LOSS).run()
    assert "stopped: 3 of 4 chosen runs can be shown" in said(app)
    [chart] = charts(app)
    assert len(chart["figure"]["layout"]["meta"]["viz3d"]["runs"]) == 3
    assert not any(SWEEP[3] in path for path in bucket.here)
    button(app, "continue").click().run()
    assert "stopped" not in said(app)
    [chart] = charts(app)
    assert len(chart["figure"]["layout"]["meta"]["viz3d"]["runs"]) == 4


def test_nothing_is_said_against_runs_that_did_not_come(
    open_page: Open, bucket: FakeBucket
) -> None:
    """With nothing to draw, the page tells of the stop alone: not of no selection, no metric."""
    from viz3d.ui.downloads import STOPPED

    app = open_page("app.py", source=TEXT, run=SWEEP[:1])
    bucket.here = set()
    app.session_state[STOPPED] = (TEXT, (SWEEP[0],))
    app.switch_page(LOSS).run()
    assert not app.exception
    assert [info.value for info in app.info] == [
        "The download was stopped: 0 of 1 chosen run can be shown."
    ]
    assert bucket.here == set(), "no other run is fetched in its place"


def test_stopped_runs_are_not_fetched_to_be_offered(open_page: Open, bucket: FakeBucket) -> None:
    """Looking for runs that would do leaves alone what the viewer stopped, without a word."""
    from viz3d.ui.downloads import STOPPED

    app = open_page("app.py", source=TEXT, run=["grpo"])
    bucket.here = {path for path in bucket.here if "sweep" not in path}
    app.session_state[STOPPED] = (TEXT, tuple(SWEEP))
    app.switch_page("pages/2_Gradient_flow.py").run()
    assert not app.exception
    assert "stopped" not in said(app)
    assert not any("sweep" in path for path in bucket.here)


def test_page_fetches_little_to_find_runs_that_would_do(
    open_page: Open, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that nobody chose are fetched only while that stays small."""
    monkeypatch.setattr("viz3d.ui.missing.MOST_REMOTE_BYTES", 0)
    bucket.here = set()
    app = open_page("pages/2_Gradient_flow.py", source=TEXT, run=["grpo"])
    assert not app.exception
    assert {path.split("/")[0] for path in bucket.here} == {"grpo"}


def test_first_visit_downloads_no_more_than_a_limit(
    open_page: Open, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket of large runs opens on the newest one, not on gigabytes of them."""
    monkeypatch.setattr("viz3d.ui.sidebar.FIRST_BYTES", 10)
    app = open_page("app.py", source=TEXT)
    assert len(app.session_state["run"]) == 1
    assert app.session_state["run"][0] in SWEEP


def test_panel_says_who_reads_what_and_asks_only_when_told(
    open_page: Open, bucket: FakeBucket
) -> None:
    """Identity, project and bucket stand in the sidebar; the button tries the bucket for real."""
    app = open_page("app.py", source=TEXT, run=SWEEP[:1])
    words = read([text.value for text in app.sidebar.markdown])
    assert "reader@ours.example" in words
    assert "our-project" in words
    assert "runs-of-ours" in words
    listings = bucket.asked.count("files")
    app.run()
    assert bucket.asked.count("files") == listings
    button(app, "check").click().run()
    assert not app.exception
    assert "can be listed and read: 6 runs" in read([text.value for text in app.success])


def test_panel_tells_what_the_check_found_wrong(open_page: Open, bucket: FakeBucket) -> None:
    """A check that fails says what to do, with the command to copy."""
    app = open_page("app.py", source=TEXT, run=SWEEP[:1])
    bucket.away = fault("expired_login")
    button(app, "check").click().run()
    assert not app.exception
    assert "login has expired" in app.error[0].value
    assert "gcloud auth application-default login" in [code.value for code in app.sidebar.code]


def test_local_source_has_no_panel_and_asks_for_no_names(open_page: Open) -> None:
    """What is only for buckets stays away from folders."""
    app = open_page("app.py", run=SWEEP[:1])
    assert not [found for found in app.button if found.key == "check"]
    assert "folders found" not in said(app)


def test_secrets_reach_the_source_and_nothing_else(
    open_page: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service account's key from Streamlit's secrets is handed over, and shown nowhere."""
    given = []

    def open_source(text: str, settings: object) -> FakeBucket:
        given.append(settings)
        return FakeBucket(folder)

    key = {"client_email": "a@b.example", "private_key": "VERY-SECRET"}
    monkeypatch.setattr("viz3d.load.open_source", open_source)
    monkeypatch.setattr("viz3d.ui.frame._secrets", lambda: {"gcp_service_account": key})
    app = open_page("app.py", source=TEXT, run=SWEEP[:1])
    assert not app.exception
    assert given[0].service_account == key
    assert "VERY-SECRET" not in str(app) + repr(given[0])


def test_secrets_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket would else be read as nobody, and no word why; where there is no file, none is."""
    path = tmp_path / "secrets.toml"
    monkeypatch.setattr("streamlit.config.get_option", lambda _: [str(path)])
    monkeypatch.setattr("streamlit.secrets", Secrets())
    assert frame._secrets() == {}
    path.write_text("[gcp_service_account\nprivate_key = 'VERY-SECRET'\n", "utf-8")
    with pytest.raises(SettingsError, match=r"secrets.toml cannot be read .*line 1") as caught:
        frame._secrets()
    assert "VERY-SECRET" not in str(caught.value)


def test_the_samples_are_recordings_however_new_their_files(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh installation has just written them; nothing is being trained."""
    monkeypatch.setattr("viz3d.ui.live.is_live", lambda *_: True)
    app = open_page("app.py", source="sample")
    assert not app.exception
    assert not [caption for caption in app.sidebar.caption if "Last change" in caption.value]
