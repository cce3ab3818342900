"""Training of the reference model by reward, recorded, with 3D charts on the way.

python -m viz3d.train.chat_rl --run=my_3d_demo --eval_every=30
"""

from __future__ import annotations

from collections.abc import Sequence

from viz3d.train import grpo
from viz3d.train.command import read_command, recorded


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = read_command(
        "viz3d.train.chat_rl", __doc__ or "", grpo.GRPOOptions(eval_every=30), arguments
    )
    print(f"Supervised training first: {command.options.start.steps} steps", flush=True)
    model = grpo.start_model(command.options)
    config = grpo.describe(model, command.options, command.words)
    with recorded(command, config) as (recorder, step_done):
        grpo.train(model, command.options, recorder, step_done)


if __name__ == "__main__":
    main()
