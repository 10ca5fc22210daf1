"""Figures of studies: what is on them, in both languages, with nothing cut off."""

from __future__ import annotations

import itertools
import json
import warnings

import matplotlib
import numpy as np
import pytest

from churnsim import plots
from churnsim.plots import fonts
from churnsim.studies.comparing import compare
from churnsim.studies.designs import unit_design
from churnsim.studies.figure_frames import lines_frame, phase_frame, sensitivity_frame, spread_frame
from churnsim.studies.indices import Sensitivity
from churnsim.studies.morris import morris_effects
from churnsim.studies.problems import StudyDataError
from churnsim.studies.sensitivity import Analysis
from churnsim.studies.study import Study
from churnsim.studies.sweeping import sweep

LANGUAGES = ["en", pytest.param("zh", marks=pytest.mark.skipif(fonts.chinese_family() is None, reason="no font"))]
TICKS = [f"y@{tick}" for tick in (6, 12, 24)]


def drawn(ax):
    """All words of a figure that could be drawn without a warning, such as of a missing glyph."""
    figure = ax.figure
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.png(figure)
    return [artist.get_text() for artist in figure.findobj(matplotlib.text.Text) if artist.get_text()]


def inside(ax):
    """Whether every text lies within the figure; what does not is returned."""
    figure = ax.figure
    figure.canvas.draw()
    wide, high = figure.canvas.get_width_height()
    ticks = []
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, top = sorted(limits)
        ticks += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= top]
    texts = [a for a in (*ax.texts, *figure.texts, ax.xaxis.label, ax.yaxis.label, *ticks) if a.get_text()]
    boxes = [(a.get_text(), a.get_window_extent()) for a in texts]
    out = [w for w, b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > wide + 1 or b.y1 > high + 1]
    assert out == []
    return True


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    study = Study(
        name="figures", function="churnsim.studies.known_answers:linear", design="sobol", samples=64, replications=2,
        factors={f"x{i}": {"uniform": [0, 1]} for i in range(4)}, outcomes=["noisy", "y"],
    )  # fmt: skip
    return sweep(study, tmp_path_factory.mktemp("figures") / "store", jobs=0)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    study = Study(
        name="map", function="churnsim.studies.known_answers:linear", replications=8, outcomes=["noisy", "y"],
        factors={"x1": {"levels": [-2, 0, 2]}, "x2": {"levels": [0.0, 0.5]}},
    )  # fmt: skip
    return sweep(study, tmp_path_factory.mktemp("map") / "store", jobs=0)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bars_say_values_luck_and_what_is_not_told_from_zero(store, lang):
    frame = sensitivity_frame(Analysis(store).of("noisy"))
    ax = plots.index_bars(frame, lang=lang)
    said = drawn(ax)
    assert {"x0", "x1", "x2", "x3"} <= set(said)
    assert any("%" in words and str(round(100 * frame["noise_share"][0])) in words for words in said)
    total = frame[(frame["factor"] == "x3") & (frame["index"] == "ST")]["value"].iloc[0]
    assert f"ST {total:.2f}" in said
    assert inside(ax)
    quiet = next(label for label in ax.get_yticklabels() if label.get_text() == "x0")
    loud = next(label for label in ax.get_yticklabels() if label.get_text() == "x3")
    assert quiet.get_color() != loud.get_color()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_other_figures_of_a_sobol_study(store, lang):
    analysis = Analysis(store)
    swing = plots.tornado(sensitivity_frame(analysis.of("noisy", "swings")), lang=lang)
    assert next(iter(swing.get_yticklabels())).get_text() == "x3"
    settling = plots.index_convergence(analysis.convergence("noisy").assign(outcome="noisy"), lang=lang)
    lines = plots.parallel_coordinates(lines_frame(analysis, "noisy"), lang=lang)
    pawn = plots.index_bars(sensitivity_frame(analysis.of("noisy", "pawn")), lang=lang)
    for ax in (swing, settling, lines, pawn):
        assert "noisy" in " ".join(drawn(ax)) and inside(ax)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_morris_plane_shows_the_floor_and_hollow_points(lang):
    design = unit_design("morris", 3, 12, 0)
    points = design.points.reshape(12, 4, 3)
    values = points @ [3.0, 1.0, 0.0] + 0.2 * np.random.default_rng(0).normal(size=(4, 12, 4))
    effects = morris_effects(values, points, ["strong", "weak", "idle"])
    ax = plots.morris_plane(sensitivity_frame(Sensitivity("morris", "y", "case", effects, 0, 0.95)), lang=lang)
    said = drawn(ax)
    assert {"strong", "weak", "idle"} <= set(said) and inside(ax)
    hollow = [line for line in ax.get_lines() if line.get_marker() == "o" and line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_indices_over_time(store, lang):
    frame = Analysis(store).of("noisy").frame()
    rows = [frame.assign(tick=tick, value=frame["value"] * tick / 24) for tick in (6, 12, 24)]
    import pandas as pd

    ax = plots.indices_over_time(pd.concat(rows).assign(measure="share.eton"), lang=lang)
    said = drawn(ax)
    assert any("share.eton" in words for words in said) and {"x1", "x2", "x3"} <= set(said) and inside(ax)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_spread_and_map(grid, lang):
    spread = plots.seed_spread(spread_frame(compare(grid, "noisy", by="x1")), lang=lang)
    assert [label.get_text() for label in spread.get_yticklabels()] == ["2", "0", "-2"]
    assert "8" in " ".join(drawn(spread)) and inside(spread)
    rivalry = sweep(
        Study(
            name="rivals", scenario="two_hotels", replications=2,
            set={"customers.count": 200, "horizon": 6, "burn_in": 6},
            factors={"firms.eton.strategy.depth": {"levels": [0.05, 0.3]}, "customers.taste.sd": {"levels": [50, 90]}},
            outcomes=["share.eton", "share.nanyuan"],
        ),
        grid.folder.parent / f"rivals-{lang}", jobs=0,
    )  # fmt: skip
    frame = phase_frame(rivalry, "share.eton")
    assert set(frame["winner"]) <= {"eton", "nanyuan"} and len(frame) == 4
    assert (frame["outcome"] == "share").all()
    unsure = frame.assign(sure=[True, False, True, False])
    ax = plots.phase_map(unsure, lang=lang)
    said = drawn(ax)
    assert {"firms.eton.strategy.depth", "customers.taste.sd"} <= set(said) and inside(ax)
    assert sum(patch.get_hatch() == "///" for patch in ax.patches) == 2


def test_a_map_needs_two_factors_and_somebody_who_competes(store, grid):
    with pytest.raises(StudyDataError, match="grid of two factors"):
        phase_frame(store, "noisy")
    with pytest.raises(StudyDataError, match="takes two"):
        phase_frame(grid, "noisy")


def test_long_names_and_few_factors_fit(store):
    found = Analysis(store).of("noisy")
    frame = sensitivity_frame(found)
    names = dict(zip(["x0", "x1", "x2", "x3"], itertools.count()))
    long = frame.assign(factor=[f"customers.reference_price.loss_aversion_{names[f]}" for f in frame["factor"]])
    assert inside(plots.index_bars(long))
    lines = lines_frame(Analysis(store), "noisy").rename(columns={f: f"customers.{f}.adaptation_rate" for f in names})
    assert inside(plots.parallel_coordinates(lines))


def test_the_command_writes_its_figures(cli, tmp_path, store):
    answer = cli("sensitivity", store.folder, "--outcome", "noisy", "--plot", "figures", "--json")
    assert answer.code == 0, answer.err
    files = {file.name for file in (tmp_path / "figures").iterdir()}
    assert files == {"sobol-noisy.png", "convergence-noisy.png", "tornado-noisy.png", "parallel-noisy.png"}
    assert json.loads(answer.out)["out"] == str(store.folder)
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert cli("sensitivity", store.folder, "--plot", "file").code == 2
