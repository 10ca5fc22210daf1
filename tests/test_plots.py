"""Figures: what is on them, in both languages, without touching anything global."""

from __future__ import annotations

import io
import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from churnsim import plots
from churnsim.i18n import text
from churnsim.plots import fonts, layout, style
from churnsim.plots.accessor import FIGURES
from churnsim.plots.fans import quantiles
from churnsim.results import Result
from run_records import record, records, two_hotels

needs_chinese = pytest.mark.skipif(fonts.chinese_family() is None, reason="no Chinese font on this machine")


@pytest.fixture(scope="module")
def result():
    case = two_hotels(burn_in=20, horizon=48)
    arms = [case, case.arm("both_passive")]
    return Result.from_records(arms, records(arms, range(8)))


def words(figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj(matplotlib.text.Text) if artist.get_text()]


def drawn(ax) -> Figure:
    """The figure, drawn with every warning an error: a missing glyph is a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.png(ax.figure)
    return ax.figure


LANGUAGES = ["en", pytest.param("zh", marks=needs_chinese)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "measure", ["share", "churn", "quality", "cumulative_profit", "price", "customers", "contacts"]
)
def test_fan_says_what_it_shows(result, measure, lang):
    figure = drawn(result.plot.fan(measure, lang=lang))
    said = words(figure)
    assert any(line.startswith(text(f"measure.firm.{measure}", lang)) for line in said)
    assert any(text("plot.band", lang, runs=8) in line.replace("\n", " ") for line in said)
    for firm in ("Nanyuan", "Eton") if lang == "en" else ("南苑大酒店", "伊顿酒店"):
        assert any(line.startswith(f"{firm}  ") for line in said)


@pytest.mark.parametrize("lang", ["en", pytest.param("zh", marks=needs_chinese)])
def test_a_figure_of_panels_has_a_title_of_its_own(result, lang):
    one = result.plot.attitudes(lang=lang)
    said = [artist.get_text() for artist in style.figure_of(one[0]).texts]
    assert said[0].replace("\n", "") == text("plot.and", lang).join(
        text(f"measure.firm.{name}", lang) for name in ("satisfaction", "attachment")
    )
    compared = result.plot.compare("share", lang=lang)
    assert text("measure.firm.share", lang) in style.figure_of(compared[0]).texts[0].get_text()


def test_fan_shows_the_quantiles_of_the_runs(result):
    frame = result.ticks[(result.ticks["scenario"] == "two_hotels") & (result.ticks["firm"] == "eton")]
    bands = quantiles(frame, "share")
    values = frame[frame["tick"] == 12]["share"]
    np.testing.assert_allclose(bands.loc[12, [0.05, 0.25, 0.5, 0.75, 0.95]], np.percentile(values, [5, 25, 50, 75, 95]))
    assert bands.loc[12, "middle"] == np.median(values)
    assert quantiles(frame, "share", "mean").loc[12, "middle"] == pytest.approx(values.mean())
    ax = result.plot.fan("share")
    line = next(line for line in ax.get_lines() if line.get_color() == style.COLORS[1])
    np.testing.assert_allclose(line.get_ydata()[-1], bands[0.5].iloc[-1])


def test_shares_begin_at_zero_and_the_end_of_burn_in_is_marked(result):
    ax = result.plot.share()
    assert ax.get_ylim()[0] == 0
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.get_lines())


def test_profit_begins_with_play(result):
    assert result.plot.profit().get_xlim()[0] == -0.5


def test_moves_and_strategies_are_flagged(result):
    said = words(result.plot.share().figure)
    assert {"Eton: price restored", "Eton: Service money 60"} <= set(said)
    assert any(line.startswith("Eton: price cut 25") for line in said)
    assert not any("price cut" in line for line in words(result.plot.share(scenario="both_passive").figure))


def test_lines_differ_in_more_than_colour(result):
    ax = result.plot.share()
    lines = [line for line in ax.get_lines() if line.get_linewidth() == 2]
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines) == 2


def test_one_run_has_no_bands_and_says_so(result):
    case = two_hotels()
    ax = Result.from_records([case], [record(case, 1)]).plot.share()
    assert not ax.collections
    assert any(text("plot.one_run", "en") in line for line in words(ax.figure))


def test_gaps_are_drawn_as_gaps():
    case = two_hotels()
    run = record(case, 1)
    run.measures["satisfaction"][:, 1] = np.nan
    ax = Result.from_records([case], [run]).plot.fan("satisfaction")
    assert not any(line.startswith("Eton  ") for line in words(drawn(ax)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_causes_sum_to_the_departures(result, lang):
    ax = result.plot.causes(firm="eton", lang=lang)
    drawn(ax)
    width = plots.reasons.bar_width(48)
    heights = sum(patch.get_height() * patch.get_width() for patch in ax.patches)
    frame = result.causes[(result.causes["scenario"] == "two_hotels") & (result.causes["firm"] == "eton")]
    assert heights == pytest.approx(frame[frame["tick"] > 0]["primary"].sum() / 8)
    assert {patch.get_width() for patch in ax.patches} == {width}


@pytest.mark.parametrize("by", ["cause", "course", "course_type", "keaveney"])
def test_cause_summary_is_shares_of_departures(result, by):
    ax = result.plot.cause_summary(firm="nanyuan", by=by)
    drawn(ax)
    assert sum(patch.get_width() for patch in ax.patches) == pytest.approx(1)


def test_nobody_left():
    case = two_hotels()
    run = record(case, 1)
    run.primary[...] = 0
    axes = Result.from_records([case], [run]).plot.causes_and_summary()
    assert text("plot.nobody_left", "en") in words(drawn(axes[0]))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_compare_has_one_scale(result, lang):
    axes = result.plot.compare("share", lang=lang)
    drawn(axes[0])
    assert len(axes) == 2
    assert axes[0].get_ylim() == axes[1].get_ylim()
    title = two_hotels().arms["both_passive"].title[lang]
    assert title in [line.replace("\n", "") for line in words(axes[0].figure)]


def test_named_variants_go_by_their_name():
    case = two_hotels()
    variants = [case, case.named("Eton does both")]
    figure = Result.from_records(variants, records(variants, [1, 2])).plot.compare()[0].figure
    assert "Eton does both" in words(figure)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_clipped_by_the_figure(result, lang):
    many = [two_hotels().named(f"A rather long name of a scenario, number {i}") for i in range(4)]
    several = Result.from_records(many, records(many, [1, 2]))
    made = [
        result.plot.share(lang=lang), result.plot.profit(lang=lang), result.plot.attitudes(lang=lang)[0],
        result.plot.causes_and_summary(lang=lang)[0], several.plot.compare("cumulative_profit", lang=lang)[0],
    ]  # fmt: skip
    for ax in made:
        figure = drawn(ax)
        wide, high = figure.get_size_inches()
        box = figure.get_tightbbox(figure.canvas.get_renderer())
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= high, words(figure)


def test_labels_at_line_ends_do_not_overlap():
    firms = {f"f{i}": {"name": f"Hotel {i}", "initial_share": 0.1} for i in range(7)}
    case = two_hotels(firms=firms, moves=[], arms={})
    figure = drawn(Result.from_records([case], [record(case, 1)]).plot.share())
    renderer = figure.canvas.get_renderer()
    labels = [a for a in figure.findobj(matplotlib.text.Annotation) if a.get_text().startswith("Hotel")]
    boxes = sorted((matplotlib.text.Text.get_window_extent(a, renderer) for a in labels), key=lambda box: box.y0)
    assert len(boxes) == 7
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))


def test_apart_keeps_order_and_room():
    places = layout.apart([10.0, 11.0, 12.0, 50.0], 10, 60)
    assert places == sorted(places)
    assert min(np.diff(places)) >= 10 - 1e-9
    assert places[0] >= 0 and places[-1] <= 60
    assert layout.apart([5.0, 40.0], 10, 60) == [5.0, 40.0]


def test_own_axes_are_drawn_on_and_returned(result):
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert result.plot.share(ax=left) is left
    assert result.plot.causes(firm="eton", ax=right) is right
    figure.savefig(io.BytesIO())


def test_nothing_global_is_touched(result):
    before = dict(matplotlib.rcParams)
    result.plot.share()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_loaded(python):
    code = "import sys, churnsim.plots, churnsim.plots.accessor\nprint('matplotlib.pyplot' in sys.modules)"
    assert python(code).strip() == "False"


def test_figures_can_be_drawn_in_threads(result):
    alone = plots.png(result.plot.share().figure)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: plots.png(result.plot.share().figure), range(8)))
    assert set(together) == {alone}


def test_a_notebook_shows_the_axes(result):
    ax = result.plot.share()
    assert isinstance(ax, Axes)
    assert ax._repr_png_().startswith(b"\x89PNG")


def test_figures_are_written_under_english_names(result, tmp_path):
    english = result.figures(tmp_path / "en")
    assert [path.name for path in english] == [f"{name}.png" for name in (*FIGURES, "compare")]
    assert all(path.stat().st_size > 10_000 for path in english)
    if fonts.chinese_family():
        chinese = result.figures(tmp_path / "zh", lang="zh", scenario="both_passive")
        assert [path.name for path in chinese] == [f"{name}.zh.png" for name in (*FIGURES, "compare")]


@needs_chinese
def test_both_languages_have_the_same_layout(result):
    english, chinese = result.plot.share(lang="en"), result.plot.share(lang="zh")
    assert len(words(english.figure)) == len(words(chinese.figure))
    assert english.figure.get_size_inches().tolist() == chinese.figure.get_size_inches().tolist()
    np.testing.assert_allclose(english.get_position().bounds, chinese.get_position().bounds, atol=0.06)


def test_without_a_chinese_font_labels_are_english_with_one_warning(result, monkeypatch):
    monkeypatch.setattr(fonts, "CHINESE", ())
    monkeypatch.setattr(fonts, "_FILES", ())
    fonts.chinese_family.cache_clear()
    fonts.usable_language.cache_clear()
    try:
        with pytest.warns(UserWarning, match="fonts-noto-cjk") as caught:
            said = words(result.plot.share(lang="zh").figure)
            result.plot.churn(lang="zh")
        assert len(caught) == 1
        assert any(line.startswith("Market share") for line in said)
    finally:
        fonts.chinese_family.cache_clear()
        fonts.usable_language.cache_clear()


def test_text_in_any_colour_can_be_read():
    for color in style.COLORS:
        rgb = matplotlib.colors.to_rgb(style.readable(color))
        assert 1.05 / (style._luminance(*rgb) + 0.05) >= 4.49


def test_mistakes_are_named(result):
    with pytest.raises(ValueError, match="unknown measure 'shares'"):
        result.plot.fan("shares")
    with pytest.raises(ValueError, match="unknown scenario 'cse'"):
        result.plot.fan(scenario="cse")
    with pytest.raises(ValueError, match="unknown firm 'etton'"):
        result.plot.causes(firm="etton")
    with pytest.raises(ValueError, match="unknown taxonomy 'colour'"):
        result.plot.causes(by="colour")
    with pytest.raises(ValueError, match="one scenario at a time; the table has 2"):
        plots.fan(result.ticks)
