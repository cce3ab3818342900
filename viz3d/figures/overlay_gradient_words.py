"""What an overlay of gradient flows says in words and numbers."""

from __future__ import annotations

from typing import Any

from viz3d.analysis.alignment import AXES
from viz3d.analysis.layers import FAR
from viz3d.figures import gradient_words
from viz3d.figures.along import left_out_brief, left_out_sentence, place_notes
from viz3d.figures.gradient_data import TITLE
from viz3d.figures.overlay_gradient_data import Flow, GradientOverlay
from viz3d.figures.text import Drawn, count, listed, say, wrapped


def numbers(result: GradientOverlay) -> dict[str, Any]:
    """Return the numbers of each run by group, and of the layers."""
    return {
        "layers": len(result.layers),
        "layers_in_all_groups": len(_shared(result)),
        "groups": {
            title: {
                flow.found.run: gradient_words.numbers(flow.found) for flow in result.of_group(i)
            }
            for i, title in enumerate(result.titles)
        },
    }


def subtitle(result: GradientOverlay) -> Drawn:
    """Return the line under the title."""
    columns = {flow.found.log_norm.shape[1] for flow in result.flows}
    few, many = min(columns), max(columns)
    said = count(many, "column") if few == many else f"{few:,} to {many:,} columns"
    return wrapped(
        f"{count(len(result.titles), 'group')}, {count(len(result.layers), 'layer')} in model "
        f"order, {said}. Side by side: the same layer."
        f"{left_out_brief(result.along, result.left_out)}"
    )


def summary(result: GradientOverlay) -> str:
    """Return one paragraph that reads well aloud."""
    along = "" if result.along == "step" else f" along {AXES[result.along]}"
    parts = [
        f"{TITLE} of {count(len(result.titles), 'group')} in one scene{along}, on one range of "
        "norms.",
        alignment(result),
    ]
    marked = [_marked(flow, result) for flow in result.flows]
    parts += [text for text in marked if text] or [
        f"No layer ends {FAR:,.0f} times below or above the median layer of its run."
    ]
    left_out = left_out_sentence(result.along, result.left_out)
    return " ".join([*parts, left_out] if left_out else parts)


def alignment(result: GradientOverlay) -> str:
    """Say which layers stand beside which."""
    shared, n = len(_shared(result)), len(result.layers)
    if shared == n:
        return f"All groups have the same {count(n, 'layer')} by name."
    own = [result.names(i) for i in range(len(result.titles))]
    others = [set().union(*own[:i], *own[i + 1 :]) for i in range(len(own))]
    alone = [
        f"{title} alone has {listed([name for name in result.layers if name in mine - rest])}"
        for title, mine, rest in zip(result.titles, own, others, strict=True)
        if mine - rest
    ]
    if sum(len(names) for names in own) == n:
        return (
            "No name of a layer is in two groups, so no layer stands beside another: "
            f"{'; '.join(alone)}."
        )
    said = f": {'; '.join(alone)}" if alone else ""
    return (
        f"Layers stand side by side where their names agree, {shared:,} of {n:,} in all groups"
        f"{said}. In a model of another depth the same name is at another depth."
    )


def notes(result: GradientOverlay) -> tuple[str, ...]:
    """Return how the cells were made and what they leave out, with counts."""
    rules = gradient_words.notes(result.flows[0].found)[1]
    said = [alignment(result), rules.replace(" (▼)", "").replace(" (▲)", "")]
    made: dict[str, list[str]] = {}
    for flow in result.flows:
        cells, *rest = gradient_words.notes(flow.found)
        merge = flow.found.grid.steps_per_bin
        merged = [f"A column holds about {say(round(merge, 1))} logged steps."] if merge > 1 else []
        text = " ".join([cells, *merged, *rest[1:]])
        made.setdefault(text, []).append(_name(flow, result))
    said += [f"{listed(names, 8)}: {text}" for text, names in made.items()]
    if result.reordered:
        said.append(
            "Layers of the same names are in another order than along the axis in: "
            f"{listed(list(result.reordered))}."
        )
    if result.unused:
        said.append(f"Left out for want of norms per layer: {listed(list(result.unused))}.")
    return (*said, *place_notes(result.along, result.left_out, ()))


def _shared(result: GradientOverlay) -> set[str]:
    return set.intersection(*(result.names(i) for i in range(len(result.titles))))


def _name(flow: Flow, result: GradientOverlay) -> str:
    title = result.titles[flow.group]
    return title if title == flow.found.run else f"{title}, {flow.found.run}"


def _marked(flow: Flow, result: GradientOverlay) -> str:
    """Name the layers that vanish or explode."""
    found = gradient_words.numbers(flow.found)
    said = [
        f"{listed(found[state])} {'ends' if len(found[state]) == 1 else 'end'} {FAR:,.0f} times "
        f"or more {side} the median layer"
        for state, side in (("vanishing", "below"), ("exploding", "above"))
        if found[state]
    ]
    return f"In {_name(flow, result)} {' and '.join(said)}." if said else ""
