"""Figures: functions from tidy tables to matplotlib axes.

Only this package imports matplotlib. No function shows or saves a figure by itself,
and none touches pyplot or any other global state.

Parameters that most of them share are described once, at `fan`:

- ``ax``: where to draw; by default a figure of its own, so that the axes' figure can be saved as it is. Functions that
  draw several panels always make a figure of their own and return all its axes.
- ``lang``: ``en`` or ``zh``; English where no font of the machine can show Chinese.
- ``about``: display names, units and flags, which ``Result.plot`` fills in.
"""

from __future__ import annotations

from churnsim.plots.alternatives import parallel_coordinates, phase_map, seed_spread
from churnsim.plots.areas import loyalty_types, ribbons
from churnsim.plots.customers import balance, ladder, satisfied_loyal, survival
from churnsim.plots.fans import compare, fan, panels
from churnsim.plots.flows import bucket, switching
from churnsim.plots.fonts import usable_language
from churnsim.plots.ghosts import ghost, spiral
from churnsim.plots.indices import (
    WITH_INDICES,
    index_bars,
    index_convergence,
    indices_over_time,
    morris_plane,
    tornado,
)
from churnsim.plots.kinds import taxonomy
from churnsim.plots.reasons import cause_summary, causes, causes_and_summary
from churnsim.plots.responses import response
from churnsim.plots.style import About, png
from churnsim.plots.vector import Letters, svg
from churnsim.plots.waterfalls import cause_waterfall, profit_waterfall
from churnsim.plots.worth import pareto, value_histogram, value_matrix

__all__ = [
    "WITH_INDICES",
    "About",
    "Letters",
    "balance",
    "bucket",
    "cause_summary",
    "cause_waterfall",
    "causes",
    "causes_and_summary",
    "compare",
    "fan",
    "index_bars",
    "index_convergence",
    "indices_over_time",
    "morris_plane",
    "parallel_coordinates",
    "phase_map",
    "response",
    "seed_spread",
    "tornado",
    "ghost",
    "ladder",
    "loyalty_types",
    "panels",
    "pareto",
    "png",
    "profit_waterfall",
    "ribbons",
    "satisfied_loyal",
    "spiral",
    "survival",
    "svg",
    "switching",
    "taxonomy",
    "usable_language",
    "value_histogram",
    "value_matrix",
]
