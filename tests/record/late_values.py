"""Numbers that come when a test lets them, and what was written of them."""

from __future__ import annotations

import json


def rows(path) -> list[dict]:
    """Return the rows without their times."""
    read = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "time"} for row in read]


class Number:
    """A number that is there when the event is set."""

    def __init__(self, number, event):
        self.number, self.event = number, event

    def item(self):
        """Wait, as a tensor does for its GPU."""
        assert self.event.wait(30)
        return self.number


class Fault(Number):
    """A number that does not come, but an error."""

    def item(self):
        """Wait, then raise."""
        super().item()
        raise RuntimeError("the device has failed")
