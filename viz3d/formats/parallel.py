"""Work on the pieces of a file on all processors, with the results in the order of the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

# More threads would only wait for the one that takes the results.
MOST_THREADS = 8


def in_order(
    work: Callable[[Piece], Result], pieces: Iterable[Piece]
) -> Iterator[tuple[Piece, Result]]:
    """Yield each piece with its result; only a few are held at once.

    Parameters
    ----------
    work : callable
        Runs on other threads, so it must change nothing that pieces share. It is worth it only
        where most of the time is spent without the interpreter's lock.
    pieces : iterable
        Is gone through on the thread of the caller.
    """
    import pyarrow as pa

    threads = max(1, min(pa.cpu_count(), MOST_THREADS))
    under_way: deque[tuple[Piece, Future[Result]]] = deque()
    with ThreadPoolExecutor(threads, "viz3d-read") as pool:
        for piece in pieces:
            under_way.append((piece, pool.submit(work, piece)))
            if len(under_way) > threads:
                first, result = under_way.popleft()
                yield first, result.result()
        while under_way:
            first, result = under_way.popleft()
            yield first, result.result()
