"""What would stop this: every change that the page offers is looked at again in runs of its own, from the beginning."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from churnsim.causes import CAUSES
from churnsim.web.app import Laboratory, application
from churnsim.web.asks import Ask
from churnsim.web.limits import Limits
from churnsim.web.runs import Pool
from churnsim.web.stopping import EARLIER, STAYS, TICKS, TRIES, WINDOW, fewer_leave, kept_by, remedies
from churnsim.web.watching import Watched, sample

SMALL = {"customers.count": 400, "burn_in": 6, "horizon": 40}
SEED = 3
NATURAL = [place for place, cause in enumerate(CAUSES) if cause.name in ("natural", "need_end")]


@pytest.fixture(scope="module")
def plan():
    return cs.load("two_hotels").set(SMALL)


@pytest.fixture(scope="module")
def pool():
    one = Pool(Limits())
    yield one
    one.close()


@pytest.fixture(scope="module")
def departures(plan):
    """Every departure of the sample: tick, dot, firm left, option taken, first cause."""
    market = Watched([plan], [SEED])
    found = []
    while market.tick < market.horizon:
        market.step_once()
        found += [(market.tick, *line[:4]) for line in market.departures[0]]
    return found


def stays(plan, row: int, firm: int, first: int, last: int) -> bool:
    """Return whether a customer is with a firm in every tick of a span, in a run from the beginning."""
    market = Watched([plan], [SEED])
    while market.tick < last:
        market.step_once()
        if market.tick >= first and (int(market.columns.provider[row]) != firm or market.columns.exit[row]):
            return False
    return True


def test_what_is_said_to_keep_a_customer_keeps_them(plan, pool, departures):
    ask, rows = Ask(plan, SEED), sample(plan.customers.count)
    late = [one for one in departures if one[0] > max(EARLIER) and one[0] + STAYS <= plan.horizon]
    told = [(one, kept_by(pool, ask, one[1], one[0])) for one in late[::90]]
    assert any(answer["found"] for _, answer in told) and not all(answer["found"] for _, answer in told)
    checked = 0
    for (tick, dot, left, _, _), answer in told:
        assert answer["firm"] == list(plan.firms)[left - 1] and answer["stays"] == STAYS
        assert not stays(plan, rows[dot], left, tick, tick)
        for one in answer["found"]:
            assert tick - one["from"] in EARLIER
            changed = plan.move(one["from"], {one["path"]: one["value"]})
            assert stays(changed, rows[dot], left, one["from"], tick + STAYS)
            checked += 1
    assert checked >= 3


def test_a_smaller_or_later_change_would_not_have_done(plan, pool, departures):
    ask, rows = Ask(plan, SEED), sample(plan.customers.count)
    late = [one for one in departures if one[0] > max(EARLIER) and one[0] + STAYS <= plan.horizon]
    for tick, dot, left, _, _ in late[::30]:
        for one in kept_by(pool, ask, dot, tick)["found"]:
            if not one["path"].endswith(".price"):
                continue
            later = [start for start in (tick - earlier for earlier in EARLIER) if start > one["from"]]
            for start in later:
                assert not stays(plan.move(start, {one["path"]: one["value"]}), rows[dot], left, start, tick + STAYS)
            if one["value"] < 0.94 * one["before"]:
                smaller = round(0.95 * one["before"], 6)
                changed = plan.move(one["from"], {one["path"]: float(f"{smaller:.3g}")})
                assert not stays(changed, rows[dot], left, one["from"], tick + STAYS)
            return
    pytest.fail("no departure of the sample is stopped by a price")


def test_nobodys_doing_is_stopped_by_nothing(plan, pool, departures):
    ask = Ask(plan, SEED)
    gone = [one for one in departures if one[4] in NATURAL and one[0] > 2]
    assert gone
    for tick, dot, *_ in gone[:3]:
        assert kept_by(pool, ask, dot, tick)["found"] == []


def test_a_snapshot_says_what_a_run_from_the_beginning_says(plan, departures):
    fresh, used = Pool(Limits()), Pool(Limits())
    ask = Ask(plan, SEED)
    tick, dot, *_ = next(one for one in departures if one[0] > 30)
    try:
        shared = used.run(ask)
        while not shared.done:
            time.sleep(0.01)
        assert kept_by(used, ask, dot, tick) == kept_by(fresh, ask, dot, tick)
        assert fewer_leave(used, ask, "eton", 30) == fewer_leave(fresh, ask, "eton", 30)
    finally:
        fresh.close()
        used.close()


def test_those_who_would_have_stayed_are_counted_one_by_one(plan, pool):
    tick, firm = 30, "nanyuan"
    answer = fewer_leave(pool, Ask(plan, SEED), firm, tick)
    j, start = list(plan.firms).index(firm), tick - WINDOW + 1
    assert (answer["from"], answer["tick"]) == (start, tick) and answer["found"]

    def gone(changed):
        market, profit = Watched([changed], [SEED]), 0.0
        while market.tick < start - 1:
            market.step_once()
        cohort = np.flatnonzero(market.columns.provider == j + 1)
        left = np.zeros(cohort.size, bool)
        while market.tick < tick:
            market.step_once()
            left |= (market.columns.provider[cohort] != j + 1) | (market.columns.exit[cohort] > 0)
            profit += market.recorder.measures["profit"][0, market.recorder.rows - 1, j]
        return left, profit

    base, earned = gone(plan)
    assert (answer["customers"], answer["lost"]) == (base.size, base.sum())
    for one in answer["found"]:
        left, profit = gone(plan.move(start, {one["path"]: one["value"]}))
        assert (one["kept"], one["others"]) == ((base & ~left).sum(), (left & ~base).sum())
        assert one["profit"] == pytest.approx(profit - earned)
        assert one["kept"] > one["others"]
    gains = [one["kept"] - one["others"] for one in answer["found"]]
    assert gains == sorted(gains, reverse=True)


def test_changes_begin_at_what_holds_and_grow(plan):
    market = Watched([plan], [SEED])
    while market.tick < 12:
        market.step_once()
    tried = [(sizes[0].path.removeprefix("firms.eton."), sizes) for sizes in remedies(market, plan.at(12), "eton")]
    cut, raised = (sizes for name, sizes in tried if name == "price")
    assert cut[0].before == pytest.approx(225)  # Eton's strategy has cut it by then
    assert [one.value for one in cut] == [214, 202, 180] and [one.value for one in raised] == [236, 248, 270]
    assert not any(name.startswith(("strategy", "firms")) for name, _ in tried)
    by_name = dict(tried)
    assert [one.value for one in by_name["relationship"]] == ["reactive", "accountable", "proactive", "partnership"]
    assert [round(one.value / one.before, 2) for one in by_name["capacity"]] == [1.1, 1.25, 1.5]
    spacious = plan.set({"mechanisms.crowding": False})
    assert not any(sizes[0].path.endswith("capacity") for sizes in remedies(market, spacious.at(12), "eton"))


def test_levers_of_mechanisms_that_are_on_are_tried_too():
    plan = cs.load("reminders").set({"customers.count": 60, "burn_in": 2, "horizon": 6})
    firm = next(iter(plan.firms))
    market = Watched([plan], [1])
    paths = [sizes[0].path for sizes in remedies(market, plan.at(0), firm) if sizes]
    assert any(path.endswith("reminders.spend") for path in paths)
    assert not any(path.endswith("reminders.scale") for path in paths)


# ---------------------------------------------------------------------- the route


@pytest.fixture(scope="module")
def client():
    lab = Laboratory(limits=Limits(rate=1e6, burst=1e6))
    with TestClient(application(lab), base_url="http://127.0.0.1", raise_server_exceptions=False) as one:
        yield one


ASK = {"scenario": "two_hotels", "set": SMALL, "seed": SEED}


def test_the_page_is_told_what_the_functions_say(client, plan, pool, departures):
    tick, dot, *_ = next(one for one in departures if one[0] > 14)
    said = client.post("/api/stop", json={**ASK, "dot": dot, "tick": tick}).json()
    assert said == kept_by(pool, Ask(plan, SEED), dot, tick)
    said = client.post("/api/stop", json={**ASK, "firm": "eton", "tick": 20}).json()
    assert said == fewer_leave(pool, Ask(plan, SEED), "eton", 20)


def test_who_leaves_nobody_cannot_be_kept(client, departures):
    gone = {(tick, dot) for tick, dot, *_ in departures}
    tick, dot = next((tick, dot) for tick in range(5, 9) for dot in range(30) if (tick, dot) not in gone)
    answer = client.post("/api/stop", json={**ASK, "dot": dot, "tick": tick, "lang": "zh"})
    assert answer.status_code == 422 and answer.json()["error"] == "no_departure"
    assert answer.json()["message"] == "此客户当时没有离开任何企业。"


def test_a_firm_in_a_market_too_large_is_answered_for_a_smaller_one_and_a_customer_refused_with_the_reason():
    small = Limits(rate=1e6, burst=1e6, work=100 * TRIES * TICKS)
    with TestClient(application(Laboratory(limits=small)), base_url="http://127.0.0.1") as client:
        said = client.post("/api/stop", json={**ASK, "firm": "eton", "tick": 20}).json()
        refused = client.post("/api/stop", json={**ASK, "dot": 0, "tick": 20})
    assert said["market"] == 100 and 0 < said["lost"] <= said["customers"] < 100
    assert refused.status_code == 422 and refused.json()["error"] == "stop_size"
    message = refused.json()["message"]
    for part in ("400 customers", f"about {TRIES} changes", f"{TICKS} ticks", "76\u00a0000", "Up to 100 customers"):
        assert part in message


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"dot": 0}, "number"),
        ({"dot": 0, "tick": 0}, "number"),
        ({"dot": 0, "tick": 41}, "number"),
        ({"dot": 400, "tick": 5}, "number"),
        ({"dot": "0", "tick": 5}, "number"),
        ({"tick": 5}, "number"),
        ({"firm": "hilton", "tick": 5}, "no_firm"),
        ({"firm": 1, "tick": 5}, "no_firm"),
        ({"firm": "eton", "tick": True}, "number"),
    ],
)
def test_what_cannot_be_answered_is_refused(client, asked, key):
    answer = client.post("/api/stop", json={**ASK, **asked})
    assert answer.status_code == 422 and answer.json()["error"] == key
