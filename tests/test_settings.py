"""Settings are read as the user wrote them, and nothing secret gets out."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from viz3d.errors import SettingsError
from viz3d.settings import CACHE_BYTES, KEYS, MAX_ENV_BYTES, load_settings

GUIDE = (
    "GCS_BUCKET=gs://nanochat-aquarat-datasets\n"
    "GCP_PROJECT_ID=my-project\n"
    "GOOGLE_APPLICATION_CREDENTIALS="
    "C:\\Users\\new\\AppData\\Roaming\\gcloud\\application_default_credentials.json\n"
)


def write(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "bom"])
def test_guide_env_is_read_as_written(tmp_path: Path, ending: str, start: str) -> None:
    """The three lines of the user's guide work, backslashes and all, however they were saved."""
    settings = load_settings({}, write(tmp_path, start + GUIDE.replace("\n", ending)))
    assert settings.bucket == "nanochat-aquarat-datasets"
    assert settings.source == "gs://nanochat-aquarat-datasets"
    assert settings.project == "my-project"
    assert settings.credentials == (
        "C:\\Users\\new\\AppData\\Roaming\\gcloud\\application_default_credentials.json"
    )


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quoted_windows_path_keeps_its_backslashes(tmp_path: Path, quote: str) -> None:
    r"""``\n`` in a quoted Windows path is a folder's first letter, not a line break."""
    path = r"C:\Users\new\temp\key.json"
    text = f"GOOGLE_APPLICATION_CREDENTIALS={quote}{path}{quote}\n"
    assert load_settings({}, write(tmp_path, text)).credentials == path


def test_missing_key_file_is_one_sentence_without_its_folder(tmp_path: Path) -> None:
    """The user learns which file is missing and what to run; the folder is not repeated."""
    (problem,) = load_settings({}, write(tmp_path, GUIDE)).problems
    assert "application_default_credentials.json" in problem.what
    assert "gcloud auth application-default login" in problem.remedy
    assert "Users" not in str(problem)


@pytest.mark.parametrize("path", ["k" * 5000, "~nobody-of-this-name/key.json"])
def test_a_key_file_that_cannot_be_looked_for_is_missing(tmp_path: Path, path: str) -> None:
    """A path that the file system refuses is a missing file, not an end of the app."""
    (problem,) = load_settings({"GOOGLE_APPLICATION_CREDENTIALS": path}, tmp_path / ".env").problems
    assert "is not there" in problem.what


def test_present_key_file_is_no_problem(tmp_path: Path) -> None:
    """A key file that is there is not complained about."""
    key = tmp_path / "key.json"
    key.write_text("{}")
    settings = load_settings({"GOOGLE_APPLICATION_CREDENTIALS": str(key)}, tmp_path / ".env")
    assert settings.credentials == str(key)
    assert settings.problems == ()


def test_environment_wins_over_file_wins_over_secrets(tmp_path: Path) -> None:
    """The order of the three places is the documented one, key by key."""
    env_file = write(tmp_path, "WANDB_ENTITY=file\nWANDB_PROJECT=file\n")
    secrets = {"WANDB_ENTITY": "secret", "WANDB_PROJECT": "secret", "WANDB_MODE": "offline"}
    settings = load_settings({"WANDB_ENTITY": "environment"}, env_file, secrets)
    assert settings.wandb_entity == "environment"
    assert settings.wandb_project == "file"
    assert settings.wandb_mode == "offline"


def test_empty_environment_is_not_the_process_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty mapping means that nothing is set, not that the process is asked."""
    monkeypatch.setenv("VIZ3D_SOURCE", "from-the-process")
    assert load_settings({}, tmp_path / ".env").source == "sample"
    assert load_settings(env_file=tmp_path / ".env").source == "from-the-process"


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({}, "sample"),
        ({"GCS_BUCKET": "bare-name"}, "gs://bare-name"),
        ({"GCS_BUCKET": "gs://name/"}, "gs://name"),
        ({"GCS_BUCKET": "name", "VIZ3D_SOURCE": "runs"}, "runs"),
        ({"VIZ3D_SOURCE": "   "}, "sample"),
    ],
)
def test_default_source(tmp_path: Path, values: dict[str, str], source: str) -> None:
    """`VIZ3D_SOURCE`, else the bucket, else the sample runs."""
    assert load_settings(values, tmp_path / ".env").source == source


def test_secret_is_not_in_the_repr(tmp_path: Path) -> None:
    """Printing the settings shows no key."""
    settings = load_settings({"WANDB_API_KEY": "canary-key"}, tmp_path / ".env")
    assert settings.wandb_api_key == "canary-key"
    assert "canary-key" not in repr(settings)


def test_env_file_is_not_executed_or_expanded(tmp_path: Path) -> None:
    """What looks like shell is text."""
    text = "VIZ3D_SOURCE=$(touch pwned)${HOME}\nnot a setting\nexport WANDB_MODE=offline\n"
    settings = load_settings({}, write(tmp_path, text))
    assert settings.source == "$(touch pwned)${HOME}"
    assert settings.wandb_mode == "offline"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"#" * (MAX_ENV_BYTES + 1)])
def test_unreadable_env_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be settings is refused by name, with the way out."""
    path = tmp_path / ".env"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"\.env .*\.env\.example"):
        load_settings({}, path)


def test_example_explains_every_key() -> None:
    """`.env.example` lists each key that is read."""
    example = Path(__file__).parents[1].joinpath(".env.example").read_text()
    assert [key for key in KEYS if f"{key}=" not in example] == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("500 MB", 500_000_000), ("1.5GB", 1_500_000_000), ("2 tb", 2 * 10**12), ("4096", 4096)],
)
def test_size_of_the_cache_is_read_with_its_unit(tmp_path: Path, text: str, size: int) -> None:
    """However it is spaced and written."""
    settings = load_settings({"VIZ3D_CACHE_SIZE": text}, tmp_path / ".env")
    assert (settings.cache_bytes, settings.problems) == (size, ())


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("VIZ3D_CACHE_SIZE", "10 parsecs"),
        ("VIZ3D_CACHE_SIZE", "0"),
        ("VIZ3D_CACHE_SIZE", "1.2.3 MB"),
        ("VIZ3D_CACHE_SIZE", "1e999"),
        ("VIZ3D_PATIENCE", "long"),
        ("VIZ3D_PATIENCE", "-1"),
        ("VIZ3D_PATIENCE", "nan"),
        ("VIZ3D_PATIENCE", "inf"),
        ("VIZ3D_PATIENCE", "1e9"),
    ],
)
def test_number_that_is_none_is_told_and_not_used(tmp_path: Path, key: str, text: str) -> None:
    """The default holds, and the sentence says what to write."""
    settings = load_settings({key: text}, tmp_path / ".env")
    assert (settings.cache_bytes, settings.patience) == (CACHE_BYTES, 1.0)
    [problem] = settings.problems
    assert repr(text) in problem.what
    assert f"Write for example {key}=" in problem.remedy


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it holds a `.env` cannot be known, so the right is what is asked for."""
    monkeypatch.setattr(Path, "is_file", Mock(side_effect=PermissionError(13, "Not for you")))
    with pytest.raises(
        SettingsError, match=r"cannot be read \(Not for you\); start viz3d in anoth"
    ):
        load_settings({}, tmp_path / ".env")
