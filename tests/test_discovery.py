"""Scenario discovery: planted boxes are found, and nothing is found where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.studies.discovery import Limit, discover, tidy


def points(n=400, seed=0, **extra):
    rng = np.random.default_rng(seed)
    return {"a": rng.uniform(size=n), "b": rng.uniform(10, 20, n), "c": rng.uniform(-1, 1, n), **extra}


def planted(table, noise=None):
    """Inside a > .6 and b < 14 (16 % of the space) it happens."""
    inside = (table["a"] > 0.6) & (table["b"] < 14)
    if noise is None:
        return inside.astype(float)
    return np.random.default_rng(9).binomial(10, np.where(inside, 0.9, 0.1)) / 10


def test_a_planted_box_is_found_exactly():
    table = points()
    found = discover(table, planted(table))
    by_name = {limit.name: limit for limit in found.chosen.limits}
    assert set(by_name) == {"a", "b"}
    # Between the outermost point inside and the nearest one outside; points lie .0025 apart.
    assert abs(by_name["a"].low - 0.6) < 0.03 and by_name["a"].high is None
    assert abs(by_name["b"].high - 14) < 0.3 and by_name["b"].low is None
    assert found.chosen.coverage > 0.95 and found.chosen.density > 0.95
    assert found.found and found.honest > 0.8
    assert all(limit.quasi_p < 0.001 and limit.reproduced == 1 for limit in found.chosen.limits)


def test_probabilities_do_instead_of_labels():
    table = points(n=300, seed=4)
    found = discover(table, planted(table, noise=True))
    assert {limit.name for limit in found.chosen.limits} == {"a", "b"}
    assert found.found
    assert 0.75 < found.chosen.density < 1
    assert found.base < 0.4 < found.honest


def test_labels_as_factors():
    rng = np.random.default_rng(2)
    kind = np.array(["cut", "hold", "raise"], dtype=object)[rng.integers(3, size=300)]
    table = points(n=300, kind=kind)
    found = discover(table, ((kind == "cut") & (table["a"] < 0.5)).astype(float))
    by_name = {limit.name: limit for limit in found.chosen.limits}
    assert by_name["kind"].kept == ("cut",) and abs(by_name["a"].high - 0.5) < 0.05
    assert tidy(found.chosen.limits)[0]["factor"] in by_name


@pytest.mark.slow
def test_pure_noise_is_not_taken_for_an_answer():
    # Worlds without any structure: at most one of ten says that it has found something.
    said = 0
    for seed in range(10):
        table = points(n=80, seed=seed)
        said += discover(table, np.random.default_rng(100 + seed).binomial(4, 0.3, 80) / 4).found
    assert said <= 1


def test_all_or_none():
    table = points(n=50)
    assert not discover(table, np.zeros(50)).found
    assert not discover(table, np.ones(50)).found


def test_the_order_of_factors_and_points_does_not_matter():
    table = points(n=200, seed=1)
    y = planted(table)
    order = np.random.default_rng(5).permutation(200)
    again = discover({name: table[name][order] for name in ("c", "b", "a")}, y[order])
    first = discover(table, y)
    assert {(one.name, one.low, one.high) for one in first.chosen.limits} == {
        (one.name, one.low, one.high) for one in again.chosen.limits
    }


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_boxes_are_what_they_say(seed, rate):
    table = points(n=60, seed=seed)
    y = np.random.default_rng(seed).binomial(5, rate, 60) / 5
    found = discover(table, y)
    for box in (*found.boxes, found.chosen):
        held = box.holds(table)
        assert held.sum() == box.points
        assert abs(box.mass - held.mean()) < 1e-12
        if held.any():
            assert abs(box.density - y[held].mean()) < 1e-12
        assert abs(box.coverage - (y[held].sum() / y.sum() if y.sum() else 0)) < 1e-12
    masses = [box.mass for box in found.boxes[:-1]]
    assert masses == sorted(masses, reverse=True)
    assert len(found.frame()) == len(found.boxes) + 1


@pytest.mark.parametrize(
    ("table", "y"),
    [
        ({"a": np.arange(5.0)}, np.zeros(5)),
        ({"a": np.arange(30.0)}, np.full(30, 2.0)),
        ({"a": np.full(30, np.nan)}, np.zeros(30)),
        ({}, np.zeros(30)),
    ],
)
def test_what_cannot_be_searched(table, y):
    with pytest.raises(ValueError, match=r"points|probability|factor"):
        discover(table, y)


def test_a_limit_holds_where_it_says():
    assert Limit("a", low=1, high=2).holds(np.array([0.5, 1, 2, 3])).tolist() == [False, True, True, False]
    assert Limit("a", kept=("x",)).holds(np.array(["x", "y"], dtype=object)).tolist() == [True, False]
