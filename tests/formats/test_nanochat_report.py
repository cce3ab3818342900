"""nanochat's reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import limits, nanochat_report
from viz3d.run import Report

from .conftest import Reader, said

HEADER = (
    "# nanochat training report\n\nGenerated: 2025\n\n## Environment\n\n### Git\n- Branch: main\n"
)
TRAINING = "## Base model training\ntimestamp: 2025-10-23 22:28:41\n\n- depth: 8\n- run: x\n"
SFT = (
    "## Chat evaluation sft\ntimestamp: 2025\n\n- source: sft\n- temperature: 0.0000\n"
    "- ARC-Easy: 0.2618\n- ChatCORE metric: 0.0227\n"
)


def report(real_data: Path, run: str) -> Report:
    path = real_data / "nanochat-reports" / "runs" / run / "report" / "report.md"
    (parsed,) = nanochat_report.read({"report/report.md": path})
    assert parsed.report is not None
    return parsed.report


def test_sections_become_stages_and_tasks(read: Reader) -> None:
    """Scores are told from the arguments of the evaluation that are printed beside them."""
    (parsed,) = read(nanochat_report, {"x/report/report.md": HEADER + TRAINING + SFT})
    found = parsed.report
    assert found is not None
    assert found.stages == ("base", "sft")
    assert found.tasks == {"ARC-Easy": {"sft": 0.2618}, "ChatCORE": {"sft": 0.0227}}
    assert found.environment["Branch"] == "main"
    assert dict(parsed.config) == {"base/depth": 8.0, "base/run": "x"}


def test_section_files_are_a_report(read: Reader) -> None:
    """A report that was never put together is read from its parts."""
    files = {"x/report/base-model-training.md": TRAINING, "x/report/chat-evaluation-sft.md": SFT}
    assert {nanochat_report.claim(name).run for name in files} == {"x"}  # type: ignore[union-attr]
    (parsed,) = read(nanochat_report, files)
    assert parsed.report is not None
    assert parsed.report.stages == ("base", "sft")
    assert len(parsed.used) == 2


def test_section_files_add_what_the_report_lacks(read: Reader) -> None:
    """report.md comes first, and a section written after it is added."""
    files = {"report/chat-evaluation-sft.md": SFT, "report/report.md": HEADER + TRAINING}
    (parsed,) = read(nanochat_report, files)
    assert parsed.report is not None
    assert list(parsed.report.sections) == ["Base model training", "Chat evaluation sft"]


def test_numbers_are_read_as_printed(read: Reader) -> None:
    """Thousands commas and percent signs are dropped; a value with a unit stays text."""
    items = (
        "- a: 1,234,567\n- b %: 21.07%\n- c: 19176.26MiB\n- d: 4.5e+08\n- e : f : g: 20.0\n- h: \n"
    )
    (parsed,) = read(nanochat_report, {"report.md": HEADER + TRAINING + items})
    assert parsed.report is not None
    section = parsed.report.sections["Base model training"]
    assert [section[key] for key in ("a", "b %", "c", "d", "h")] == [
        1234567.0, 21.07, "19176.26MiB", 4.5e8, "",
    ]  # fmt: skip


def test_a_long_report_is_cut_and_told(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report over the cap gives what fits."""
    with monkeypatch.context() as patch:
        patch.setattr("viz3d.formats.limits.REPORT_BYTES", 200)
        (parsed,) = read(nanochat_report, {"report.md": HEADER + TRAINING + "x" * 1000})
    assert parsed.report is not None
    assert "Only the first" in said(parsed)
    assert limits.REPORT_BYTES == 2**20


@pytest.mark.parametrize("content", ["# Quarterly report\n\n## Sales\n- a: 1\n", "", "\0\0\0"])
def test_it_declines_with_a_reason(read: Reader, content: str) -> None:
    """Another report.md is declined in words."""
    with pytest.raises(NotMine, match="neither the title nor a section"):
        read(nanochat_report, {"report.md": content})


def test_the_real_aqua_run(real_data: Path) -> None:
    """A run of four stages, with a task that the last table leaves out."""
    found = report(real_data, "aquarat-20251023-222655")
    assert found.stages == ("base", "mid", "sft", "rl")
    assert found.tasks["AQUA"] == {"sft": 0.2756, "rl": 0.2717}
    assert found.tasks["CORE"] == {"base": 0.0155}
    assert found.tasks["GSM8K"] == {"mid": 0.0023}
    assert found.tasks["boolq"] == {"base": -0.1468}
    assert found.sections["Base model training"]["Number of parameters"] == 92_274_688
    assert found.sections["Base model training"]["MFU %"] == 21.07
    assert found.sections["Base model training"]["Tokens : Params ratio"] == 1.1364
    assert found.environment["GPUs"] == "8x NVIDIA H100 80GB HBM3"
    assert found.environment["Run started"] == "2025-10-23 22:27:01"
    assert found.sections["Summary"]["Total wall clock time"] == "3h25m"
    assert "temperature" not in found.tasks


def test_the_real_run_with_rl(real_data: Path) -> None:
    """The scores of a task are in the order of the stages."""
    found = report(real_data, "run2-with-rl")
    assert found.tasks["GSM8K"] == {"mid": 0.0334, "sft": 0.0387, "rl": 0.0758}
    assert list(found.tasks["GSM8K"]) == ["mid", "sft", "rl"]
    assert report(real_data, "run1-no-rl").stages == ("base", "mid", "sft")


def test_a_real_truncated_report(real_data: Path) -> None:
    """A report cut short has its tokenizer and no stage."""
    found = report(real_data, "speedrun-001-truncated")
    assert found.stages == ()
    assert found.tasks == {}
    assert found.sections["Tokenizer training"]["vocab_size"] == 65_536
