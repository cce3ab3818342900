"""Settings: the environment, then ``.env``, then Streamlit's secrets, read once into one record."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from viz3d.errors import SettingsError
from viz3d.exposed import exposed
from viz3d.run import Problem

if TYPE_CHECKING:
    from dotenv.parser import Binding

# Caps on input, by example: the values that hold unless they are set. See `formats/limits.py`.
LIMITS: Mapping[str, str] = {
    "VIZ3D_MAX_LINE_MIB": "8",
    "VIZ3D_MAX_LINE_VALUES": "500000",
    "VIZ3D_MAX_FILE_MIB": "1024",
    "VIZ3D_MAX_UNPACKED_MIB": "1024",
    "VIZ3D_MAX_RATIO": "200",
    "VIZ3D_MAX_DOCUMENT_MIB": "64",
    "VIZ3D_MAX_VALUES": "4000000",
    "VIZ3D_MAX_REPORT_MIB": "1",
    "VIZ3D_MAX_CONFIG_MIB": "1",
    "VIZ3D_MAX_RECORD_MIB": "64",
    "VIZ3D_MAX_FIELDS": "100000",
    "VIZ3D_MAX_SCALARS": "10000000",
    "VIZ3D_MAX_METRICS": "2000",
    "VIZ3D_MAX_NESTED_KEYS": "100",
    "VIZ3D_MAX_DEPTH": "32",
    "VIZ3D_MAX_GRID_FILE_MIB": "256",
    "VIZ3D_MAX_GRID_MIB": "40",
    "VIZ3D_MAX_GRID_NODES": "1000000",
    "VIZ3D_MAX_GRID_MEMBERS": "64",
    "VIZ3D_MAX_CELLS": "20000000",
    "VIZ3D_MAX_TEXT_MIB": "64",
    "VIZ3D_MAX_SINGLE_VALUES": "100000",
    "VIZ3D_MAX_SINGLE_MIB": "8",
    "VIZ3D_MAX_RUNS": "1000",
    "VIZ3D_MAX_NUMBERS": "45000000",
    "VIZ3D_MAX_HISTORY_CELLS": "40000000",
    "VIZ3D_MAX_LAYER_ROWS": "2000000",
    "VIZ3D_MAX_NONFINITE": "500000",
}
KEYS = (
    "GCS_BUCKET",
    "GCP_PROJECT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "WANDB_API_KEY",
    "WANDB_ENTITY",
    "WANDB_PROJECT",
    "WANDB_MODE",
    "VIZ3D_SOURCE",
    "VIZ3D_CACHE_DIR",
    "VIZ3D_CACHE_SIZE",
    "VIZ3D_PATIENCE",
    "STORAGE_EMULATOR_HOST",
    *LIMITS,
)

# Streamlit's customary name for a service account's key in its secrets.
SERVICE_ACCOUNT = "gcp_service_account"
CACHE_BYTES = 10_000_000_000
# Deadlines of hours are none; those of centuries are more than the system can count.
MOST_PATIENCE = 1000.0
# No machine holds more than that of anything that is capped.
MOST_LIMIT = 1e12
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

# A settings file is a few lines; anything this long is another file under that name.
MAX_ENV_BYTES = 64 * 1024
SECRET = ("WANDB_API_KEY",)
OWN = "VIZ3D_"  # what the names of our own settings begin with; other programs have theirs
REMEDY = "Correct it; see .env.example."


@dataclass(frozen=True)
class Settings:
    """What the user set. Secrets never appear in `repr`, in a message or in a log.

    Attributes
    ----------
    source : str
        ``VIZ3D_SOURCE``, else ``gs://`` + ``GCS_BUCKET``, else ``"sample"``.
    bucket, project, credentials : str
        Google Cloud Storage; `credentials` is the path of a key file. Empty when not set.
    wandb_entity, wandb_project, wandb_mode : str
    cache_dir, storage_emulator : str
    cache_bytes : int
        ``VIZ3D_CACHE_SIZE``: how much downloaded data is kept.
    patience : float
        ``VIZ3D_PATIENCE``: every deadline of the network is multiplied by it.
    wandb_api_key : str
        Secret.
    limits : mapping of {name of the setting: number}
        Caps on input that the user set, for `viz3d.formats.limits.apply`.
    service_account : mapping or None
        A service account's key from Streamlit's secrets. Secret.
    problems : tuple of Problem
        What is wrong with the settings, each one sentence with its remedy.
    """

    source: str = "sample"
    bucket: str = ""
    project: str = ""
    credentials: str = ""
    wandb_entity: str = ""
    wandb_project: str = ""
    wandb_mode: str = ""
    cache_dir: str = ""
    storage_emulator: str = ""
    cache_bytes: int = CACHE_BYTES
    patience: float = 1.0
    limits: Mapping[str, float] = field(default_factory=dict)
    wandb_api_key: str = field(default="", repr=False)
    service_account: Mapping[str, str] | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()


def load_settings(
    environ: Mapping[str, str] | None = None,
    env_file: str | Path = ".env",
    secrets: Mapping[str, object] | None = None,
) -> Settings:
    """Read the settings; the first place that has a key wins.

    Parameters
    ----------
    environ : mapping, optional
        The environment; by default that of the process.
    env_file : path
        A file of ``KEY=value`` lines. It is never executed or expanded. It need not exist.
    secrets : mapping, optional
        Streamlit's secrets, handed in by the caller.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        If `env_file` exists and cannot be a settings file.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for place in (secrets or {}, _read_env_file(Path(env_file), problems), environ):
        found = {key: str(place[key]).strip() for key in KEYS if place.get(key)}
        values |= {key: value for key, value in found.items() if value}
    bucket = values.get("GCS_BUCKET", "").removeprefix("gs://").strip("/")
    credentials = values.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    account = (secrets or {}).get(SERVICE_ACCOUNT)
    cache_bytes = _number("VIZ3D_CACHE_SIZE", values, problems, _bytes, CACHE_BYTES)
    patience = _number("VIZ3D_PATIENCE", values, problems, float, 1.0, MOST_PATIENCE)
    limits = {
        key: _number(key, values, problems, float, float(usual), MOST_LIMIT)
        for key, usual in LIMITS.items()
        if key in values
    }
    return Settings(
        source=values.get("VIZ3D_SOURCE") or (f"gs://{bucket}" if bucket else "sample"),
        bucket=bucket,
        project=values.get("GCP_PROJECT_ID", ""),
        credentials=credentials,
        wandb_entity=values.get("WANDB_ENTITY", ""),
        wandb_project=values.get("WANDB_PROJECT", ""),
        wandb_mode=values.get("WANDB_MODE", ""),
        cache_dir=values.get("VIZ3D_CACHE_DIR", ""),
        storage_emulator=values.get("STORAGE_EMULATOR_HOST", ""),
        cache_bytes=int(cache_bytes),
        patience=patience,
        limits=limits,
        wandb_api_key=values.get("WANDB_API_KEY", ""),
        service_account=dict(account) if isinstance(account, Mapping) else None,
        problems=(*_check_credentials(credentials), *problems),
    )


def _bytes(text: str) -> float:
    """Read a size such as ``500 MB`` or ``10 GB``."""
    match = re.fullmatch(r"([\d.]+)\s*([a-zA-Z]*)", text)
    if not match or match[2].upper() not in _UNITS:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2].upper()]


def _number(
    key: str, values: Mapping[str, str], problems: list[Problem],
    read: Callable[[str], float], default: float, most: float = sys.float_info.max,
) -> float:  # fmt: skip
    """Read a setting between zero and `most`; what is none is told and the default taken."""
    if key not in values:
        return default
    try:
        number = read(values[key])
    except ValueError:
        number = 0.0
    if 0 < number <= most:
        return number
    what, example = ("number", LIMITS.get(key, "2"))
    if key == "VIZ3D_CACHE_SIZE":
        what, example = "size", "10 GB"
    wrong = "too much" if number > most else f"no {what} above zero"
    problems.append(
        Problem(
            f"{key} is {values[key][:40]!r}, which is {wrong}, so it was not used.",
            f"Write for example {key}={example}.",
        )
    )
    return default


def _read_env_file(path: Path, problems: list[Problem]) -> Mapping[str, str | None]:
    """Read a settings file; a line of it that is no setting is told, without what it says."""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > MAX_ENV_BYTES:
            raise SettingsError(
                f"{path.name} is larger than {MAX_ENV_BYTES // 1024} KiB, so it is not a settings "
                "file; keep only KEY=value lines in it (see .env.example)."
            )
        # In double quotes \n would be a line break; our values are paths and names, so keep it.
        text = re.sub(
            r'="[^"\n]*"', lambda m: m[0].replace("\\", "\\\\"), path.read_text("utf-8-sig")
        )
        bindings = list(parse_stream(StringIO(text)))
        if bad := next((one for one in bindings if one.error), None):
            what = "A line that is no KEY=value was left out."
            problems.append(Problem(what, REMEDY, path.name, _line(bad)))
        problems += _unknown(bindings, path.name)
        values = dotenv_values(stream=StringIO(text), interpolate=False)
        if any(values.get(key) for key in SECRET):
            problems += exposed(path)
        return values
    except OSError as error:
        raise SettingsError(
            f"{path.name} cannot be read ({error.strerror}); start viz3d in "
            "another folder, or give yourself the right to read it."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path.name} cannot be read as UTF-8 text; save it as KEY=value lines "
            "(see .env.example)."
        ) from error


def _line(binding: Binding) -> int:
    """Return the line of a setting; the blank ones before it are counted to it."""
    whole = binding.original.string
    return binding.original.line + whole.count("\n", 0, len(whole) - len(whole.lstrip()))


def _unknown(bindings: Sequence[Binding], file: str) -> list[Problem]:
    """Tell of keys that look like settings of viz3d and are none; what they say is not repeated."""
    return [
        Problem(f"There is no setting {key[:40]}, so it was not used.", _nearest(key), file, line)
        for key, line in {one.key: _line(one) for one in bindings if one.key}.items()
        if key.startswith(OWN) and key not in KEYS
    ]


def _nearest(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    return f"Is {near[0]} meant?" if near else "See .env.example for those that are."


def _check_credentials(path: str) -> tuple[Problem, ...]:
    """Say in one sentence that the key file is missing; its folder is nobody's business."""
    try:
        if not path or Path(path).expanduser().is_file():
            return ()
    except (OSError, ValueError, RuntimeError):
        pass  # where nobody may look there is no file to be used
    windows = "\\" in path
    name = (PureWindowsPath(path) if windows else PurePosixPath(path)).name
    return (
        Problem(
            f"GOOGLE_APPLICATION_CREDENTIALS names the key file {name}, which is not there.",
            "Run `gcloud auth application-default login`, or correct the path in .env.",
        ),
    )
