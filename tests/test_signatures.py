"""What holds a customer, told apart by its signature (docs/model.md, identifiability).

Switching cost, sunk cost, attachment, contracts, transaction cost and taste all look like
"stays more". Each test switches on the one mechanism it is about, in an otherwise plain logit
market of two like firms, and asks for the trace that only this mechanism leaves.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from churnsim import ChurnModel, Scenario
from churnsim.config.mechanisms import Mechanisms
from churnsim.engine.state import Columns

COUNT = 30_000
NOISE, SWITCHING, TRANSACTION = 75.0, 110.0, 60.0
NOWHERE = -1e6
FIRST, SECOND = 1, 2


def market(*on: str, **settings) -> Scenario:
    """Return a market of two like firms and like customers with only the named mechanisms on."""
    firm = {"price": 300, "initial_share": 0.5, "fixed_cost": 0, "cash": 0}
    base = Scenario.model_validate(
        {
            "id": "signature", "title": "Signature", "question": "What holds a customer?", "sources": ["test"],
            "burn_in": 0, "horizon": 40,
            "customers": {
                "count": COUNT, "opportunity": 1, "quality_value": 400, "switching_cost": SWITCHING,
                "transaction_cost": TRANSACTION, "choice": {"noise": NOISE, "outside_value": NOWHERE},
                "belief": {"initial_sd": 0}, "experience": {"noise": 0},
                "attention": {"base": -0.5, "satisfaction": 4, "contract_expiry": 1.5},
                "attachment": {"value": 200, "growth": 0.15, "decay": 0.03, "floor": 0.3, "stay_intensity": 0.4},
            },
            "mechanisms": {name: name in on for name in Mechanisms.model_fields},
            "firms": {"first": {"name": "First", **firm}, "second": {"name": "Second", **firm}},
        }
    )  # fmt: skip
    assert set(on) <= set(Mechanisms.model_fields)
    return base.set(settings)


def only_first() -> dict[str, float]:
    """Everybody begins with the first firm."""
    return {"firms.first.initial_share": 1, "firms.second.initial_share": 0}


def history(model: ChurnModel, ticks: int) -> list[Columns]:
    """Return copies of the state at the end of each tick, today's first."""
    states = [Columns(*(column.copy() for column in model.columns))]
    for _ in range(ticks):
        model.step()
        states.append(Columns(*(column.copy() for column in model.columns)))
    return states


def run(scenario: Scenario, ticks: int, seed: int = 1) -> list[Columns]:
    """Run a fresh model and return its states."""
    return history(ChurnModel(scenario, rng=seed), ticks)


def logit(gap) -> np.ndarray:
    """Return the probability of the better by `gap` (money) of two options."""
    return 1 / (1 + np.exp(-np.asarray(gap, float) / NOISE))


def agree(happened: np.ndarray, chance) -> bool:
    """Return whether a number of events is within 4 standard errors of what its chances say."""
    chance = np.broadcast_to(chance, happened.shape).astype(float)
    assert happened.size > 200, "too few to tell"
    return abs(happened.sum() - chance.sum()) <= 4 * np.sqrt((chance * (1 - chance)).sum())


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Return by how many standard errors the first of two rates is the higher."""
    assert min(a.size, b.size) > 200, "too few to tell"
    spread = np.sqrt(a.mean() * (1 - a.mean()) / a.size + b.mean() * (1 - b.mean()) / b.size)
    return float((a.mean() - b.mean()) / spread)


def pairs(states: list[Columns]):
    """Yield the states before and after each tick."""
    return itertools.pairwise(states)


def leavers(before: Columns, after: Columns) -> np.ndarray:
    """Return who has left the firm of the tick before."""
    return (after.provider != before.provider) & (before.provider > 0)


def by_tenure(states: list[Columns], tenure: int) -> np.ndarray:
    """Return, for everybody who was ever with a firm for that long, whether they then left."""
    return np.concatenate([leavers(b, a)[(b.tenure == tenure) & (b.provider > 0)] for b, a in pairs(states)])


# ------------------------------------------------------------------ returning, mechanism by mechanism


@pytest.mark.parametrize(
    ("mechanism", "settings", "advantage"),
    [
        ("switching_cost", {}, False),
        ("sunk_cost", {"customers.sunk_cost": {"weight": 1, "price_share": 0.1}}, False),
        ("termination", {f"firms.{firm}.contract": {"length": 6, "fee": 300} for firm in ("first", "second")}, False),
        ("attachment", {"customers.attachment": {"initial": 0.8, "growth": 0, "decay": 0.02}}, True),
        ("transaction_cost", {}, True),
        ("taste", {}, True),
    ],
)  # fmt: skip
def test_who_comes_back(mechanism, settings, advantage):
    """Of the second firm's customers of eight ticks or more, are former customers of the first likelier to go there?

    Switching cost, sunk cost and contracts are left behind with the firm. Attachment goes with
    the customer, who also need not pay for a first contract again, and tastes stay what they are.
    """
    states = run(market(mechanism, **settings), 24)
    former, never = [], []
    for before, after in pairs(states):
        settled = (before.provider == SECOND) & (before.tenure >= 8)
        goes = after.provider == FIRST
        former.append(goes[settled & (before.known & 1 > 0)])
        never.append(goes[settled & (before.known & 1 == 0)])
    gap = apart(np.concatenate(former), np.concatenate(never))
    assert gap > 5 if advantage else abs(gap) < 3.5


# ------------------------------------------------------------------ switching cost


def test_switching_cost_is_constant():
    """The hazard is the same after one tick and after ten, so also right after a switch: 1 / (1 + exp(SW / mu))."""
    states = run(market("switching_cost"), 12)
    for tenure in range(0, 12):
        assert agree(by_tenure(states, tenure), logit(-SWITCHING)), tenure
    np.testing.assert_array_equal(states[0].switching_cost, states[-1].switching_cost)


def test_switching_cost_holds_the_unattached_and_dissatisfied():
    """Customers without attachment and with no satisfaction at all still leave less, every one of them."""
    left = {}
    for on in (("attention",), ("attention", "switching_cost")):
        model = ChurnModel(market(*on), rng=1)
        model.customers.set("satisfaction", 0)
        assert not model.columns.attachment.any()
        before, after = history(model, 1)
        left[on[-1]] = leavers(before, after)
    looks = 1 / (1 + np.exp(-(-0.5 + 4 * 0.5)))
    assert agree(left["attention"], looks * 0.5)
    assert agree(left["switching_cost"], looks * logit(-SWITCHING))
    assert not (left["switching_cost"] & ~left["attention"]).any(), "nobody leaves because of the cost"


def test_switching_cost_deters_everybody_alike():
    """The cost is the customer's own: the higher, the rarer the move, in the ratio of the logit."""
    spread = {"customers.switching_cost": {"dist": "uniform", "low": 0, "high": 300}}
    for before, after in pairs(run(market("switching_cost", **spread), 3)):
        left = leavers(before, after)
        chance = logit(-before.switching_cost)
        for low in range(0, 300, 60):
            some = (before.switching_cost >= low) & (before.switching_cost < low + 60)
            assert agree(left[some], chance[some]), low


# ------------------------------------------------------------------ sunk cost

SUNK = {"customers.sunk_cost": {"weight": 1, "price_share": 0.3, "decay": 0.35}}


def test_sunk_cost_is_the_depreciated_sum_of_own_payments():
    """Recomputed from each customer's own purchases; left behind with the firm."""
    settings = {
        **SUNK,
        "customers.opportunity": 0.4,
        "firms.first.initial_share": 0.3,
        "firms.second.initial_share": 0.3,
    }
    scenario = market("sunk_cost", **settings).move(6, firm="second", price=200)
    states = run(scenario, 14)
    stock = np.zeros(COUNT)
    for tick, (before, after) in enumerate(pairs(states), start=1):
        price = np.array([0, 300, 200 if tick >= 6 else 300])
        stock = np.where(after.provider != before.provider, 0, stock) * (1 - 0.35)
        stock += 0.3 * price[np.maximum(after.choice, 0)]
        np.testing.assert_allclose(after.sunk, stock, rtol=1e-5, atol=1e-4)
    idle = np.all([state.choice < 0 for state in states[-6:]], axis=0) & (states[-1].provider > 0)
    assert idle.sum() > 200
    assert (states[-1].sunk[idle] <= states[-7].sunk[idle] * 0.65**6 * 1.001).all()


def test_sunk_cost_fades_within_months_when_payments_stop():
    """From the tick in which nothing paid feels invested, the hold decays by 35 % a tick; after ten it is gone."""
    stop = 13
    scenario = market("sunk_cost", **SUNK).move(stop, {"customers.sunk_cost.price_share": 0})
    states = run(scenario, 24)
    rates = []
    for before, after in pairs(states):
        left = leavers(before, after)
        assert agree(left, logit(-before.sunk))
        rates.append(left.mean())
    stayed = np.all([state.provider == states[-1].provider for state in states[stop - 1 :]], axis=0)
    assert stayed.sum() > 20
    for n, state in enumerate(states[stop - 1 :]):
        np.testing.assert_allclose(state.sunk[stayed], states[stop - 1].sunk[stayed] * 0.65**n, rtol=1e-5)
    assert rates[stop - 1] < 0.15, "the last payments still hold"
    assert rates[stop + 1] < 0.4
    assert rates[-1] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(COUNT) + 0.01)


def test_sunk_cost_vanishes_at_once_when_it_is_forgiven():
    """A refund in full leaves nothing to lose: the next tick's hazard is that of a new customer."""
    model = ChurnModel(market("sunk_cost", **SUNK), rng=1)
    model.run(12)
    model.customers.set("sunk", 0)
    before, after = history(model, 1)
    assert agree(leavers(before, after), 0.5)


def test_sunk_cost_without_weight_has_no_effect():
    """What is remembered but does not weigh changes nobody's choice."""
    weightless = run(market("sunk_cost", **{"customers.sunk_cost": {"weight": 0, "price_share": 0.3}}), 8)
    without = run(market(), 8)
    assert weightless[-1].sunk.any()
    for a, b in zip(weightless, without, strict=True):
        np.testing.assert_array_equal(a.provider, b.provider)


# ------------------------------------------------------------------ attachment

IMMOBILE = {"customers.switching_cost": 1e6}


@pytest.mark.parametrize(("level", "intensity"), [("basic", 0.4), ("proactive", 0.4 + 0.6 * 0.6), ("partnership", 1.0)])
def test_attachment_in_the_market_follows_its_closed_form(level, intensity):
    """A9 on the real model: constant contact and satisfaction lead to the fixed point along its geometric path."""
    settings = {**only_first(), **IMMOBILE, "customers.attachment.initial": 0.2, "firms.first.relationship": level}
    states = run(market("attachment", "switching_cost", **settings), 40)
    gain = 0.15 * intensity * (0.5 - 0.3)
    loss = 0.03 * (1 - intensity)
    limit = gain / (gain + loss)
    for n, state in enumerate(states):
        np.testing.assert_allclose(state.satisfaction, 0.5, atol=1e-4)
        expected = limit + (0.2 - limit) * (1 - gain - loss) ** n
        np.testing.assert_allclose(state.attachment[0], expected, atol=2e-4)
        assert not state.attachment[1].any()


def test_attachment_needs_contact_and_satisfaction():
    """Contact without satisfaction and satisfaction without contact grow nothing; both together do."""
    grown = {}
    for level in ("basic", "partnership"):
        for satisfaction in (0.2, 0.8):
            settings = {
                **only_first(), "customers.opportunity": 0, "customers.attachment.initial": 0.2,
                "firms.first.relationship": level,
            }  # fmt: skip
            model = ChurnModel(market("attachment", **settings), rng=1)
            model.customers.set("satisfaction", satisfaction)
            model.run(10)
            grown[level, satisfaction] = model.columns.attachment[0].mean()
    gain, loss = 0.15 * 0.6 * (0.8 - 0.3), 0.03 * (1 - 0.6)
    limit = gain / (gain + loss)
    assert grown["partnership", 0.8] == pytest.approx(limit + (0.2 - limit) * (1 - gain - loss) ** 10, rel=1e-4)
    assert grown["partnership", 0.2] == pytest.approx(0.2 * (1 - loss) ** 10, rel=1e-4)
    for satisfaction in (0.2, 0.8):
        assert grown["basic", satisfaction] == pytest.approx(0.2 * 0.97**10, rel=1e-4)


def test_attachment_falls_when_contact_ends():
    """A firm that stops calling is forgotten at 3 % a tick, and its customers leave more and more."""
    settings = {**only_first(), "customers.opportunity": 0.1, "firms.first.relationship": "partnership"}
    settings["customers.attachment.stay_intensity"] = 0
    scenario = market("attachment", **settings).move(21, firm="first", relationship="basic")
    states = run(scenario, 40)
    loyal = states[-1].tenure >= 40
    assert loyal.sum() > 200
    path = np.array([state.attachment[0, loyal].mean() for state in states])
    assert (np.diff(path[:21]) > 0).all()
    np.testing.assert_allclose(path[20:], path[20] * 0.97 ** np.arange(21), rtol=1e-4)


def test_attachment_to_a_firm_does_not_grow_in_the_tick_of_leaving():
    """Who is called on and goes all the same is no more attached for it."""
    settings = {"firms.first.relationship": "partnership", "customers.attachment.initial": 0.2}
    for before, after in pairs(run(market("attachment", **settings), 4)):
        gone = (before.provider == FIRST) & (after.provider == SECOND)
        assert gone.sum() > 200
        assert (after.attachment[0, gone] < before.attachment[0, gone]).all()
        stays = (before.provider == FIRST) & (after.provider == FIRST)
        assert (after.attachment[0, stays] > before.attachment[0, stays]).all()


def test_attachment_survives_exit():
    """Who leaves stays attached for a while: comes back more readily, the more so the sooner."""
    states = run(market("attachment", **{"customers.attachment": {"initial": 0.8, "growth": 0, "decay": 0.05}}), 20)
    soon, late, checked = [], [], 0
    for n, (before, after) in enumerate(pairs(states)):
        away = (before.provider == SECOND) & (before.known & 1 > 0)
        back = after.provider == FIRST
        gap = 200 * (before.attachment[0] - before.attachment[1])
        if away.sum() > 200:
            assert agree(back[away], logit(gap[away]))
            checked += 1
        began_here = states[0].provider == FIRST
        (soon if n < 6 else late if n >= 14 else []).append(back[away & began_here])
        gone = after.provider != FIRST
        np.testing.assert_allclose(after.attachment[0, gone], before.attachment[0, gone] * 0.95, rtol=1e-5)
    assert checked > 15
    assert apart(np.concatenate(soon), np.concatenate(late)) > 5


# ------------------------------------------------------------------ contracts

CONTRACT = {f"firms.{firm}.contract": {"length": 12, "fee": 300} for firm in ("first", "second")}


def test_a_contract_is_a_calendar():
    """The hazard rises as the fee melts, tenure by tenure, and is that of no contract from its end on."""
    states = run(market("termination", **CONTRACT), 16)
    for tenure in range(0, 16):
        left = by_tenure(states, tenure)
        barrier = 300 * max(12 - tenure, 0) / 12
        assert agree(left, logit(-barrier)), tenure


def test_hazard_spikes_at_expiry():
    """With attention on, the end of the contract wakes customers: more leave then than before or after."""
    states = run(market("termination", "attention", **CONTRACT), 18)
    rates = {tenure: by_tenure(states, tenure) for tenure in (10, 11, 12, 13, 14)}
    for tenure, left in rates.items():
        looks = 1 / (1 + np.exp(0.5 - (1.5 if tenure == 12 else 0)))
        assert agree(left, looks * logit(-300 * max(12 - tenure, 0) / 12)), tenure
    for other in (10, 11, 13, 14):
        assert apart(rates[12], rates[other]) > 5


def test_a_contract_bars_the_exit_to_outside_and_no_entry():
    """Nobody leaves the market who would not without the fee; who is outside comes in as before."""
    open_market = {
        "customers.choice.outside_value": 0,
        "firms.first.initial_share": 0.7,
        "firms.second.initial_share": 0,
    }
    _, free = run(market(**open_market), 1)
    before, bound = run(market("termination", **CONTRACT, **open_market), 1)
    inside = before.provider == FIRST
    out, out_bound = (free.provider == 0)[inside], (bound.provider == 0)[inside]
    assert not (out_bound & ~out).any()
    worth = 400 * before.belief[0, 0] - 300
    weights = np.exp(np.array([0, worth, worth]) / NOISE)
    assert agree(out, weights[0] / weights.sum())
    barred = np.exp(np.array([-300, worth, worth - 300]) / NOISE)
    assert agree(out_bound, barred[0] / barred.sum())
    np.testing.assert_array_equal(free.provider[~inside], bound.provider[~inside])


def test_a_contract_that_is_lifted_holds_nobody():
    """A law against fees acts in its tick: the hazard jumps to that of no contract, whatever the tenure."""
    scenario = market("termination", **CONTRACT).move(4, {"mechanisms.termination": False})
    states = run(scenario, 5)
    hazards = [leavers(b, a) for b, a in pairs(states)]
    assert hazards[2].mean() < 0.1
    assert agree(hazards[3], 0.5)
    assert agree(hazards[4], 0.5)


# ------------------------------------------------------------------ transaction cost


def test_transaction_cost_deters_first_time_buyers_from_outside():
    """Who has never had a contract pays for the first one; who has had one does not."""
    outside = {"customers.choice.outside_value": 0, "firms.first.initial_share": 0, "firms.second.initial_share": 0}
    model, free = ChurnModel(market("transaction_cost", **outside), rng=1), ChurnModel(market(**outside), rng=1)
    regular = np.arange(COUNT) % 2 == 0
    for one in (model, free):
        one.columns.known[regular] = 1  # half of them have been the first firm's customers
    before, after = history(model, 1)
    _, without = history(free, 1)
    worth = 400 * before.belief[0, 0] - 300
    for group, first_cost in ((regular, 0.0), (~regular, TRANSACTION)):
        weights = np.exp(np.array([0, worth - first_cost, worth - TRANSACTION]) / NOISE)
        for option in (FIRST, SECOND):
            assert agree((after.provider == option)[group], weights[option] / weights.sum())
    strangers = ~regular
    assert not ((after.provider > 0) & (without.provider == 0))[strangers].any(), "nobody comes for the cost"
    assert apart((without.provider > 0)[strangers], (after.provider > 0)[strangers]) > 5


def test_transaction_cost_is_nothing_to_those_who_know_both():
    """Once everybody has been everywhere the cost has no effect at all, staying, leaving or returning."""
    inside = {"customers.choice.outside_value": 0}
    lives = []
    for on in ((), ("transaction_cost",)):
        model = ChurnModel(market(*on, **inside), rng=1)
        model.customers.set("known", 3)
        lives.append(history(model, 6))
    for a, b in zip(*lives, strict=True):
        np.testing.assert_array_equal(a.provider, b.provider)


def test_a_price_says_something_to_strangers_only():
    """The dearer firm seems the better one to those who have never been there, and to nobody else."""
    strength = 0.15
    settings = {"customers.price_cue.strength": strength, "firms.first.price": 350, "firms.second.price": 250}
    settings |= {"firms.first.initial_share": 0, "firms.second.initial_share": 0}
    model = ChurnModel(market("price_cue", **settings), rng=1)
    regular = np.arange(COUNT) % 2 == 0
    model.columns.known[regular] = 3
    before, after = history(model, 1)
    for group, cue in ((regular, 0.0), (~regular, 400 * strength * 50 / 300)):
        worth = {FIRST: 400 * before.belief[0, 0] - 350 + cue, SECOND: 400 * before.belief[1, 0] - 250 - cue}
        assert agree((after.provider == FIRST)[group], logit(worth[FIRST] - worth[SECOND]))


# ------------------------------------------------------------------ taste


def agreement(states: list[Columns], gap: int) -> tuple[float, float]:
    """Return the correlation of choosing the first firm now and `gap` ticks later, and its standard error."""
    choices = np.array([state.provider == FIRST for state in states[1:]], float)
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(choices[:-gap], choices[gap:], strict=True)]
    return float(np.mean(found)), 1 / np.sqrt(COUNT)


def test_taste_never_changes_and_its_trace_does_not_fade():
    """Without any state dependence choices are alike over one tick and over twenty, as much as tastes differ."""
    states = run(market("taste", **{"customers.taste.sd": 70}), 24)
    for state in states[1:]:
        np.testing.assert_array_equal(state.taste, states[0].taste)
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    chance = logit(np.sqrt(2) * 70 * points)
    weights = weights / weights.sum()
    expected = (weights @ chance**2 - 0.25) / 0.25
    for gap in (1, 5, 20):
        found, error = agreement(states, gap)
        assert abs(found - expected) < 4 * error, gap
    # Given the taste, the last choice says nothing: what looks like inertia is heterogeneity.
    for before, after in list(pairs(states))[2:6]:
        chance = logit(before.taste[0] - before.taste[1])
        for last in (FIRST, SECOND):
            group = before.provider == last
            assert agree((after.provider == FIRST)[group], chance[group])


def test_state_dependence_leaves_a_trace_that_fades():
    """Switching cost alone makes choices alike over one tick, and not over twenty; nothing at all makes neither."""
    inert = run(market("switching_cost"), 24)
    kept = 2 * logit(SWITCHING) - 1
    for gap in (1, 3, 20):
        found, error = agreement(inert, gap)
        assert abs(found - kept**gap) < 4 * error, gap
    plain = run(market(), 24)
    for gap in (1, 20):
        found, error = agreement(plain, gap)
        assert abs(found) < 4 * error
