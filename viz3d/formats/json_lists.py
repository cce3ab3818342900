"""The lists in a JSON document that are series of numbers, and those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from viz3d.formats.numbers import clean_name
from viz3d.formats.steps import counts_steps
from viz3d.formats.tally import Tally

Named = Sequence[tuple[str, list[Any]]]
CELLS_OF_PANDAS = (float, int, str, type(None))

NO_SERIES = "{n} list{|s} that {is|are} no series of numbers {was|were} left out ({names})."
TOO_DEEP = (
    "{n} object{|s} that {holds|hold} lists below the second level {was|were} left out ({names})."
)
MAY_BE_CLASSES = (
    "{n} object{|s} with the keys 0, 1 and so on {was|were} taken for {a series|series} of steps "
    "({names})."
)


def named_arrays(document: Mapping[str, Any], tally: Tally) -> Iterator[tuple[str, list[Any]]]:
    """Yield the arrays of numbers of the first two levels, called name or outer/inner.

    Parameters
    ----------
    document : mapping of {str: object}
    tally : Tally
        Is told of other lists.
    """
    # Beside a step, as in a row of a log, they are classes or heads and no steps.
    numbers = [name for name, value in document.items() if isinstance(value, float | int)]
    is_row = any(map(counts_steps, numbers))
    for name, value, array in _named(document, *(() if is_row else CELLS_OF_PANDAS)):
        if _is_array(array):
            if numbers and array is not value:
                tally.add(MAY_BE_CLASSES, name=name)
            yield name, array
        elif isinstance(array, dict) and _holds_list(array):
            tally.add(TOO_DEEP, name=name)
        elif isinstance(array, list) and any(entry is not None for entry in array):
            tally.add(NO_SERIES, name=name)


def _named(document: Mapping[str, Any], *kinds: type) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name of a value, the value, and what list it is."""
    for key, value in document.items():
        name, array = clean_name(key), as_list(value, *kinds)
        if isinstance(array, dict):
            for inner, each in array.items():
                yield f"{name}/{clean_name(inner)}", each, as_list(each, *kinds)
        else:
            yield name, value, array


def as_list(value: Any, *kinds: type) -> Any:
    """Return the list that pandas makes an object of, whose keys are "0", "1" and so on.

    Of other `kinds` of values it is an object.
    """
    numbered = isinstance(value, dict) and len(value) > 1 and all(
        key == str(at) and isinstance(each, kinds) for at, (key, each) in enumerate(value.items())
    )  # fmt: skip
    return list(value.values()) if numbered else value


def _is_array(value: Any) -> bool:
    """Say whether `value` is a list of at least two entries with a number among them."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and any(isinstance(entry, int | float) for entry in value)
    )


def _holds_list(value: dict[str, Any]) -> bool:
    """Say whether there is a list with anything in it, however deep."""
    found: list[Any] = [value]
    while found:
        each = found.pop()
        if isinstance(each, list) and each:
            return True
        found += each.values() if isinstance(each, dict) else ()
    return False
