"""The listings of several sources as one, for the pages, which know one listing."""

from __future__ import annotations

from collections.abc import Sequence

from viz3d.sources.several import Several, labels_of
from viz3d.ui.listing import Listed


def together(parts: Sequence[Listed]) -> Listed:
    """Return the listings of several sources as one.

    A source that could not be listed has no entries in it; only where none could, the whole has
    an error. One listing stays what it is, so that a single source is no special case of several.
    """
    if len(parts) == 1:
        return parts[0]
    from viz3d.load_listing import newest_first

    text = "\n".join(part.text for part in parts)
    labels = labels_of([part.name for part in parts])
    there = [(part, label) for part, label in zip(parts, labels, strict=True) if not part.error]
    if not there:
        return Listed(text, error=parts[0].error, parts=tuple(parts))
    sources = [part.source for part, _ in there if part.source is not None]
    several = Several(sources, [label for _, label in there])
    infos = [several.placed(part.source, info) for part, _ in there if part.source
             for info in part.infos]  # fmt: skip
    return Listed(text, several, tuple(newest_first(infos)), parts=tuple(parts))
