"""The cost curves as one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from benchmarks.report import scaled

LABELS = {
    "customers": "customers", "firms": "firms", "acquaintances": "acquaintances per customer", "ticks": "ticks",
    "replications": "replications",
}  # fmt: skip
INK, MUTED, GRID, TIME, MEMORY = "#1A1A1A", "#555555", "#E6E6E6", "#0072B2", "#D55E00"


def thousands(value: float, _: Any = None) -> str:
    """Write a count: 1 000 000 is 1M."""
    return scaled(value, "").replace(" ", "")


def draw_costs(ax: Axes, x: Sequence[float], y: Sequence[float], begin: float, power: float, color: str) -> None:
    """Draw costs as points, and the power law that was fitted to them as a line."""
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    fitted = xs >= begin
    level = np.exp(np.mean(np.log(ys[fitted]) - power * np.log(xs[fitted])))
    ax.plot(xs[fitted], level * xs[fitted] ** power, color=color, alpha=0.45, linewidth=1.6, zorder=2)
    ax.plot(xs, ys, "o", color=color, markersize=5, markeredgecolor="white", markeredgewidth=0.8, zorder=3)


def dress(ax: Axes, x: Sequence[float], y: Sequence[float], unit: str) -> None:
    """Give logarithmic axes ticks that can be read."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    wide = max(x) / min(x) > 100
    ax.xaxis.set_major_locator(LogLocator()) if wide else ax.set_xticks(list(x))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(thousands))
    # A scale of at least a decade and a half lets slopes in different panels be compared at a glance.
    middle, half = np.sqrt(min(y) * max(y)), max(np.sqrt(max(y) / min(y)) * 1.6, 10**0.75)
    ax.set_ylim(middle / half, middle * half)
    narrow = half < 10**1.2
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if narrow else (1,), numticks=12))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(value, unit)))
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(colors=MUTED, labelsize=8.5)


def draw_panel(
    ax: Axes, curve: Mapping[str, Any], y: Sequence[float], power: float, color: str, what: str, unit: str
) -> None:
    """Draw one cost of one curve."""
    draw_costs(ax, curve["values"], y, curve["fitted_from"], power, color)
    dress(ax, curve["values"], y, unit)
    ax.set_title(f"{what}\nexponent {power:.2f}", fontsize=9.5, color=INK, loc="left")


def draw_curves(measured: Mapping[str, Any]) -> Figure:
    """Draw time above and memory below, one column for each thing that grows."""
    figure = Figure(figsize=(3.1 * len(measured), 6.2), dpi=150, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, len(measured), squeeze=False)
    for (name, curve), (above, below) in zip(measured.items(), panels.T, strict=True):
        time_power, memory_power = curve["time_exponent"]["median"], curve["memory_exponent"]
        draw_panel(above, curve, curve["seconds"], time_power, TIME, f"time per {curve['per']}", "s")
        draw_panel(below, curve, curve["bytes"], memory_power, MEMORY, "peak memory", "B")
        for ax in (above, below):
            ax.set_xlabel(LABELS.get(name, name), fontsize=9.5, color=MUTED)
    return figure


def save_curves(measured: Mapping[str, Any], path: Path) -> None:
    """Draw the cost curves into a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(measured).savefig(path, metadata={"Software": None})
