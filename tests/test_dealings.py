"""Dealings beyond the stay: both engines agree, off means absent, and every mechanism does what it says."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from churnsim import ScenarioError, load
from churnsim.causes import CAUSE_NAMES
from churnsim.config.mechanisms import DEALINGS
from churnsim.dealings import FIELDS
from churnsim.declarations import walk
from churnsim.engine.compiled import Compiled
from churnsim.engine.dealings.state import CELLS, COUNTED, PLACE, STAGES, Dealings
from churnsim.engine.levers import LEVERS
from churnsim.markets import PHASES, Markets
from churnsim.model import ChurnModel, simulate
from churnsim.parameters import CUSTOMS
from churnsim.strategies.base import DEALINGS_LEVERS
from test_equivalence import same_record, same_state

ALL_ON = {f"mechanisms.{name}": True for name in DEALINGS}

BUSY = {
    "customers.count": 240, "burn_in": 6, "horizon": 14,
    "customers.hazards.natural": 0.02, "customers.hazards.lapse": 0.03,
    "customers.life_cycle.length": 12, "customers.calendar.weights": [1, 0.5, 1.5],
    "customers.failure.rate": 0.4, "customers.failure.encounter": 0.2, "customers.failure.voice": 0,
    "customers.acquisition.known": 0.5, "customers.referral.rate": 0.8, "customers.referral.matching": 0.8,
    "customers.offers.counted": 0.7, "customers.buying_centre.leaves": 0.2,
    "customers.credit.bad": 0.3, "customers.power.threat": 0.4, "customers.power.share": 0.5,
    "customers.ethics.kindred": 0.4, "customers.attachment.growth": 1, "customers.attachment.floor": 0,
    "customers.attachment.initial": 0.85, "customers.satisfaction.adjustment": 1,
    "firms.nanyuan.recovery.guarantee": 1, "firms.nanyuan.staff.pay": 8, "firms.nanyuan.staff.quitting": 0.2,
    "firms.nanyuan.reminders.spend": 2, "firms.nanyuan.card.points": 0.3, "firms.nanyuan.card.club": 4,
    "firms.nanyuan.card.perks": 30, "firms.nanyuan.card.elite_share": 0.2, "firms.nanyuan.win_back.key": 0.9,
    "firms.nanyuan.win_back.ordinary": 0.8, "firms.nanyuan.win_back.small": 0.5,
    "firms.nanyuan.win_back.kind": "upgrade",
    "firms.nanyuan.save.coverage": 0.5, "firms.nanyuan.save.threshold": 0.6,
    "firms.nanyuan.advertising.spend": 3, "firms.nanyuan.referral.reward": 40, "firms.nanyuan.referral.care": 0.3,
    "firms.nanyuan.referral.targeted": True, "firms.nanyuan.innovation.spend": 2, "firms.nanyuan.innovation.level": 0.5,
    "firms.nanyuan.responsibility.spend": 1, "firms.nanyuan.promise.level": 0.1, "firms.nanyuan.listening.spend": 2,
    "firms.nanyuan.screening.strictness": 0.5, "firms.nanyuan.screening.prepayment": 0.3,
    "firms.nanyuan.screening.review": 0.1,
    "firms.nanyuan.bargaining.concession": 0.15, "firms.nanyuan.enquiries.coverage": 2,
    "firms.nanyuan.enquiries.alarm": 2, "firms.nanyuan.tiers.tilt": 0.3, "firms.nanyuan.responsibility.kinship": 0.5,
    "firms.nanyuan.favours.coverage": 0.3,
    "firms.nanyuan.cash": 500, "firms.eton.cash": 500,
    "firms.eton.win_back.ordinary": 0.6, "firms.eton.win_back.matched": True, "firms.eton.staff.quitting": 0.1,
    "firms.eton.card.points": 0.1, "firms.eton.strategy.promotion": True, "firms.eton.strategy.restore": 9,
    "firms.eton.contract.length": 4, "firms.eton.contract.fee": 60,
}  # fmt: skip
"""Both firms pull every lever, and everything happens often."""


@pytest.fixture(scope="module")
def lively():
    """A small market in which every mechanism is at work, with growth, moves and a scandal."""
    return (
        load("two_hotels").arm("case").set({**ALL_ON, **BUSY})
        .set({"customers.growth": 0.01})
        .move(5, {"firms.nanyuan.responsibility.scandal": 0.8, "firms.eton.innovation.level": 1})
        .move(8, {"mechanisms.variety": False, "firms.nanyuan.card.points": 0.1})
    )  # fmt: skip


def same_dealings(a, b, rows=slice(None)) -> None:
    """Assert that two models hold the same dealings."""
    for name in Dealings._fields:
        x, y = getattr(a.dealings, name), getattr(b.dealings, name)
        np.testing.assert_array_equal(x, y[..., rows], err_msg=name)


def same_counts(a, b) -> None:
    """Assert that two records hold the same measures of dealings."""
    assert a.dealings.keys() == b.dealings.keys()
    for name, column in a.dealings.items():
        np.testing.assert_array_equal(column, b.dealings[name], err_msg=name)


def test_engines_agree_bit_for_bit(lively):
    """Fourteen ticks and six of burn-in of the executable specification equal the kernels."""
    compiled, model = ChurnModel(lively, rng=3), ChurnModel(lively, rng=3, engine="agents")
    compiled.run()
    model.run()
    same_state(compiled, model)
    same_dealings(compiled, model)
    same_record(compiled.recorder.record(), model.recorder.record())
    same_counts(compiled.recorder.record(), model.recorder.record())


def test_everything_happens(lively):
    """The lively market leaves no count at zero, so that the comparison above compares something."""
    # In a rhythm of two stages nobody buys in every tick, so that it takes longer to become a client.
    longer = {"customers.count": 4000, "horizon": 24, "customers.life_cycle.length": 18}
    record = simulate(lively.set(longer), 3)
    never = [name for name in COUNTED if not np.nansum(record.dealings[name])]
    assert never == []


# ------------------------------------------------------------------ off means absent


def short(**changes):
    """A short market without anything that is not asked for."""
    return load("two_hotels").arm("both_passive").set({"customers.count": 1500, "burn_in": 6, "horizon": 12, **changes})


def same_measures(a, b) -> bool:
    """Return whether two records agree on everything that a market without dealings measures."""
    groups = ("primary", "shares", "labels", "enablers", "flows")
    tables = ("measures", "market")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in groups) and all(
        np.array_equal(x, getattr(b, table)[name], equal_nan=True)
        for table in tables
        for name, x in getattr(a, table).items()
    )


def test_off_has_no_state_and_no_measures():
    model = ChurnModel(short(), rng=1)
    assert all(column.size == 0 for column in model.dealings)
    assert model.run().dealings == {}


def test_off_has_no_effect_on_any_measure():
    """Every parameter and lever of dealings at another value, every switch off: not a bit moves."""
    levers = {path: value for path, value in BUSY.items() if path.startswith("firms.nanyuan.") and "cash" not in path}
    of_customers = tuple(f"customers.{group}." for group in (*CUSTOMS, "calendar"))
    ways = {path: value for path, value in BUSY.items() if path.startswith(of_customers)}
    assert len(levers) > 25
    assert len(ways) > 10
    assert same_measures(simulate(short(), 4), simulate(short(**levers, **ways), 4))


QUIET = {
    "sizes": {"customers.size": 1}, "calendar": {}, "ethics": {}, "innovation": {}, "listening": {},
    "promises": {}, "save_offers": {}, "win_back": {}, "bargaining": {"customers.power.threat": 0},
    "promotion_sensitivity": {}, "stockpiling": {}, "referral": {"customers.referral.rate": 0},
    "loyalty_card": {}, "service_tiers": {}, "reminders": {}, "favours": {},
    "employees": {"customers.employees.owned": 0, "firms.nanyuan.staff.strain": 0, "firms.eton.staff.strain": 0},

    "commitment": {"customers.commitment.resistance": 0}, "variety": {"customers.variety.share": 0},
    "failure": {"customers.failure.rate": 0, "customers.failure.encounter": 0},
    "acquisition": {"customers.acquisition.known": 1, "customers.hazards.natural": 0},
    "screening": {"customers.credit.bad": 0, "customers.hazards.credit": 0},
    "buying_centre": {"customers.buying_centre.leaves": 0, "firms.nanyuan.enquiries.cost": 0,
                      "firms.eton.enquiries.cost": 0},
    "contact_fatigue": {"customers.fatigue.bonded": 0}, "rhythm": {"customers.rhythm.stages": 1},
}  # fmt: skip
"""What makes each mechanism vanish although it is on: its own strength at zero, and no lever pulled."""


@pytest.mark.parametrize("name", QUIET)
def test_on_at_strength_zero_is_off(name):
    """A mechanism that is on, with its strength at zero or no lever pulled, moves nothing either."""
    rest = {path: value for path, value in QUIET[name].items() if "hazards" in path}
    on = short(**{f"mechanisms.{name}": True, **QUIET[name]})
    assert same_measures(simulate(short(**rest), 4), simulate(on, 4))


# ------------------------------------------------------------------ every setting counts

SMALL = {**BUSY, "customers.count": 400, "burn_in": 3, "horizon": 16}
BASE = load("two_hotels").arm("case").set({**ALL_ON, **SMALL})


UNUSUAL = {
    "customers.failure.voice": -2,
    "firms.nanyuan.bargaining.concession": 0.05,
    "customers.offers.upgrade_life": 2,
}
"""Other values where the usual step leads nowhere."""


def dealing_settings() -> dict[str, object]:
    """Return another value for every parameter of dealings, of customers and of Nanyuan."""
    found: dict[str, object] = {}
    for path, value, about in walk(BASE):
        keys = path.split(".")
        ours = keys[0] == "customers" and keys[1] in CUSTOMS
        ours = ours or (keys[:2] == ["firms", "nanyuan"] and keys[2] in {group for group, _ in FIELDS.values()})
        if not ours or about is None or isinstance(value, bool):
            continue
        if path in UNUSUAL:
            found[path] = UNUSUAL[path]
        elif isinstance(value, str):
            found[path] = "bundle"
        elif isinstance(value, tuple):
            found[path] = [0.1, 0.2, 0.3, 0.4] if len(value) == 4 else [0.05, 0.6]
        elif isinstance(value, int):
            found[path] = value + 1 if about.high is None or value < about.high else value - 1
        else:
            larger = value * 4 if value else (about.plausible or (0, 0.5))[1]
            found[path] = larger if about.high is None or larger <= about.high else value / 4
    return found


SETTINGS = dealing_settings()
BASE_RECORD = simulate(BASE, 4)


def test_there_are_settings():
    assert len(SETTINGS) > 120


@pytest.mark.parametrize("path", SETTINGS)
def test_every_setting_counts(path):
    """Nothing that can be set is without effect on the run."""
    changed = simulate(BASE.set({path: SETTINGS[path]}), 4)
    dealt = all(np.array_equal(x, changed.dealings[name], equal_nan=True) for name, x in BASE_RECORD.dealings.items())
    assert not (dealt and same_measures(BASE_RECORD, changed))


def test_levers_have_one_order():
    """An action's levers of dealings stand in the order of the engine's places."""
    assert DEALINGS_LEVERS == LEVERS


def test_batches_and_threads_do_not_matter(lively):
    """A market alone, in a batch, or on two threads: the same bits."""
    other = lively.set({"firms.nanyuan.card.points": 0.05})
    batch = Markets([lively, other], [3, 5], engine=Compiled()).run_to_horizon()
    for record, (scenario, seed) in zip(batch, ((lively, 3), (other, 5)), strict=True):
        alone = simulate(scenario, seed)
        same_record(record, alone)
        same_counts(record, alone)
    many = lively.set({"customers.count": 9000, "customers.growth": 0, "horizon": 5}).set({"burn_in": 2})
    one, two = simulate(many, 1), simulate(many, 1, threads=2)
    same_record(one, two)
    same_counts(one, two)


def test_a_branch_does_not_share_dealings(lively):
    """A deep copy lives on by itself, and continues like the original."""
    model = ChurnModel(lively, rng=2)
    for _ in range(4):
        model.step()
    branch = copy.deepcopy(model)
    model.run()
    branch.run()
    same_dealings(model, branch)
    same_counts(model.recorder.record(), branch.recorder.record())


# ------------------------------------------------------------------ what must hold


@pytest.fixture(scope="module")
def run():
    """A run of the lively market without growth, with its record."""
    return simulate(BASE.set({"customers.count": 3000}), 7)


def test_heads_are_conserved(run):
    """Everybody stands on exactly one stage of every firm's development ladder (course S57)."""
    heads = sum(run.dealings[stage] for stage in STAGES)
    assert (heads == 3000).all()
    own = sum(run.dealings[stage] for stage in STAGES[2:7])
    np.testing.assert_array_equal(own, run.measures["customers"])


def test_accounts_close(run):
    """Profit is revenue less every cost, and cash moves by profit, to the last cent."""
    m, d, size = run.measures, run.dealings, 3000
    firms = BASE.firms.values()
    unit = np.array([firm.unit_cost for firm in firms])
    fixed = np.array([firm.fixed_cost for firm in firms]) * size * m["open"]
    np.testing.assert_allclose(m["revenue"], m["price"] * d["volume_paid"], rtol=1e-12)
    profit = m["revenue"] - unit * d["volume"] - m["service_cost"] - m["relationship_cost"] - d["dealing_cost"] - fixed
    np.testing.assert_allclose(m["profit"], profit, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(np.diff(m["cash"], axis=0)[3:], m["profit"][4:], rtol=1e-9, atol=1e-4)


def test_complaints_add_up(run):
    """Settled at once are among the settled, these among the complaints, these among the failures."""
    d = run.dealings
    failures = d["core_failures"] + d["encounter_failures"]
    assert (d["settled_at_once"] <= d["settled"]).all()
    assert (d["settled"] <= d["complaints"]).all()
    assert (d["complaints"] <= failures).all()
    for cell in CELLS:
        assert (d[f"kept_{cell}"] <= d[f"failed_{cell}"]).all()
    assert sum(d[f"failed_{cell}"].sum() for cell in CELLS) <= failures.sum()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_screening_lets_fewer_bad_debtors_in(share):
    """Bad debt falls with strictness, at the cost of good customers refused (course S8)."""
    on = {"mechanisms.screening": True, "customers.credit.bad": 0.2, "firms.nanyuan.screening.strictness": share}
    found = simulate(short(**on, horizon=24), 1).dealings
    base = simulate(short(**{**on, "firms.nanyuan.screening.strictness": 0}, horizon=24), 1).dealings
    assert found["bad_debt"][-12:, 0].sum() <= base["bad_debt"][-12:, 0].sum()
    assert (found["refused_good"][-1, 0] > 0) == (share > 0)


def test_reminders_stop_lapses_and_nothing_else():
    """The luck that makes a bad debtor does so with and without reminders; every missing lapse is counted."""
    hazards = {"customers.hazards.natural": 0, "customers.hazards.lapse": 0.2, "customers.hazards.credit": 0.2}
    plan = short(**{"mechanisms.reminders": True, "customers.count": 4000, "burn_in": 0, "horizon": 1}, **hazards)
    none, some = (simulate(plan.set({"firms.nanyuan.reminders.spend": spend}), 1) for spend in (0, 2))
    lapse, credit = (CAUSE_NAMES.index(cause) for cause in ("lapse", "credit"))
    lapsed, dropped = ([record.primary[-1, 0, cause] for record in (none, some)] for cause in (lapse, credit))
    assert dropped[0] == dropped[1] > 100
    prevented = some.dealings["lapses_prevented"][-1, 0]
    assert lapsed[0] - lapsed[1] == prevented > 100


def test_employees_take_their_share():
    """A quitting employee takes the owned part of the attachment of exactly the assigned customers."""
    on = {"mechanisms.employees": True, "firms.nanyuan.staff.quitting": 1, "customers.employees.owned": 0.4}
    model = ChurnModel(short(**on, **{"burn_in": 0, "firms.nanyuan.staff.attrition": 0}), rng=1)
    mine = model.columns.provider == 1
    before = model.columns.attachment[0].copy()
    model.tick += 1
    for phase in PHASES[:5]:
        getattr(model, phase)()
    np.testing.assert_allclose(model.columns.attachment[0, mine], 0.6 * before[mine], rtol=1e-6)
    assert model.counters.counted[0, PLACE["left_with_employee"]] == mine.sum()


def kept(record, *cells: str) -> float:
    """Return the share of first occasions after some failures on which customers stayed."""
    failed, stayed = (sum(record.dealings[f"{what}_{cell}"].sum() for cell in cells) for what in ("failed", "kept"))
    assert failed > 300
    return stayed / failed


FAILING = {"mechanisms.failure": True, "customers.failure.rate": 0.3, "horizon": 24, "customers.count": 4000}


def test_tolerance_keeps_the_attached_and_nobody_else():
    """The same failures drive fewer away where the attached forgive; without attachment nobody does (S48)."""
    loyal = {**FAILING, "customers.attachment.initial": 0.8, "customers.attachment.decay": 0}
    strict, lenient = (simulate(short(**loyal, **{"customers.failure.tolerance": t}), 1) for t in (0, 0.8))
    assert kept(lenient, *CELLS) > kept(strict, *CELLS) + 0.02
    strangers = {**FAILING, "customers.attachment.initial": 0, "customers.attachment.growth": 0}
    strict, lenient = (simulate(short(**strangers, **{"customers.failure.tolerance": t}), 1) for t in (0, 0.8))
    assert same_measures(strict, lenient)


def test_courtesy_keeps_those_who_complain():
    """With as many failures, as fast and for the same money, courtesy keeps more of those who spoke up (S74)."""
    settled = {"recovery.resolution": 1, "recovery.compensation": 0, "recovery.speed": 0}
    both = {f"firms.{firm}.{lever}": value for firm in ("nanyuan", "eton") for lever, value in settled.items()}
    plan = short(**FAILING, **both, **{"customers.failure.encounter": 0, "customers.failure.voice": 2})
    rude, polite = (
        simulate(plan.set({f"firms.{firm}.recovery.courtesy": c for firm in ("nanyuan", "eton")}), 1) for c in (0, 1)
    )
    assert kept(polite, "minor_settled", "major_settled") > kept(rude, "minor_settled", "major_settled") + 0.02


def test_favours_oblige():
    """An unexpected favour makes customers attached and keeps them; favours every month cost most and do less each."""
    quiet = {"mechanisms.favours": True, "horizon": 24, "customers.count": 4000}
    coverage = (0, 0.1, 1)
    none, some, always = (simulate(short(**quiet, **{"firms.nanyuan.favours.coverage": c}), 1) for c in coverage)
    attached = [record.measures["attachment"][-1, 0] for record in (none, some, always)]
    assert attached[0] < attached[1] < attached[2]
    assert none.dealings["favours"].sum() == 0
    given = [record.dealings["favours"][:, 0].sum() for record in (some, always)]
    assert (attached[1] - attached[0]) / given[0] > 2 * (attached[2] - attached[0]) / given[1] > 0
    np.testing.assert_allclose(some.dealings["dealing_cost"][:, 0], 20 * some.dealings["favours"][:, 0], rtol=1e-5)
    assert always.measures["lost"].sum(axis=0)[0] < none.measures["lost"].sum(axis=0)[0]


def test_the_referral_rate_is_that_of_those_who_refer():
    """Referrers over customers; everybody whom they reach has somebody who told (course S26)."""
    record = simulate(short(**{"mechanisms.referral": True, "customers.referral.rate": 0.5}), 1)
    d, m = record.dealings, record.measures
    np.testing.assert_allclose(d["referral_rate"], d["referrers"] / m["customers"])
    assert 0 < d["referral_rate"].mean() < 0.5
    assert (d["referred_joined"][1:].cumsum(axis=0) <= d["referrals"].cumsum(axis=0)[1:]).all()


def test_firms_may_open_later():
    """A firm that opens in mid-run sells nothing before, and something afterwards."""
    late = {"firms.eton.opens": 6, "firms.eton.initial_share": 0}
    record = simulate(short(**late), 1)
    before = record.ticks < 6
    assert record.measures["stays"][before, 1].sum() == 0
    assert np.isnan(record.measures["price"][before, 1]).all()
    assert record.measures["stays"][~before, 1].min() > 0


def test_a_firm_with_customers_cannot_open_later():
    with pytest.raises(ScenarioError, match="initial_share must be 0"):
        short(**{"firms.eton.opens": 6})
