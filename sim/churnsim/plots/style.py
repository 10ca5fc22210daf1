"""How every figure looks: colours, lines, titles, labels at the ends of lines.

Nothing here touches matplotlib's global state: figures are made without pyplot and
every text names its own font, so that figures can be drawn in several threads.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FuncFormatter, MaxNLocator

from churnsim.dealing_measures import PER_FIRM
from churnsim.i18n import has_text, money, money_unit, number, text
from churnsim.metrics import Measure
from churnsim.plots.fonts import families

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#333333", "#999999")
"""Okabe-Ito, which colour-blind readers can tell apart; two greys for a seventh and eighth firm."""

DASHES: tuple = ("-", (0, (5, 2)), (0, (6, 2, 1.5, 2)), (0, (1.5, 1.5)), (0, (9, 2)), (0, (3, 1.5, 1, 1.5, 1, 1.5)))
"""Line styles, which say the same as the colours."""

INK, MUTED, GRID, AXIS = "#1A1A1A", "#555555", "#E6E6E6", "#8C8C8C"
NEUTRAL = "#BDBDBD"
SIZE = (9.0, 5.0)
DPI = 150
POINTS = 72.0
"""Points per inch."""


@dataclass(frozen=True)
class About:
    """What a tidy table does not say and a reader wants to know.

    Attributes
    ----------
    tick : str
        Length of a tick: ``week``, ``month``, ``quarter`` or ``year``.
    currency : str
        ISO code.
    firms, scenarios : mapping of str to (mapping of str to str)
        Display names by language.
    flags : mapping of str to sequence of (int, mapping of str to str)
        Per scenario: ticks in which something begins, and what, by language.
    """

    tick: str = "month"
    currency: str = "CNY"
    firms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scenarios: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    flags: Mapping[str, Sequence[tuple[int, Mapping[str, str]]]] = field(default_factory=dict)

    def firm(self, name: str, lang: str) -> str:
        """Return a firm's display name."""
        return self.firms[name][lang] if name in self.firms else name

    def scenario(self, name: str, lang: str) -> str:
        """Return a scenario's display name."""
        return self.scenarios[name][lang] if name in self.scenarios else name

    def per_tick(self, lang: str) -> str:
        """Return "per month" or the like."""
        return text(f"tick.{self.tick}.per", lang)

    def currency_name(self, lang: str) -> str:
        """Return the currency's name, or its code where it has none here."""
        key = f"currency.{self.currency}"
        return text(key, lang) if has_text(key) else self.currency


class NotebookAxes(Axes):
    """Axes that a notebook shows as a picture, although pyplot does not know them."""

    def _repr_png_(self) -> bytes:
        """Return the whole figure as PNG."""
        return png(figure_of(self))


def new_figure(size: tuple[float, float] = SIZE) -> Figure:
    """Return an empty white figure that belongs to nobody, `size` in inches."""
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure: Figure | None = None, position: tuple = (1, 1, 1), **kwargs: Any) -> Axes:
    """Return axes in a figure of their own, or at a place of a grid in `figure`."""
    figure = figure or new_figure()
    return figure.add_subplot(*position, axes_class=NotebookAxes, **kwargs)


def figure_of(ax: Axes) -> Figure:
    """Return the figure that the axes are drawn in, whatever panels it is divided into."""
    figure = ax.figure
    return figure if isinstance(figure, Figure) else figure.figure


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """Draw a figure as PNG; the same figure is the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def font(lang: str, size: float = 9.5, weight: str = "normal") -> FontProperties:
    """Return the font of a text of `size` points."""
    return FontProperties(family=families(lang), size=size, weight=weight)


def readable(color: str) -> str:
    """Darken a colour until text in it has a contrast of 4.5 to 1 on white."""
    red, green, blue = to_rgb(color)
    while 1.05 / (_luminance(red, green, blue) + 0.05) < 4.5:
        red, green, blue = red * 0.95, green * 0.95, blue * 0.95
    return to_hex((red, green, blue))


def _luminance(*rgb: float) -> float:
    """Return the relative luminance of a colour (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def clean(ax: Axes, lang: str) -> None:
    """Give axes the house look: light grid behind, no box, quiet tick labels."""
    ax.set_facecolor("white")
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(AXIS)
    ax.tick_params(colors=MUTED, length=3, width=0.8, color=AXIS)
    ax.tick_params(axis="y", length=0)
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_fontproperties(font(lang, 9))


def unit(measure: Measure, about: About, lang: str) -> str:
    """Return the unit of a measure's axis, in words."""
    per, currency = about.per_tick(lang), about.currency_name(lang)
    if measure.is_rate:
        key = f"unit.percent_of.{measure.name}"
        return text(key, lang, per=per) if has_text(key) else text("unit.percent", lang)
    if measure.unit == "1":
        return text("unit.index", lang)
    said = text(f"unit.{measure.unit}", lang, currency=currency, per=per)
    flow = measure.kind == "per_tick" and measure.unit in ("currency", "customers", "stays", "occasions")
    return text("unit.flow", lang, unit=said, per=per) if flow else said


def written(measure: Measure, about: About, lang: str) -> Callable[[float], str]:
    """Return how a value of a measure is written at the end of its line."""
    if measure.is_rate:
        digits = 1 if measure.name in ("churn", "retention") else 0
        return lambda value: f"{number(100 * value, digits)}\N{NO-BREAK SPACE}%"
    if measure.unit == "1":
        return lambda value: number(value, 2)
    if measure.unit.startswith("currency"):
        return lambda value: money(value, about.currency, lang)
    return lambda value: number(value, 1 if measure.unit.startswith("contacts") else 0)


def value_axis(ax: Axes, measure: Measure, about: About, lang: str) -> None:
    """Write the y axis in the measure's unit; shares and rates begin at zero."""
    scale = 100 if measure.is_rate else 1
    if measure.unit.startswith("currency"):
        write = money_ticks(ax.yaxis, about.currency, lang)
    else:
        write = FuncFormatter(lambda value, _: _plain(value * scale))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(write)
    if measure.unit == "1" or measure.unit in ("customers", "stays", "occasions"):
        ax.set_ylim(bottom=0)
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color=AXIS, linewidth=0.8, zorder=1)


def _plain(value: float) -> str:
    """Write a tick label with as many digits as it needs, at most three."""
    digits = next(d for d in range(4) if d == 3 or abs(value - round(value, d)) < 1e-9)
    return number(value, digits)


def money_ticks(axis: Axis, currency: str, lang: str) -> FuncFormatter:
    """Return a writer of money that gives all labels one unit and as many digits as they need."""

    def write(value: float, _: int | None) -> str:
        ticks = [tick for tick in axis.get_ticklocs() if tick]
        like = max((abs(tick) for tick in ticks), default=0.0)
        size = money_unit(like, lang)[0]
        digits = next(d for d in range(4) if d == 3 or all(abs(t / size - round(t / size, d)) < 1e-9 for t in ticks))
        return money(value, currency, lang, digits if value else 0, like=like if value else 0)

    return FuncFormatter(write)


def tick_axis(ax: Axes, first: int, last: int, about: About, lang: str) -> None:
    """Write the time axis in ticks of play, with the end of burn-in marked."""
    ax.set_xlim(first - 0.5, last + 0.5)
    years = {"week": 13, "month": 12, "quarter": 4}.get(about.tick)
    span = last - first
    if years and span > 2 * years:
        step = years * max(1, round(span / years / 9))
        start = -(-first // step) * step
        ax.set_xticks(range(start, last + 1, step))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.set_xlabel(
        text("plot.axis_ticks", lang, tick=text(f"tick.{about.tick}.name", lang)),
        fontproperties=font(lang, 9.5), color=MUTED, labelpad=6,
    )  # fmt: skip
    if first < 0 < last:
        ax.axvline(0, color=AXIS, linewidth=0.9, zorder=1.5)


def measure_of(name: str) -> Measure:
    """Return a firm measure by name, or say which there are."""
    if name not in PER_FIRM:
        raise ValueError(f"unknown measure '{name}' ({', '.join(PER_FIRM)})")
    return PER_FIRM[name]
