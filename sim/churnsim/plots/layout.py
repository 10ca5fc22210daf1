"""Where texts go: titles and captions above, flags of moves, names at the ends of lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from churnsim.plots.style import AXIS, INK, MUTED, POINTS, font, readable

LINE = 12.0
"""Height of a line of small text, in points."""

LABEL_SIZE = 9.5
DOTTED = (0, (1, 2))


@dataclass(frozen=True)
class EndLabel:
    """A name at the end of a line: where, what, in which colour."""

    y: float
    words: str
    color: str


def width(artist: Text, ax: Axes) -> float:
    """Return the width of a text in points."""
    # A renderer of our own measures the same whatever the figure will be drawn with.
    dpi = ax.figure.dpi
    return artist.get_window_extent(RendererAgg(1, 1, dpi)).width * POINTS / dpi


def height_of(ax: Axes) -> float:
    """Return the height of the axes in points."""
    return ax.get_window_extent().height * POINTS / ax.figure.dpi


def width_of(ax: Axes) -> float:
    """Return the width of the axes in points."""
    return ax.get_window_extent().width * POINTS / ax.figure.dpi


def head(
    ax: Axes, title: str, caption: str, lang: str, *, above: float = 0.0, size: float = 12.5, beyond: float = 0.0
) -> float:
    """Write title and caption over the axes, `above` points from it; return the points they take.

    Both are broken where they would be wider than the axes and `beyond` points more.
    """
    room = width_of(ax) + beyond
    offset = above + 7
    if caption:
        words, lines = wrapped(ax, caption, room, font(lang, 9))
        _over(ax, words, offset, font(lang, 9), MUTED)
        offset += LINE * lines + 5
    if title:
        words, lines = wrapped(ax, title, room, font(lang, size, "bold"))
        _over(ax, words, offset, font(lang, size, "bold"), INK)
        offset += size * 1.25 * lines + 3
    return offset


def figure_head(figure: Figure, title: str, caption: str, lang: str) -> float:
    """Write title and caption at the top left of a figure of several panels; return the points they take."""
    wide, high = (side * POINTS for side in figure.get_size_inches())
    ax, down = figure.axes[0], 12.0
    for words, size, weight, color in ((title, 13, "bold", INK), (caption, 9, "normal", MUTED)):
        if words:
            said, lines = wrapped(ax, words, wide - 32, font(lang, size, weight))
            figure.text(
                16 / wide, 1 - down / high, said, ha="left", va="top", fontproperties=font(lang, size, weight),
                color=color,
            )  # fmt: skip
            down += size * 1.3 * lines + 4
    return down


def wrapped(ax: Axes, words: str, room: float, properties: FontProperties) -> tuple[str, int]:
    """Break a text into lines of at most `room` points; return it and the number of lines."""
    lines = [""]
    # A Chinese character may begin a line, punctuation may not.
    for token in re.findall(r"[\u4e00-\u9fff][，。：；）、]*|[^\s\u4e00-\u9fff]+\s*|\s+", words):
        if lines[-1] and extent(ax, (lines[-1] + token).rstrip(), properties) > room:
            lines.append("")
        lines[-1] += token
    return "\n".join(line.rstrip() for line in lines), len(lines)


def extent(ax: Axes, words: str, properties: FontProperties) -> float:
    """Return the width that a text would have, in points."""
    artist = ax.figure.text(0, 0, words, fontproperties=properties)
    wide = width(artist, ax)
    artist.remove()
    return wide


def _over(ax: Axes, words: str, offset: float, properties: FontProperties, color: str) -> None:
    """Write a text at the axes' left edge, `offset` points above its top."""
    ax.annotate(
        words, (0, 1), (0, offset), xycoords="axes fraction", textcoords="offset points", ha="left", va="bottom",
        fontproperties=properties, color=color, annotation_clip=False,
    )  # fmt: skip


def flags(ax: Axes, marks: Sequence[tuple[int, str]], lang: str) -> float:
    """Mark ticks in which something begins by dotted lines with words on top; return the points they take.

    Words that would run into each other go to different rows.
    """
    left, right = ax.get_xlim()
    per_tick = width_of(ax) / (right - left)
    rows: list[list[tuple[float, float]]] = []
    # From right to left: a line up to a higher row passes to the left of the words below it, and keeps its place.
    for tick in sorted({tick for tick, _ in marks if left <= tick <= right}, reverse=True):
        ax.axvline(tick, color=AXIS, linewidth=1, linestyle=DOTTED, zorder=1.4)
        highest = 0
        for words in [words for at, words in marks if at == tick]:
            artist = ax.annotate(
                words, (tick, 1), (0, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
                fontproperties=font(lang, 9), color=MUTED, va="bottom", annotation_clip=False,
            )  # fmt: skip
            start, extent = (tick - left) * per_tick, width(artist, ax)
            # Near the right edge the words stand to the left of their line.
            turned = start + extent > width_of(ax) + 10
            span = (start - extent - 8, start + 3) if turned else (start - 3, start + extent + 8)
            row = _free_row(rows, span)
            rows[row].append(span)
            highest = max(highest, row)
            artist.set_position((-4 if turned else 4, 2 + LINE * row))
            artist.set_horizontalalignment("right" if turned else "left")
        line = (tick - left) * per_tick
        for taken in rows[: highest + 1]:
            taken.append((line - 2, line + 2))
        ax.annotate(
            "", (tick, 1), (0, LINE * (highest + 1)), xycoords=("data", "axes fraction"), textcoords="offset points",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": AXIS, "lw": 1, "ls": DOTTED, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
    return LINE * len(rows) + (2 if rows else 0)


def _free_row(rows: list[list[tuple[float, float]]], span: tuple[float, float]) -> int:
    """Return the lowest row in which a span is free; a new one where there is none."""
    for row, taken in enumerate(rows):
        if all(span[1] <= start or span[0] >= end for start, end in taken):
            return row
    rows.append([])
    return len(rows) - 1


def label_room(ax: Axes, labels: Sequence[EndLabel], lang: str, size: float = LABEL_SIZE) -> float:
    """Return the room that names at the line ends need, in points."""
    return max((extent(ax, label.words, font(lang, size, "bold")) for label in labels), default=0.0) + 20


def tick_room(ax: Axes, lang: str) -> float:
    """Return the room that the y axis needs for its labels, in points."""
    low, high = ax.get_ylim()
    write = ax.yaxis.get_major_formatter()
    labels = [write(tick, None) for tick in ax.get_yticks() if low <= tick <= high]
    return max((extent(ax, label, font(lang, 9)) for label in labels), default=0.0) + 24


def end_labels(ax: Axes, labels: Sequence[EndLabel], lang: str, size: float = LABEL_SIZE) -> None:
    """Write each line's name at its right end, moved apart where they would overlap.

    Call it when the axes have their final size and limits.
    """
    low, high = ax.get_ylim()
    per_unit = height_of(ax) / (high - low)
    wanted = [(min(max(label.y, low), high) - low) * per_unit for label in labels]
    for label, want, place in zip(labels, wanted, apart(wanted, size * 1.35, height_of(ax)), strict=True):
        moved = abs(place - want) > 3
        leader = {"arrowstyle": "-", "color": label.color, "lw": 0.7, "shrinkA": 1, "shrinkB": 1, "relpos": (0, 0.5)}
        ax.annotate(
            label.words, (1, want / per_unit + low), (14 if moved else 7, place - want),
            xycoords=("axes fraction", "data"), textcoords="offset points", ha="left", va="center",
            fontproperties=font(lang, size, "bold"), color=readable(label.color), annotation_clip=False,
            arrowprops=leader if moved else None,
        )  # fmt: skip


def apart(wanted: Sequence[float], gap: float, room: float) -> list[float]:
    """Return places as near as possible to the wanted ones, at least `gap` apart, within 0 and `room`.

    Neighbours that are too close form a block around their mean place.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list] = []
    for i in order:
        blocks.append([[i], wanted[i]])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _bottom(blocks[-1], gap):
            members, centre = blocks.pop()
            before, other = blocks[-1]
            merged = before + members
            blocks[-1] = [merged, (other * len(before) + centre * len(members)) / len(merged)]
    places = [0.0] * len(wanted)
    for members, centre in blocks:
        span = gap * (len(members) - 1)
        start = min(max(centre - span / 2, 0.0), max(room - span, 0.0))
        for rank, i in enumerate(members):
            places[i] = start + gap * rank
    return places


def _top(block: list, gap: float) -> float:
    """Return the place of a block's highest member."""
    return block[1] + gap * (len(block[0]) - 1) / 2


def _bottom(block: list, gap: float) -> float:
    """Return the place of a block's lowest member."""
    return block[1] - gap * (len(block[0]) - 1) / 2


def finish(
    ax: Axes,
    own: bool,
    title: str,
    caption: str,
    lang: str,
    *,
    labels: Sequence[EndLabel] = (),
    right: float = 16.0,
    left: float | None = None,
    bottom: float = 46.0,
    above: float = 0.0,
) -> None:
    """Give axes that are drawn their title, caption and names at line ends, and a figure of their own its margins.

    Parameters
    ----------
    ax, own
        The axes, and whether the figure is theirs alone.
    title, caption, lang
        What stands over them.
    labels
        Names at the right ends of lines.
    right, left, bottom
        Room beside and below the axes, in points; left as the tick labels need it, and right at least as the names do.
    above
        Points over the axes that are taken already.
    """
    figure = ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure
    right = max(right, label_room(ax, labels, lang) + 6) if labels else right
    left = tick_room(ax, lang) if left is None else left
    if own:
        margins(figure, top=80, right=right, left=left, bottom=bottom)
    taken = head(ax, title, caption, lang, above=above, beyond=right - 10 if own else 0)
    if own:
        margins(figure, top=taken + 10, right=right, left=left, bottom=bottom)
    if labels:
        end_labels(ax, labels, lang)


def margins(
    figure: Figure,
    *,
    top: float,
    right: float,
    bottom: float = 46,
    left: float = 58,
    between: float = 0,
    rows: float = 0,
) -> None:
    """Set the room around the axes, in points; `between` columns, and between `rows`."""
    wide, high = (side * POINTS for side in figure.get_size_inches())
    figure.subplots_adjust(
        left=left / wide, right=1 - right / wide, bottom=bottom / high, top=1 - top / high,
    )  # fmt: skip
    place = figure.axes[0].get_subplotspec()
    if place is None:
        return
    grid = place.get_gridspec()
    inner_wide, inner_high = wide - left - right, high - top - bottom
    if grid.ncols > 1:
        cell = (inner_wide - between * (grid.ncols - 1)) / grid.ncols
        figure.subplots_adjust(wspace=between / cell)
    if grid.nrows > 1:
        cell = (inner_high - rows * (grid.nrows - 1)) / grid.nrows
        figure.subplots_adjust(hspace=rows / cell)
