"""Settings: what a file says is taken as it stands, and no file or variable raises."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.errors import SettingsError
from viz3d.settings import KEYS, Settings, load_settings

from .damage import damaged
from .profiles import FAST, LONG

ATTRIBUTES = {
    "GCP_PROJECT_ID": "project",
    "WANDB_ENTITY": "wandb_entity",
    "WANDB_PROJECT": "wandb_project",
    "WANDB_API_KEY": "wandb_api_key",
    "VIZ3D_CACHE_DIR": "cache_dir",
}
VALUES = st.text("abcXYZ019-_./:@%+~", min_size=1, max_size=20)
WRITTEN = st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), VALUES, max_size=5)
WRITINGS = ("{}={}", "{}='{}'", '{}="{}"', "export {}={}", "  {} = {}  ")
ODD = st.text(max_size=30) | st.sampled_from(
    ["nan", "-1", "0", "1e999", "9" * 500, "1 ZB", "10 GB", "~nobody/x", "\0", "\ud800", "a\\b"]
)


def load(content: bytes) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(content)
        return load_settings({}, path)


@FAST
@given(data=st.data())
def test_a_file(data: st.DataObject) -> None:
    """Written in any way that people write it, and damaged."""
    _a_file(data)


@pytest.mark.slow
@LONG
@given(data=st.data())
def test_a_file_for_long(data: st.DataObject) -> None:
    """The same, many times."""
    _a_file(data)


def _a_file(data: st.DataObject) -> None:
    said = data.draw(WRITTEN)
    lines = [data.draw(st.sampled_from(WRITINGS)).format(*pair) for pair in said.items()]
    content = "\n".join(lines).encode()
    settings = load(content)
    assert {key: getattr(settings, name) for key, name in ATTRIBUTES.items()} == {
        key: said.get(key, "") for key in ATTRIBUTES
    }
    others = st.just(b"GCS_BUCKET=gs://b/c\nVIZ3D_PATIENCE=2\n")
    bad = data.draw(damaged(content, others))
    with suppress(SettingsError):
        load(bad)


@FAST
@given(st.dictionaries(st.sampled_from(KEYS), ODD))
def test_an_environment(environ: dict[str, str]) -> None:
    """Whatever stands in it, what is wrong is told, and never the key."""
    settings = load_settings(environ | {"WANDB_API_KEY": "a secret"}, "no such file")
    assert settings.wandb_api_key == "a secret"
    assert settings.cache_bytes > 0
    assert 0 < settings.patience <= 1000
    assert "a secret" not in repr(settings)
