"""How to read a run of the app elsewhere: as a call in Python, as a command in a terminal."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz3d.run import Run

# What every shell takes as it stands, and what bash, PowerShell and cmd take in double quotes.
_BARE = re.compile(r"[\w./:@+,=-]+")
_QUOTED = re.compile(r"[^\"$`\\%!\r\n]+")


def said_roles(run: Run) -> dict[str, str]:
    """Return the roles of a run that are not as its names say: the viewer gave them."""
    from viz3d.analysis.roles import recognise

    found = recognise(run.metrics, run.history)
    return {role: metric for role, metric in run.roles.items() if found.get(role) != metric}


def in_python(source: str, name: str, roles: dict[str, str]) -> str:
    """Return the call that reads a run.

    Parameters
    ----------
    source : str
        As for `viz3d.open_source`.
    name : str
        Of the run in that source.
    roles : dict of {role: metric}
        Those that the viewer gave.
    """
    said = f", roles={roles!r}" if roles else ""
    return f"viz3d.load_run(viz3d.open_source({source!r}), {name!r}{said})"


def in_terminal(source: str, name: str, roles: dict[str, str]) -> str:
    """Return the command that shows a run; the parameters are those of `in_python`."""
    words = ["python", "-m", "viz3d", "show"]
    # Behind "--" a name that begins with "-" is no option.
    words += ["--", name] if name.startswith("-") else [name]
    at = words.index("show") + 1
    options = [f"--source={source}", *(f"--role={role}={m}" for role, m in roles.items())]
    return " ".join(map(_word, [*words[:at], *options, *words[at:]]))


def _word(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return f'"{text}"' if _QUOTED.fullmatch(text) else shlex.quote(text)
