"""What verl prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import verl_console
from viz3d.formats.reading import read_run

from .conftest import Reader, joined

LINE = (
    "step:{step} - global_seqlen/min:484245.000 - actor/pg_loss:0.001 - actor/ppo_kl:-0.000 - "
    "actor/lr:1e-06 - critic/rewards/mean:0.5{step} - response_length/mean:np.float64(288.5) - "
    "val-core/openai/gsm8k/acc/mean@1:nan"
)
VALUES = {
    "global_seqlen/min": 484245.0, "actor/pg_loss": 0.001, "actor/ppo_kl": 0.0, "actor/lr": 1e-6,
    "critic/rewards/mean": 0.51, "response_length/mean": 288.5,
}  # fmt: skip


@pytest.mark.parametrize(
    "prefix", ["", "(TaskRunner pid=87031) ", "\x1b[36m(main_task pid=9, ip=10.0.0.1)\x1b[0m "]
)
def test_a_line_gives_every_number_under_its_whole_name(read: Reader, prefix: str) -> None:
    """Whatever Ray and NumPy put around it; NaN was logged and is no gap."""
    (parsed,) = read(verl_console, {"a.log": prefix + LINE.format(step=1) + "\n"})
    found = joined(parsed)
    assert found.history.loc[1].dropna().to_dict() == VALUES
    assert found.nonfinite["metric"].tolist() == ["val-core/openai/gsm8k/acc/mean@1"]
    assert parsed.problems == ()


def test_a_line_may_be_long(read: Reader) -> None:
    """Hundreds of metrics stand in one."""
    many = " - ".join(f"val-core/a_data_set_with_a_long_name/{at}:1.0" for at in range(400))
    (parsed,) = read(verl_console, {"a.log": f"step:0 - {many}\n"})
    assert len(joined(parsed).history.columns) == 400


def test_it_declines_with_a_reason(read: Reader) -> None:
    """Lines of modded-nanogpt begin alike."""
    with pytest.raises(NotMine, match="no line of it reads `step:N - name:value`"):
        read(verl_console, {"a.log": "step:1/9 train_loss:15.99 train_time:23767ms\nstep:1 - \n"})


def test_it_is_asked_before_modded_nanogpt(tmp_path: Path) -> None:
    """Which would call a reward ``mean``."""
    path = tmp_path / "a.log"
    path.write_text("".join(LINE.format(step=step) + "\n" for step in range(1, 4)))
    (run,) = read_run("a.log", {"a.log": path})
    assert run.joined.history["critic/rewards/mean"].tolist() == [0.51, 0.52, 0.53]
    assert "mean" not in run.joined.history
