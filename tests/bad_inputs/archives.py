"""I51 to I53: compressed logs that are damaged or bombs, and archives, which are never opened.

(I51 at its full size is in `bombs`.)
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

from tests.bad_inputs.case import GOOD, LOSS, bad, write

LINES = b"".join(row + b"\n" for row in GOOD)


@bad("I52", read=LOSS)
def whole(folder: Path) -> None:
    write(folder, "metrics.jsonl.gz", gzip.compress(LINES))


@bad("I52", read=LOSS)
def csv(folder: Path) -> None:
    write(folder, "progress.csv.gz", gzip.compress(b"step,loss\n0,3\n2,1\n"))


@bad("I52", read=LOSS)
def several_members_and_padding(folder: Path) -> None:
    members = (gzip.compress(row + b"\n") for row in GOOD)
    write(folder, "log.jsonl.gz", b"".join(members) + bytes(512))


@bad("I52", r"log.jsonl.gz: It is cut.*Copy it once more", r"The last line is cut|jsonl.gz",
     read={"loss": {0: 3.0}})  # fmt: skip
def cut(folder: Path) -> None:
    stored = gzip.compress(LINES, 0)
    write(folder, "log.jsonl.gz", stored[: -8 - len(GOOD[1]) - 1])


@bad("I52", r"log.jsonl.gz: It is damaged, and what follows", read=LOSS)
def wrong_checksum(folder: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[-6] ^= 1
    write(folder, "log.jsonl.gz", bytes(packed))


@bad("I52", r"log.jsonl.gz: It is damaged, and what follows", read=LOSS)
def junk_behind_it(folder: Path) -> None:
    write(folder, "log.jsonl.gz", gzip.compress(LINES) + b"junk")


@bad("I52", refused=r"it is no gzip file")
def no_gzip(folder: Path) -> None:
    write(folder, "log.jsonl.gz", LINES)


@bad("I52", refused=r"what it unpacks to cannot be read \(.*JSONL")
def something_else_inside(folder: Path) -> None:
    write(folder, "log.jsonl.gz", gzip.compress(b"\x00\x01binary" * 99))


@bad("I51", refused=r"more than 200 times its size")
def small_gzip_bomb(folder: Path) -> None:
    write(folder, "log.jsonl.gz", gzip.compress(b"0" * (20 << 20)))


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, LINES)
    return buffer.getvalue()


UNOPENED = r"(An archive was|\d archives were) not opened\. If there are logs in it, unpack them"


@bad("I53", UNOPENED, listed=False)
def zip_with_a_way_out(folder: Path) -> None:
    write(folder, "runs.zip", _zip("../../escaped.jsonl", "/etc/log.jsonl", "log.jsonl"))


@bad("I53", UNOPENED, listed=False)
def zip_in_a_zip(folder: Path) -> None:
    write(folder, "a.zip", b"PK" + _zip("b.zip"))
    write(folder, "b.ZIP", _zip("log.jsonl"))


@bad("I53", UNOPENED, listed=False)
def tar_with_links(folder: Path) -> None:
    with tarfile.open(folder / "runs.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("log.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


@bad("I53", UNOPENED, read=LOSS)
def archive_beside_a_log(folder: Path) -> None:
    write(folder, "logs.zip", _zip("metrics.jsonl"))
    write(folder, "log.jsonl", LINES)
