"""The standard forecasts that calibrated scenarios are compared with are what their papers say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration_data import panel_table, retention_table
from churnsim.calibration.formats import read_events, read_panel
from churnsim.calibration.sequences import repeat_rate
from conftest import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks.validation import compare, events, panel, retention, rolling, unseen

DATA = os.environ.get("CHURNSIM_DATA")
real_data = pytest.mark.skipif(not DATA, reason="CHURNSIM_DATA names no folder with the real data sets")


def test_retention_curves_find_their_own_parameters():
    left = 1e5 * np.concatenate([[1.0], retention._bdw(8, 0.5, 1.5, 1.4)])
    guess = retention.beta_discrete_weibull(left[:-1], -np.diff(left), 12)
    np.testing.assert_allclose(guess, retention._bdw(12, 0.5, 1.5, 1.4), rtol=0.01)
    left = 1e5 * np.concatenate([[1.0], retention._sbg(8, 0.7, 1.2)])
    np.testing.assert_allclose(retention.sbg(left[:-1], -np.diff(left), 12), retention._sbg(12, 0.7, 1.2), rtol=0.01)
    held = retention.hold_last_hazard(np.array([10.0, 8]), np.array([2.0, 2]), 3)
    np.testing.assert_allclose(held, [0.8, 0.6, 0.45])


@real_data
def test_bg_nbd_has_the_published_estimates():
    """Fader, Hardie & Lee 2005, table 2: r .243, alpha 4.414, a .793, b 2.426."""
    shop = pd.read_csv(Path(str(DATA)) / "cdnow_sample.csv")
    shop["day"] = (pd.to_datetime(shop["date"]) - pd.Timestamp("1997-01-01")).dt.days
    groups = shop[shop["day"] < 273].drop_duplicates(["id", "day"]).groupby("id")["day"]
    first, last, x = groups.min().to_numpy(), groups.max().to_numpy(), groups.size().to_numpy() - 1.0
    found, _ = events.bg_nbd(x, (last - first) / 7, (272 - first) / 7, 1)
    np.testing.assert_allclose(found, [0.243, 4.414, 0.793, 2.426], rtol=0.005)


def test_panel_yardsticks_repeat_about_as_often_as_the_panel(tmp_path):
    panel_table(tmp_path / "p.csv", 80, 8, 3, 1)
    data = read_panel(tmp_path / "p.csv")
    seen = repeat_rate(data.household, data.choice)
    for method in (panel.markov, panel.loyalty_logit, panel.mixed_logit):
        choices = method(data, data, 10, 1)
        assert choices.shape == (10, data.choice.size)
        assert abs(np.mean([repeat_rate(data.household, one) for one in choices]) - seen) < 0.1


def test_a_table_of_the_page_keeps_the_rows_of_what_was_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "PAGE", tmp_path / "page.md")
    row = "| {} | split | error | 1 | 2 |"
    (tmp_path / "page.md").write_text("before\nBEGIN\n\nEND\nafter\n")
    compare.put_into_page("BEGIN", "END", ["| data |", "|---|"], [row.format("catsup"), row.format("CDNOW")])
    compare.put_into_page("BEGIN", "END", ["| data |", "|---|"], [row.format("subscriptions, a"), "| CDNOW | new |"])
    lines = (tmp_path / "page.md").read_text().splitlines()
    assert [line for line in lines if line] == [
        "before", "BEGIN", "| data |", "|---|", row.format("subscriptions, a"), "| CDNOW | new |", row.format("catsup"),
        "END", "after",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["sBG", "constant", "stays", "contract"])
def test_simulated_tables_are_such_as_can_be_fitted(kind):
    made = rolling.table_of(kind, np.random.default_rng(3))
    left = made["at_risk"] - made["lost"]
    assert (made["at_risk"].to_numpy()[1:] == left.to_numpy()[:-1]).all()
    assert (made["at_risk"] >= rolling.FEWEST).all()


def test_without_the_real_data_what_is_simulated_is_run_and_what_is_left_out_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CHURNSIM_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["rolling"])
    run = []
    for name in ("errors_of_tables", "errors_of_logs"):
        monkeypatch.setattr(
            rolling, name, lambda table, *_: run.append(table) or [{"model": 1.0, "x": 2.0, "inside": 1}]
        )
    rolling.main()
    told = capsys.readouterr()
    assert told.err.startswith(
        "CHURNSIM_DATA names no folder: subscriptions, savings contracts and CDNOW are left out\n"
    )
    lines = [line for line in told.out.splitlines() if line.startswith("| ") and "forecasts" not in line]
    assert len(lines) == 11
    assert all(line.startswith("| simulated: ") for line in lines)
    assert len(run) == 8 * 2 * rolling.REPEATS + 3 * 2 * rolling.LOGS


def test_logs_are_summed_up_as_the_yardsticks_need_them(tmp_path):
    (tmp_path / "e.csv").write_text("id,day\na,0\na,7\na,7\na,21\nb,14\n")
    x, t_x, T = events.summary(read_events(tmp_path / "e.csv"))
    assert (x.tolist(), t_x.tolist()) == ([2, 0], [3, 0])
    np.testing.assert_allclose(T, [27 / 7, 13 / 7])


def test_lines_about_own_data_are_means_with_the_smallest_in_bold():
    found = [("a", {"model": 1.0, "sBG": 2.0, "inside": 1.0}), ("a", {"model": 4.0, "sBG": 3.0, "inside": 0.0})]
    found.append(("b", {"model": 5.0, "sBG": 1.0}))
    assert unseen.lines_of("own", found) == [
        "| own | 2 | a | **2.5** | sBG **2.5** | 1.5 of 2 |", "| own | 1 | b | 5.0 | sBG **1.0** | 2.0 of 2 |"
    ]  # fmt: skip


def test_own_tables_are_forecast_from_several_origins(tmp_path):
    retention_table(tmp_path / "own.csv", 0.7, 2.0, 8, 2000, 1)
    found = list(unseen.of_tables(tmp_path / "own.csv"))
    assert [measure for measure, _ in found] == ["survival, MAPE %"] * 2  # after four and after five periods
    assert all(errors["model"] < 10 for _, errors in found)
