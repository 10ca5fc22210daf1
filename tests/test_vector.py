"""SVG of figures: small, and what is drawn stays where it was."""

from __future__ import annotations

import re

import pytest

from churnsim import plots
from churnsim.plots.style import new_axes, new_figure
from churnsim.plots.vector import _stepwise


@pytest.mark.parametrize(
    "path",
    [
        "M 10 20 L 30 20 L 30 44.4 L 30 44.4 Q 35 50 40 44.4 C 1 2 3 4 5.55 6.66 z M 1 1 L 1 1",
        "M -0.5 -0.05 L -0.5 12 L 3.333 12.25 L 3.333 12.31 z L 5 5",
    ],
)
@pytest.mark.parametrize("grid", [0.1, 16.0])
def test_outlines_written_stepwise_are_the_same_outlines(path, grid):
    scale = 1.0 if grid < 1 else 100.0
    scaled = re.sub(r"-?[0-9.]+", lambda found: f"{float(found[0]) * scale:g}", path)
    before = list(absolute(scaled))
    after = [point * (1 if grid < 1 else grid) for point in absolute(_stepwise(scaled, grid))]
    for point in before:
        assert min(abs(point - other) for other in after) <= 0.71 * grid
    for point in after:
        assert min(abs(point - other) for other in before) <= 0.71 * grid


def test_only_circles_become_arcs():
    figure = new_figure((2, 2))
    ax = new_axes(figure)
    ax.bar([1], [1], hatch="..", edgecolor="white")
    drawn = plots.svg(figure)
    assert "stroke-linecap:round" in drawn and len(drawn) < 12_000
    # The outline of a five in a Chinese font is eight curves, too.
    five = (
        "M 0 0 C 1 0 2 0 3 1 C 4 2 5 3 5 9 C 5 9 4 9 4 9 "
        "C 3 9 2 9 1 9 C 1 8 1 8 1 7 C 1 6 1 5 1 4 C 1 3 0 2 0 1 C 0 1 0 0 0 0 z"
    )
    assert "a" not in _stepwise(five, 0.1)


def absolute(path):
    """Return the points of an outline as complex numbers, wherever its commands say them."""
    points, here, start, command = [], 0j, 0j, ""
    tokens = re.findall(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)", path)
    while tokens:
        command = tokens.pop(0) if tokens[0].isalpha() else command
        if command in "zZ":
            here = start
            continue
        if command in "hv":
            here += float(tokens.pop(0)) * (1 if command == "h" else 1j)
            points.append(here)
            continue
        count = {"m": 1, "l": 1, "q": 2, "c": 3}[command.lower()]
        base = here if command.islower() else 0j
        for _ in range(count):
            here = base + complex(float(tokens.pop(0)), float(tokens.pop(0)))
            points.append(here)
        start = here if command in "Mm" else start
    return points
