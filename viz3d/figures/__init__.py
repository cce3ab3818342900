"""One file per chart: `compute` makes a small result, `draw` only draws it."""
