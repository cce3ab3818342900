"""The settings of a page; each is part of its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from viz3d.ui.link import find_names
from viz3d.ui.text import Markdown, safe

ALONG = {"step": "Step", "tokens": "Tokens", "flops": "Training FLOPs", "time": "Time"}
# Charts with an axis of steps on which something else may stand.
LAID_ALONG = ("curves", "gradient-flow", "loss-landscape", "reward-landscape")
STRICTNESS = {"default": "Default", "strict": "Strict", "loose": "Loose"}


def choice(label: Markdown, options: Mapping[str, str], key: str, help_text: Markdown = "") -> str:
    """Let the viewer choose one of a few.

    Parameters
    ----------
    label : str
    options : mapping of {value: words}
        The words are shown, and they stand in the address; the first is the default.
    key : str
        Name in the address.
    help_text : str

    Returns
    -------
    str
        The value.
    """
    words = list(options.values())
    said = st.selectbox(
        label, words, key=key, bind="query-params", help=help_text or None, filter_mode=None
    )
    return next(value for value, word in options.items() if word == said)


def strictness() -> str:
    """Let the viewer choose how much data a surface must stand on."""
    return choice(
        "Strictness",
        STRICTNESS,
        "strictness",
        "How much data must stand behind a point before the surface is drawn there.",
    )


def along(kind: str) -> dict[str, str]:
    """Let the viewer choose what stands in the step's place in a chart of this kind.

    Returns
    -------
    dict
        The chart's setting; empty for a kind that has no such choice.
    """
    if kind not in LAID_ALONG:
        return {}
    said = "Runs that did not log what is chosen are named and left out: nothing is guessed."
    return {"along": choice("Along", ALONG, "along", said)}


def switch(label: Markdown, key: str, help_text: Markdown = "") -> bool:
    """Let the viewer turn something on that is off by default."""
    return bool(st.toggle(label, key=key, bind="query-params", help=help_text or None))


def pick(
    label: Markdown,
    names: Sequence[str],
    key: str,
    help_text: Markdown = "",
    *,
    default: str = "",
    taken: str = "",
) -> str:
    """Let the viewer pick one of `names`, which come from data.

    One that they no longer hold is named, and picked again when they hold it again, unless the
    viewer has picked another meanwhile.

    Parameters
    ----------
    label : str
    names : sequence of str
    key : str
        Name in the address.
    help_text : str
    default : str
        By default the first name; it stands in for one that is missing, too.
    taken : str
        A name that is none of `names` because the viewer has picked it elsewhere.

    Returns
    -------
    str
    """
    find_names(key, names)
    wish = wished(key)
    missing = _missing(key)
    if missing in st.session_state and wish in names:
        st.session_state[key] = st.session_state.pop(missing)
    start = names.index(default) if default in names else 0
    name = str(
        st.selectbox(
            label, names, index=start, key=key, bind="query-params", help=help_text or None,
            on_change=st.session_state.pop, args=(missing, None),
        )
    )  # fmt: skip
    if wish and wish not in (*names, taken):
        st.session_state[missing] = wish
        st.warning(
            f"{label}: {safe(wish, 60)} is no choice for these runs; {safe(name)} stands in for it."
        )
    return name


def wished(key: str) -> str | None:
    """Return what the viewer or a link wants picked, be it there or not."""
    state = st.session_state
    wish = state.get(_missing(key), state.get(key, st.query_params.get(key)))
    return None if wish is None else str(wish)


def _missing(key: str) -> str:
    return f"{key} is missing"
