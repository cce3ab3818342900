"""I64 to I74, I77, I78: names that lead elsewhere, cannot be shown, or are too long; odd files."""

from __future__ import annotations

import os
import socket
import unicodedata
from pathlib import Path

from tests.bad_inputs.case import GOOD, LOSS, bad, lines, write


def named(folder: Path, name: str) -> None:
    lines(folder, *GOOD, name=f"{name}.jsonl")


@bad("I64", read=LOSS)
def way_out_by_backslashes(folder: Path) -> None:
    named(folder, "x\\..\\..\\y%2e%2e%2f")


@bad("I65", read=LOSS)
def drive_and_share(folder: Path) -> None:
    named(folder, "C:\\x \\\\host\\share \\\\?\\ a:stream")


@bad("I66", read=LOSS)
def name_of_a_device(folder: Path) -> None:
    named(folder, "CON")


@bad("I67", r"U\+000A, U\+001B, U\+0007\. Rename it", read=LOSS)
def control_characters(folder: Path) -> None:
    named(folder, "a\nb\x1b[31mred\x07")


@bad("I68", read=LOSS)
def a_blank(folder: Path) -> None:
    named(folder / " ", " ")


@bad("I69", read=LOSS)
def equal_but_for_case_and_form(folder: Path) -> None:
    for name in ("café", unicodedata.normalize("NFD", "café"), "CAFÉ"):
        named(folder, name)


@bad("I70", r"looks like other letters: U\+202E RIGHT-TO-LEFT OVERRIDE, U\+200B ZERO WIDTH SPACE, "
     r"U\+0430 CYRILLIC SMALL LETTER A\. Rename it if that is not meant", read=LOSS)  # fmt: skip
def right_to_left(folder: Path) -> None:
    named(folder, "run\u202egnp.exe\u200b\u0430")


@bad("I71", read=LOSS)
def long_and_colourful(folder: Path) -> None:
    named(folder, "🚀訓練" + "é" * 30 + "x" * 100)


@bad("I72", r"1 metric is shown by the beginning of its name, .* and a checksum",
     read={"m" * 191 + "#ccd2f2b6": {0: 1.0, 1: 2.0}})  # fmt: skip
def long_metric(folder: Path) -> None:
    lines(folder, *(f'{{"step": {step}, "{"m" * 10_000}": {step + 1}}}' for step in (0, 1)))


@bad("I73", read=LOSS)
def signs_of_an_address(folder: Path) -> None:
    named(folder, "a?b#c&d%20e+f=g")


@bad("I74", read=LOSS)
def one_name_twice(folder: Path) -> None:
    for where in ("x", "y"):
        named(folder / where, "same")


@bad("I77", r"out.jsonl: It is a link that leads out of the folder",
     r"loop: It is a link that leads nowhere", r"fifo.jsonl: It is a pipe, a socket or a device",
     r"socket.jsonl: It is a pipe, a socket or a device", read=LOSS)  # fmt: skip
def links_and_no_plain_files(folder: Path) -> None:
    named(folder, "log")
    (folder / "out.jsonl").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "fifo.jsonl")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # a socket's path may not be long
    try:
        server.bind("socket.jsonl")
    finally:
        os.chdir(here)
        server.close()


@bad("I78", r"gone.jsonl: It is a link that leads nowhere.*Put back what it led to", read=LOSS)
def link_to_nothing(folder: Path) -> None:
    named(folder, "log")
    (folder / "gone.jsonl").symlink_to(folder / "was-here.jsonl")


HTML = "<img src=x onerror=alert(1)><a href=https://evil.example>x</a>%{x}$E=mc^2$"


@bad("I83", read={HTML: {0: 1.0}, "<b>loss</b>": {0: 2.0}})
def markup(folder: Path) -> None:
    write(
        folder, "<script>alert(1)<|script>.jsonl", f'{{"step": 0, "{HTML}": 1, "<b>loss</b>": 2}}\n'
    )
