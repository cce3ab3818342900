"""viz3d.record.sync: rows come to the disk within a second, on a thread that ends."""

from __future__ import annotations

import json
import os
import threading

from tests.record.waiting import until
from viz3d.record import append, folder, sync
from viz3d.record.recorder import Recorder


def test_rows_are_synced_within_the_interval_once_each(tmp_path, monkeypatch):
    """The thread syncs what is new, on another thread than the loop's, and nothing otherwise."""
    synced: list[int] = []
    rounds: list[int] = []
    flush, look = append._flush, append.AppendFile.sync

    def note(descriptor):
        synced.append(threading.get_ident())
        flush(descriptor)

    def count(file):
        look(file)
        rounds.append(1)

    monkeypatch.setattr(append, "_flush", note)
    monkeypatch.setattr(append.AppendFile, "sync", count)
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 0.02)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    file = rec._folder._syncer.files[0]
    until(lambda: not (file._unsynced or file._new))
    seen = len(rounds)
    until(lambda: len(rounds) > seen + 2)  # the round that syncs has ended
    assert synced
    before, seen = len(synced), len(rounds)
    until(lambda: len(rounds) > seen + 10)
    assert len(synced) == before
    rec.log(1, loss=1.0)
    until(lambda: len(synced) > before)
    rec.close()
    assert threading.get_ident() not in synced
    assert rec.failures == 0


def test_a_power_cut_costs_at_most_a_second():
    """The promise, as a number of the code."""
    assert sync.INTERVAL <= 1.0


def test_a_recorder_that_is_forgotten_ends_its_thread_and_closes_its_files(tmp_path):
    """A loop that never says `close` leaks neither."""
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    thread, file = rec._folder._syncer._thread, rec._folder._syncer.files[0]
    del rec
    thread.join(10)
    assert not thread.is_alive()
    assert file._descriptor is None


def test_a_row_after_the_end_is_recorded_and_synced(tmp_path):
    """`close` is no reason to lose what comes later."""
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    rec.close()
    rec.log(1, loss=1.0)
    assert rec._folder._syncer._thread.is_alive()
    rec.close()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 1]
    assert rec.failures == 0


def test_data_alone_is_synced_where_the_system_can():
    """Times of files need not go to the disk with every second's rows."""
    assert append._flush is (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)


def at_exit(monkeypatch, rec) -> bool:
    """Do what the end of the process does for `rec` alone, and say whether it ended."""
    monkeypatch.setattr(folder, "_all", [rec._folder])
    end = threading.Thread(target=folder._at_exit, daemon=True)
    end.start()
    end.join(10)
    return not end.is_alive()


def test_the_end_of_the_process_brings_the_last_rows_to_the_disk(tmp_path, monkeypatch):
    """Also where nobody said `close`."""
    synced: list[int] = []
    monkeypatch.setattr(append, "_flush", synced.append)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    assert at_exit(monkeypatch, rec)
    assert synced
    assert rec._folder._syncer.files[0]._descriptor is None


def test_a_disk_that_hangs_does_not_hold_the_end_of_the_process(tmp_path, monkeypatch):
    """It has a limit of its own."""
    release = threading.Event()
    monkeypatch.setattr(append, "_flush", lambda _: release.wait())
    monkeypatch.setattr(folder, "EXIT_LIMIT", 0.1)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    try:
        assert at_exit(monkeypatch, rec)
    finally:
        release.set()
