"""The task of the reference trainers: add two numbers of two digits.

A problem reads ``47+85=231.``: the answer stands with its last digit first, the order in which it
can be worked out, and ends with a full stop. All 10,000 problems are known; one in eleven is held
out. Exact match is the reward, so the same task serves supervised and reinforcement learning.
"""

from __future__ import annotations

import torch
from torch import Tensor

VOCABULARY = "0123456789+=."
END = VOCABULARY.index(".")
PROMPT = len("47+85=")
ANSWER = len("231.")
IGNORED = -1  # a position without a target


def problems(*, held_out: bool) -> Tensor:
    """Return one side of the fixed split.

    Returns
    -------
    Tensor, int64, shape (n, 2)
        The two numbers, each 0 to 99.
    """
    first, second = torch.meshgrid(torch.arange(100), torch.arange(100), indexing="ij")
    pairs = torch.stack([first.flatten(), second.flatten()], dim=1)
    # Modulo 11 mixes both digits: no combination of last digits is held out as a whole.
    chosen = (pairs[:, 0] + 3 * pairs[:, 1]) % 11 == 0
    return pairs[chosen if held_out else ~chosen]


def prompts(pairs: Tensor) -> Tensor:
    """Return the tokens up to and including ``=``, int64 (n, PROMPT)."""
    return _encode([f"{a:02d}+{b:02d}=" for a, b in pairs.tolist()])


def answers(pairs: Tensor) -> Tensor:
    """Return the tokens of the answer, int64 (n, ANSWER); what follows its end is IGNORED."""
    texts = [str(a + b)[::-1] + "." for a, b in pairs.tolist()]
    padded = _encode([text.ljust(ANSWER, ".") for text in texts])
    lengths = torch.tensor([len(text) for text in texts])
    return padded.masked_fill(~upto(lengths), IGNORED)


def lesson(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Return next-token inputs and targets; only the answer is a target.

    Returns
    -------
    inputs, targets : Tensor, int64, shape (n, PROMPT + ANSWER - 1)
    """
    answer = answers(pairs)
    tokens = torch.cat([prompts(pairs), answer], dim=1)
    targets = tokens[:, 1:].clone()
    targets[:, : PROMPT - 1] = IGNORED
    return tokens[:, :-1].clamp(min=0), targets


def lengths(responses: Tensor) -> Tensor:
    """Return the tokens of each response up to and including its first end, int64 (n,)."""
    ended = (responses == END).int()
    return torch.where(ended.any(1), ended.argmax(1) + 1, responses.size(1))


def rewards(pairs: Tensor, responses: Tensor) -> Tensor:
    """Return 1 where a response is the exact answer and ends, else 0; float32 (n,).

    Parameters
    ----------
    pairs : Tensor, int64, shape (n, 2)
    responses : Tensor, int64, shape (n, ANSWER)
        What follows the first end does not count.
    """
    answer = answers(pairs)
    return ((responses == answer) | (answer == IGNORED)).all(1).float()


def upto(lengths: Tensor) -> Tensor:
    """Return which of the ANSWER positions belong to responses of these lengths, (n, ANSWER)."""
    return torch.arange(ANSWER) < lengths[:, None]


def _encode(texts: list[str]) -> Tensor:
    return torch.tensor([[VOCABULARY.index(character) for character in text] for text in texts])
