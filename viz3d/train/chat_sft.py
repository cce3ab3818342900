"""Supervised training of the reference model, recorded, with 3D charts on the way.

python -m viz3d.train.chat_sft --run=my_3d_showcase --eval_every=50
"""

from __future__ import annotations

from collections.abc import Sequence

from viz3d.train import sft
from viz3d.train.command import read_command, recorded


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = read_command(
        "viz3d.train.chat_sft", __doc__ or "", sft.SFTOptions(eval_every=50), arguments
    )
    model = sft.new_model(command.options)
    config = sft.describe(model, command.options, command.words)
    with recorded(command, config) as (recorder, step_done):
        sft.train(model, command.options, recorder, step_done)


if __name__ == "__main__":
    main()
