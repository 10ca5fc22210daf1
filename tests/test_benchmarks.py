"""The benchmark suite at sizes at which its numbers mean nothing: that it runs, and what it writes."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from churnsim.config.mechanisms import DEALINGS
from churnsim.model import simulate
from conftest import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import bench, costs, curves, figure, large, peers, phases, report, sizes, timing

TINY = sizes.Sizes(
    customers=300, crowd=600, agents=10, ticks=2, agent_ticks=1, rounds=3, burn_in=1, run_customers=40, run_ticks=4,
    runs=3, peer_ticks=2, jobs=1, sweep_every=2, curve_rounds=1, largest=3_000, curve_customers=1_000, longest=32,
    most_runs=16,
)  # fmt: skip

NAMES = {
    "kernel_vs_c", "mesa_vs_kernel", "numpy_vs_kernel", "batch_run_vs_sweep", "batch_run_compiled_vs_sweep",
    "joblib_vs_sweep", "study_vs_sweep", "batch_overhead", "two_threads_speedup", "mechanism_off_cost",
}  # fmt: skip


def check_shape(found: dict) -> None:
    """Check a report against shared/contracts.md, "Benchmarks"."""
    assert {"machine", "versions", "ratios", "bytes_per_customer", "ns_per_customer_tick", "phases"} <= set(found)
    assert {"spread", "curves"} <= set(found)
    assert set(found["ratios"]) | set(found["skipped"]) == NAMES
    assert set(found["ratios"]) & set(found["skipped"]) == set()
    assert set(found["spread"]) == set(found["ratios"])
    for name, ratio in found["ratios"].items():
        span = found["spread"][name]
        assert set(span) == {"median", "low", "high"}
        assert span["low"] <= span["median"] <= span["high"]
        assert ratio == span["median"]
        assert ratio > 0 or name == "mechanism_off_cost"
    assert found["ns_per_customer_tick"] > 0
    assert 0 < found["bytes_per_customer"] < 1000
    assert set(found["ns_per_customer_tick_by_firms"]) == set("2345678")
    assert all(cost >= 0 for cost in found["phases"].values())
    assert {"choose", "serve", "listen", "measure"} <= set(found["phases"])
    assert found["mechanisms"]["worst"] in found["mechanisms"]
    if "dealings" in found:
        assert set(found["dealings"]) == {*DEALINGS, costs.ALL, costs.CONTROL}
        for cost in found["dealings"].values():
            assert cost["ns"]["low"] <= cost["ns"]["median"] <= cost["ns"]["high"]
            assert cost["off_ns"] > 0 and cost["share"]["median"] > -1
    assert set(found["curves"]) == {"customers", "firms", "acquaintances", "ticks", "replications"}
    for curve in found["curves"].values():
        assert len(curve["values"]) == len(curve["seconds"]) == len(curve["bytes"])
        assert curve["time_exponent"]["low"] <= curve["time_exponent"]["median"] <= curve["time_exponent"]["high"]


@pytest.mark.slow
def test_the_suite_writes_what_the_contract_says(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "QUICK", TINY)
    monkeypatch.setattr(curves, "WORK", 2_000)
    out, drawn = tmp_path / "latest.json", tmp_path / "figures" / "curves.png"
    bench.main(["--quick", "--out", str(out), "--figure", str(drawn)])
    found = json.loads(out.read_text(encoding="utf-8"))
    check_shape(found)
    assert "dealings" in found
    assert drawn.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    for name in (*NAMES, *DEALINGS, costs.ALL):
        assert name in printed
    table = report.markdown(found)
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(NAMES) + 1 + len(found["curves"])
    assert {line.count("|") for line in lines} == {6}


def test_the_published_run_has_that_shape_too():
    check_shape(json.loads(report.PUBLISHED.read_text(encoding="utf-8")))


def test_the_page_of_speed_shows_the_published_run():
    shown = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    published = report.markdown(json.loads(report.PUBLISHED.read_text(encoding="utf-8")))
    rows = [line for line in published.splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert [row for row in rows if row not in shown] == []


def test_the_page_of_costs_shows_the_kept_run():
    kept = json.loads(costs.KEPT.read_text(encoding="utf-8"))
    assert costs.PAGE.read_text(encoding="utf-8") == costs.page(kept), "run: make docs"
    assert set(kept["dealings"]) == {*DEALINGS, costs.ALL, costs.CONTROL}
    assert kept["dealings"][costs.ALL]["ns"]["median"] > 0


@pytest.mark.parametrize("name", DEALINGS)
def test_a_mechanism_whose_cost_is_measured_is_put_to_use(name):
    """Switched on for measuring, every mechanism changes what happens, not only what might."""
    found = [
        simulate(sizes.hotels(400, burn_in=2, horizon=8, changes=changed), 1)
        for changed in (costs.changes(name), {"mechanisms.sizes": True} if name != "sizes" else {})
    ]
    moved = [
        not np.array_equal(column, found[1].measures[measure], equal_nan=True)
        for measure, column in found[0].measures.items()
    ]
    assert any(moved)


def test_exponents_are_those_the_data_were_made_with():
    values = 10.0 ** np.arange(3, 8)
    assert curves.exponent(values, 3e-8 * values**1.5) == pytest.approx(1.5)
    with_overhead = 1.0 * (values < 1e4) + 1e-7 * values
    assert curves.exponent(values, with_overhead) < 0.95
    assert curves.exponent(values, with_overhead, begin=1e4) == pytest.approx(1)


def test_a_straight_line_is_found_beside_its_fixed_cost():
    line = curves.straight_line([2, 4, 6, 8], [5, 9, 13, 17])
    assert line == pytest.approx({"fixed": 1, "each": 2, "off": 0})
    assert curves.straight_line([2, 4, 6, 8], [5, 9, 13, 34])["off"] > 0.1


def test_a_missing_compiler_is_skipped_with_a_word(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    skipped: dict[str, str] = {}
    names = [pair.name for pair in peers.kernel_pairs(TINY, skipped)]
    assert "kernel_vs_c" not in names
    assert "numpy_vs_kernel" in names
    row = report.ratio_row("kernel_vs_c", {"ratios": {}, "spread": {}, "skipped": skipped})
    assert row.median == "skipped"
    assert "no C compiler" in row.span


def test_neighbours_are_compared_and_take_turns():
    order = []

    def costs(name: str, cost: float) -> timing.Cost:
        return lambda: order.append(name) or cost

    pairs = [timing.Pair("a", costs("x", 6), costs("y", 2)), timing.Pair("b", costs("p", 1), costs("q", 4), every=2)]
    found = timing.interleave(pairs, 3, lambda what: None)
    assert found == {"a": [(6, 2)] * 3, "b": [(1, 4)] * 2}
    assert "".join(order) == "xypqyxxyqp"


def test_goals_are_judged_by_the_median():
    def met(name: str, median: float) -> str:
        span = {"median": median, "low": median, "high": median}
        found = {"ratios": {name: median}, "spread": {name: span}, "mechanisms": {"noise": 0.02, "worst": "taste"}}
        return report.ratio_row(name, found).met

    assert (met("kernel_vs_c", 1.0), met("kernel_vs_c", 1.01)) == ("yes", "no")
    assert (met("mesa_vs_kernel", 500), met("mesa_vs_kernel", 499)) == ("yes", "no")
    assert (met("mechanism_off_cost", 0.02), met("mechanism_off_cost", 0.03)) == ("yes", "no")
    assert met("joblib_vs_sweep", 0.5) == ""


def test_units_and_numbers_are_written_for_people():
    assert [report.scaled(value, "s") for value in (2.5, 0.012, 3e-6)] == ["2.5 s", "12 ms", "3 µs"]
    assert figure.thousands(10_000_000) == "10M"
    assert [report.written(value) for value in (0.6543, 12.345, 1234.5)] == ["0.65", "12.3", "1 234"]


def test_every_number_of_firms_makes_a_market():
    for firms in range(2, 9):
        market = sizes.hotels(100, burn_in=0, horizon=3, firms=firms)
        assert len(market.firms) == firms
        assert sum(firm.initial_share for firm in market.firms.values()) == pytest.approx(0.6)


def test_the_profile_names_every_phase(capsys):
    phases.main(["--customers", "500", "--ticks", "2", "--firms", "3"])
    printed = capsys.readouterr().out
    for name in phases.PHASES:
        assert name in printed
    assert "500 customers and 3 firms" in printed


def test_the_largest_market_reports_time_and_memory(tmp_path, capsys):
    out = tmp_path / "large.json"
    large.main(["--customers", "500", "--ticks", "3", "--threads", "1", "--out", str(out)])
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["seconds"] > 0
    assert found["peak_gib"] > 0.05
    assert "peak memory" in capsys.readouterr().out
