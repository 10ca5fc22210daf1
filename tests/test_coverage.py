"""The study of how often intervals cover: its functions are those of known answer, and its table adds up."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import coverage

from churnsim.studies import known_answers


@pytest.mark.parametrize(
    ("name", "low", "high", "first"),
    [("ishigami", -np.pi, np.pi, 1), ("sobol_g", 0, 1, 1), ("linear", 0, 1, 1), ("interactions", -1, 1, 1)],
)
def test_worlds_are_the_known_answers(name, low, high, first):
    world = coverage.WORLDS[name]
    points = np.random.default_rng(0).random((20, len(world.factors)))
    used = {"ishigami": 3, "linear": 3, "interactions": 4}.get(name, points.shape[1])
    for point, outcome in zip(points, world.surface(points), strict=True):
        named = {f"x{first + j}": low + (high - low) * point[j] for j in range(used)}
        assert getattr(known_answers, name)(named, 1)["y"] == pytest.approx(outcome)
    many = world.surface(np.random.default_rng(1).random((100_000, len(world.factors))))
    assert many.var() == pytest.approx(world.variance, rel=0.03)


@pytest.mark.parametrize("kind", coverage.KINDS)
def test_luck_has_the_variance_asked_for_and_is_shared_as_said(kind):
    y = np.zeros((5000, 4))
    place = np.random.default_rng(0).uniform(-1, 1, size=y.shape)
    found = coverage.with_luck(y, place, kind, 2.0, 2, np.random.default_rng(1))
    assert found.var() == pytest.approx(4, rel=0.05)
    same = np.corrcoef(found[0, :, 0], found[0, :, 1])[0, 1]
    assert same == pytest.approx({"own": 0, "shared": 1, "acting": 0.5}[kind], abs=0.06)
    assert abs(np.corrcoef(found[0, :, 0], found[1, :, 0])[0, 1]) < 0.06


def test_a_cell_counts_and_a_row_tells_the_least_and_the_most():
    outcomes, places = coverage.designs(coverage.WORLDS["linear"], 32, 12)
    one = coverage.cell("linear", "own", 0.2, 2, outcomes, places)
    assert one.first.shape == one.total.shape == one.flagged.shape == (4,)
    assert one.total.min() > 0.5 and one.luck == pytest.approx(0.2, abs=0.08)
    shared = coverage.cell("linear", "shared", 0.2, 2, outcomes, places)
    assert np.isnan(shared.total[3]) and shared.flagged[3] == 0
    line = coverage.row("linear", 32, [one, shared])
    assert line.startswith("| 32 | linear |") and line.count("|") == coverage.HEAD.splitlines()[0].count("|")
    assert f"{100 * np.nanmin([one.total, shared.total]):.1f} –" in line
