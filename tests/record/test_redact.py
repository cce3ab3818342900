"""viz3d.record.redact: no password, token or key is written into a run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from viz3d.record.recorder import Recorder
from viz3d.record.redact import is_secret_name, is_secret_text, of_environment


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apiKey", "API-KEY", "OPENAI_API_KEY", "wandb_key", "hf_token", "token",
        "auth.token", "accessToken", "AWS_SECRET_ACCESS_KEY", "password", "dbPassword", "db_pwd",
        "client_secret", "credentials", "GOOGLE_APPLICATION_CREDENTIALS", "private_key", "apikey",
        "api_key_2", "Authorization",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    """However the words are joined."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens", "tokens_per_step", "tokenizer", "eos_token", "pad_token", "loss_per_token",
        "n_key_value_heads", "key", "metric_key", "num_keys", "PWD", "OLDPWD", "seed",
        "learning_rate", "monkey", "secretary", "passes", "",
    ],
)  # fmt: skip
def test_names_of_hyper_parameters(name):
    """What a language model's config is full of stays."""
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "hf_abcdefghijklmnopqrstuv", "sk-proj-abcdefghijklmnop", "postgres://me:pass@host/runs",
        "-----BEGIN RSA PRIVATE KEY-----\\nMII", "train.py --api-key abc --lr 3e-4",
        "password=abc", "{'api_key': 'abc'}", "the-secret", "run --with=a-longer-secret-of-ours",
    ],
)  # fmt: skip
def test_texts_that_hold_a_secret(text):
    """By their form, by the name before them, or as a variable of the environment has them."""
    known = of_environment(
        {"MY_TOKEN": "the-secret", "X_PASSWORD": "a-longer-secret-of-ours", "A_TOKEN": "1",
         "PWD": "/home/me", "HOME": "/home/me"}
    )  # fmt: skip
    assert known == {"the-secret", "a-longer-secret-of-ours"}
    assert is_secret_text(text, known)


@pytest.mark.parametrize(
    "text",
    [
        "gs://bucket/data", "https://host:443/path", "predict the next token given the prompt",
        "AdamW(betas=(0.9, 0.95), weight_decay=0)", "train.py --max-tokens 512", "the-secrets",
        "risk-averse-and-long-enough", "3f786850e387550fdab836ed7e6dc881de23001b",
    ],
)  # fmt: skip
def test_texts_that_hold_none(text):
    """Commands, addresses, prompts and commits stay."""
    assert not is_secret_text(text, {"the-secret"})


def test_a_config_is_recorded_without_its_secrets(tmp_path, monkeypatch, caplog):
    """They are counted and said once, by name; no file and no warning holds one."""
    monkeypatch.setenv("SOME_TOKEN", "canary-of-the-environment")

    @dataclass
    class Login:
        user: str = "me"
        password: str = "canary-of-a-class"

    config = {
        "lr": 0.1,
        "api_key": "canary-1",
        "nested": {"db": [{"password": "canary-2", "pin_secret": 1234, "user": "me"}]},
        "secrets": {"anything": "canary-3"},
        "note": "canary-of-the-environment",
        "login": Login(),
        "token": None,
        "use_auth_token": True,
        "price_of_token": 0.25,
        "eos_token": "<|endoftext|>",
    }
    with Recorder(tmp_path, config=config, tags=["canary-of-the-environment", "a"]) as rec:
        pass
    about = (tmp_path / "run.json").read_text()
    assert "canary" not in about + caplog.text
    assert json.loads(about)["config"] == {
        "lr": 0.1,
        "api_key": "(left out)",
        "nested": {"db": [{"password": "(left out)", "pin_secret": "(left out)", "user": "me"}]},
        "secrets": "(left out)",
        "note": "(left out)",
        "login": "(left out)",
        "token": None,
        "use_auth_token": True,
        "price_of_token": 0.25,
        "eos_token": "<|endoftext|>",
    }
    assert json.loads(about)["tags"] == ["(left out)", "a"]
    assert (rec.secrets, rec.failures) == (7, 0)
    (said,) = caplog.records
    assert "7 values" in said.message
    assert "nested.db.password" in said.message


def test_a_secret_that_is_a_name_is_left_out(tmp_path, monkeypatch, caplog):
    """At the top and within; the warning does not hold it either."""
    monkeypatch.setenv("SOME_TOKEN", "canary-of-the-environment")
    key = "canary-of-the-environment"
    with Recorder(tmp_path, config={key: 1, "used": {key: {"password": "x"}}}) as rec:
        pass
    about = (tmp_path / "run.json").read_text()
    assert "canary" not in about + caplog.text
    assert json.loads(about)["config"] == {
        "(left out)": 1,
        "used": {"(left out)": {"password": "(left out)"}},
    }
    assert rec.secrets == 3


@pytest.mark.parametrize("text", ["a" * 10**6, "a." * 10**6, "--" * 10**6, "://a" * 10**5])
def test_a_long_text_is_searched_in_one_go(text):
    """No expression goes through it again from each letter, which would take hours."""
    assert not is_secret_text(text, ())
