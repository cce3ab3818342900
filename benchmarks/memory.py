"""What it takes to open the largest inputs: memory added, seconds of the processors, what is said.

    python benchmarks/memory.py [CASE ...] [--mib 1024] [--list]

Each input is made in a temporary folder, opened by `viz3d.load_runs` in a process of its own which
has read a small one before, and deleted. Told is the largest memory of that process above what it
held before. No input may add more than 512 MB; what is refused may take 2 seconds and 64 MB.
"""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

MOST = 512e6
Make = Callable[[Path, int], None]


def fill(path: Path, size: int, pieces: Iterator[bytes]) -> None:
    """Write pieces until the file has that size, a megabyte or so at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb", buffering=1 << 20) as file:
        written = 0
        for piece in pieces:
            if (written := written + len(piece)) > size:
                break
            file.write(piece)


def rows(line: str, *values: Callable[[int], object], first: int = 0) -> Iterator[bytes]:
    """Yield ``line % values(step)`` for one step after the other."""
    for step in count(first):
        yield (line % tuple(value(step) for value in values)).encode()


def drawn(step: int) -> float:
    """Return a number of many digits."""
    return (step * 2654435761 % 4294967291) / 1e9 + 0.1


METRICS = 12
# What stands behind the step; so many different ones that nothing shrinks.
TAILS = [
    ", ".join(f'"metric_{at}": {drawn(97 * tail + at):.15g}' for at in range(METRICS)) + "}\n"
    for tail in range(997)
]
CELLS = [
    "".join(f",{drawn(97 * tail + at):.15g}" for at in range(METRICS)) + "\n" for tail in range(997)
]


def dense(steps: Iterable[int]) -> Iterator[bytes]:
    """Yield JSON lines of twelve metrics."""
    for step in steps:
        yield f'{{"step": {step}, {TAILS[step % 997]}'.encode()


def jsonl(folder: Path, size: int) -> None:
    """Twelve metrics in each row."""
    fill(folder / "log.jsonl", size, dense(count()))


def jsonl_restart(folder: Path, size: int) -> None:
    """The same, but that the run went back to a tenth of its way."""
    n = size // 330
    fill(folder / "log.jsonl", size, dense(chain(range(n // 2), range(n // 20, n))))


def jsonl_from_0(folder: Path, size: int) -> None:
    """The same, but that the run began anew in the middle, which leaves two attempts."""
    n = size // 330
    fill(folder / "log.jsonl", size, dense(chain(range(n // 2), range(n))))


def jsonl_sparse(folder: Path, size: int) -> None:
    """Each row has another one of a hundred metrics."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "metric_%d": %.6g}\n',
         lambda step: step, lambda step: step % 100, drawn))  # fmt: skip


def jsonl_turns(folder: Path, size: int) -> None:
    """A thousand metrics at even steps, a thousand others at odd ones."""
    halves = [", ".join(f'"m{at}": 1.5' for at in range(half, half + 1000)) for half in (0, 1000)]
    lines = (f'{{"step": {step}, {half}}}\n' for step, half in zip(count(), cycle(halves)))
    fill(folder / "log.jsonl", size, map(str.encode, lines))


def jsonl_layers(folder: Path, size: int) -> None:
    """Gradient norms of a hundred layers in each row."""
    norms = ", ".join(f'"grad_norm/layers.{at}": %.6g' for at in range(100))
    fill(folder / "log.jsonl", size, rows(f'{{"step": %d, "loss": 2.5, {norms}}}\n',
         lambda step: step, *[drawn] * 100))  # fmt: skip


def jsonl_long_layers(folder: Path, size: int) -> None:
    """One layer at one step in each row."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "layer": "h.%d", "grad_norm": %.6g}\n',
         lambda at: at // 100, lambda at: at % 100, drawn))  # fmt: skip


def jsonl_nan(folder: Path, size: int) -> None:
    """NaN in each row, which Arrow does not read, and each of them is a fact to keep."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "loss": NaN, "lr": 0.1}\n', lambda at: at))


def jsonl_long_line(folder: Path, size: int) -> None:
    """One line, most of it a hole."""
    with (folder / "log.jsonl").open("wb") as file:
        file.write(b'{"step": 0, "loss": 3}\n{"step": 1, "a": "')
        file.seek(size - 100)
        file.write(b'"}\n{"step": 2, "loss": 2}\n')


def jsonl_too_large(folder: Path, size: int) -> None:
    """A byte more than a log may have."""
    with (folder / "log.jsonl").open("wb") as file:
        file.write(b'{"step": 0, "loss": 3}\n')
        file.seek(1 << 30)
        file.write(b"\n")


def gz(folder: Path, size: int) -> None:
    """Compressed JSON lines that unfold to the size."""
    import gzip

    jsonl(folder, size)
    with (
        (folder / "log.jsonl").open("rb") as plain,
        gzip.open(folder / "log.jsonl.gz", "wb", compresslevel=1) as file,
    ):
        shutil.copyfileobj(plain, file)
    (folder / "log.jsonl").unlink()


def csv(folder: Path, size: int) -> None:
    """Twelve metrics in each row."""
    names = ",".join(["step", *(f"metric_{at}" for at in range(METRICS))]) + "\n"
    fill(folder / "log.csv", size, _headed(names, _cells(count())))


def _cells(steps: Iterable[int]) -> Iterator[bytes]:
    for step in steps:
        yield f"{step}{CELLS[step % 997]}".encode()


def csv_lightning(folder: Path, size: int) -> None:
    """Lightning's metrics.csv: training and validation in rows of their own, most cells empty."""
    names = "epoch,lr,step,train_loss,train_acc,val_loss,val_acc\n"
    train = rows("%d,0.001,%d,%.15g,%.15g,,\n", lambda at: at // 100, lambda at: at, drawn, drawn)
    val = rows("%d,,%d,,,%.15g,%.15g\n", lambda at: at // 100, lambda at: at, drawn, drawn)
    both = (line for pair in zip(train, val, strict=True) for line in pair)
    fill(folder / "metrics.csv", size, _headed(names, both))


def csv_sparse(folder: Path, size: int) -> None:
    """Each row fills another one of a hundred columns."""
    names = ",".join(["step", *(f"metric_{at}" for at in range(100))]) + "\n"
    lines = (f"{at}{',' * (at % 100 + 1)}1.5{',' * (99 - at % 100)}\n" for at in count())
    fill(folder / "log.csv", size, _headed(names, map(str.encode, lines)))


def _headed(head: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield head.encode()
    yield from lines


def console_nanogpt(folder: Path, size: int) -> None:
    """What nanoGPT prints of an iteration."""
    fill(folder / "log.txt", size, rows("iter %d: loss %.4f, time 84.20ms, mfu 3.10%%\n",
         lambda at: at, drawn))  # fmt: skip


def console_short(folder: Path, size: int) -> None:
    """The shortest lines that nanoGPT's format reads."""
    fill(folder / "log.txt", size, rows("iter %d: loss 1\n", lambda at: at))


def console_runs(folder: Path, size: int) -> None:
    """The first line of a run, again and again."""
    fill(folder / "log.txt", size, cycle([b"iter 0: loss 1\n"]))


def console_llmc(folder: Path, size: int) -> None:
    """What llm.c prints of a step."""
    line = (
        "step %d/99999999 | loss %.6f (+nanz)| norm 2.1 (+0.1z)| lr 1.0e-04 | 90.10 ms | "
        "51.2%% bf16 MFU | 90000 tok/s\n"
    )
    fill(folder / "log.txt", size, rows(line, lambda at: at + 1, drawn))


def console_modded(folder: Path, size: int) -> None:
    """What modded-nanogpt prints of a step."""
    fill(folder / "log.txt", size, rows("step:%d/9999999 train_loss:%.4f train_time:123ms\n",
         lambda at: at, drawn))  # fmt: skip


def console_nanochat(folder: Path, size: int) -> None:
    """What nanochat prints of a step."""
    line = "step %08d/99999999 (0.00%%) | loss: %.6f | lrm: 1.00 | dt: 9.00ms | tok/sec: 1,000\n"
    fill(folder / "log.txt", size, rows(line, lambda at: at, drawn))


def console_verl(folder: Path, size: int) -> None:
    """What verl prints of a step."""
    fill(folder / "log.txt", size, rows("step:%d - actor/pg_loss:%.6f - critic/score:0.5\n",
         lambda at: at, drawn))  # fmt: skip


def wandb(folder: Path, size: int) -> None:
    """A run of W&B with twelve metrics in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(METRICS))


def wandb_short(folder: Path, size: int) -> None:
    """A run of W&B with one metric in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(1))


def wandb_sparse(folder: Path, size: int) -> None:
    """A run of W&B with another metric in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(1, of=500))


def wandb_segments(folder: Path, size: int) -> None:
    """The same run in four folders, as resuming leaves it."""
    for at in range(4):
        place = folder / f"wandb/offline-run-2025010{at + 1}_000000-abc" / "run-abc.wandb"
        fill(place, size // 4, _wandb(METRICS, first=at * 10_000_000))


def _wandb(metrics: int, first: int = 0, of: int = 0) -> Iterator[bytes]:
    """Yield a log in LevelDB's framing, which parts records at the borders of blocks."""
    from tests.formats.wandb_file import BLOCK, FIRST, FULL, HEADER, LAST, MAGIC, MIDDLE, piece

    yield MAGIC
    at = len(MAGIC)
    for step in count(first):
        left, kind = _history(step, metrics, of), FULL
        while left:
            room = BLOCK - at % BLOCK
            if room < HEADER:
                yield bytes(room)
                at += room
                continue
            part, left = left[: room - HEADER], left[room - HEADER :]
            begun = kind in (FIRST, MIDDLE)
            kind = (MIDDLE if begun else FIRST) if left else (LAST if begun else FULL)
            at += HEADER + len(part)
            yield piece(kind, part)


def _history(step: int, metrics: int, of: int) -> bytes:
    """Return a record of some metrics out of several, as `tests.formats.wandb_file.row` does."""
    items = b"".join(
        _item(f"metric_{at + (step % of if of else 0)}", f"{drawn(step):.15g}")
        for at in range(metrics)
    )
    return _inside(2, items + _item("_step", str(step)) + _inside(2, b"\x08" + _varint(step)))


def _item(name: str, value: str) -> bytes:
    return _inside(1, _inside(2, name.encode()) + _inside(16, value.encode()))


def _inside(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def events(folder: Path, size: int) -> None:
    """One scalar in each event."""
    fill(folder / "run/events.out.tfevents.1.host.1.0", size, _events(1, 1))


def events_sparse(folder: Path, size: int) -> None:
    """Another one of 2,000 tags at each step."""
    fill(folder / "run/events.out.tfevents.1.host.1.0", size, _events(1, 2000))


def events_many(folder: Path, size: int) -> None:
    """The same run in 50 files."""
    for at in range(50):
        name = f"run/events.out.tfevents.{at + 1}.host.1.0"
        fill(folder / name, size // 50, _events(at * 10_000_000, 12))


def events_large(folder: Path, size: int) -> None:
    """Records of 60 MiB each."""
    from tests.formats.events import inside, record, simple, whole

    value = simple("loss", 1.0) + inside(99, bytes(60 << 20))
    fill(folder / "run/events.out.tfevents.1.host.1.0", size,
         (record(whole(2, step) + inside(5, inside(1, value))) for step in count()))  # fmt: skip


def _events(first: int, tags: int) -> Iterator[bytes]:
    from tests.formats.events import event, simple

    for step in count(first):
        yield event(step, simple(f"metric_{step % tags}", 1.5), time=float(step))


def trainer_state(folder: Path, size: int) -> None:
    """The state of a Hugging Face trainer at the cap on documents."""
    line = '{"epoch": %.6f, "grad_norm": %.6f, "learning_rate": 5e-05, "loss": %.6f, "step": %d},\n'
    path = folder / "trainer_state.json"
    fill(
        path,
        min(size, 64 << 20) - 200,
        _headed('{"epoch": 1.0, "log_history": [', rows(line, drawn, drawn, drawn, lambda at: at)),
    )
    with path.open("ab") as file:
        file.write(b'{"step": 99999999, "loss": 1.0}]}')


def document(folder: Path, size: int) -> None:
    """An array of the shortest rows at the cap on documents."""
    path = folder / "log.json"
    fill(path, min(size, 64 << 20) - 200, _headed("[", rows('{"step":%d,"l":1},', lambda at: at)))
    with path.open("ab") as file:
        file.write(b'{"step": 99999999, "l": 1.0}]')


def parquet(folder: Path, size: int) -> None:
    """Twenty million cells."""
    _parquet(folder / "history.parquet", 10, size)


def parquet_gaps(folder: Path, size: int) -> None:
    """Twenty million cells, nine of ten of them empty."""
    _parquet(folder / "history.parquet", 10, size, gaps=True)


def parquet_back(folder: Path, size: int) -> None:
    """Twenty million cells, half of which a restart supersedes."""
    _parquet(folder / "history.parquet", 10, size, back=True)


def _parquet(path: Path, columns: int, size: int, gaps: bool = False, back: bool = False) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = min(20_000_000, size // 8) // columns
    rng = np.random.default_rng(1)
    steps = np.arange(n) % (n // 2 if back else n)
    table = {"step": pa.array(steps)}
    for at in range(columns - 1):
        lacks = np.arange(n) % 9 != at if gaps else None
        table[f"metric_{at}"] = pa.array(rng.normal(size=n), mask=lacks)
    pq.write_table(pa.table(table), path, row_group_size=100_000)


def neptune(folder: Path, size: int) -> None:
    """What Neptune's exporter writes of series: a row per value."""
    _neptune(folder, size, 12)


def neptune_sparse(folder: Path, size: int) -> None:
    """The same of 1,000 series, each at other steps."""
    _neptune(folder, size, 1000)


def _neptune(folder: Path, size: int, metrics: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = min(20_000_000 // 6, size // 16)
    at = np.arange(n)
    steps = at // 12 if metrics == 12 else at
    paths = pa.DictionaryArray.from_arrays(
        pa.array((at % metrics).astype(np.int32)), pa.array([f"metric_{i}" for i in range(metrics)])
    )
    table = pa.table({
        "project_id": pa.array(["a/b"] * n), "run_id": pa.array(["R-1"] * n),
        "attribute_path": paths.cast(pa.string()),
        "attribute_type": pa.array(["float_series"] * n),
        "step": pa.array(steps.astype(float)), "float_value": pa.array(at * 0.5),
    })  # fmt: skip
    pq.write_table(table, folder / "R-1-0123456789abcdef_part_0.parquet", row_group_size=500_000)


def joined(folder: Path, size: int) -> None:
    """A run folder of our own with four parts, each of them below every cap."""
    for at in range(4):
        fill(
            folder / f"run/metrics/part-{at + 1:05}.jsonl", size // 2, dense(count(at * 10_000_000))
        )
    (folder / "run/run.json").write_text('{"config": {}}')


def joined_50(folder: Path, size: int) -> None:
    """A run folder of 50 parts of other metrics and other steps."""
    for at in range(50):
        lines = rows(
            f'{{"step": %d, "metric_{at}": %.15g}}\n', lambda s: s, drawn, first=at * 10**7
        )
        fill(folder / f"run/metrics/part-{at + 1:05}.jsonl", size // 200, lines)
    (folder / "run/run.json").write_text('{"config": {}}')


def joined_formats(folder: Path, size: int) -> None:
    """Files of several formats that belong to one run, of other metrics and other steps."""
    fill(folder / "run/metrics.jsonl", size // 2, dense(count()))
    (folder / "run/run.json").write_text('{"config": {}}')
    names = ",".join(["step", *(f"other_{at}" for at in range(METRICS))]) + "\n"
    fill(folder / "run/log.csv", size // 2, _headed(names, _cells(count(10**7))))
    fill(folder / "run/events.out.tfevents.1.host.1.0", size // 4, _events(2 * 10**7, 12))


CASES: dict[str, Make] = {
    made.__name__: made
    for made in (
        jsonl, jsonl_restart, jsonl_from_0, jsonl_sparse, jsonl_turns, jsonl_layers,
        jsonl_long_layers, jsonl_nan, jsonl_long_line, jsonl_too_large, gz, csv, csv_lightning,
        csv_sparse, console_nanogpt, console_short, console_runs, console_llmc, console_modded,
        console_nanochat, console_verl, wandb, wandb_short, wandb_sparse, wandb_segments, events,
        events_sparse, events_many, events_large, trainer_state, document, parquet, parquet_gaps,
        parquet_back, neptune, neptune_sparse, joined, joined_50, joined_formats,
    )
}  # fmt: skip


def memory(which: str) -> int:
    """Return the bytes that this process holds (VmRSS), or held at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{which}:\s*(\d+)", status)[1])


def child(folder: str) -> None:
    """Open what is in a folder and print what that took."""
    from viz3d import load_entries
    from viz3d.errors import Viz3dError
    from viz3d.load import load_runs

    worth, load_entries.WORTH = load_entries.WORTH, 0
    with tempfile.TemporaryDirectory() as small:
        for make in (jsonl, jsonl_nan, csv, console_nanogpt, wandb, events, parquet, neptune):
            place = Path(small, make.__name__)
            place.mkdir()
            make(place, 20_000)
            load_runs(place)
    load_entries.WORTH = worth
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, began, worked = memory("VmRSS"), time.perf_counter(), time.process_time()
    try:
        runs = load_runs(folder)
        told = [str(problem) for run in runs for problem in run.problems]
        shape = [list(run.history.shape) for run in runs[:3]]
    except Viz3dError as error:
        runs, told, shape = [], [str(error)], []
    work, seconds = time.process_time() - worked, time.perf_counter() - began
    print(json.dumps([memory("VmHWM") - before, work, seconds, len(runs), shape, told[:4]]))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/memory.py")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="by default all")
    parser.add_argument("--mib", type=int, default=1024, help="size of the files (default 1024)")
    parser.add_argument("--list", action="store_true", help="tell what there is")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child)
    if args.list:
        return print("\n".join(f"{name:18} {made.__doc__}" for name, made in CASES.items()))
    for name in args.cases or CASES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "input")
            folder.mkdir()
            CASES[name](folder, (args.mib << 20) - 1)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            done = subprocess.run(
                [sys.executable, __file__, "--child", str(folder)],
                env=os.environ | {"VIZ3D_CACHE_DIR": f"{place}/cache"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            print(f"{name:18} {size / 1e6:6.0f} MB: died ({done.returncode}) {done.stderr[-500:]}")
            continue
        most, work, seconds, n, shape, told = json.loads(done.stdout)
        over = "  TOO MUCH" if most > MOST else ""
        cost = f"added {most / 1e6:5.0f} MB, {work:5.1f} s of processors, {seconds:5.1f} s"
        print(f"{name:18} {size / 1e6:5.0f} MB: {cost}; {n} runs {shape}{over}")
        for said in told:
            print(f"    {said[:300]}")
        sys.stdout.flush()
    return None


if __name__ == "__main__":
    main()
