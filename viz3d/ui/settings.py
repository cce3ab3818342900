"""The settings of a page; each is part of its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from viz3d.ui.link import find_names

STRICTNESS = {"default": "Default", "strict": "Strict", "loose": "Loose"}


def choice(label: str, options: Mapping[str, str], key: str, help_text: str = "") -> str:
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


def switch(label: str, key: str, help_text: str = "") -> bool:
    """Let the viewer turn something on that is off by default."""
    return bool(st.toggle(label, key=key, bind="query-params", help=help_text or None))


def pick(label: str, names: Sequence[str], key: str, help_text: str = "") -> str:
    """Let the viewer pick one of `names`, which come from data; the first is the default."""
    find_names(key, names)
    return str(st.selectbox(label, names, key=key, bind="query-params", help=help_text or None))
