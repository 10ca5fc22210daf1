"""The ledger against a plain recount of every customer's history, against closed forms, and what it must not change."""

from __future__ import annotations

import copy
import math
import pickle
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from scipy.special import beta

import churnsim as cs
from churnsim.claims import check_claims, claim_problems, within
from churnsim.config.paths import immovable
from churnsim.config.scenario import Claim
from churnsim.economics.survival import retention_by_tenure, survivor_curve
from churnsim.engine.compiled import Compiled
from churnsim.ledger import accounts
from churnsim.ledger_terms import keeps_ledger
from churnsim.markets import Markets
from churnsim.metrics import LEDGER_MEASURES, measures
from churnsim.model import ChurnModel, simulate
from churnsim.records import OBSERVABLES, SILENCES
from churnsim.spending import best, concentration

LEDGER_TABLES = ("tenure", "value", "concentration", "inactivity", "observables")
PLAIN = cs.load("two_hotels").arm("case").set({"customers.count": 150, "burn_in": 5, "horizon": 16})
BUSY = (
    PLAIN.set(
        {
            "ledger": True,
            "discount": 0.02,
            "customers.growth": 0.02,
            "customers.inactivity": 2,
            "customers.hazards.natural": 0.03,
            "customers.hazards.lapse": 0.02,
            "firms.eton.contract.length": 3,
            "firms.eton.contract.fee": 60,
            "firms.eton.strategy": {"name": "price_cut", "depth": 0.3, "start": 4, "restore": 11, "promotion": True},
            "mechanisms.failure": True,
            "customers.failure.rate": 0.3,
            "customers.failure.minor_loss": 20,
            # Failures cost the firms nothing but customers, so that accounts and books agree to the last cent.
            **{f"firms.{firm}.recovery.{cost}": 0 for firm in PLAIN.firms for cost in ("compensation", "handling")},
        }
    )
    .move(6, firm="nanyuan", price=270)
    .move(9, firm="nanyuan", price=310, relationship="proactive")
)  # fmt: skip
FIRMS = list(BUSY.firms)


class Witness(ChurnModel):
    """Keeps a plain diary: what every row did in every tick of play."""

    diary: list

    def measure(self) -> None:
        """Write down the tick before anybody else looks at it."""
        c, b = self.columns, self.books
        if self.tick >= 1:
            rows = range(self.active_customers)
            costs = b.unit_cost[0] + b.service[0] + b.training[0]
            self.diary.append(
                {
                    "tick": self.tick,
                    "price": b.price[0].tolist(),
                    "promotion": b.promotion[0].tolist(),
                    "open": self.batch.open[0].tolist(),
                    "margin": (b.price[0] - costs).tolist(),
                    "relationship": (b.relationship_cost[0] * self.rules.size[0]).tolist(),
                    "rows": [(int(c.id[i]), int(c.choice[i]), int(c.following[i]), int(c.exit[i])) for i in rows],
                    "looked": c.looked.tolist(),
                    "troubled": self.troubled,
                }
            )
        super().measure()
        self.troubled = (self.dealings.pending > 0).tolist() if self.deals else []
        self.after = {i: (int(c.provider[i]), int(c.tenure[i])) for i in range(self.active_customers)}
        if self.tick >= 1:
            self.diary[-1]["after"] = self.after
        else:
            self.diary, self.start = [], self.after


class Person:
    """One life as the books see it."""

    def __init__(self, who: int, entered: int) -> None:
        self.who, self.entered, self.gone, self.provider = who, entered, None, 0
        self.purchases: list[tuple[int, int, float]] = []
        self.margin = defaultdict(float)
        self.left: dict[int, int] = {}
        self.lures: list[tuple[int, bool]] = []
        self.compared: list[tuple[int, bool]] = []
        self.troubles: list[tuple[int, bool]] = []


def lives(model: Witness) -> tuple[list[Person], dict, list]:
    """Retell the diary person by person: all persons, spells as (firm, tenure) -> [at risk, lost], and the silences."""
    people = {i: Person(int(model.columns.id[i]), 0) for i in model.start}
    for i, (provider, _) in model.start.items():
        people[i].provider = provider
    everybody = list(people.values())
    spells, silences, where = defaultdict(lambda: [0, 0]), [], dict(model.start)
    window, discount = model.base.customers.inactivity, model.base.discount
    for page in model.diary:
        tick, worth = page["tick"], (1 + discount) ** -page["tick"]
        heads = defaultdict(int)
        for provider, _ in where.values():
            heads[provider] += 1
        for i, (who, choice, following, exit) in enumerate(page["rows"]):
            if i not in people:
                people[i] = Person(who, tick)
                everybody.append(people[i])
            person = people[i]
            before, tenure = where.get(i, (0, 0))
            if before:
                spells[before, tenure][0] += 1
                spells[before, tenure][1] += following != before
                person.margin[before] -= worth * page["relationship"][before - 1] / heads[before]
                if following != before:
                    person.left[before] = tick
            if before and choice >= 0:
                person.compared.append((before, page["looked"][i]))
                if page["troubled"][i]:
                    person.troubles.append((before, choice == before))
            if choice > 0:
                price = page["price"]
                person.purchases.append((tick, choice, price[choice - 1]))
                person.margin[choice] += worth * page["margin"][choice - 1]
                others = [j for j in range(len(price)) if j != before - 1 and page["open"][j]]
                if before and any(page["promotion"][j] or price[j] < price[before - 1] for j in others):
                    person.lures.append((before, choice == before))
            person.provider = following
            if exit == 1:
                person.gone = tick
                people[i] = Person(who, tick)
                everybody.append(people[i])
        where = dict(page["after"])
        silences.append([silence(everybody, option + 1, tick, window) for option in range(len(page["price"]))])
    return everybody, spells, silences


def silence(everybody: list[Person], option: int, tick: int, window: int) -> list[float]:
    """Apply the rule of inactivity to one firm at the end of a tick, person by person."""
    found, delays = [0, 0, 0, 0], []
    for person in everybody:
        bought = [when for when, where, _ in person.purchases if where == option]
        if not bought:
            continue
        gone = person.provider != option or person.gone is not None
        flagged = tick - bought[-1] >= window
        found[0] += flagged
        found[1] += flagged and gone
        found[2] += flagged and not gone
        found[3] += gone and not flagged
        if gone and tick - bought[-1] == window:
            delays.append(tick - person.left[option])
    return [*found, float(np.mean(delays)) if delays else math.nan]


def share_of_best(amounts: list[float], other: list[float], percent: float) -> tuple[int, float, float]:
    """Return how many the best so many per cent are, and their share of both amounts."""
    pairs = sorted(zip(amounts, other, strict=True), reverse=True)
    n = math.ceil(len(pairs) * percent / 100 - 1e-9)
    top = pairs[:n]
    return n, sum(a for a, _ in top) / sum(amounts), sum(b for _, b in top) / sum(other)


@pytest.fixture(scope="module", params=["compiled", "agents"])
def model(request) -> Witness:
    model = Witness(BUSY, rng=3, engine=request.param)
    model.run()
    return model


@pytest.fixture(scope="module")
def told(model):
    return lives(model)


@pytest.fixture(scope="module")
def result(model):
    return cs.Result.from_records([BUSY], [model.recorder.record()])


# ---------------------------------------------------------------------- a plain recount


def test_the_busy_market_is_busy(told, model):
    people, spells, _ = told
    assert sum(person.gone is not None for person in people) > 30
    assert sum(person.entered > 0 and person.gone is None for person in people) > 30
    assert sum(bool(person.lures) for person in people) > 50
    assert max(tenure for _, tenure in spells) > 10
    assert len({page["price"][1] for page in model.diary}) > 1


def test_spells_are_counted_exactly(told, result):
    _, spells, _ = told
    found = {
        (FIRMS.index(row.firm) + 1, row.tenure): [row.at_risk, row.lost]
        for row in result.tenure.itertuples()
        if row.at_risk
    }
    assert found == dict(spells)


def test_silences_are_counted_exactly(told, result):
    for j, firm in enumerate(FIRMS):
        rows = result.inactivity[result.inactivity["firm"] == firm]
        assert rows["tick"].tolist() == list(range(1, BUSY.horizon + 1))
        np.testing.assert_allclose(rows[list(SILENCES)].to_numpy(float), [page[j] for page in told[2]])
    frame = result.inactivity
    assert (frame["flagged"] == frame["truly_gone"] + frame["false_alarms"]).all()
    assert frame["false_alarms"].max() > 0 and frame["missed"].max() > 0 and frame["delay"].max() >= 1


def test_accounts_are_those_of_every_person(told, model):
    frame = accounts(model)
    people = told[0]
    assert len(frame) == len(people) * len(FIRMS)
    frame = frame.astype({name: object for name in ("gone", "first", "last")}).replace({pd.NA: None})
    rows = {(row.customer, row.entered, row.gone, row.firm): row for row in frame.itertuples()}
    assert len(rows) == len(frame)
    for person in people:
        for option, firm in enumerate(FIRMS, 1):
            row = rows[person.who, person.entered, person.gone, firm]
            mine = [(when, price) for when, where, price in person.purchases if where == option]
            assert row.purchases == len(mine)
            assert row.money == pytest.approx(sum(price for _, price in mine))
            assert row.margin == pytest.approx(person.margin[option], abs=1e-9)
            assert (row.first, row.last) == ((mine[0][0], mine[-1][0]) if mine else (None, None))
            assert row.provider == (["outside", *FIRMS][person.provider] if person.gone is None else "outside")


def test_value_and_concentration(told, result):
    for j, firm in enumerate(FIRMS):
        spent = [[p for _, where, p in person.purchases if where == j + 1] for person in told[0]]
        amounts = {
            "money": [sum(prices) for prices in spent if prices],
            "purchases": [len(prices) for prices in spent if prices],
        }
        for by, other in (("money", "purchases"), ("purchases", "money")):
            curve, groups = (
                frame[(frame["firm"] == firm) & (frame["by"] == by)].set_index(key)
                for frame, key in ((result.concentration, "percent"), (result.value, "group"))
            )
            assert curve.index.tolist() == list(range(1, 101))
            before = (0, 0.0, 0.0)
            for percent in range(1, 101):
                now = share_of_best(amounts[by], amounts[other], percent)
                columns = ["customers", f"share_of_{by}", f"share_of_{other}"]
                np.testing.assert_allclose(curve.loc[percent, columns].to_numpy(float), now)
                if percent == 1:
                    np.testing.assert_allclose(groups.loc["top_1pct", columns].to_numpy(float), now)
                if percent % 10 == 0:
                    step = np.subtract(now, before)
                    np.testing.assert_allclose(
                        groups.loc[str(percent // 10), columns].to_numpy(float), step, atol=1e-12
                    )
                    before = now
            deciles = groups.drop("top_1pct")
            assert deciles["customers"].sum() == len(amounts["money"])
            assert deciles["share_of_money"].sum() == pytest.approx(1)
            assert deciles["share_of_purchases"].sum() == pytest.approx(1)


def test_observables(told, result, model):
    for j, firm in enumerate(FIRMS):
        mine = [person for person in told[0] if person.provider == j + 1 and person.gone is None]
        own = [[when for when, where, _ in person.purchases if where == j + 1] for person in mine]
        lures = [kept for person in mine for where, kept in person.lures if where == j + 1]
        mean = np.mean([page["price"][j] for page in model.diary])
        rates = []
        for cheaper in (True, False):
            pages = [p["tick"] for p in model.diary if p["price"][j] != mean and (p["price"][j] < mean) == cheaper]
            chances = [(ticks, tick) for ticks in own if ticks for tick in pages if tick > ticks[0]]
            rates.append(np.mean([tick in ticks for ticks, tick in chances]))
        expected = {
            "customers": len(mine),
            "repeat_purchases": np.mean([max(len(ticks) - 1, 0) for ticks in own]),
            "spend": np.mean([sum(p for _, where, p in person.purchases if where == j + 1) for person in mine]),
            "wallet_share": np.mean(
                [len(t) / len(person.purchases) for t, person in zip(own, mine, strict=True) if person.purchases]
            ),
            "rivals_resisted": np.mean(lures) if lures else math.nan,
            "price_sensitivity": rates[0] - rates[1],
            "repeat_rate": np.mean([len(ticks) > 1 for ticks in own if ticks]),
            "comparing": np.mean([looked for person in mine for where, looked in person.compared if where == j + 1]),
            "tolerance": np.mean([kept for person in mine for where, kept in person.troubles if where == j + 1]),
        }
        row = result.observables[result.observables["firm"] == firm].iloc[0]
        np.testing.assert_allclose(row[list(OBSERVABLES)].to_numpy(float), [expected[name] for name in OBSERVABLES])


def test_six_measures_of_loyalty_are_read_off_the_log(result):
    """Repurchase, time spent choosing, price sensitivity, attitude to rivals, tolerance, spend (course S32)."""
    six = ["repeat_purchases", "comparing", "price_sensitivity", "rivals_resisted", "tolerance", "spend"]
    assert set(six) <= set(OBSERVABLES)
    found = result.observables.set_index("firm")[six]
    # Eton is the cheaper one throughout, so that nothing tempts its customers.
    assert found.isna().stack().loc[lambda missing: missing].index.tolist() == [("eton", "rivals_resisted")]
    # Some compare and some do not, some forgive and some do not: neither is a constant of the model.
    assert found[["comparing", "tolerance"]].apply(lambda share: share.between(0.05, 0.99)).all(axis=None)


def test_without_attention_everybody_compares_and_without_failures_nothing_is_tolerated():
    plan = PLAIN.set({"ledger": True, "mechanisms.attention": False})
    found = cs.Result.from_records([plan], [simulate(plan, 1)]).observables
    assert (found["comparing"] == 1).all() and found["tolerance"].isna().all()


# ---------------------------------------------------------------------- conservation


def test_everything_adds_up_to_the_books(result, model):
    play = result.ticks[result.ticks["tick"] >= 1]
    frame = accounts(model)
    for firm in FIRMS:
        own, mine = play[play["firm"] == firm], frame[frame["firm"] == firm]
        spells = result.tenure[result.tenure["firm"] == firm]
        assert spells["lost"].sum() == own["lost"].sum()
        assert spells["at_risk"].sum() == (own["customers"] + own["lost"] - own["joined"]).sum()
        assert mine["money"].sum() == pytest.approx(own["revenue"].sum())
        assert mine["purchases"].sum() == own["stays"].sum()
        fixed = model.rules.size[0] * BUSY.firms[firm].fixed_cost
        gross = (own["profit"] + fixed * own["open"]) * (1 + BUSY.discount) ** -own["tick"].to_numpy(float)
        assert mine["margin"].sum() == pytest.approx(gross.sum())


def test_losses_are_departures():
    scenario = BUSY.set({"customers.hazards": {"natural": 0, "lapse": 0, "credit": 0}})
    runs = cs.run(scenario, [2], progress=False, departures=True)
    left = runs.departures[runs.departures["tick"] >= 1].groupby("from", observed=False).size()
    lost = runs.tenure.groupby("firm", observed=False)["lost"].sum()
    for firm in FIRMS:
        assert lost[firm] == left[firm] > 0


# ---------------------------------------------------------------------- closed forms


@pytest.mark.parametrize(("arm", "a", "b"), [("case", 0.668, 3.806), ("regular", 0.704, 1.182)])
def test_the_survivor_curve_of_a_cohort_is_shifted_beta_geometric(arm, a, b):
    """Fader & Hardie 2007: S(t) = B(a, b + t) / B(a, b), r(t) = (b + t) / (a + b + t) with t ticks behind them."""
    count = 60_000
    scenario = cs.load("sbg_cohort").arm(arm).set({"ledger": True, "customers.count": count})
    frame = cs.run(scenario, [5], progress=False).survival()
    t = frame["tenure"].to_numpy(float)
    assert t.tolist() == list(range(13))
    exact = beta(a, b + t) / beta(a, b)
    assert (abs(frame["survival"] - exact) <= 4 * np.sqrt(exact * (1 - exact) / count)).all()
    rate = (b + t) / (a + b + t)
    there = frame["at_risk"] > 0
    error = np.sqrt(rate * (1 - rate) / frame["at_risk"].where(there))
    assert (abs(frame["retention"] - rate) <= 4 * error)[there].all()


def test_product_limit_by_hand():
    """Nobody at risk at tenure 0 and a gap at 3; nothing is known beyond the last tenure."""
    at_risk, lost = np.array([0, 10, 4, 0, 2, 0]), np.array([0, 5, 1, 0, 2, 0])
    np.testing.assert_allclose(retention_by_tenure(at_risk, lost), [np.nan, 0.5, 0.75, np.nan, 0, np.nan])
    np.testing.assert_allclose(survivor_curve(at_risk, lost), [1, 1, 0.5, 0.375, 0.375, 0, np.nan])
    assert np.isnan(survivor_curve(np.zeros(3), np.zeros(3))).all()
    two = survivor_curve(np.stack([at_risk, at_risk]), np.stack([lost, lost]))
    np.testing.assert_array_equal(two[0], two[1])


def test_lognormal_spending_is_as_concentrated_as_its_formula_says():
    """Course S36: with sigma 1.05 the best 1 % bring 10 % and the best 10 % bring 40.6 %."""
    from scipy.stats import norm

    sigma, n = 1.05, 200_000
    money = np.exp(sigma * norm.ppf((np.arange(n) + 0.5) / n))
    curve = concentration(money, np.ones(n))[0, :, 0]
    for percent in (1, 10, 20, 50):
        exact = norm.cdf(sigma - norm.ppf(1 - percent / 100))
        assert curve[percent - 1] == pytest.approx(exact, abs=2e-3)
    assert curve[0] == pytest.approx(0.10, abs=0.005) and curve[9] == pytest.approx(0.406, abs=0.005)
    assert curve[-1] == 1


def test_concentration_of_few_and_of_nobody():
    assert best(7)[[0, 9, 14, 99]].tolist() == [1, 1, 2, 7]
    assert best(0).tolist() == [0] * 100
    assert np.isnan(concentration(np.zeros(0), np.zeros(0))).all()
    free = concentration(np.zeros(3), np.array([3, 2, 1]))
    assert np.isnan(free[..., 0]).all() and free[1, -1, 1] == 1
    shuffled = concentration(np.array([5.0, 5, 9]), np.array([1, 4, 2]))
    np.testing.assert_array_equal(shuffled, concentration(np.array([9.0, 5, 5]), np.array([2, 4, 1])))


# ---------------------------------------------------------------------- off, and what it must not change


def test_off_is_as_if_there_were_none(tmp_path):
    assert not PLAIN.ledger
    model = ChurnModel(PLAIN, rng=1)
    model.run(1)
    assert model.ledger is None
    with pytest.raises(ValueError, match="ledger: true"):
        accounts(model)
    runs = cs.run(PLAIN, [1], progress=False)
    for name in LEDGER_TABLES:
        assert getattr(runs, name) is None
        assert not (runs.save(tmp_path / "r") / f"{name}.parquet").exists()
    assert not {"ledger", "discount", "customers.inactivity"} & set(runs.runs)
    with pytest.raises(ValueError, match="ledger: true"):
        runs.survival()


def test_off_is_the_same_scenario_as_ever():
    """The hash of a scenario without a ledger is that of before there were ledgers."""
    content = PLAIN.set({"customers.inactivity": 9, "discount": 0.5})
    assert content.key == PLAIN.key
    assert PLAIN.set({"ledger": True}).key != PLAIN.key
    kept = PLAIN.set({"ledger": True})
    assert len({kept.key, kept.set({"customers.inactivity": 9}).key, kept.set({"discount": 0.5}).key}) == 3
    assert immovable(PLAIN, "customers.inactivity", ()) is not None
    with pytest.raises(cs.ScenarioError, match="holds for the whole run"):
        PLAIN.move(3, {"customers.inactivity": 2})


def test_a_ledger_changes_nothing_else():
    kept, without = (cs.run(plan, [4], progress=False) for plan in (PLAIN.set({"ledger": True}), PLAIN))
    for name in ("ticks", "market", "causes", "enablers", "flows", "events"):
        assert getattr(kept, name).equals(getattr(without, name)), name


def test_inactivity_and_discount_count_where_there_is_a_ledger():
    base = ChurnModel(BUSY, rng=3)
    base.run()
    patient = simulate(BUSY.set({"customers.inactivity": 5}), 3).ledger
    assert patient.silences[:, :, 0].sum() < base.recorder.record().ledger.silences[:, :, 0].sum()
    thrifty = ChurnModel(BUSY.set({"discount": 0}), rng=3)
    thrifty.run()
    assert accounts(thrifty)["margin"].sum() > accounts(base)["margin"].sum()


# ---------------------------------------------------------------------- engines, batches, folders


def same_ledger(a, b) -> None:
    for name in ("at_risk", "lost", "buyers", "concentration", "silences", "observables"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def test_engines_agree():
    same_ledger(simulate(BUSY, 7).ledger, simulate(BUSY, 7, engine="agents").ledger)


def test_a_batch_keeps_the_ledgers_of_its_markets_alone():
    """Also beside markets that keep none, of other sizes and with another rule."""
    small = BUSY.set({"customers.count": 37, "customers.inactivity": 4, "discount": 0})
    plans = [BUSY, PLAIN.set({"mechanisms.failure": True}), small, BUSY]
    together = Markets(plans, [3, 3, 1, 2**63 - 1], engine=Compiled()).run_to_horizon()
    assert together[1].ledger is None
    for plan, record in zip(plans, together, strict=True):
        if plan.ledger:
            same_ledger(simulate(plan, record.seed).ledger, record.ledger)


def test_rows_may_be_permuted():
    plan = BUSY.set({"customers.growth": 0})
    order = np.random.default_rng(0).permutation(150)
    straight, permuted = ChurnModel(plan, rng=2).run().ledger, ChurnModel(plan, rng=2, order=order).run().ledger
    for name in ("at_risk", "lost", "buyers", "silences"):
        np.testing.assert_array_equal(getattr(straight, name), getattr(permuted, name))
    np.testing.assert_allclose(straight.observables, permuted.observables, rtol=1e-12)
    np.testing.assert_allclose(straight.concentration, permuted.concentration, rtol=1e-12)


def test_a_model_may_go_on_past_its_horizon():
    long, short = ChurnModel(BUSY.set({"horizon": 30}), rng=3), ChurnModel(BUSY, rng=3)
    long.run()
    short.run(30)
    same_ledger(long.recorder.record().ledger, short.recorder.record().ledger)
    assert accounts(long).equals(accounts(short))


def test_models_with_a_ledger_are_copied():
    model = ChurnModel(BUSY, rng=3)
    model.run(6)
    twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    model.run()
    for twin in twins:
        twin.run()
        same_ledger(model.recorder.record().ledger, twin.recorder.record().ledger)


def test_saved_and_opened(tmp_path):
    runs = cs.run([BUSY.named("a"), PLAIN.named("b")], [1, 2], progress=False, jobs=1)
    assert set(runs.tenure["scenario"]) == {"a"}
    again = cs.open(runs.save(tmp_path / "r"))
    assert again == runs
    for name in LEDGER_TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(runs, name))
        assert list(getattr(runs, name)["firm"].cat.categories) == FIRMS
    assert again.survival().equals(runs.survival())
    assert set(again.runs["ledger"]) == {True, False}
    units = runs.units
    assert {units[name] for name in ("at_risk", "flagged", "delay")} == {"customers", "ticks"}
    assert units["spend"] == "CNY per customer"


def test_a_market_in_which_nothing_is_bought():
    quiet = PLAIN.set({"ledger": True, "customers.opportunity": 0, "firms.nanyuan.initial_share": 0})
    runs = cs.run(quiet, [1], progress=False)
    own = runs.value[runs.value["firm"] == "eton"]
    assert (own["customers"] == 0).all() and own["share_of_money"].isna().all()
    assert runs.observables["price_sensitivity"].isna().all()
    assert (runs.inactivity[["flagged", "missed"]] == 0).all(axis=None)


# ---------------------------------------------------------------------- claims


def claim(**words) -> Claim:
    return Claim(id="c", text={"en": "x", "zh": "x"}, **words)


def with_claim(text: str, plan=BUSY):
    return plan.model_copy(update={"claims": (claim(estimate=text),)})


@pytest.fixture(scope="module")
def runs():
    return cs.run(BUSY, [1, 2, 3], progress=False)


def estimate(text: str, runs) -> float:
    plan = with_claim(text)
    assert claim_problems(plan) == []
    return check_claims(plan, runs)[0]["value"]


def test_claims_read_the_ledger(runs):
    survival = runs.survival().query("firm == 'eton'")

    def mean(frame, column):
        return frame[column].mean()

    assert estimate("survival.eton@5", runs) == pytest.approx(mean(survival.query("tenure == 5"), "survival"))
    assert estimate("survival.eton@0", runs) == 1
    assert estimate("survival.eton@3-4", runs) == pytest.approx(mean(survival.query("tenure in (3, 4)"), "survival"))
    assert estimate("tenure_retention.eton@2", runs) == pytest.approx(mean(survival.query("tenure == 2"), "retention"))
    curve = runs.concentration.query("firm == 'nanyuan' and percent == 20")
    for by in ("money", "purchases"):
        exact = mean(curve[curve["by"] == by], f"share_of_{by}")
        assert estimate(f"top_{by}.nanyuan@20", runs) == pytest.approx(exact)
    assert estimate("top_money.nanyuan@100", runs) == pytest.approx(1)
    silent = runs.inactivity.query("firm == 'eton' and tick == 12")
    assert estimate("flagged.eton@12", runs) == pytest.approx(mean(silent, "flagged"))
    rate = (silent["false_alarms"] / silent["flagged"]).mean()
    assert estimate("false_alarm_rate.eton@12", runs) == pytest.approx(rate)
    assert estimate("flagged.eton@12 / customers.eton@12", runs) > 0
    plan = BUSY.model_copy(update={"claims": (claim(holds="survival.eton@2 > survival.eton@6"),)})
    assert check_claims(plan, runs)[0]["holds"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("survival.eton@22", "out of range: tenure runs from 0 to 21"),
        ("survival.eton@-1", "out of range"),
        ("top_money.eton@0", "percent runs from 1 to 100"),
        ("top_purchases.eton@1-101", "percent runs from 1 to 100"),
        ("flagged.eton@0", "tick runs from 1 to 16"),
        ("survival.market@3", "measure of one firm"),
        ("surviva.eton@3", "did you mean survival"),
        ("survival.nobody@3", "no firm"),
        ("survival.eton@9-3", "backwards"),
        ("survival.eton[none]@3", "no arm"),
    ],
)
def test_bad_ledger_terms_are_told(text, said):
    (problem,) = claim_problems(with_claim(text))
    assert said in problem.line_in("en") and problem.line_in("zh")


def test_a_claim_about_a_ledger_needs_one():
    (problem,) = claim_problems(with_claim("survival.eton@3", PLAIN))
    assert "ledger: true" in problem.message and "survival.eton@3" in problem.message
    assert "ledger: true" in problem.message_in("zh")
    with pytest.raises(cs.ScenarioError, match="holds no ledger"):
        check_claims(with_claim("survival.eton@3"), cs.run(PLAIN, [1], progress=False))


def test_an_arm_may_keep_a_ledger_of_its_own(tmp_path):
    hotels = cs.load("two_hotels")
    data = hotels.model_dump()
    data["claims"] = []
    data["arms"]["both_passive"]["set"]["ledger"] = True
    plan = type(hotels).model_validate(data)
    assert keeps_ledger(plan, "both_passive") and not keeps_ledger(plan, "case")
    assert claim_problems(with_claim("survival.eton[both_passive]@3", plan)) == []
    assert [p.code for p in claim_problems(with_claim("survival.eton@3", plan))] == ["no_ledger"]


def test_shorter_runs_drop_claims_about_longer_tenures():
    assert within(claim(estimate="survival.eton@12"), -4, 8)
    assert not within(claim(estimate="survival.eton@14"), -4, 8)
    assert within(claim(estimate="top_money.eton@80"), -4, 8)
    assert not within(claim(estimate="flagged.eton@9"), -4, 8)


def test_a_scenario_file_with_ledger_claims_is_checked(write):
    text = (
        "extends: sbg_cohort\nid: mine\nledger: true\nclaims:\n  - id: a\n    text: A\n"
        "    holds: 0.8 < survival.seller@1 < 0.9\n"
    )
    plan = cs.load(write(text))
    assert check_claims(plan, cs.run(plan.set({"customers.count": 5000}), [1], progress=False))[0]["holds"]
    with pytest.raises(cs.ScenarioError, match="ledger: true"):
        cs.load(write(text.replace("ledger: true\n", "")))


@pytest.mark.parametrize("name", LEDGER_MEASURES)
def test_ledger_measures_are_fully_declared(name):
    measure = measures("ledger")[name]
    assert measure.scope == "ledger" and measure.per in ("tick", "tenure", "percent")
    assert measure.unit and measure.formula and measure.source
    assert set(measure.label) == {"en", "zh"} and all(measure.label.values())
