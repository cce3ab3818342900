"""Keep passwords, tokens and keys out of what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

LEFT_OUT = "(left out)"

# Patterns are compiled when they are used, which costs an import nothing.
# A name is split into words first: apiKey, API_KEY and api-key are the same.
_WORD = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+"
_SECRET = frozenset({
    "password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials",
    "apikey", "privatekey", "accesskey", "secretkey", "authtoken", "accesstoken", "hftoken",
    "authorization", "bearer", "cookie",
})  # fmt: skip
_KINDS_OF_KEY = frozenset({
    "api", "private", "secret", "access", "account", "signing", "encryption", "ssh", "wandb",
    "auth", "service", "hf", "openai", "anthropic", "license", "storage",
})  # fmt: skip
# Tokens of a vocabulary are no secrets.
_VOCABULARY = frozenset({
    "eos", "bos", "pad", "unk", "sep", "cls", "mask", "eot", "fim", "boi", "eoi", "image",
    "video", "audio", "special", "start", "end", "stop", "think", "next", "prefix", "suffix",
    "middle", "assistant", "system", "per", "decoder", "forced", "suppress",
})  # fmt: skip
# What says by its form that it is one: the first letters that services give their keys, a PEM
# block, a password inside an address.
_FORM = (
    r"\b(?:sk-|hf_|gh[pousr]_|github_pat_|glpat-|xox[abp]-|AKIA|wandb_v1_)[\w-]{12,}"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY|://[^/\s:@]{1,200}:[^/\s@]{1,200}@"
)
# The names in ``--api-key abc``, ``api_key=abc`` and ``'api_key': 'abc'``. No name begins within a
# word, or a long one would be gone through again from each of its letters.
_NAMED = r"(?<![\w.-])(?:--?([\w.-]{1,64}) |([\w.-]{1,64})['\"]?\s{0,4}[=:])"
_SHORTEST = 4  # characters of a variable's value; shorter ones are in everything
_WITHIN_TEXT = 12  # and of one that is sought inside a longer text


def is_secret_name(name: str) -> bool:
    """Say whether what is called `name` is a secret: ``api_key``, ``hf_token``, ``dbPassword``."""
    words = [word.lower() for word in re.findall(_WORD, name)]
    if _SECRET & set(words) or "pwd" in words[1:]:  # PWD alone is the working folder
        return True
    if any(kind in _KINDS_OF_KEY and word == "key" for kind, word in pairwise(words)):
        return True
    return is_token_name(name) and not _VOCABULARY & set(words)


def is_token_name(name: str) -> bool:
    """Say whether `name` is that of a token; a number of that name is a count or a cost."""
    words = [word for word in re.findall(_WORD, name) if not word.isdigit()]
    return bool(words) and words[-1].lower() == "token"


def of_environment(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the variables whose names are those of secrets."""
    return frozenset(
        value
        for name, value in environment.items()
        if len(value) >= _SHORTEST and is_secret_name(name)
    )


def is_secret_text(text: str, known: Iterable[str]) -> bool:
    """Say whether `text` is or holds a secret: one of `known`, ``--api-key=...``, ``sk-...``."""
    if any(text == value or (len(value) >= _WITHIN_TEXT and value in text) for value in known):
        return True
    if re.search(_FORM, text):
        return True
    return any(is_secret_name(option or name) for option, name in re.findall(_NAMED, text))
