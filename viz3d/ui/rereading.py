"""How to read a run of the app elsewhere: as a call in Python, as a command in a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

# What every shell takes as it stands, and what bash, PowerShell and cmd take in double quotes.
_BARE = re.compile(r"[\w./:@+,=-]+")
_QUOTED = re.compile(r"[^\"$`\\%!\r\n]+")


def in_python(places: Sequence[tuple[str, str]], roles: Mapping[str, str]) -> str:
    """Return the code that reads a run.

    Parameters
    ----------
    places : sequence of (source, name)
        Where it lies, as for `viz3d.open_source`, and what it is called there; several where it is
        joined.
    roles : mapping of {role: metric}
        Those that the viewer gave.
    """
    if len(places) == 1:
        said = f", roles={dict(roles)!r}" if roles else ""
        return f"import viz3d\n\nrun = {_load(*places[0], said)}"
    calls = "".join(f"    {_load(*place)},\n" for place in places)
    said = f".with_roles({dict(roles)!r})" if roles else ""
    return f"import viz3d\n\nrun = viz3d.join_runs(\n{calls}){said}"


def _load(source: str, name: str, said: str = "") -> str:
    return f"viz3d.load_run(viz3d.open_source({source!r}), {name!r}{said})"


def in_terminal(places: Sequence[tuple[str, str]], roles: Mapping[str, str]) -> str:
    """Return the command that shows a run; the parameters are those of `in_python`.

    Empty where a run is called differently in two sources, for which there is no command.
    """
    name = places[0][1]
    if any(other != name for _, other in places):
        return ""
    words = ["python", "-m", "viz3d", "show"]
    words += [f"--source={source}" for source, _ in places]
    words += [f"--role={role}={metric}" for role, metric in roles.items()]
    words += ["--join"] if len(places) > 1 else []
    # Behind "--" a name that begins with "-" is no option.
    words += ["--", name] if name.startswith("-") else [name]
    return " ".join(map(_word, words))


def _word(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return f'"{text}"' if _QUOTED.fullmatch(text) else shlex.quote(text)
