"""Every plot function draws real runs, in both languages, with the same layout."""

from __future__ import annotations

import io
import re
import warnings
from xml.etree import ElementTree

import matplotlib.text
import numpy as np
import pytest
from matplotlib.figure import Figure

from churnsim import plots
from churnsim.gallery_page import Worlds, entries, write
from churnsim.plots import fonts
from churnsim.plots.customers import LADDER
from churnsim.plots.style import figure_of
from churnsim.plots.waterfalls import money_steps

WORLDS = Worlds(customers=150, seeds=2)
ENTRIES = {entry.name: entry for entry in entries(WORLDS)}
PANELS = {"panels", "compare", "causes_and_summary"}
NOT_FIGURES = {"About", "WITH_INDICES", "png", "svg", "usable_language", "Letters"}
OF_STUDIES = {
    "index_bars", "index_convergence", "indices_over_time", "morris_plane", "parallel_coordinates", "phase_map",
    "response", "seed_spread", "tornado",
}  # fmt: skip
"""Figures of studies rather than of runs: docs/studies.md and docs/sensitivity.md show them."""
needs_chinese = pytest.mark.skipif(fonts.chinese_family() is None, reason="no Chinese font on this machine")


def words(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj(matplotlib.text.Text) if artist.get_text().strip()]


def test_the_gallery_has_every_figure():
    assert set(ENTRIES) == set(plots.__all__) - NOT_FIGURES - OF_STUDIES


# Those of several panels are drawn in both languages by test_plots.py as well, on made-up runs.
HEAVY = PANELS | {"causes", "cause_summary", "fan"}


@needs_chinese
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in ENTRIES]
)
def test_both_languages_have_the_same_layout(name):
    figures = {}
    for lang in ("en", "zh"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a missing glyph is a warning
            figure = figure_of(ENTRIES[name].draw(lang))
            box = figure.get_tightbbox(figure.canvas.get_renderer())
        wide, high = figure.get_size_inches()
        assert box.x0 >= -0.01 and box.y0 >= -0.01 and box.x1 <= wide + 0.01 and box.y1 <= high + 0.01, words(figure)
        figures[lang] = figure
    english, chinese = figures["en"], figures["zh"]
    assert english.get_size_inches().tolist() == chinese.get_size_inches().tolist()
    assert len(english.axes) == len(chinese.axes)
    for mine, theirs in zip(english.axes, chinese.axes, strict=True):
        np.testing.assert_allclose(mine.get_position().bounds, theirs.get_position().bounds, atol=0.14)
    assert any("\u4e00" <= letter <= "\u9fff" for line in words(chinese) for letter in line)
    assert not any("\u4e00" <= letter <= "\u9fff" for line in words(english) for letter in line)


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in HEAVY])
def test_own_axes_are_drawn_on(name):
    function = getattr(plots, name)
    frames = {
        "survival": WORLDS.hotels.tenure, "pareto": WORLDS.deciles.concentration, "balance": WORLDS.held.firms,
        "value_histogram": WORLDS.matrix.customers, "value_matrix": WORLDS.matrix.customers,
        "ladder": WORLDS.loyalty.ticks, "loyalty_types": WORLDS.loyalty.ticks, "bucket": WORLDS.bucket.ticks,
        "satisfied_loyal": WORLDS.cars.ticks, "switching": WORLDS.hotels.flows,
    }  # fmt: skip
    both = {"cause_waterfall": "causes", "profit_waterfall": "ticks", "ghost": "ticks"}
    frame = frames.get(name)
    if frame is None:
        of_causes = name in ("causes", "cause_summary", "taxonomy")
        frame = getattr(WORLDS.hotels, both.get(name, "causes" if of_causes else "ticks"))
        if name not in both:
            frame = frame[frame["scenario"] == "case"]
    elif name == "switching":
        frame = frame[frame["scenario"] == "case"]
    figure = Figure(figsize=(12, 5))
    left, _ = figure.subplots(1, 2)
    assert function(frame, ax=left) is left
    figure.savefig(io.BytesIO())


def test_the_money_steps_add_up():
    frame = WORLDS.hotels.ticks
    for firm in ("nanyuan", "eton"):
        steps, (before, after) = money_steps(frame, firm, "both_passive", "case")
        assert before + sum(steps.values()) == pytest.approx(after)
        rows = frame[(frame["firm"] == firm) & (frame["tick"] > 0) & (frame["scenario"] == "case")]
        assert after == pytest.approx(rows["profit"].sum() / 2)
    assert steps["price"] < 0  # Eton's cut


def test_the_causes_add_up_to_the_departures():
    ax = WORLDS.hotels.plot.cause_waterfall(baseline="both_passive", scenario="case", firm="eton")
    bars = [patch.get_width() for patch in ax.patches]
    assert bars[0] + sum(bars[1:-1]) == pytest.approx(bars[-1])


def test_survival_is_kaplan_meier():
    result = WORLDS.hotels
    ax = result.plot.survival(scenario="case")
    rows = result.tenure[(result.tenure["scenario"] == "case") & (result.tenure["firm"] == "nanyuan")]
    sums = rows.groupby("tenure")[["at_risk", "lost"]].sum()
    sums = sums[sums["at_risk"] > 0]
    expected = np.cumprod(1 - sums["lost"] / sums["at_risk"])
    drawn = ax.get_lines()[0].get_ydata()
    np.testing.assert_allclose(drawn[1:], expected.to_numpy()[: len(drawn) - 1])


def test_ribbons_are_a_whole():
    ax = WORLDS.hotels.plot.ribbons(scenario="case")
    top = max(path.vertices[:, 1].max() for area in ax.collections for path in area.get_paths())
    assert top == pytest.approx(1)


def test_the_ladder_counts_everybody():
    ticks = WORLDS.loyalty.ticks
    rows = ticks[(ticks["tick"] == ticks["tick"].max()) & (ticks["firm"] == "hotel")]
    assert rows[list(LADDER)].sum(axis=1).between(1, 150).all()
    with pytest.raises(ValueError, match="no dealings"):
        WORLDS.hotels.plot.ladder(scenario="case")


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="named twice"):
        WORLDS.hotels.plot.ghost(baseline="case", scenario="case")
    with pytest.raises(ValueError, match="the table has 1"):
        plots.ghost(WORLDS.bucket.ticks)
    with pytest.raises(ValueError, match="ledger: true"):
        WORLDS.bucket.plot.survival()


def test_svg_stands_inside_a_page_beside_others():
    first, second = (plots.svg(figure_of(WORLDS.hotels.plot.share(scenario=name))) for name in ("case", "both_passive"))
    assert first.startswith("<svg") and "<?xml" not in first
    names = [set(part.split('"')[0] for part in drawn.split(' id="')[1:]) for drawn in (first, second)]
    assert names[0] and not names[0] & names[1]
    used = {part.split('"')[0] for part in first.split('href="#')[1:]}
    assert used <= names[0]
    assert first == plots.svg(figure_of(WORLDS.hotels.plot.share(scenario="case")))


def test_figures_of_a_page_share_their_letters():
    letters = plots.Letters()
    drawn = [
        plots.svg(figure_of(WORLDS.hotels.plot.share(scenario=name)), letters) for name in ("case", "both_passive")
    ]
    kept = letters.element()
    names = set(re.findall(r'id="([^"]+)"', kept))
    for one in drawn:
        own = set(re.findall(r'id="([^"]+)"', one))
        assert set(re.findall(r'href="#([^"]+)"', one)) <= names | own and not names & own
    alone = [plots.svg(figure_of(WORLDS.hotels.plot.share(scenario=name))) for name in ("case", "both_passive")]
    assert len(kept) + sum(map(len, drawn)) < sum(map(len, alone))
    for one in (kept, *alone):
        ElementTree.fromstring(one)


@pytest.mark.slow
def test_the_page_is_written(tmp_path):
    write(tmp_path / "gallery.md", WORLDS)
    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    assert all(f"## {name}\n" in page for name in ENTRIES)
    assert len(list((tmp_path / "figures" / "gallery").glob("*.png"))) == 2 * len(ENTRIES)
