"""TensorBoard event files."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

from viz3d.formats import tensorboard
from viz3d.formats.reading import read_run

from .conftest import Reader, joined, said
from .events import (
    LATER,
    NAME,
    VERSION,
    double,
    event,
    hparams,
    inside,
    one,
    record,
    scalars,
    simple,
    single,
    start,
    tensor,
    varint,
    whole,
)


def test_a_folder_is_a_run() -> None:
    """As in TensorBoard: train/ and validation/ below it are runs of their own."""
    claim = tensorboard.claim(NAME)
    assert claim is not None
    assert (claim.run, claim.beside) == ("run", False)
    assert tensorboard.claim("run/tfevents.md") is None


def test_scalars_of_one_step_are_one_row(read: Reader) -> None:
    """Events that follow each other are joined on their step; the clock is a column."""
    content = VERSION + event(0, simple("loss", 2.5), time=10.0)
    content += event(0, simple("lr", 0.5), time=10.5) + event(7, simple("loss", 1.5), time=20.0)
    history = joined(one(read, content)).history
    assert history.index.tolist() == [0, 7]
    assert history["loss"].tolist() == [2.5, 1.5]
    assert history["lr"].dropna().to_dict() == {0: 0.5}
    assert history["time"].tolist() == [10.0, 20.0]


def test_a_metric_called_time_is_not_the_clock(read: Reader) -> None:
    """What the run logged counts more than when it was written."""
    history = joined(one(read, VERSION + event(0, simple("time", 3.0), time=10.0))).history
    assert history["time"].tolist() == [3.0]


@pytest.mark.parametrize(
    ("dtype", "held", "number"),
    [
        (1, single(5, 0.5), 0.5),
        (1, inside(5, struct.pack("<f", 0.5)), 0.5),
        (1, inside(4, struct.pack("<f", 0.5)), 0.5),
        (1, b"", 0.0),
        (2, double(6, 0.1), 0.1),
        (2, inside(6, struct.pack("<d", 0.1)), 0.1),
        (2, inside(4, struct.pack("<d", 0.1)), 0.1),
        (3, whole(7, -3), -3.0),
        (3, inside(7, varint(-3)), -3.0),
        (3, inside(4, struct.pack("<i", -3)), -3.0),
        (9, inside(10, varint(2**40)), 2.0**40),
        (9, inside(4, struct.pack("<q", -(2**40))), -(2.0**40)),
        (9, b"", 0.0),
        (10, inside(11, b"\x01"), 1.0),
        (14, inside(13, varint(0x3FC0)), 1.5),
        (14, inside(4, b"\xc0\x3f"), 1.5),
        (19, inside(13, varint(0x3E00)), 1.5),
        (19, inside(4, struct.pack("<e", 1.5)), 1.5),
        (19, b"", 0.0),
        (23, inside(17, varint(2**63)), 2.0**63),
        (4, inside(4, b"\xff"), 255.0),
        (6, inside(4, b"\xff"), -1.0),
    ],
)
def test_a_tensor_of_rank_0_is_a_scalar(
    read: Reader, dtype: int, held: bytes, number: float
) -> None:
    """TensorFlow 2 writes tensors: each type, as a field, packed, as bytes, and left out."""
    parsed = one(read, VERSION + event(3, tensor("loss", dtype, held)))
    assert joined(parsed).history["loss"].to_dict() == {3: number}
    assert parsed.problems == ()


@pytest.mark.parametrize(
    "value",
    [
        tensor("x", 1, inside(4, bytes(8))),
        tensor("x", 1, inside(4, bytes(8)), shape=inside(2, whole(1, 2))),
        tensor("x", 7, inside(8, "text")),
        tensor("x", 19, inside(13, varint(2**40))),
    ],
)
def test_a_tensor_that_is_no_number_is_told(read: Reader, value: bytes) -> None:
    """Two numbers, text, and bits that do not fit are counted and nothing is made of them."""
    parsed = one(read, VERSION + event(0, value) + scalars("loss", {0: 1.0}))
    assert list(joined(parsed).history.columns) == ["loss", "time"]
    assert "1 value that is no scalar was not read (tensors)" in said(parsed)


def test_a_tag_says_once_what_it_holds(read: Reader) -> None:
    """Writers may leave the metadata out after the first value of a tag."""
    held = inside(4, struct.pack("<f", 2.0))
    content = (
        VERSION + event(0, tensor("loss", 1, held)) + event(1, tensor("loss", 1, held, told=""))
    )
    content += event(1, tensor("weights", 1, held, told=""))
    parsed = one(read, content)
    assert joined(parsed).history["loss"].tolist() == [2.0, 2.0]
    assert "weights" not in joined(parsed).history
    assert "1 value that is no scalar" in said(parsed)


def test_what_is_no_scalar_is_counted_and_not_read(read: Reader) -> None:
    """Images, histograms, audio, text, graphs: their kinds and number are told in one sentence."""
    content = VERSION + record(double(1, 1.0) + inside(4, b"graph"))
    for field in (4, 5, 6):
        content += event(0, inside(1, "x") + inside(field, b"..."))
    content += event(0, tensor("note", 7, inside(8, "hello"), told="text"))
    parsed = one(read, content + scalars("loss", {0: 1.0}))
    assert joined(parsed).history["loss"].tolist() == [1.0]
    assert (
        "5 values that are no scalar were not read (graphs, images, histograms, audio, text)"
        in said(parsed)
    )


def test_hyper_parameters_become_the_config(read: Reader) -> None:
    """What the hparams plugin was told at the start of the session."""
    given_ = {"lr": 3e-4, "optimizer": "adam", "amp": True}
    parsed = one(read, VERSION + event(0, hparams(given_)) + scalars("loss", {0: 1.0}))
    assert parsed.config == given_
    assert parsed.problems == ()


def test_what_is_not_finite_is_a_fact(read: Reader) -> None:
    """NaN and infinity were logged; they are no gaps."""
    parsed = one(read, VERSION + scalars("loss", {0: 1.0, 1: math.nan, 2: math.inf}))
    assert joined(parsed).nonfinite["step"].tolist() == [1, 2]


def test_a_negative_and_a_huge_step_are_exact(read: Reader) -> None:
    """Steps are 64 bits with a sign."""
    parsed = one(read, VERSION + scalars("loss", {-1: 1.0, 2**53 + 1: 2.0}))
    assert joined(parsed).history.index.tolist() == [-1, 2**53 + 1]


def test_the_later_file_wins_where_they_overlap(read: Reader) -> None:
    """A restart from a checkpoint writes a file of its own; the earlier attempt is kept aside."""
    old = VERSION + scalars("loss", dict.fromkeys(range(10), 1.0))
    new = VERSION + scalars("loss", dict.fromkeys(range(6, 12), 2.0))
    (parsed,) = read(tensorboard, {LATER: new, NAME: old})
    found = joined(parsed)
    assert found.history["loss"].tolist() == [1.0] * 6 + [2.0] * 6
    assert found.attempts["step"].tolist() == [6, 7, 8, 9]
    assert parsed.used == (NAME, LATER)


def test_files_are_ordered_by_the_time_in_their_names(read: Reader) -> None:
    """Not as text: ``….999`` is older than ``….1000``, and ``….9`` than ``….10``."""
    names = ["e.tfevents.1000.h.1.0", "e.tfevents.999.h.1.9", "e.tfevents.999.h.1.10"]
    (parsed,) = read(tensorboard, {name: VERSION + scalars("a", {0: 1.0}) for name in names})
    assert parsed.used == (names[1], names[2], names[0])


def timed(tag: str, values: dict[int, float], begin: float) -> bytes:
    """Return the records of a curve that takes a second a step."""
    return b"".join(event(at, simple(tag, each), time=begin + at) for at, each in values.items())


@pytest.mark.parametrize("ends", [("_train", "_val"), ("_tr", "_validation"), ("_b", "_a1x5")])
def test_writers_at_one_time_are_runs_of_their_own(tmp_path: Path, ends: tuple[str, str]) -> None:
    """Steps of one do not supersede those of another, and a name decides on nothing."""
    files = {
        f"x/e.tfevents.1000.h.1.{at}{end}": VERSION
        + timed("loss", dict.fromkeys(range(0, 10, 1 + 2 * at), 1.0 + at), 50.0)
        + timed("lr" if at else "acc", {0: 0.5}, 60.0)
        for at, end in enumerate(ends)
    }
    (tmp_path / "x").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    runs = read_run("x", {name: tmp_path / name for name in files})
    assert [run.name for run in runs] == [name.removeprefix("x/") for name in files]
    first, second = (run.joined.history["loss"].to_dict() for run in runs)
    assert (first, second) == (dict.fromkeys(range(10), 1.0), dict.fromkeys(range(0, 10, 3), 2.0))
    assert [list(run.joined.history) for run in runs] == [
        ["loss", "acc", "time"], ["loss", "lr", "time"],
    ]  # fmt: skip
    for run in runs:
        assert not len(run.joined.attempts)
        assert "1 other file of the folder is of another writer" in str(run.problems)


def test_a_restart_belongs_to_the_writer_that_had_ended(read: Reader) -> None:
    """Of three files the third begins when the first has ended, and while the second goes on."""
    first = VERSION + start(0) + timed("loss", dict.fromkeys(range(10), 1.0), 100.0)
    second = VERSION + timed("loss", dict.fromkeys(range(90), 2.0), 105.0)
    third = VERSION + start(6) + timed("loss", {7: 3.0}, 113.0)
    names = [f"e.tfevents.{stamp}.h.1.0" for stamp in (100, 105, 113)]
    one, other = read(tensorboard, dict(zip(names, (first, second, third), strict=True)))
    assert (one.used, other.used) == ((names[0], names[2]), (names[1],))
    assert joined(one).history["loss"].to_dict() == dict.fromkeys(range(6), 1.0) | {7: 3.0}
    assert len(joined(one).attempts) == 4
    assert len(joined(other).history) == 90


@pytest.mark.parametrize(("begin", "pre"), [(7.0, b""), (-15.0, start(20))])
def test_a_clock_that_is_behind_makes_no_second_writer(
    read: Reader, begin: float, pre: bytes
) -> None:
    """A restart on another host, a few seconds behind, or one that says that it starts anew."""
    old = VERSION + timed("loss", dict.fromkeys(range(30), 1.0), 100.0)
    new = VERSION + pre + timed("loss", dict.fromkeys(range(20, 40), 2.0), 100.0 + begin)
    (parsed,) = read(tensorboard, {NAME: old, LATER: new})
    found = joined(parsed)
    assert found.history["loss"].tolist() == [1.0] * 20 + [2.0] * 20
    assert (found.restarts, len(found.attempts)) == (1, 10)


def test_the_rows_of_the_shorter_one_say_who_is_another_writer(read: Reader) -> None:
    """A short one in the midst of a long one, whichever comes first, tag by tag."""
    few = {at: float(at) for at in range(40, 45)}
    many = dict.fromkeys(range(90), 1.0)
    for first, second in ((few, many), (many, few)):
        files = {NAME: timed("loss", first, 0.0), LATER: timed("loss", second, 0.0)}
        parts = read(tensorboard, {name: VERSION + rows for name, rows in files.items()})
        assert [joined(part).history["loss"].to_dict() for part in parts] == [first, second]
    (_,) = read(tensorboard, {
        NAME: VERSION + timed("loss", many, 0.0),
        LATER: VERSION + timed("loss", few, 48.0) + timed("lr", few, 0.0),
    })  # fmt: skip


def test_writers_of_different_tags_are_one_run(read: Reader) -> None:
    """A second writer that logs something else adds to the run."""
    files = {
        f"e.tfevents.1000.h.1.{at}": VERSION + timed(tag, {0: 1.0, 5: 2.0}, 50.0)
        for at, tag in enumerate(("loss", "val"))
    }
    (parsed,) = read(tensorboard, files)
    assert (parsed.name, len(joined(parsed).history)) == ("", 2)


def test_a_start_supersedes_what_lies_at_its_step_and_beyond(read: Reader) -> None:
    """The session that begins at 90 logs 100 first; that 95 was logged before it is history."""
    old = VERSION + scalars("loss", {80: 1.0, 95: 1.0, 105: 1.0})
    new = VERSION + start(90) + scalars("val", {100: 3.0}) + scalars("loss", {100: 2.0, 110: 2.0})
    (parsed,) = read(tensorboard, {NAME: old, LATER: new})
    found = joined(parsed)
    assert found.history["loss"].to_dict() == {80: 1.0, 100: 2.0, 110: 2.0}
    assert found.history["val"].dropna().to_dict() == {100: 3.0}
    assert found.attempts["step"].tolist() == [95, 105]
    assert found.restarts == 1


def test_a_start_that_supersedes_nothing_is_no_restart(read: Reader) -> None:
    """The first session, and one that goes on where the last one ended."""
    content = VERSION + start(0) + scalars("loss", {0: 1.0, 1: 1.0}) + start(2)
    found = joined(one(read, content + scalars("loss", {2: 1.0})))
    assert (found.restarts, len(found.attempts), len(found.history)) == (0, 0, 3)


def test_steps_that_go_back_after_a_start_are_a_restart_too(read: Reader) -> None:
    """A session that tells its start and one that does not, one after the other."""
    content = VERSION + scalars("loss", {0: 1.0, 10: 1.0}) + start(10)
    content += scalars("loss", {12: 2.0, 20: 2.0}) + scalars("loss", {5: 3.0, 15: 3.0})
    found = joined(one(read, content))
    assert found.history["loss"].to_dict() == {0: 1.0, 5: 3.0, 15: 3.0}
    assert found.restarts == 2


def test_the_caps_are_told(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many metrics and too many scalars leave the first ones."""
    monkeypatch.setattr("viz3d.formats.limits.METRICS", 2)
    content = VERSION + event(0, *(simple(f"m{at}", 1.0) for at in range(4)))
    parsed = one(read, content)
    assert list(joined(parsed).history.columns) == ["m0", "m1", "time"]
    assert "2 values of metrics beyond the first" in said(parsed)
    monkeypatch.setattr("viz3d.formats.limits.SCALARS", 3)
    parsed = one(read, VERSION + scalars("loss", dict.fromkeys(range(9), 1.0)))
    assert len(joined(parsed).history) == 3
    assert "Only the first" in said(parsed)


def test_a_file_without_scalars_is_an_empty_run(read: Reader) -> None:
    """A run that has just begun; an empty file beside a good one is no news but told."""
    for content in (b"", VERSION):
        parsed = one(read, content)
        assert len(joined(parsed).history) == 0
        assert "There are no scalars in it yet" in said(parsed)


def test_odd_names_are_made_fit_to_be_shown(read: Reader) -> None:
    """Bytes that are no UTF-8 and control characters in a tag."""
    value = inside(1, b"lo\xffss\x1b") + single(2, 1.0)
    assert list(joined(one(read, VERSION + event(0, value))).history.columns) == [
        "lo\ufffdss\ufffd#ddc5c394", "time",
    ]  # fmt: skip


def test_tags_that_become_one_name_are_told(read: Reader) -> None:
    """No value is lost unsaid: of one step the later tag's counts."""
    parsed = one(read, VERSION + scalars("loss", {0: 2.0, 1: 2.5}) + scalars("loss ", {1: 9.0}))
    found = joined(parsed)
    assert found.history["loss"].to_dict() == {0: 2.0, 1: 9.0}
    assert found.replaced == 1
    assert "1 value of a name that differs from another one in spaces alone" in said(parsed)


@pytest.mark.parametrize("long", [200, 5000])
def test_long_tags_stay_apart(read: Reader, long: int) -> None:
    """However much of their beginning they share."""
    tags = ("m" * long + "/a", "m" * long + "/b")
    parsed = one(read, VERSION + event(0, *(simple(tag, len(tag) + 1.0) for tag in tags)))
    assert len(list(joined(parsed).history)) == 3
    assert joined(parsed).replaced == 0


def test_a_real_run(real_data: Path) -> None:
    """12 curves of Stable-Baselines3; with progress.csv beside it one run of 25 steps."""
    folder = real_data / "sb3-jobshop"
    (path,) = folder.glob("events.out.tfevents.*")
    history = joined(tensorboard.read({path.name: path})[0]).history
    assert history.shape == (25, 13)
    assert history["train/loss"].iloc[-1] == pytest.approx(0.1034073, rel=1e-6)
    (run,) = read_run("s", {f"s/{path.name}": path for path in folder.iterdir()})
    assert len(run.joined.history) == 25
    assert run.joined.history["rollout/ep_rew_mean"].iloc[0] == -20.228999999999996
    assert "291 values were read from s/progress.csv" in str(run.problems[0])
