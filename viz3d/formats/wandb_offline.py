"""Offline runs of Weights & Biases: ``wandb/offline-run-DATE_TIME-ID/run-ID.wandb``."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.leveldb_log import records
from viz3d.formats.names import file_name, folder, stem
from viz3d.formats.protobuf import TooManyFields
from viz3d.formats.room import Room
from viz3d.formats.table import stack
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_records import check, record_class
from viz3d.formats.wandb_rows import INTERNAL, OWN, TWICE, WandbRows, to_log
from viz3d.run import Problem

NAME = "W&B offline run"
NAMES: tuple[str, ...] = ("*.wandb", "config.yaml", "output.log")

MAGIC = b":W&B\xe1\xbe\x00"
BAD = object()  # a value that is no JSON

_FILE = re.compile(r"run-(?P<id>.+)\.wandb|(?P<beside>config\.yaml|output\.log)")
# Of two segments that begin within one second the later one's folder ends in a number more.
_FOLDER = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(?P<id>(?P<first>.+?)(?:-\d{1,3})?)")

PRINTED = "{n} record{|s} of console output {was|were} not read."
SYSTEM = "{n} record{|s} of system metrics {was|were} not read."
BESIDE = "The console output was not read, since the log beside it has the history."
TOO_MANY_FIELDS = "{n} record{|s} of more than {limit:FIELDS} fields {was|were} left out."
UNREADABLE = "{n} record{|s} that cannot be decoded {was|were} left out."
BAD_VALUE = "{n} value{|s} that {is|are} no JSON {was|were} left out ({names})."
ANEW = (
    "W&B's own count of calls began anew {n} time{|s}, as it does where a run is resumed offline; "
    "without a step that the program logged, what came before counts as superseded."
)
NO_END = "The run has no end: it stopped without one, or is still being written."
FAILED = "The run ended with exit code {code}."


def claim(path: str) -> Claim | None:
    """Claim ``run-ID.wandb`` for the run of that id, whose segments lie in folders beside it.

    In a folder that is called otherwise it is claimed for that folder, and a file that is called
    otherwise for itself. Config and console output only join.
    """
    found, place = _FILE.fullmatch(file_name(path)), folder(path)
    if found and found["beside"]:
        if file_name(place) != "files":
            return None
        place = folder(place)
    if found and (segment := _FOLDER.fullmatch(file_name(place))):
        first, own = (f"{folder(place)}/{segment[name]}".lstrip("/") for name in ("first", "id"))
        if found["beside"]:
            return Claim(own, beside=True, otherwise=first)
        return Claim(first if found["id"] == segment["first"] else own)
    if found:
        return Claim(place, beside=bool(found["beside"]))
    return Claim(path) if path.endswith(".wandb") else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the logs of one folder; segments of one run id, as ``resume`` leaves them, are joined.

    The config beside them is left to its own format, and so is the console output where the logs
    hold no history.

    Raises
    ------
    NotMine
        If there is no log of W&B.
    """
    logs: dict[str, list[_Log]] = defaultdict(list)
    room = Room()
    reasons: dict[str, str] = {}
    for name, path in files.items():
        if name.endswith(".wandb"):
            try:
                log = _Log(name, room)
                log.read(path)
                logs[log.about.get("run_id") or stem(name).removeprefix("run-")].append(log)
            except (NotMine, OSError) as reason:
                reasons[name] = str(reason) if isinstance(reason, NotMine) else "it cannot be read"
    if not logs:
        raise NotMine("; ".join(dict.fromkeys(reasons.values())) or "no .wandb file lies beside it")
    parsed = [_run(found, run if len(logs) > 1 else "") for run, found in logs.items()]
    has_rows = any(part.rows and len(part.rows.step) for part in parsed)
    printed = tuple(name for name in files if has_rows and name.endswith("output.log"))
    told = [
        *(Problem(f"The log was left out: {why}.", file=name) for name, why in reasons.items()),
        *(Problem(BESIDE, file=name) for name in printed),
    ]
    return [*parsed, Parsed(problems=tuple(told), used=printed, name=parsed[0].name)]


@dataclass
class _Log:
    """What one file holds."""

    name: str
    room: Room
    config: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    first: int | None = None  # of W&B's own count

    def __post_init__(self) -> None:
        self.tally = Tally(self.name)
        self.rows = WandbRows(self.tally, room=self.room)

    def read(self, path: Path) -> None:
        """Read it from the beginning to the end, whatever is broken in it.

        Raises
        ------
        NotMine
            If it is no log of W&B, or too large.
        """
        from google.protobuf.message import DecodeError

        limits.check_size(path.stat().st_size, "FILE_BYTES")
        for data in records(path, MAGIC, self.tally):
            try:
                check(data)
                record = record_class().FromString(data)
            except TooManyFields:
                self.tally.add(TOO_MANY_FIELDS)
                continue
            except (DecodeError, ValueError):
                self.tally.add(UNREADABLE)
                continue
            if record.HasField("history"):
                if self.first is None:
                    self.first = record.history.step.num
                row: dict[str, Any] = {}
                self._put(row, record.history.item, once=True)
                self.rows.add({OWN: record.history.step.num, **row})
            else:
                self._note(record)
        if "exit_code" not in self.about:
            self.tally.add(NO_END)
        elif self.about["exit_code"]:
            self.tally.add(FAILED.format(code=self.about["exit_code"]))

    def _note(self, record: Any) -> None:
        """Take a record that is no row."""
        if record.HasField("run"):
            run = record.run
            self._configure(run.config)
            said = {key: getattr(run, key) for key in ("run_id", "entity", "project")}
            said |= {"name": run.display_name, "started": run.start_time.seconds}
            self.about |= {key: value for key, value in said.items() if value}
        elif record.HasField("config"):
            self._configure(record.config)
        elif record.HasField("exit"):
            self.about["exit_code"] = record.exit.exit_code
        elif record.HasField("output") or record.HasField("output_raw"):
            self.tally.add(PRINTED)
        elif record.HasField("stats"):
            self.tally.add(SYSTEM)

    def _configure(self, config: Any) -> None:
        self._put(self.config, config.update)
        for item in config.remove:
            *above, last = item.nested_key or [item.key]
            place: Any = self.config
            for key in above:
                place = place.get(key) if isinstance(place, dict) else None
            if isinstance(place, dict):
                place.pop(last, None)

    def _put(self, values: dict[str, Any], items: Sequence[Any], *, once: bool = False) -> None:
        """Set items in nested `values`; `once` counts those whose place another one takes."""
        for item, value in zip(items, self._values(items), strict=True):
            *above, last = (item.nested_key or [item.key])[: limits.DEPTH]
            if value is BAD:
                self.tally.add(BAD_VALUE, name="/".join([*above, last]))
                continue
            place = values
            for depth, key in enumerate(above, 1):
                if not isinstance(place.get(key), dict):
                    if once and key in place:
                        self.tally.add(TWICE, name="/".join(above[:depth]))
                    place[key] = {}
                place = place[key]
            if once and last in place:
                self.tally.add(TWICE, name="/".join([*above, last]))
            place[last] = value

    def _values(self, items: Sequence[Any]) -> list[Any]:
        """Parse the values of a row: all at once where they are plain, which is much faster."""
        texts = [item.value_json for item in items]
        # No text of JSON goes over a line's end, so that no two can pass for one.
        values = _parse("[" + ",\n".join(texts) + "]")
        plain = values is not BAD and not any(isinstance(value, list | dict) for value in values)
        return values if plain and len(values) == len(texts) else [_parse(text) for text in texts]


def _parse(text: str) -> Any:
    try:
        return json.loads(text) if text else BAD  # an exception takes far longer
    except (ValueError, RecursionError):
        return BAD


def _description(about: Mapping[str, Any]) -> str:
    """Say which run it is. No setting: runs that are equal but for their ids are repetitions."""
    named = [
        f"{key} {about[key]!r}" for key in ("name", "run_id", "project", "entity") if key in about
    ]
    began = about.get("started", 0)
    if 0 < began < 2**37:  # no calendar goes further
        named.append(f"begun {datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M:%S} UTC")
    return f"W&B calls the run: {', '.join(named)}." if named else "W&B gives the run no name."


def _run(logs: Sequence[_Log], name: str) -> Parsed:
    """Join the segments of one run in the order of their beginnings."""
    logs = sorted(logs, key=lambda log: (log.about.get("started", 0), folder(log.name), log.name))
    tally = Tally(logs[0].name)
    tally.add(_description(logs[-1].about))
    table = stack((piece for log in logs for piece in log.rows.pieces()), tally, cut=True)
    if not table.n:
        tally.add("There are no rows in it yet.")
    rows = to_log(table, tally)
    begun = [log.first for log in logs if log.first is not None]
    if rows.counted_by == OWN and (anew := begun[1:].count(0)):
        tally.add(ANEW, count=anew)
    config: dict[str, Any] = {}
    for log in logs:
        config |= log.config
    config.pop(INTERNAL, None)  # what W&B notes of itself
    if run_id := logs[-1].about.get("run_id"):
        config[INTERNAL] = {"run_id": run_id}  # by which a run is known elsewhere; no setting
    return Parsed(
        rows=rows,
        config=config,
        problems=(*(told for log in logs for told in log.tally.problems()), *tally.problems()),
        used=tuple(log.name for log in logs),
        name=name,
    )
