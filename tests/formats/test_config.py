"""Files of hyper-parameters."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import config

from .conftest import Reader


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hparams.json", '{"lr": 0.1, "model": {"depth": 8}}'),
        ("config.yaml", "lr: 0.1\nmodel:\n  depth: 8\n"),
        (
            "config.yml",
            "_wandb: {value: {x: 1}}\nlr: {desc: null, value: 0.1}\nmodel:\n  depth: 8\n",
        ),
    ],
)
def test_names_and_values_are_read(read: Reader, name: str, content: str) -> None:
    """JSON, YAML and the boxes of Weights & Biases give the same config."""
    (parsed,) = read(config, {name: content})
    assert dict(parsed.config) == {"lr": 0.1, "model": {"depth": 8}}
    claim = config.claim(f"a/{name}")
    assert claim is not None
    assert claim.beside


def test_a_rate_without_a_point_is_a_number_in_yaml(read: Reader) -> None:
    """``3e-4`` is how people write a learning rate, and quotes still make a text of it."""
    (parsed,) = read(config, {"config.yaml": "lr: 3e-4\nn: 1.5e4\nname: '3e-4'\nrun: 1e5-b\n"})
    assert dict(parsed.config) == {"lr": 3e-4, "n": 15000.0, "name": "3e-4", "run": "1e5-b"}


def test_nothing_in_yaml_is_constructed(read: Reader) -> None:
    """A tag that would run code is refused."""
    with pytest.raises(NotMine, match="cannot be read as YAML"):
        read(config, {"config.yaml": "a: !!python/object/apply:os.getcwd []\n"})


def test_yaml_cannot_multiply_itself(read: Reader) -> None:
    """Aliases, with which a few lines become gigabytes, are refused."""
    with pytest.raises(NotMine, match="cannot be read as YAML"):
        read(config, {"config.yaml": "a: &a [1, 2]\nb: [*a, *a, *a]\n"})


@pytest.mark.parametrize("content", ["[1]", "{", "[" * 100_000])
def test_it_declines_with_a_reason(read: Reader, content: str) -> None:
    """What holds no names and values is declined in words."""
    with pytest.raises(NotMine):
        read(config, {"config.json": content})


def test_other_files_are_not_claimed() -> None:
    """A history is never taken for a config by its name."""
    assert config.claim("metrics.json") is None
    assert config.claim("config.py") is None
