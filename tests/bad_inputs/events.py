"""I31 and I55 to I57: logs of W&B and of TensorBoard that are cut, damaged, or full of pictures."""

from __future__ import annotations

from pathlib import Path

from tests.bad_inputs.case import Values, bad, write
from tests.formats import events, wandb_file

LOG = "offline-run-20251024_120000-abc/run-abc.wandb"
EVENTS = "events.out.tfevents.1761924447.host"
LATER = "events.out.tfevents.1761930000.host"
CURVE = {step: 2.0 - step / 8 for step in range(4)}


def wandb_log(folder: Path, content: bytes) -> None:
    write(folder, LOG, content)


def rows(count: int = 4) -> list[bytes]:
    return [wandb_file.row(step, loss=CURVE[step]) for step in range(count)]


def history(count: int = 4) -> Values:
    return {"loss": {step: CURVE[step] for step in range(count)}}


def clocked(loss: dict[int, float]) -> Values:
    """Return the values of a curve with the clock of its events."""
    return {"loss": loss, "time": dict.fromkeys(loss, 0.0)}


def curve(count: int = 4) -> list[bytes]:
    return [events.event(step, events.simple("loss", CURVE[step])) for step in range(count)]


STILL_OPEN = r"The run has no end: .* still being written.*Nothing needs doing"


@bad("I55", STILL_OPEN, read=history())
def wandb_still_open(folder: Path) -> None:
    wandb_log(folder, wandb_file.wandb_file(wandb_file.run("abc"), *rows()))


@bad("I55", r"The last record is cut.*Nothing needs doing", read=history(3))
def wandb_cut(folder: Path) -> None:
    wandb_log(folder, wandb_file.wandb_file(wandb_file.run("abc"), *rows())[:-5])


@bad("I55", r"1 block of at most 32 KiB is damaged.*Copy the log once more", read=history(2))
def wandb_with_a_wrong_checksum(folder: Path) -> None:
    log, ends = wandb_file.framed([wandb_file.run("abc"), *rows()])
    at = ends[2] + wandb_file.HEADER
    wandb_log(folder, log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :])


@bad("I55", refused=r"W&B offline run: it does not begin as such a log does")
def wandb_that_is_none(folder: Path) -> None:
    wandb_log(folder, b"{}\n" * 99)


@bad(
    "I56",
    r"The last record is cut.*Nothing needs doing",
    read=clocked({step: CURVE[step] for step in range(3)}),
)
def events_cut(folder: Path) -> None:
    write(folder, EVENTS, b"".join([events.VERSION, *curve()])[:-5])


@bad("I56", r"1 record with a wrong checksum was left out.*Copy the file once more",
     read=clocked({0: 2.0, 2: 1.75, 3: 1.625}))  # fmt: skip
def events_with_a_wrong_checksum(folder: Path) -> None:
    first, second, *others = curve()
    damaged = second[:-1] + bytes([second[-1] ^ 1])
    write(folder, EVENTS, b"".join([events.VERSION, first, damaged, *others]))


@bad(
    "I56",
    r"The file is damaged at byte \d+; what follows was not read.*Copy",
    read=clocked({0: 2.0, 1: 1.875}),
)
def events_without_the_mask(folder: Path) -> None:
    first, second, third, last = curve()
    unmasked = third[:8] + bytes(4) + third[12:]
    write(folder, EVENTS, b"".join([events.VERSION, first, second, unmasked, last]))


@bad("I56", r"1 record longer than 64 MiB was left out\. (Copy|Set)", read=clocked(CURVE))
def events_that_claim_a_huge_length(folder: Path) -> None:
    length = (1 << 62).to_bytes(8, "little")
    huge = length + events.masked(length) + bytes(64)
    write(folder, EVENTS, b"".join([events.VERSION, *curve(), huge]))


@bad(
    "I57",
    r"3 values that are no scalar were not read \(graphs, images, text\)",
    read=clocked(CURVE),
)
def events_of_pictures_graphs_and_text(folder: Path) -> None:
    picture = events.inside(1, "picture") + events.inside(4, events.whole(1, 4))
    text = events.tensor("notes", 7, events.inside(8, "hello"), told="text")
    graph = events.event(0, more=events.inside(4, b"graph"))
    others = [graph, events.event(1, picture), events.event(2, text)]
    write(folder, EVENTS, b"".join([events.VERSION, *others, *curve()]))


@bad("I31", r"The steps go back once \(a restart\): 2 rows of earlier attempts were superseded",
     read=clocked({0: 2.0, 1: 1.875, 2: 9.0, 3: 8.0}))  # fmt: skip
def attempts_in_two_files(folder: Path) -> None:
    write(folder, EVENTS, b"".join([events.VERSION, *curve()]))
    second = events.scalars("loss", {2: 9.0, 3: 8.0})
    write(folder, LATER, events.VERSION + events.start(2) + second)
