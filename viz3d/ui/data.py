"""What was read of a run: its files, what was left out and why, its roles, and how to read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.analysis.roles import said_roles
from viz3d.figures.text import count
from viz3d.sources.finding import plain_name
from viz3d.ui.rereading import in_python, in_terminal
from viz3d.ui.text import Markdown, advice, safe

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from viz3d.run import Origin, Problem, Run
    from viz3d.ui.frame import Page

# More than this nobody reads; the number of the rest is said.
MOST_REMARKS = 50
# Characters from which on a name is long, and the pixels of its column: what stands beside it
# stays in sight.
LONG, WIDEST = 40, 300


def data_of(run: Run, *, open_it: bool) -> DeltaGenerator:
    """Return the folding box about a run; its label says how much was read.

    Parameters
    ----------
    run : Run
    open_it : bool
        Whether it starts unfolded.
    """
    read = [origin for origin in run.origins if origin.format]
    parts = [
        count(sum(len(origin.files) for origin in read), "file"),
        count(len(run.history), "step"),
        count(len(run.metrics), "metric"),
        count(len(run.problems), "remark"),
    ]
    return st.expander(f"**{safe(run.name)}** · {', '.join(parts)}", expanded=open_it)


def files_read(run: Run) -> None:
    """List which file gave what, and which formats were asked before."""
    st.subheader("Files")
    several = len({origin.source for origin in run.origins}) > 1
    _table([_file_row(origin, several=several) for origin in run.origins])
    for origin in run.origins:
        if origin.format and origin.declined:
            told = "; ".join(f"{name}: {reason}" for name, reason in origin.declined)
            st.caption(f"{safe(_name(origin))} was first offered to others, which declined "
                       f"({advice(told)}).")  # fmt: skip


def _file_row(origin: Origin, *, several: bool) -> dict[str, Any]:
    steps = "" if origin.first_step is None else f"{origin.first_step:,} to {origin.last_step:,}"
    return {
        "file": _name(origin),
        "source": origin.source if several else "",
        "read as": origin.format or "not read",
        "rows": origin.rows or None,
        "steps": steps,
        "counted by": origin.counted_by if origin.counted_by != "step" else "",
        "metrics": ", ".join(origin.metrics),
        "also": ", ".join(origin.gave),
        "joined": "on the step" if origin.merged else "",
    }


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Show rows without the columns that none of them fills; long names are cut in sight."""
    filled = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    long = [name for name in filled if max(len(str(row[name])) for row in rows) > LONG]
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_order=filled,
        column_config=dict.fromkeys(long, st.column_config.TextColumn(width=WIDEST)),
        placeholder="",
    )


def _name(origin: Origin) -> str:
    more = len(origin.files) - 1
    return origin.files[0] + (f" and {more:,} more" if more else "")


def left_out(run: Run) -> None:
    """Say what was merged, dropped, superseded or not read, where it stands and what to do."""
    st.subheader("Merged, left out, superseded")
    kept = _kept(run)
    if not run.problems and not kept:
        whole = ": every value that was found stands in the history as it was logged"
        st.markdown(f"Nothing{whole if len(run.index) else ''}.")
    for line in kept:
        st.markdown(f"- {line}")
    of_file: dict[str, list[Problem]] = {}
    for problem in run.problems[:MOST_REMARKS]:
        of_file.setdefault(problem.file, []).append(problem)
    for file, problems in of_file.items():
        st.markdown(_remarks(file, problems))
    if len(run.problems) > MOST_REMARKS:
        st.caption(f"and {count(len(run.problems) - MOST_REMARKS, 'more remark')}")


def _kept(run: Run) -> list[Markdown]:
    """Say what was joined, and what is kept beside the history."""
    said = []
    joined = sum(len(origin.files) for origin in run.origins if origin.merged)
    if joined:
        said.append(f"Rows of {count(joined, 'file')} were joined on the step.")
    if run.attempts is not None:
        tries = run.attempts["attempt"].nunique()
        rows = count(len(run.attempts), "row")
        said.append(f"{rows} of {count(tries, 'earlier attempt')}: kept aside, in `run.attempts`.")
    if run.nonfinite is not None and len(run.nonfinite):
        metrics = Counter(map(str, run.nonfinite["metric"]))
        which = ", ".join(f"{safe(name)} {n:,}" for name, n in metrics.items())
        values = count(len(run.nonfinite), "value")
        said.append(f"{values} logged as NaN or infinity: kept, in `run.nonfinite` ({which}).")
    return said


def _remarks(file: str, problems: Sequence[Problem]) -> Markdown:
    """Return what there is to say of a file as a list; its name stands there once."""
    said = [f"{advice(one.what)} {advice(one.remedy)}".strip() for one in problems]
    if len(problems) == 1:
        line = f":{problems[0].line}" if problems[0].line else ""
        where = f"**{safe(file + line)}** · " if file else ""
        return f"- {where}{said[0]}"
    rows = (
        f"  - line {one.line:,}: {what}" if one.line else f"  - {what}"
        for one, what in zip(problems, said, strict=True)
    )
    return "\n".join([f"- **{safe(file or 'The run')}**", *rows])


def roles_of(run: Run) -> None:
    """List each metric with its role and the file that it stands in."""
    st.subheader("Metrics and roles")
    if not run.metrics:
        st.markdown("No metric was logged step by step.")
        return
    role = {metric: role for role, metric in run.roles.items()}
    said = said_roles(run)
    several = len({origin.source for origin in run.origins}) > 1
    rows = [
        {
            "metric": metric,
            "role": role.get(metric, ""),
            "by": "" if metric not in role else "you" if role[metric] in said else "its name",
            "steps": run.logged(metric),
            "from": ", ".join(
                f"{origin.source}: {_name(origin)}" if several else _name(origin)
                for origin in run.origin_of(metric)
            ),
        }
        for metric in run.metrics
    ]
    _table(rows)
    st.caption(
        "A role that is not right is changed in the sidebar, under “Roles of metrics”; it then "
        "holds for every selected run that has the metric, and stands in the link."
    )


def read_again(page: Page, run: Run) -> None:
    """Show the call and the command that read the same."""
    st.subheader("The same elsewhere")
    parts = page.joined.get(run.name, [run])
    places = [(page.listed.part_of(part).text, plain_name(part)) for part in parts]
    roles = said_roles(run)
    st.caption("In Python:")
    st.code(in_python(places, roles), language=None, wrap_lines=True)
    command = in_terminal(places, roles)
    if command:
        st.caption("In a terminal:")
        st.code(command, language=None, wrap_lines=True)
