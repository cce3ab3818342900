"""What crashes, disks and people do to files."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st

Damage = Callable[[bytes, bytes, random.Random], bytes]
"""From the content, that of another such file, and chance."""

GARBAGE = (
    b"Traceback (most recent call last):", b"{", b"}}}}", b"[1, 2", b'"', b'{"step": ', b"null",
    b"\x00" * 64, b"\xff\xfe\x00\x01", b"\x1b[31mred", b"step", b"NaN", b"-", b"\xe2\x80\xa8",
)  # fmt: skip
TOKENS = (
    *GARBAGE, b",", b"\n", b"\r\n", b"\r", b";", b"\t", b"1e400", b"-0", b"9" * 400, b"9" * 5000,
    b"[" * 200, b"{" * 200, b'{"a":' * 60, b"\xef\xbb\xbf", b"true", b'"step"', b"step: ",
    b"!!bool ", b"\x80" * 9 + b"\x01", b"\xff" * 8, b"\\ud800", b": ", b"|", b"&a *a",
    b"PAR1", b"PK\x05\x06",
)  # fmt: skip


def cut(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """End somewhere."""
    return content[: chance.randint(0, len(content))]


def flip(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Change a few bytes."""
    changed = bytearray(content)
    for _unused in range(chance.randint(1, 4) if changed else 0):
        changed[chance.randrange(len(changed))] ^= chance.choice([1, 0x20, 0x80, 0xFF])
    return bytes(changed)


def insert(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Put something in between."""
    at = chance.randint(0, len(content))
    return content[:at] + chance.choice([*TOKENS, chance.randbytes(8)]) + content[at:]


def delete(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Lose a few bytes."""
    at = chance.randint(0, len(content))
    return content[:at] + content[at + chance.randint(1, 40) :]


def splice(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Go on as another file does."""
    return cut(content, b"", chance) + other[chance.randint(0, len(other)) :]


def again(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Have a line several times."""
    lines = content.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at]] * chance.randint(2, 5), *lines[at + 1 :]])


def garbage(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Have a line that is none of it."""
    lines = content.split(b"\n")
    lines.insert(chance.randint(0, len(lines)), chance.choice(GARBAGE))
    return b"\n".join(lines)


def zeros(content: bytes, _: bytes, chance: random.Random) -> bytes:
    """Have NUL bytes where a crash lost a block."""
    at = chance.randint(0, len(content))
    return content[:at] + bytes(chance.randint(1, 600)) + content[at + chance.randint(0, 600) :]


def windows(content: bytes, _: bytes, __: random.Random) -> bytes:
    """End lines as Windows does."""
    return content.replace(b"\n", b"\r\n")


DAMAGES: tuple[Damage, ...] = (
    cut, flip, insert, delete, splice, again, garbage, zeros, windows,
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, content: bytes, others: st.SearchStrategy[bytes]) -> bytes:
    """Return `content` after one to three damages; `others` are more such files."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    for damage in draw(st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=3)):
        content = damage(content, draw(others) if damage is splice else b"", chance)
    return content
