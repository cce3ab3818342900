"""viz3d.train: the trainers learn, record what they did, and do it again to the same bits."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from viz3d.load import load_run
from viz3d.record.recorder import Recorder
from viz3d.train import addition, grpo, landscapes, sft, sweep

TINY = sft.SFTOptions(
    steps=30, warmup=3, batch=32, depth=2, width=16, heads=2, layers_every=10, eval_every=10
)


def rows(folder, name="metrics.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def without_time(recorded):
    return [{key: value for key, value in row.items() if key != "time"} for row in recorded]


def test_supervised_training_lowers_the_loss_and_records_it(tmp_path):
    """The loss falls from that of a uniform guess, and each step has its row."""
    folder = sweep.record(tmp_path, TINY)
    assert folder.name == "gpt-lr-0.003-seed-0"
    recorded = rows(folder)
    assert [row["step"] for row in recorded] == list(range(30))
    assert recorded[0]["loss"] == pytest.approx(math.log(13), abs=0.2)  # 13 tokens
    assert recorded[-1]["loss"] < 0.9 * recorded[0]["loss"]
    assert [row["step"] for row in recorded if "val_loss" in row] == [0, 10, 20, 29]
    about = json.loads((folder / "run.json").read_text())
    assert about["status"] == "finished"
    assert about["config"]["learning_rate"] == 0.003
    assert {"seed", "depth", "parameters", "optimizer", "task", "command"} <= set(about["config"])


def test_the_layers_together_are_the_recorded_global_norm(tmp_path):
    """Two ways of measuring one gradient, through two files, agree."""
    folder = sweep.record(tmp_path, TINY)
    recorded = {row["step"]: row["grad_norm"] for row in rows(folder)}
    layers: dict[int, list[float]] = {}
    for row in rows(folder, "layers.jsonl"):
        layers.setdefault(row["step"], []).append(row["grad_norm"])
    assert list(layers) == [0, 10, 20, 29]
    for step, norms in layers.items():
        assert len(norms) == 5  # two embeddings, two blocks, the head
        assert math.hypot(*norms) == pytest.approx(recorded[step], rel=1e-5)


def test_the_recorded_rate_is_the_schedule():
    """Linear warm-up to the peak, a cosine down to a tenth of it."""
    rates = [sft.cosine(step, steps=100, warmup=10, peak=2.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == rates[10] == max(rates) == 2.0
    assert rates[55] == pytest.approx(1.1)
    assert rates[100] == pytest.approx(0.2)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path):
    """Everything but the times is reproducible."""
    first = rows(sweep.record(tmp_path / "a", TINY))
    again = rows(sweep.record(tmp_path / "b", TINY))
    other = rows(sweep.record(tmp_path / "c", replace(TINY, seed=1)))
    assert without_time(first) == without_time(again)
    assert first[0]["loss"] != other[0]["loss"]


@pytest.mark.parametrize("reward", [False, True])
def test_landscapes_lie_in_the_run_folder_and_come_out_the_same(tmp_path, reward):
    """The same bytes each time, beside a record that is the same with them and without."""
    for name in ("a", "b"):
        model = sft.new_model(TINY)
        kept = landscapes.Kept(model, TINY.steps)
        sft.train(model, TINY, step_done=kept)
        landscapes.measure(model, kept, tmp_path / name, reward=reward, points=3, problems=32)
        assert sorted(kept.states)[-2:] == [28, 29]
    files = {
        name: {f.name: f.read_bytes() for f in (tmp_path / name / "landscape").iterdir()}
        for name in ("a", "b")
    }
    assert files["a"].keys() == {"pca.npz", "random.npz", "line.npz"}
    assert files["a"] == files["b"]
    grid = load_run(tmp_path / "a").landscapes[0]
    assert set(grid.values) == ({"loss", "reward"} if reward else {"loss"})
    pool = addition.problems(held_out=False)
    drawn = torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))[:32]
    one_by_one = [sft.answer_loss(model, pair[None]).item() for pair in pool[drawn]]
    assert grid.path.loss[-1] == pytest.approx(np.mean(one_by_one), rel=1e-5)


def test_a_rate_that_is_too_high_diverges_and_is_recorded(tmp_path):
    """Divergence goes into the record as it is; nothing clips it."""
    recorded = rows(sweep.record(tmp_path, replace(TINY, learning_rate=3.0)))
    assert len(recorded) == 30
    assert not recorded[-1]["loss"] < 3 * recorded[0]["loss"]


def test_recording_does_not_change_training(tmp_path):
    """The weights are the same with and without a recorder."""
    options = replace(TINY, steps=5)
    plain, watched = sft.new_model(options), sft.new_model(options)
    sft.train(plain, options)
    with Recorder(tmp_path) as recorder:
        sft.train(watched, options, recorder)
    for left, right in zip(plain.parameters(), watched.parameters(), strict=True):
        assert torch.equal(left, right)


def test_policy_gradients_record_reward_and_layers(tmp_path):
    """Each step has its reward, its loss and the gradient norm of each layer."""
    options = grpo.GRPOOptions(steps=4, prompts=4, group=4, eval_every=2, start=TINY)
    folder = grpo.record(tmp_path, options)
    recorded = rows(folder)
    assert [row["step"] for row in recorded] == [0, 1, 2, 3]
    names = {"loss", "policy_loss", "reward", "kl", "entropy", "response_length", "grad_norm"}
    assert all(names <= set(row) for row in recorded)
    assert all(0 <= row["reward"] <= 1 for row in recorded)
    assert all(1 <= row["response_length"] <= 4 for row in recorded)
    assert recorded[0]["kl"] == pytest.approx(0, abs=1e-6)  # the reference is the start
    assert [row["step"] for row in recorded if "pass_rate" in row] == [0, 2, 3]
    assert len(rows(folder, "layers.jsonl")) == 4 * 5


def test_advantages_are_standardised_within_a_group():
    """A group of equal rewards teaches nothing; any other has mean 0 and deviation 1."""
    found = grpo.advantages(torch.tensor([1.0, 1, 1, 1, 0, 0, 1, 1]), group=4)
    assert found[:4].tolist() == [0, 0, 0, 0]
    assert found[4:].mean().item() == pytest.approx(0, abs=1e-6)
    assert found[4:].std().item() == pytest.approx(1, rel=1e-3)
    assert found[4] < 0 < found[6]


def test_a_step_on_the_objective_makes_rewarded_answers_likelier():
    """The sign is right: descending the loss raises what earned more than its group."""
    model = sft.new_model(TINY)
    reference = sft.new_model(TINY)
    pairs = torch.tensor([[12, 34], [12, 34]])
    right, wrong = [6, 4, 12, 12], [0, 0, 12, 12]  # "64." and "00."
    rollout = grpo.Rollout(
        prompts=grpo.addition.prompts(pairs),
        responses=torch.tensor([right, wrong]),
        rewards=torch.tensor([1.0, 0.0]),
        advantages=grpo.advantages(torch.tensor([1.0, 0.0]), group=2),
        mask=grpo.addition.upto(torch.tensor([3, 3])),
    )

    def likelihood(response):
        tokens = torch.cat([rollout.prompts[:1], torch.tensor([response])], dim=1)
        logp = model(tokens[:, :-1])[:, 5:8].log_softmax(-1)
        return logp.gather(-1, tokens[:, 6:9, None]).sum().item()

    before = likelihood(right), likelihood(wrong)
    loss, measured = grpo.objective(model, reference, rollout, kl_weight=0.0)
    loss.backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight.sub_(0.01 * weight.grad)
    assert likelihood(right) > before[0]
    assert likelihood(wrong) < before[1]
    assert measured["reward"].item() == 0.5
    assert measured["response_length"].item() == 3
