"""The offline path: what W&B's own log holds is read back and compared with the charts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from wandb_charts import KEY, chart, run, without_browser
from wandb_log import config, history, metrics

from viz3d.errors import BadArgument, ChartError, ExportError
from viz3d.export.plain_lists import to_plain
from viz3d.export.wandb import process
from viz3d.export.wandb.check import HIDDEN, check_names, hide_key, run_name
from viz3d.export.wandb.faults import cause
from viz3d.export.wandb.files import make_files
from viz3d.export.wandb.kinds import WANDB_KINDS, make_charts
from viz3d.export.wandb.outcome import WandbExport, sentences
from viz3d.export.wandb.send import export_charts
from viz3d.settings import Settings

SETTINGS = Settings(wandb_api_key=KEY, wandb_mode="offline")


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[WandbExport, Path, list[str]]:
    """All four kinds, the gradient flow of a run that ended earlier, written once."""
    place = tmp_path_factory.mktemp("offline")
    charts = [chart(kind) for kind in WANDB_KINDS]
    charts[1].figure.layout.meta["viz3d"]["runs"][0]["name"] = "b"
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DIR", str(place))
        without_browser(patch)
        runs = [run("a", 60), run("b", 40)]
        done = export_charts(charts, runs, SETTINGS, project="p", tell=told.append)
    return done, place, told


def log_of(done: WandbExport) -> Path:
    """Return the ``.wandb`` file of an export."""
    [path] = Path(done.folder).glob("*.wandb")
    return path


def test_each_chart_stands_at_the_last_step_of_its_runs(exported):
    """Two rows: what ended at step 40 and what ended at 60, with W&B's step and ours alike."""
    done, _, _ = exported
    assert (done.failed, done.mode, done.new) == ("", "offline", None)
    first, last = history(log_of(done))
    assert (first["_step"], first["viz3d/step"]) == (40, 40)
    assert (last["_step"], last["viz3d/step"]) == (60, 60)
    assert {key for key in first if key.startswith("3d/")} == {
        "3d/gradient_flow",
        "3d/gradient_flow_html",
    }
    assert {key for key in last if key.startswith("3d/") and not key.endswith("_html")} == {
        "3d/loss_landscape",
        "3d/reward_landscape",
        "3d/training_dynamics",
    }
    assert metrics(log_of(done)) == {"3d/*": "viz3d/step", "final/3d/*": "viz3d/step"}


def test_the_figure_is_the_same_and_the_page_is_whole(exported):
    """Plain lists of the same numbers; a page that needs nothing from elsewhere."""
    done, _, _ = exported
    row = history(log_of(done))[-1]
    files = Path(done.folder, "files")
    media = row["3d/loss_landscape"]
    assert media["_type"] == "plotly-file"
    text = (files / media["path"]).read_text()
    assert "bdata" not in text
    assert json.loads(text) == json.loads(to_plain(chart().figure).text)
    page = (files / row["3d/loss_landscape_html"]["path"]).read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "normalize.css" not in page
    assert 'src="http' not in page


def test_the_config_says_where_the_charts_come_from(exported):
    """Kind, runs with digests, settings, version, step and the digest of the figure."""
    done, _, _ = exported
    about = config(log_of(done))["viz3d"]
    assert set(about["charts"]) == {"3d/" + kind.replace("-", "_") for kind in WANDB_KINDS}
    loss = about["charts"]["3d/loss_landscape"]
    assert loss["runs"] == [{"name": "a", "source": "tests", "digest": "d" * 64}]
    assert loss["settings"] == {"rate": "peak"}
    assert loss["step"] == 60
    assert loss["sha256"] == to_plain(chart().figure).digest


def test_it_is_told_where_the_files_are_and_how_to_send_them(exported):
    """The folder that was named, the line to type, and that there are no images here."""
    done, place, told = exported
    assert Path(done.folder).parent == place / "wandb"
    assert done.sync == f"wandb sync {done.folder}"
    said = " ".join(sentences(done))
    assert done.sync in said
    assert "3d/gradient_flow at step 40 (figure, page)" in said
    assert "there is no image" in said
    assert len([text for text in told if text.startswith("Drawing")]) == len(WANDB_KINDS)


def test_the_key_is_in_nothing_that_was_written(exported):
    """Neither in files, nor in what is said."""
    done, place, told = exported
    for path in place.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in repr((done, told, SETTINGS))
    assert hide_key(f"a {KEY} b", KEY) == f"a {HIDDEN} b"


def test_the_key_goes_in_by_standard_input_alone(monkeypatch):
    """Others can see the command line and the environment of a process."""
    seen = []

    def popen(words, **more):
        seen.append((words, more["env"]))
        raise OSError("enough")

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(OSError, match="enough"):
        list(process.carry_out({"key": KEY}, 1.0))
    assert KEY not in repr(seen)


def test_a_process_that_dies_says_why(monkeypatch):
    """The last line on its standard error, and no wait."""
    monkeypatch.setattr(process, "MODULE", "viz3d.no_such_module")
    [event] = process.carry_out({}, 60.0)
    assert event["event"] == "died"
    assert "no_such_module" in event["what"]


def test_final_charts_have_their_own_keys(tmp_path, monkeypatch):
    """``final/3d/...``, image and page beside it."""
    monkeypatch.setattr("viz3d.export.wandb.files.to_png", lambda _: b"png")
    made = make_files(chart(), 7, tmp_path, final=True)
    assert set(made.files) == {
        "final/3d/loss_landscape",
        "final/3d/loss_landscape_image",
        "final/3d/loss_landscape_html",
    }
    assert made.notes == ()


def test_a_figure_over_the_limit_is_left_out_with_a_word(tmp_path, monkeypatch):
    """Its page and image are there; rounding alone is told as well."""
    monkeypatch.setattr("viz3d.export.wandb.files.to_png", lambda _: b"png")
    made = make_files(chart(), 7, tmp_path, most=100)
    assert "3d/loss_landscape" not in made.files
    assert "more than the 100 that W&B advises" in made.notes[0]
    size = to_plain(chart().figure).bytes
    [note] = make_files(chart(), 7, tmp_path, most=size - 1).notes
    assert "rounded to 6 digits" in note


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("a/b", "", ""), "project 'a/b': it holds '/'"),
        (("p", "x y", ""), "entity"),
        (("p", "", "a:b"), "run id"),
        (("p" * 129, "", ""), "over 128 characters"),
        (("p ", "", ""), "space"),
    ],
)
def test_names_that_wandb_refuses_are_refused_first(names, what):
    """With the character that it is about."""
    with pytest.raises(BadArgument, match=what):
        check_names(*names)


def test_our_rules_for_names_are_those_of_the_library():
    """What we let pass it takes, and what it refuses we refuse."""
    code = (
        "import wandb, sys\n"
        "for c in map(chr, range(32, 127)):\n"
        "    for what in ('project', 'run_id'):\n"
        "        try: wandb.Settings(**{what: 'a' + c + 'b'})\n"
        "        except Exception: print(what, ord(c))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    refused = {tuple(line.split()) for line in out.stdout.splitlines()}
    assert refused
    for what, number in refused:
        name = f"a{chr(int(number))}b"
        with pytest.raises(BadArgument):
            check_names(*((name, "", "") if what == "project" else ("", "", name)))


def test_a_run_name_is_one_line_and_short():
    """Names of runs come from strangers' files."""
    assert run_name(["a\n\x1b[2Jb"]) == "viz3d a [2Jb"
    assert run_name(["x" * 500, "y"]).endswith(" and 1 more")
    assert len(run_name(["x" * 500, "y"])) == 128


def test_switched_off_is_said():
    """The one who runs the app decides."""
    with pytest.raises(ExportError, match="WANDB_MODE=disabled"):
        export_charts([chart()], [run()], Settings(wandb_mode="disabled"))
    with pytest.raises(BadArgument, match="no mode"):
        export_charts([chart()], [run()], Settings(wandb_mode="sideways"))


def test_kinds_that_the_runs_cannot_fill_are_left_out_with_the_reason():
    """By default; a kind that was asked for fails instead."""
    bare = run("bare")
    made = make_charts([bare, run("b")])
    assert "loss-landscape" in {drawn.kind for drawn in made.charts}
    assert [text.split()[0] for text in made.skipped][:2] == ["gradient-flow", "reward-landscape"]
    with pytest.raises(ChartError, match="needs a reward"):
        make_charts([bare], ["reward-landscape"], strict=True)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """``WANDB_DIR`` may name a file."""
    place = tmp_path / "taken"
    place.touch()
    with pytest.raises(FileExistsError) as found:
        place.mkdir(exist_ok=True)
    assert "WANDB_DIR" in cause(f"FileExistsError: {found.value}")


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_full_disk_leaves_no_half_and_claims_nothing(tmp_path, monkeypatch, mode):
    """What is torn is removed, online and in the folder that was to keep the charts."""
    without_browser(monkeypatch)
    folders = []

    def tear(job, seconds):
        folders.append(tmp_path / f"{job['mode']}-run")
        folders[-1].mkdir()
        yield {"event": "opened", "run_id": "x", "folder": str(folders[-1])}
        yield {"event": "logged", "key": "3d/loss_landscape", "step": 60}
        yield {"event": "failed", "what": "OSError: [Errno 28] No space left on device"}

    monkeypatch.setattr("viz3d.export.wandb.send.carry_out", tear)
    done = export_charts([chart()], [run()], SETTINGS, mode=mode)
    assert done.failed == "The disk is full. Make room, or name another folder with WANDB_DIR."
    assert len(folders) == (2 if mode == "online" else 1)
    assert not any(folder.exists() for folder in folders)
    assert sentences(done) == list(done.notes)


def test_the_run_of_a_training_loop_around_it_is_left_alone(tmp_path, monkeypatch):
    """Its library tells processes that it starts which run and which service are its own."""
    place = {"WANDB_DIR": str(tmp_path), "WANDB_RUN_ID": "training", "WANDB_RESUME": "must"}
    for name, value in (place | {"WANDB_SERVICE": "of the loop"}).items():
        monkeypatch.setenv(name, value)
    without_browser(monkeypatch)
    done = export_charts([chart()], [run()], SETTINGS)
    assert done.failed == ""
    assert done.run_id != "training"
