"""``python -m viz3d``."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn


def run() -> NoReturn:
    """Run one command and end the process with its exit status: 130 after Ctrl-C."""
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    try:
        from viz3d.cli import main

        status = main()
    except KeyboardInterrupt:
        status = 130
    except Exception:
        # Compiled libraries that are just being imported turn Ctrl-C into errors of their own.
        if not pressed:
            raise
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    run()
