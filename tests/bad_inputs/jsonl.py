"""I1 to I14: lines that are torn, empty, in another encoding, or no objects."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bad_inputs.case import GOOD, LOSS, bad, lines, write

CUT = b'{"step": 3, "lo'
NO_OBJECT = r"log.jsonl:\d+: \d lines? that (was|were) no JSON object (was|were) left out"


@bad("I1", r"The last line is cut.*still being written", line=3, read=LOSS)
def still_growing(folder: Path) -> None:
    write(folder, "log.jsonl", b"\n".join([*GOOD, CUT]))
    write(folder, "config.json", json.dumps({"status": "running"}))


@bad("I2", r"The last line is cut.*crash", line=3, read=LOSS)
def ended_in_a_line(folder: Path) -> None:
    write(folder, "log.jsonl", b"\n".join([*GOOD, CUT]))


@bad("I3", NO_OBJECT + r": 'Traceback \(most recent call last\):'\. Look", line=2, read=LOSS)
def garbage_line(folder: Path) -> None:
    lines(folder, GOOD[0], "Traceback (most recent call last):", GOOD[1])


@bad("I4", r"The last line is cut", line=3, read=LOSS)
def nul_tail(folder: Path) -> None:
    write(folder, "log.jsonl", b"\n".join([*GOOD, bytes(4096)]))


@bad("I4", NO_OBJECT + r": '[\\x0…]+…'", line=2, read=LOSS)
def nul_block_then_more(folder: Path) -> None:
    lines(folder, GOOD[0], bytes(4096) + b'{"step": 1, "loss": 2}', GOOD[1])


@bad("I5", NO_OBJECT, line=2, read=LOSS)
def nul_inside(folder: Path) -> None:
    lines(folder, GOOD[0], b'{"step": 1, "lo\x00ss": 2}', GOOD[1])


@bad("I6", r"There are no rows in it yet")
def empty(folder: Path) -> None:
    write(folder, "log.jsonl", b"")


@bad("I7", r"There are no rows in it yet")
def blank_lines_alone(folder: Path) -> None:
    write(folder, "log.jsonl", b"\n\r\n  \n\n")


@bad("I7", read=LOSS)
def crlf_and_blank_lines(folder: Path) -> None:
    lines(folder, GOOD[0], b"", b"   ", GOOD[1], end=b"\r\n")


@bad("I7", r"log.jsonl:1: 1 line was parted at a carriage return.*End each line", line=1, read=LOSS)
def carriage_returns_alone(folder: Path) -> None:
    lines(folder, *GOOD, end=b"\r")


@bad("I7", r"1 value that was no number was left out \(note\)", read=LOSS)
def line_separator_in_a_text(folder: Path) -> None:
    lines(folder, GOOD[0].replace(b"}", ', "note": "a\u2028b"}'.encode()), GOOD[1])


@bad("I8", read=LOSS)
def byte_order_mark(folder: Path) -> None:
    write(folder, "log.jsonl", b"\xef\xbb\xbf" + b"\n".join(GOOD) + b"\n")


@bad("I9", refused=r"UTF-16 text; convert it with `iconv -f UTF-16 -t UTF-8`")
def utf_16(folder: Path) -> None:
    write(folder, "log.jsonl", b"\n".join(GOOD).decode().encode("utf-16"))


@bad("I9", refused=r"no UTF-8 text \(line 1\).*iconv")
def latin_1(folder: Path) -> None:
    row = '{"step": %d, "perte entraînée": 3}'
    lines(folder, *((row % step).encode("latin-1") for step in range(3)))


@bad("I10", r"log.jsonl:2: 1 line that is no UTF-8 text was left out: .*l\\+xffoss.*iconv",
     line=2, read=LOSS)  # fmt: skip
def one_line_not_utf_8(folder: Path) -> None:
    lines(folder, GOOD[0], b'{"step": 1, "l\xffoss": 2}', GOOD[1])


def _surrogates() -> dict[str, dict[int, float]]:
    from viz3d.formats.numbers import clean_name

    first, second = clean_name("x\ud800"), clean_name("x\udbff")
    assert first.startswith("x\ufffd")
    assert len({first, second, "x\ufffd"}) == 3
    return {"loss": {0: 3.0, 2: 1.0}, first: {0: 5.0}, second: {0: 6.0}}


@bad("I11", read=_surrogates())
def halves_of_characters(folder: Path) -> None:
    lines(folder, r'{"step": 0, "loss": 3, "x\ud800": 5, "x\udbff": 6}', GOOD[1])


@bad("I12", refused=r"one JSON document.*\.json")
def array_called_lines(folder: Path) -> None:
    rows = [json.loads(row) for row in GOOD]
    write(folder, "log.jsonl", json.dumps(rows, indent=1))


@bad("I12", read=LOSS)
def array(folder: Path) -> None:
    write(folder, "log.json", json.dumps([json.loads(row) for row in GOOD]))


@bad("I12", read=LOSS)
def one_object(folder: Path) -> None:
    write(folder, "log.json", json.dumps({"step": [0, 2], "loss": [3, 1]}))


@bad("I12", refused=r"no JSON document \(.*line 1\)")
def array_cut(folder: Path) -> None:
    write(folder, "log.json", json.dumps([json.loads(row) for row in GOOD])[:-9])


@bad("I13", NO_OBJECT, line=2, read=LOSS)
def two_on_a_line(folder: Path) -> None:
    both = b'{"step": 1, "loss": 2} {"step": 1, "loss": 9}'
    lines(folder, GOOD[0], both, GOOD[1])


@bad("I14", NO_OBJECT + r"; the first is '\[1, 2\]'", line=2, read=LOSS)
def no_objects(folder: Path) -> None:
    lines(folder, GOOD[0], "[1, 2]", '"text"', "7", "null", "true", GOOD[1])


@bad("I14", NO_OBJECT, line=1, read=LOSS)
def null_first(folder: Path) -> None:
    lines(folder, "null", *GOOD)
