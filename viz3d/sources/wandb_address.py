"""Addresses of projects and runs on W&B: read, or refused at once with the rule that is broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from viz3d.errors import WandbError

SCHEME = "wandb://"
_SCHEME = re.compile(r"wandb:/*", re.IGNORECASE)
# What a browser shows: https://wandb.ai/ENTITY/PROJECT[/runs/RUN][/what is shown]?…
_WEB = re.compile(r"https?://(?:www\.)?wandb\.ai(?=/|$)", re.IGNORECASE)
# W&B takes none of these in a name, and no longer one.
_FORBIDDEN, _MOST = "\\#?%:@", 128
_REMEDY = "Write wandb://ENTITY/PROJECT, or wandb://ENTITY/PROJECT/RUN_ID for one run."


@dataclass(frozen=True)
class WandbAddress:
    """A project, or one run of it.

    Attributes
    ----------
    entity, project : str
    run : str
        The run's id; empty for all runs.
    """

    entity: str
    project: str
    run: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What it names, in words; the project is known to the source."""
        return {"Run": self.run or "all of them"}

    def __str__(self) -> str:
        return SCHEME + "/".join(filter(None, (self.entity, self.project, self.run)))


def is_wandb(text: str) -> bool:
    """Say whether `text` is meant as an address on W&B, be it a right one or not."""
    where = _copied(text)
    return bool(_SCHEME.match(where) or _WEB.match(where))


def parse_wandb(text: str) -> WandbAddress:
    """Read an address.

    Parameters
    ----------
    text : str
        ``wandb://ENTITY/PROJECT[/RUN_ID]``, or what the browser shows of a project or run.

    Raises
    ------
    WandbError
        ``bad_name``. What was typed is not repeated: it may hold a key.
    """
    where = _copied(text)
    if _WEB.match(where):
        parts = [unquote(part) for part in urlsplit(where).path.strip("/").split("/")]
        run = parts[3] if parts[2:3] == ["runs"] and len(parts) > 3 else ""
        parts = [*parts[:2], *([run] if run else [])]
    else:
        parts = _SCHEME.sub("", where).strip("/").split("/")
        if len(parts) == 4 and parts[2] == "runs":
            del parts[2]
    if len(parts) not in (2, 3) or not all(parts):
        raise _refusal("The address does not name an entity and a project.")
    for what, name in zip(("entity", "project", "run id"), parts, strict=False):
        if len(name) > _MOST:
            raise _refusal(f"The {what} has more than {_MOST} characters.")
        bad = next((c for c in name if c in _FORBIDDEN or not c.isprintable()), "")
        if bad:
            raise _refusal(f"The {what} holds {bad!r}, which no name on W&B does.")
    return WandbAddress(*parts)


def _copied(text: str) -> str:
    """Drop what comes along when an address is copied out of a text."""
    return text.strip().strip("\"'<>").strip()


def _refusal(what: str) -> WandbError:
    return WandbError("bad_name", what, _REMEDY)
