"""Which sources are open: the one that every visit has, and those beside it.

Both choices are bound to the address of the page, as those of the sidebar are.
"""

from __future__ import annotations

import streamlit as st


def choose_sources(default: str) -> tuple[str, ...]:
    """Ask for the source; return it and those that are open as well, each once."""
    text = st.text_input(
        "Source",
        value=default,
        key="source",
        bind="query-params",
        help="`sample`; the path of a folder or file that holds runs; a Google Cloud Storage "
        "bucket, `gs://bucket` or `gs://bucket/prefix`; or a project on Weights & Biases, "
        "`wandb://entity/project`, or one run of it, `wandb://entity/project/run_id`.",
    )
    also = (place.strip() for place in _also())
    return tuple(dict.fromkeys([text.strip() or default, *filter(None, also)]))


def choose_also() -> None:
    """Ask for further sources; it stands below the runs, for most viewers look at one."""
    st.multiselect(
        "Also open",
        _also(),
        key="also",
        bind="query-params",
        accept_new_options=True,
        placeholder="Type another source",
        help="Further sources, whose runs are listed together with those of the first.",
    )


def _also() -> list[str]:
    """Return the further sources, which are asked for before their widget is there."""
    said = st.session_state.get("also")
    return list(st.query_params.get_all("also") if said is None else said)
