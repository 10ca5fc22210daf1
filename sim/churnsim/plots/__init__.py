"""Figures: functions from tidy tables to matplotlib axes.

Only this package imports matplotlib. No function shows or saves a figure by itself,
and none touches pyplot or any other global state.
"""

from __future__ import annotations

from churnsim.plots.alternatives import parallel_coordinates, phase_map, seed_spread
from churnsim.plots.fans import compare, fan, panels
from churnsim.plots.fonts import usable_language
from churnsim.plots.indices import (
    WITH_INDICES,
    index_bars,
    index_convergence,
    indices_over_time,
    morris_plane,
    tornado,
)
from churnsim.plots.reasons import cause_summary, causes, causes_and_summary
from churnsim.plots.responses import response
from churnsim.plots.style import About, png

__all__ = [
    "WITH_INDICES",
    "About",
    "cause_summary",
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
    "panels",
    "png",
    "usable_language",
]
