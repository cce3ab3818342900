"""nanochat's ``report.md`` and the section files that it is put together from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import limits, text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import file_name, folder, stem
from viz3d.formats.patterns import any_case
from viz3d.formats.tally import Tally
from viz3d.run import Report

NAME = "nanochat report"

TITLE = "nanochat training report"
STAGES = ("base", "mid", "sft", "rl")

# Section title, in lower case -> training stage.
_STAGE_OF = {
    "base model training": "base",
    "base model loss": "base",
    "base model evaluation": "base",
    "midtraining": "mid",
    "chat sft": "sft",
    "chat rl": "rl",
    **{f"chat evaluation {stage}": stage for stage in STAGES},
}
_SECTIONS = frozenset({*_STAGE_OF, "tokenizer training", "tokenizer evaluation", "header"})
_FILES = frozenset(section.replace(" ", "-") for section in _SECTIONS)

NAMES = tuple(f"{name}{any_case('.md')}" for name in ("report", *sorted(_FILES)))

_ITEM = re.compile(r"- (?P<key>[^:]*[^:\s](?: : [^:]+)?):(?: (?P<value>.*))?")
_NUMBER = re.compile(r"(?P<number>[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?)%?")
_ARGUMENT = re.compile(r"[a-z][a-z0-9_]*")


@dataclass
class _Parts:
    title: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    sections: dict[str, dict[str, float | str]] = field(default_factory=dict)
    table: dict[str, dict[str, float]] = field(default_factory=dict)


def claim(path: str) -> Claim | None:
    """Claim ``report.md`` and the section files of a folder called report for the run above it."""
    where = folder(path)
    if not path.lower().endswith(".md"):
        return None
    in_report = file_name(where) == "report"
    if stem(path) == "report" or (in_report and stem(path) in _FILES):
        return Claim(folder(where) if in_report else where)
    return None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read a report; section files add what ``report.md`` lacks.

    Raises
    ------
    NotMine
        If no file has the title or a section of a nanochat report.
    """
    parts = _Parts()
    used, tallies = [], []
    for name in sorted(files, key=lambda name: stem(name) != "report"):
        tally = Tally(name)
        tallies.append(tally)
        if _read_file(files[name], parts, tally):
            used.append(name)
    if not used:
        raise NotMine("it has neither the title nor a section of a nanochat report")
    problems = tuple(problem for tally in tallies for problem in tally.problems())
    report = _report(parts)
    return [Parsed(report=report, config=_config(parts), problems=problems, used=tuple(used))]


def _read_file(path: Path, parts: _Parts, tally: Tally) -> bool:
    try:
        text.check(path)
    except NotMine as reason:
        tally.add(f"The file was left out: {reason}.")
        return False
    with path.open("rb") as file:
        raw = file.read(limits.REPORT_BYTES + 1).removeprefix(text.BOM)
    if len(raw) > limits.REPORT_BYTES:
        raw = raw[: limits.REPORT_BYTES]
        tally.add("Only the first {limit:REPORT_BYTES} were read.")
    content = raw.decode("utf-8", errors="replace")
    header, *chunks = re.split(r"(?m)^## ", content)
    titles = [chunk.partition("\n")[0].strip() for chunk in chunks]
    title = re.search(r"(?m)^# (.*)", header)
    known = title is not None and TITLE in title[1].lower()
    if not known and not any(found.lower() in _SECTIONS for found in titles):
        return False
    if title and not parts.title:
        parts.title = title[1].strip()
    for name, chunk in zip(titles, chunks, strict=True):
        _read_section(name, chunk.partition("\n")[2], parts)
    return True


def _read_section(name: str, body: str, parts: _Parts) -> None:
    if name.lower() == "environment":
        for key, value in _items(body):
            parts.environment.setdefault(key, value)
        started = re.search(r"(?m)^Run started: (.*)", body)
        if started:
            parts.environment["Run started"] = started[1].strip()
        return
    if name.lower() == "summary":
        parts.table |= _summary(body)
    if name in parts.sections:
        return
    section = {key: _value(value) for key, value in _items(body)}
    for key in ("timestamp", "Total wall clock time"):
        if found := re.search(rf"(?m)^{key}: (.*)", body):
            section[key] = found[1].strip()
    parts.sections[name] = section


def _items(body: str) -> list[tuple[str, str]]:
    found = (_ITEM.fullmatch(line.rstrip()) for line in body.split("\n"))
    return [(match["key"].strip(), (match["value"] or "").strip()) for match in found if match]


def _value(printed: str) -> float | str:
    """Return a plain number or percentage as a float; what carries a unit stays as printed."""
    match = _NUMBER.fullmatch(printed)
    return float(match["number"].replace(",", "")) if match else printed


def _summary(body: str) -> dict[str, dict[str, float]]:
    """Read the last table of a report: a row per task, a column per stage."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in body.split("\n")
        if line.lstrip().startswith("|")
    ]
    if not rows or rows[0][0].lower() != "metric":
        return {}
    table: dict[str, dict[str, float]] = {}
    for task, *cells in rows[1:]:
        scores = {
            stage.lower(): value
            for stage, value in zip(rows[0][1:], map(_value, cells), strict=False)
            if isinstance(value, float)
        }
        if scores:
            table[task] = scores
    return table


def _report(parts: _Parts) -> Report:
    tasks: dict[str, dict[str, float]] = {}
    for name, section in parts.sections.items():
        stage = _STAGE_OF.get(name.lower())
        if stage is None or "evaluation" not in name.lower():
            continue
        for key, value in section.items():
            task = key.removesuffix(" metric")
            if isinstance(value, float) and _is_task(key, stage):
                tasks.setdefault(task, {})[stage] = value
    for task, scores in parts.table.items():
        tasks[task] = {**scores, **tasks.get(task, {})}
    present = {_STAGE_OF.get(name.lower()) for name in parts.sections}
    present |= {stage for scores in tasks.values() for stage in scores}
    return Report(
        title=parts.title or TITLE,
        stages=tuple(stage for stage in STAGES if stage in present),
        tasks={
            task: {stage: scores[stage] for stage in STAGES if stage in scores}
            for task, scores in tasks.items()
        },
        sections=parts.sections,
        environment=parts.environment,
    )


def _is_task(key: str, stage: str) -> bool:
    """Tell scores from the arguments of the evaluation, which are printed in the same list.

    The base evaluation prints no arguments and calls its tasks in lower case; chat evaluations
    print theirs in lower case, and the tasks are proper names.
    """
    if key.endswith("bpb") or key.lower() == "model":
        return False
    return stage == "base" or not _ARGUMENT.fullmatch(key)


def _config(parts: _Parts) -> dict[str, float | str]:
    """Return the arguments of the training stages as ``stage/name``."""
    return {
        f"{_STAGE_OF[name.lower()]}/{key}": value
        for name, section in parts.sections.items()
        if name.lower() in _STAGE_OF and "evaluation" not in name.lower()
        for key, value in section.items()
        if _ARGUMENT.fullmatch(key) and key != "timestamp"
    }
