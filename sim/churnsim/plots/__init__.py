"""Figures: functions from tidy tables to matplotlib axes.

Only this package imports matplotlib. No function shows or saves a figure by itself,
and none touches pyplot or any other global state.
"""

from __future__ import annotations

from churnsim.plots.fans import compare, fan, panels
from churnsim.plots.fonts import usable_language
from churnsim.plots.reasons import cause_summary, causes, causes_and_summary
from churnsim.plots.style import About, png

__all__ = [
    "About",
    "cause_summary",
    "causes",
    "causes_and_summary",
    "compare",
    "fan",
    "panels",
    "png",
    "usable_language",
]
