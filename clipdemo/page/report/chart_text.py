"""A chart in words, for users who cannot see it."""

import numpy as np
import plotly.graph_objects as go

LONGEST = 600  # characters


def in_words(figure: go.Figure) -> str:
    """Each named trace with its lowest and highest value."""
    found = []
    for trace in figure.data:
        if not trace.name or trace.showlegend is False:
            continue
        for values in (trace.x, trace.y) if trace.orientation == "h" else (trace.y, trace.x):
            numbers = [v for v in (() if values is None else values) if _is_number(v)]
            if numbers:
                ends = dict.fromkeys(f"{end:.3g}" for end in (min(numbers), max(numbers)))
                found.append(f"{trace.name} {' to '.join(ends)}")
                break
    axis = figure.layout.yaxis.title.text
    return "; ".join([axis, *found] if axis else found)[:LONGEST]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not np.isnan(value)
