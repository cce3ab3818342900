"""viz3d.train.addition: the task is what it says, and its reward cannot be earned otherwise."""

from __future__ import annotations

import pytest
import torch

from viz3d.train import addition


def spell(tokens) -> str:
    return "".join(addition.VOCABULARY[token] for token in tokens if token >= 0)


def test_the_split_covers_every_problem_once():
    """No held-out problem is ever trained on."""
    train = {tuple(pair) for pair in addition.problems(held_out=False).tolist()}
    held_out = {tuple(pair) for pair in addition.problems(held_out=True).tolist()}
    assert not train & held_out
    assert train | held_out == {(a, b) for a in range(100) for b in range(100)}
    assert len(held_out) == pytest.approx(10_000 / 11, abs=2)


def test_every_answer_is_the_sum_with_its_last_digit_first():
    """All 10,000 answers against Python's own addition."""
    for held_out in (True, False):
        pairs = addition.problems(held_out=held_out)
        pairs_and_texts = zip(
            pairs.tolist(), addition.prompts(pairs), addition.answers(pairs), strict=True
        )
        for (a, b), prompt, answer in pairs_and_texts:
            assert spell(prompt) == f"{a:02d}+{b:02d}="
            text = spell(answer)
            assert text[-1] == "."
            assert int(text[-2::-1]) == a + b


def test_only_the_answer_is_a_target():
    """The prompt's digits are random: no loss is taken on them."""
    inputs, targets = addition.lesson(torch.tensor([[47, 85], [1, 2]]))
    assert spell(inputs[0]) == "47+85=231"
    assert [spell(row) for row in targets] == ["231.", "3."]
    assert (targets[:, : addition.PROMPT - 1] == addition.IGNORED).all()


@pytest.mark.parametrize(
    ("response", "reward", "length"),
    [
        ("231.", 1, 4),
        ("64..", 0, 3),
        ("132.", 0, 4),
        ("2310", 0, 4),
        ("23.1", 0, 3),
        (".231", 0, 1),
    ],
)
def test_the_reward_is_for_the_exact_answer_that_ends(response, reward, length):
    """47 + 85 = 132: neither a wrong order nor a missing end earns anything."""
    tokens = torch.tensor([[addition.VOCABULARY.index(character) for character in response]])
    assert addition.rewards(torch.tensor([[47, 85]]), tokens).item() == reward
    assert addition.lengths(tokens).item() == length


def test_what_follows_the_end_does_not_count():
    """A short answer is right whatever fills the rest of the batch."""
    tokens = torch.tensor([[addition.VOCABULARY.index(character) for character in "3.97"]])
    assert addition.rewards(torch.tensor([[1, 2]]), tokens).item() == 1
