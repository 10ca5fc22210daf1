"""From a scenario to the engine's numbers: every setting counts, every switch switches it off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from churnsim import ChurnModel, load, simulate
from churnsim.config import mechanisms
from churnsim.config.paths import FIXED, immovable
from churnsim.dealings import FIELDS
from churnsim.declarations import walk
from churnsim.parameters import CUSTOMS, TRAITS, parameters_of, traits_of

FIRM = "firms.eton."

DEALINGS = {*CUSTOMS, *mechanisms.DEALINGS, "size", "calendar"}
"""Groups of parameters of customers, and switches, that concern dealings beyond the stay."""

FAMILIES = {group for group, _ in FIELDS.values()}
"""Groups of parameters of a firm that do."""


def busy():
    """Return a short, poor, crowded market in which everything that can be set plays a part."""
    return (
        load("two_hotels")
        .arm("case")
        .set(
            {
                "customers.count": 1000,
                "burn_in": 2,
                "horizon": 14,
                "customers.experience.core_floor": 0.7,
                "customers.attention.contract_expiry": 0,
                "customers.hazards": {"natural": 0.02, "lapse": 0.02, "credit": 0.02},
                "customers.word_of_mouth.weight": 0.1,
                "relationship_levels.partnership.richness": 0.5,
                "firms.nanyuan.strategy.budget": 3,
                "firms.eton.strategy": {"promotion": True, "restore": 6},
                "firms.eton.relationship": "partnership",
                "firms.eton.cash": 40,
                "firms.eton.credit": 2,
                "firms.eton.fixed_cost": 20,
                "firms.eton.budget.insolvency": 1,
                "firms.eton.contract": {"length": 5, "fee": 100},
            }
        )
        .move(5, {"firms.nanyuan.price": 340})
    )


BUSY = busy()
BASE = simulate(BUSY, 4)


def same(a, b, ticks=slice(None), groups=("measures", "market", "flows", "primary", "shares", "enablers")) -> bool:
    """Return whether two records agree to the last bit."""

    def parts(record):
        for group in groups:
            whole = getattr(record, group)
            yield from (column[ticks] for column in whole.values()) if isinstance(whole, dict) else [whole[ticks]]

    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(parts(a), parts(b), strict=True))


def other(path: str, value, about):
    """Return another value that the setting may have: well away, inside its bounds."""
    if isinstance(value, bool):
        return not value
    if path.endswith("priority"):
        return ["relationship", "service"]
    if path.endswith("relationship"):
        return "accountable"
    if path.endswith("relationship_budget"):
        return 1.0
    if path.endswith("core_floor"):
        return 0.75
    if path.endswith("strategy.start"):
        return 5
    if isinstance(value, int):
        return value + 2 if about.high is None or value + 2 <= about.high else value - 1
    if value == 0:
        return about.plausible[1] if about.plausible else 0.1
    high = about.high
    smaller, larger = value / 4, value * 4
    return larger if (high is None or larger <= high) and not path.endswith(("_intensity", "capacity")) else smaller


def settable() -> dict[str, object]:
    """Return another value for every setting of customers, of one firm, of the levels used, and of the switches."""
    found = {}
    for path, value, about in walk(BUSY):
        root = path.split(".")[0]
        if root not in ("customers", "mechanisms", "firms", "relationship_levels") or about is None:
            continue
        if root == "firms" and not path.startswith(FIRM):
            continue
        if (
            path.split(".")[1] in DEALINGS
            or ".".join(path.split(".")[2:3]) in FAMILIES
            or path in (FIRM + "opens", FIRM + "research")
        ):
            continue  # see test_dealings.py
        if path in FIXED:  # read by the ledger alone, see test_ledger.py
            continue
        if root == "relationship_levels" and path.split(".")[1] not in ("proactive", "partnership"):
            continue
        if isinstance(value, (int, float)) or path.endswith(("priority", "relationship", "relationship_budget")):
            found[path] = other(path, value, about)
    return found


SETTINGS = settable()


def test_there_are_settings():
    assert len(SETTINGS) > 85
    assert {path.split(".")[0] for path in SETTINGS} == {"customers", "firms", "mechanisms", "relationship_levels"}


def test_the_busy_market_is_busy():
    """The market above has what its settings are about: money short, firms closing, crowding, contracts."""
    eton = {name: column[:, 1] for name, column in BASE.measures.items()}
    assert eton["shortfall"].max() > 0
    assert np.nanmax(eton["crowding"]) > 0
    assert eton["open"].min() == 0, "Eton closes"
    assert eton["open"][6] == 1, "but not at once"
    assert BASE.primary.sum(axis=(0, 1)).astype(bool).sum() >= 9, "causes of departure"


@pytest.mark.parametrize("path", SETTINGS)
def test_every_setting_counts(path):
    """Nothing that can be set is without effect on the run."""
    assert not same(BASE, simulate(BUSY.set({path: SETTINGS[path]}), 4))


MOVABLE = [path for path in SETTINGS if immovable(BUSY, path, ()) is None]


def test_there_are_moves():
    assert len(MOVABLE) > 60


@pytest.mark.parametrize("path", MOVABLE)
def test_every_move_counts_from_its_tick_on(path):
    """A move leaves the past alone to the last bit, and changes what comes after."""
    moved = simulate(BUSY.move(4, {path: SETTINGS[path]}), 4)
    past = BASE.ticks < 4
    assert same(BASE, moved, past)
    assert not same(BASE, moved, ~past)


# ------------------------------------------------------------------ switches

OWNED = {
    "crowding": ["customers.experience.crowding", "firms.eton.capacity"],
    "quality_erosion": ["firms.eton.quality.adjustment"],
    "reference_price": [path for path in SETTINGS if path.startswith("customers.reference_price.")],
    "price_cue": ["customers.price_cue.strength"],
    "learning": ["customers.belief.learning"],
    "expectation": ["customers.expectation.up", "customers.expectation.spillover"],
    "attention": [path for path in SETTINGS if path.startswith("customers.attention.")],
    "taste": ["customers.taste.sd", "customers.taste.homophily"],
    "attachment": [path for path in SETTINGS if path.startswith("customers.attachment.")],
    "sunk_cost": [path for path in SETTINGS if path.startswith("customers.sunk_cost.")],
    "switching_cost": ["customers.switching_cost.mean", "customers.switching_cost.cv"],
    "transaction_cost": ["customers.transaction_cost.mean", "customers.transaction_cost.cv"],
    "termination": ["firms.eton.contract.length", "firms.eton.contract.fee"],
    "word_of_mouth": [path for path in SETTINGS if path.startswith("customers.word_of_mouth.")],
    "involuntary": [path for path in SETTINGS if path.startswith("customers.hazards.")],
    "insolvency": ["firms.eton.budget.insolvency"],
    "budget": ["firms.eton.budget.cash_use", "firms.eton.budget.priority", "firms.eton.credit"],
}
"""What each mechanism owns: without it, none of these may matter (A21)."""

VANISHING = {
    "crowding": {"customers.experience.crowding": 0},
    "quality_erosion": {"firms.eton.quality.adjustment": 0, "firms.nanyuan.quality.adjustment": 0},
    "reference_price": {"customers.reference_price": {"weight": 0, "adaptation": 1, "seen_only": 1}},
    "price_cue": {"customers.price_cue.strength": 0},
    "learning": {"customers.belief.learning": 0},
    "expectation": {"customers.expectation": {"up": BUSY.customers.expectation.down, "spillover": 0}},
    "taste": {"customers.taste.sd": 0},
    "attachment": {"customers.attachment": {"value": 0, "growth": 0, "initial": 0}},
    "sunk_cost": {"customers.sunk_cost": {"weight": 0, "price_share": 0}},
    "switching_cost": {"customers.switching_cost": 0},
    "transaction_cost": {"customers.transaction_cost": 0},
    "termination": {"firms.eton.contract.length": 0},
    "word_of_mouth": {"customers.word_of_mouth": {"tell_base": 0, "tell_extreme": 0}},
    "involuntary": {"customers.hazards": {"natural": 0, "lapse": 0, "credit": 0}},
    "insolvency": {"firms.eton.budget.insolvency": 1e3, "firms.nanyuan.budget.insolvency": 1e3},
}
"""Another way to make each mechanism vanish: its own strength at zero."""


def test_every_switch_is_tested():
    switches = set(type(BUSY.mechanisms).model_fields) - set(mechanisms.DEALINGS)
    assert switches == set(OWNED)
    assert switches - set(VANISHING) == {"budget", "attention"}, "these two have no strength of their own"
    assert {path for paths in OWNED.values() for path in paths} <= set(SETTINGS)


@pytest.mark.parametrize("switch", OWNED)
def test_a_mechanism_that_is_off_has_no_parameters(switch):
    """Off means as if it did not exist: what it owns has no effect at all, from the first tick."""
    off = BUSY.set({f"mechanisms.{switch}": False})
    without = simulate(off, 4)
    assert not same(without, BASE)
    for path in OWNED[switch]:
        assert same(without, simulate(off.set({path: SETTINGS[path]}), 4)), path


@pytest.mark.parametrize("switch", VANISHING)
def test_off_is_strength_zero(switch):
    """Switching a mechanism off and setting its strength to zero are the same, to the last bit."""
    off = simulate(BUSY.set({f"mechanisms.{switch}": False}), 4)
    zero = simulate(BUSY.set(VANISHING[switch]), 4)
    assert same(off, zero, groups=("measures", "market", "flows", "primary", "shares"))


def movable_zeros(switch: str) -> dict[str, object]:
    """Return the settings by which a move makes a mechanism vanish, one by one."""
    single = {}
    for path, value in VANISHING[switch].items():
        single |= {f"{path}.{key}": item for key, item in value.items()} if isinstance(value, dict) else {path: value}
    return {path: value for path, value in single.items() if immovable(BUSY, path, ()) is None}


# A move of contract terms reaches new contracts only, so it is not the same as no contracts at all.
@pytest.mark.parametrize("switch", [s for s in VANISHING if movable_zeros(s) and s != "termination"])
def test_off_by_a_move_is_strength_zero_from_then_on(switch):
    """A mechanism that a move switches off is gone at once, with what it has left in memory."""
    off = simulate(BUSY.move(4, {f"mechanisms.{switch}": False}), 4)
    zero = simulate(BUSY.move(4, movable_zeros(switch)), 4)
    assert same(off, zero, groups=("measures", "market", "flows", "primary", "shares"))


def test_without_attention_everybody_looks_around():
    """Off is the limit of ever higher log-odds: nobody stays for want of looking."""
    off = simulate(BUSY.set({"mechanisms.attention": False}), 4)
    always = simulate(BUSY.set({"customers.attention.base": 50, "customers.attention.satisfaction": 0}), 4)
    assert same(off, always, groups=("measures", "market", "flows"))


def test_without_budget_money_is_no_object():
    """Off is the limit of endless credit, apart from what firms owe."""
    off = simulate(BUSY.set({"mechanisms.budget": False}), 4)
    rich = {f"firms.{firm}.{what}": 1e8 for firm in BUSY.firms for what in ("cash", "credit")}
    endless = simulate(BUSY.set(rich), 4)
    np.testing.assert_array_equal(off.flows, endless.flows)
    for name in ("service", "contacts", "quality", "profit", "shortfall"):
        np.testing.assert_array_equal(off.measures[name], endless.measures[name])


# ------------------------------------------------------------------ one by one

ELSEWHERE = {
    "customers.count", "customers.growth", "customers.taste.sd", "customers.taste.homophily",
    "customers.price_cue.strength", "customers.experience.crowding", "customers.experience.market_memory",
    "customers.belief.initial_sd", "customers.attachment.initial", "customers.word_of_mouth.rewired",
}  # fmt: skip
"""Settings of customers that the engine does not read from `Parameters`."""


def test_every_rule_parameter_is_one_setting():
    """One setting, one number of the engine, with its value; no number without a setting or a switch."""
    reached = set()
    before = parameters_of(BUSY.customers, BUSY.mechanisms)
    for path, value in SETTINGS.items():
        keys = path.split(".")
        if keys[0] != "customers" or path in ELSEWHERE or keys[1] in TRAITS:
            continue
        after = parameters_of(BUSY.set({path: value}).customers, BUSY.mechanisms)
        changed = [name for name in before._fields if getattr(before, name) != getattr(after, name)]
        assert len(changed) == 1, (path, changed)
        assert getattr(after, changed[0]) == np.float32(value), path
        reached |= set(changed)
    assert len(reached) == len(before) - 4
    assert set(before._fields) - reached == {"attention_on", "switching_on", "transaction_on", "termination_on"}


def test_numbers_of_rules_are_single_precision():
    """A double among them would make a kernel compute in double."""
    p = parameters_of(BUSY.customers, BUSY.mechanisms)
    kinds = {name: type(value) for name, value in p._asdict().items()}
    others = {name for name, kind in kinds.items() if kind is not np.float32}
    assert others == {"attention_on", "word_contacts"}
    t = traits_of(BUSY)
    assert {array.dtype for array in (t.centre, t.spread, t.table, t.belief_mean)} == {np.dtype(np.float32)}
    assert t.kind.shape == t.centre.shape == t.spread.shape == (len(TRAITS),) == t.table.shape[:1]


# ------------------------------------------------------------------ who the customers are

KINDS = {
    "constant": (0.3, None),
    "lognormal": (
        {"dist": "lognormal", "mean": 110, "cv": 0.5},
        stats.lognorm(np.sqrt(np.log(1.25)), scale=110 / np.sqrt(1.25)),
    ),
    "uniform": ({"dist": "uniform", "low": 0.2, "high": 0.7}, stats.uniform(0.2, 0.5)),
    "beta": ({"dist": "beta", "a": 2, "b": 2}, stats.beta(2, 2)),
    "beta_u_shaped": ({"dist": "beta", "a": 0.668, "b": 0.3806}, stats.beta(0.668, 0.3806)),
    "beta_steep": ({"dist": "beta", "a": 0.704, "b": 1.182}, stats.beta(0.704, 1.182)),
}


def population(changes, count: int = 40_000, seed: int = 1):
    """Return the first customers of a market."""
    quiet = {
        "customers.count": count, "burn_in": 0, "horizon": 1, "customers.taste.sd": 70,
        "customers.attachment.initial": 0.2, "customers.satisfaction.neutral": 0.5,
        "firms.nanyuan.price": 300, "firms.eton.price": 300,
    }  # fmt: skip
    return ChurnModel(load("two_hotels").arm("case").set({**quiet, **changes}), rng=seed).columns


@pytest.mark.parametrize("kind", KINDS)
def test_traits_have_their_distribution(kind):
    """Kolmogorov-Smirnov and the mean over 40 000 customers; the mean is the one the scenario states."""
    spec, truth = KINDS[kind]
    name = "switching_cost" if kind == "lognormal" else "opportunity"
    scenario = {f"customers.{name}": spec}
    values = getattr(population(scenario), name).astype(float)
    stated = getattr(load("two_hotels").set(scenario).customers, name).mean_value
    if truth is None:
        assert (values == np.float32(0.3)).all()
        return
    assert stats.kstest(values, truth.cdf).pvalue > 1e-4
    assert truth.mean() == pytest.approx(stated)
    assert abs(values.mean() - stated) < 4 * truth.std() / np.sqrt(values.size)
    assert values.std() == pytest.approx(truth.std(), rel=0.03)


def test_traits_are_drawn_apart():
    """Who values quality much is no more likely to like a firm, to buy often or to find moving hard."""
    c = population({"customers.price_weight": {"dist": "uniform", "low": 0.5, "high": 1.5}})
    traits = [getattr(c, name) for name in TRAITS if name != "size"]  # of dealings, see test_dealings.py
    rows = np.vstack([*traits, c.taste, c.belief, c.provider == 1, c.provider == 2])
    correlation = np.corrcoef(rows.astype(float))
    apart = correlation[np.triu_indices(len(rows), 1)]
    apart = apart[:-1]  # being with one firm excludes the other
    assert np.abs(apart).max() < 4.5 / np.sqrt(rows.shape[1])


def test_taste_and_first_beliefs():
    """Tastes are normal around 0 with the stated spread, beliefs around the quality that each firm's money buys."""
    c = population({"firms.eton.service": 40, "firms.eton.training": 5, "customers.belief.initial_sd": 0.05})
    n = c.id.size
    for taste in c.taste:
        assert stats.kstest(taste, stats.norm(0, 70).cdf).pvalue > 1e-4
    for belief, spent in zip(c.belief, (80, 45), strict=True):
        mean = 1 - np.exp(-spent / 60)
        assert abs(belief.mean() - mean) < 4 * 0.05 / np.sqrt(n)
        assert belief.std() == pytest.approx(0.05, rel=0.03)


def test_beliefs_stay_shares():
    """However far first beliefs spread, they stay between 0 and 1."""
    c = population({"customers.belief.initial_sd": 1})
    assert c.belief.min() == 0
    assert c.belief.max() == 1


@pytest.mark.parametrize("shares", [(0.3, 0.3), (1, 0), (0, 0), (0.25, 0.75)])
def test_first_providers(shares):
    """Each firm begins with its share of customers, attached and anchored to it; the rest are outside."""
    c = population({"firms.nanyuan.initial_share": shares[0], "firms.eton.initial_share": shares[1]})
    n = c.id.size
    for j, expected in enumerate(shares):
        mine = c.provider == j + 1
        assert abs(mine.mean() - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)
        assert (c.known[mine] == 1 << j).all()
        assert (c.attachment[j, mine] == np.float32(0.2)).all()
        assert (c.attachment[j, ~mine] == 0).all()
        np.testing.assert_array_equal(c.expectation[mine], c.belief[j, mine])
    outside = c.provider == 0
    assert (c.known[outside] == 0).all()
    assert (c.reference == 300).all()
    assert (c.satisfaction == 0.5).all()


def test_newcomers_have_no_history_and_traits_of_their_own():
    """Who leaves for good is replaced by somebody else in the same row, drawn from the same distributions."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 20_000, "burn_in": 0, "horizon": 9})
    quiet = {
        "customers.hazards.natural": 0.4,
        "customers.taste.sd": 70,
        "firms.nanyuan.price": 300,
        "firms.eton.price": 225,
    }
    model = ChurnModel(scenario.set({**quiet, "firms.eton.strategy": "passive"}), rng=1)
    before = model.columns._replace(
        switching_cost=model.columns.switching_cost.copy(), taste=model.columns.taste.copy()
    )
    model.run(3)
    c = model.columns
    new = c.exit == 1
    assert abs(new.mean() - 0.4) < 4 * np.sqrt(0.24 / new.size)
    for column in (c.provider, c.known, c.tenure, c.sunk, c.attachment[0], c.attachment[1], c.told):
        assert not column[new].any()
    assert (c.switching_cost[new] != before.switching_cost[new]).mean() > 0.999
    assert abs(np.corrcoef(c.taste[0, new], before.taste[0, new])[0, 1]) < 4 / np.sqrt(new.sum())
    assert stats.kstest(c.taste[0, new], stats.norm(0, 70).cdf).pvalue > 1e-4
    np.testing.assert_array_equal(c.reference[:, new], np.tile([[300], [225]], new.sum()).astype(np.float32))


def test_a_moved_neutral_satisfaction_holds_for_newcomers_too():
    """Who joins a firm and who enters the market begin alike after a move."""
    scenario = load("two_hotels").arm("case").set({"customers.count": 400, "burn_in": 0, "horizon": 9})
    model = ChurnModel(
        scenario.set({"customers.hazards.natural": 0.4}).move(2, {"customers.satisfaction.neutral": 0.7}), rng=1
    )
    model.run(4)
    assert (model.columns.satisfaction[model.columns.exit == 1] == np.float32(0.7)).all()
