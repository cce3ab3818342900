"""Feeds one reader with bytes until it raises: with Atheris, or by chance alone.

::

    pip install atheris                                  # in an environment of its own
    python tests/fuzz/atheris_readers.py jsonl -max_total_time=300
    python tests/fuzz/atheris_readers.py jsonl --random 60

What follows the reader's name goes to libFuzzer. A file that ends in an exception is made smaller
and kept in ``tests/fuzz/crashes``, where `test_crashes.py` reads it from then on.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(reader: str, *options: str) -> None:
    """Run one of the two."""
    if options and options[0] == "--random":
        by_chance(reader, float(options[1]))
    else:
        with_atheris(reader, options)


def by_chance(reader: str, seconds: float) -> None:
    """Damage good files at random; the first exception ends it."""
    from tests.fuzz.damage import DAMAGES
    from tests.fuzz.readers import seeds

    contents = [next(iter(files.values())) for files in seeds(reader)]
    chance = random.Random()
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        content = chance.choice(contents)
        for damage in chance.choices(DAMAGES, k=chance.randint(1, 5)):
            content = damage(content, chance.choice(contents), chance)
        _one(reader, content)
        count += 1
    sys.stdout.write(f"{reader}: {count:,} files, no exception\n")


def with_atheris(reader: str, options: tuple[str, ...]) -> None:
    """Let Atheris find its way by the lines of viz3d that are reached."""
    import atheris

    with atheris.instrument_imports(include=["viz3d"]):
        from tests.fuzz import readers
        from tests.fuzz.damage import TOKENS

    with tempfile.TemporaryDirectory(prefix="viz3d-seeds-") as folder:
        for at, files in enumerate(readers.seeds(reader)):
            Path(folder, str(at)).write_bytes(next(iter(files.values())))
        words = Path(folder, "words")
        quoted = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS)
        words.write_text("".join(f'"{token}"\n' for token in quoted if len(token) < 200))
        named = [f"-dict={words}", "-max_len=8192", "-timeout=20", *options]
        atheris.Setup([sys.argv[0], *named, folder], lambda content: _one(reader, content))
        atheris.Fuzz()


def _one(reader: str, content: bytes) -> None:
    from tests.fuzz.readers import keep, replay

    try:
        replay(reader, content)
    except Exception:
        sys.stdout.write(f"{reader}: kept {keep(reader, content)}\n")
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
