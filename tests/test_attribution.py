"""Every departure carries its exact causes."""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import load
from churnsim.causes import CAUSE_NAMES, CAUSES, ENABLERS, LABEL_SHARE, N_VALUE_CAUSES, taxonomy
from churnsim.engine import departures
from churnsim.mechanisms.arithmetic import gumbel
from churnsim.mechanisms.value import quality_value
from churnsim.model import ChurnModel, simulate
from churnsim.randomness import uniform
from test_dealings import ALL_ON, BUSY

COURSE = {"fault", "competitive", "natural", "passive", "customer"}
SIX = {"price", "product", "service", "technology", "promotion", "political", "none"}
KEAVENEY = {
    "pricing", "inconvenience", "core_service_failure", "encounter_failure", "response_to_failure", "competition",
    "ethics", "involuntary", "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def hotels():
    """Return a small market of two hotels in which contracts and moves are at work."""
    return (
        load("two_hotels")
        .arm("case")
        .set(
            {
                "customers.count": 1500,
                "burn_in": 10,
                "horizon": 12,
                "firms.eton.contract.length": 4,
                "firms.eton.contract.fee": 80,
            }
        )
        .move(6, {"customers.attachment.value": 150, "customers.choice.outside_value": 60})
        .move(8, {"mechanisms.switching_cost": False})
    )


class Watcher(ChurnModel):
    """Works out, whenever a customer joins, what each option is worth then, and checks departures against it."""

    def explain_departures(self) -> None:
        """Compare the explained change with the change of utility itself."""
        if not hasattr(self, "seen"):
            self.seen, self.worst, self.checked, self.lifted, self.caused = {}, 0.0, 0, 0, []
        columns = self.columns
        chosen = (columns.following != columns.provider) & (columns.exit == 0)
        for row in np.flatnonzero(chosen & (columns.provider > 0)):
            if row in self.seen and columns.anchor_row[row] == self.seen[row][0]:
                self.check(row, *self.seen[row])
        for row in np.flatnonzero(chosen & (columns.following > 0)):
            self.seen[row] = (int(self.market.row), self.utilities(row, joined=True))
        super().explain_departures()

    def check(self, row: int, base: int, then: list[float]) -> None:
        """Compare one departure."""
        c, k = int(self.columns.provider[row]), int(self.columns.following[row])
        now = self.utilities(row)
        joined_under = int(self.batch.parameter_set[0, base])
        _, shares, terms, barriers = self.engine.itemise(self, 0, np.array([row]), joined_under)
        change = (now[k] - now[c]) - (then[k] - then[c] - self.better_since(row, c, joined_under))
        assert change > 0, "nobody leaves who did not come to prefer something else"
        self.worst = max(self.worst, abs(float(terms.sum() + barriers.sum()) - change))
        worse = float(np.delete(terms[0], departures.VARIETY).clip(min=0).sum())
        if abs(worse - (now[k] - now[c])) > 0.01:
            self.caused.append((worse > now[k] - now[c], shares[0, departures.VARIETY] == 0))
        self.checked += 1

    def better_since(self, row: int, c: int, joined_under: int) -> float:
        """Return by how much firm c would be worth more than on joining, had it kept its best since, in money."""
        p, columns, j = self.parameter_sets[joined_under], self.columns, c - 1
        attached = float(columns.kept_attachment[row]) - float(columns.anchor_attachment[j, row])
        belief = columns.anchor_belief[j, row]
        kept = max(columns.kept_core[row] + columns.anchor_crowding[row] + columns.anchor_word[row], belief)
        worth = [float(quality_value(q, columns.quality_value[row], p.core_floor)) for q in (kept, belief)]
        self.lifted += attached > 0.01 or worth[0] > worth[1] + 1
        return float(p.attachment_value) * max(attached, 0) + worth[0] - worth[1]

    def utilities(self, row: int, joined: bool = False) -> list[float]:
        """Return the utility of every option to the customer of a row, in money; once joined, if so."""
        columns, customer = self.columns, self.customers[int(row)]
        kept = [columns.provider[row], columns.known[row], columns.tenure[row], columns.sunk[row]]
        if joined:
            columns.provider[row] = columns.following[row]
            columns.known[row] |= 1 << int(columns.following[row] - 1)
            columns.tenure[row] = columns.sunk[row] = 0
        keys = self.market.option_keys[self.market.row]
        with np.errstate(over="ignore"):
            found = [
                float(customer.value_of(option))
                + float(self.parameters.noise) * gumbel(uniform(key, customer.id))
                + self.dealt(row, option)
                for option, key in enumerate(keys)
            ]
        columns.provider[row], columns.known[row], columns.tenure[row], columns.sunk[row] = kept
        return found

    def dealt(self, row: int, option: int) -> float:
        """Return what dealings make an option worth this tick, in money."""
        return float(self.dealings.terms[:-1, option - 1, row].sum(dtype=float)) if self.deals and option else 0.0


def test_terms_add_up_to_the_change_of_utility(hotels):
    """Causes and enablers are together the whole change of U_k - U_c since c was joined, or was at its best."""
    model = Watcher(hotels, rng=1)
    model.run()
    assert model.checked > 500
    assert model.lifted > 50, "often enough the firm was better since than on the day of joining"
    # Utilities are of the order of 1000 in single precision, with some twenty roundings.
    assert model.worst < 0.01
    # A departure is caused exactly where the customer would have stayed but for what became worse.
    assert all(expected == found for expected, found in model.caused)
    assert {True, False} == {found for _, found in model.caused}


def test_terms_of_dealings_add_up_too():
    """The same with every mechanism of dealings at work; also who leaves with an employee is accounted for once."""
    model = Watcher(load("two_hotels").arm("case").set({**ALL_ON, **BUSY, "customers.count": 4000}), rng=1)
    model.run()
    assert model.checked > 100
    assert model.worst < 0.01
    assert all(expected == found for expected, found in model.caused)
    named = {name for name, n in zip(CAUSE_NAMES, model.recorder.record().primary.sum(axis=(0, 1)), strict=True) if n}
    assert named >= {"core_failure", "response", "employee", "product", "terms", "technology", "rival_offer"}


def test_shares_sum_to_one_and_counts_agree(hotels):
    """Shares, primary causes and losses tell of the same departures."""
    record = simulate(hotels, 2, departures=True)
    lost = record.measures["lost"]
    np.testing.assert_array_equal(record.primary.sum(axis=2), lost)
    np.testing.assert_array_equal(record.flows[:, 1:].sum(axis=2), lost)
    np.testing.assert_allclose(record.shares.sum(axis=2), lost, rtol=1e-5, atol=1e-3)
    frame = record.departures
    voluntary = record.primary[:, :, :N_VALUE_CAUSES].sum()
    assert len(frame) == voluntary > 1000
    shares = frame[list(CAUSE_NAMES[:N_VALUE_CAUSES])]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares.to_numpy() >= 0).all()
    assert (frame["primary"] == shares.idxmax(axis=1)).mean() > 0.999  # ties go to variety, then to the first
    assert (record.labels.sum(axis=2) >= record.labels[:, :, N_VALUE_CAUSES:].sum(axis=2)).all()
    assert ((shares >= LABEL_SHARE).sum(axis=1) >= 1).all()
    assert (frame["from"] != frame["to"]).all()


def test_taxonomies_are_complete():
    """Every cause has a place in the course's classes, its six types, and Keaveney's eight."""
    assert [cause.name for cause in CAUSES] == list(CAUSE_NAMES)
    assert len(set(CAUSE_NAMES)) == len(CAUSES)
    assert set(taxonomy("course").values()) <= COURSE
    assert set(taxonomy("course_type").values()) <= SIX
    assert set(taxonomy("keaveney").values()) <= KEAVENEY
    assert len(ENABLERS) == departures.N_BARRIERS
    assert departures.N_TERMS == N_VALUE_CAUSES
    assert CAUSE_NAMES[departures.VARIETY] == "variety"
    assert CAUSE_NAMES[departures.RIVAL_PROMOTION] == "rival_promotion"
    with pytest.raises(ValueError, match="unknown taxonomy"):
        taxonomy("kotler")


def quiet(**changes):
    """Return two passive hotels at rest, with a move in tick 3 unless told otherwise."""
    return (
        load("two_hotels")
        .arm("both_passive")
        .set({"customers.count": 4000, "burn_in": 24, "horizon": 6, "mechanisms.budget": False, **changes})
    )


def excess(base, treated, firm: int) -> dict[str, float]:
    """Return, by cause, the share of the extra departures that a shock brings, under common luck."""
    a, b = simulate(base, 1), simulate(treated, 1)
    after = a.ticks >= 3
    extra = (b.shares[after] - a.shares[after]).sum(axis=0)[firm]
    assert extra.sum() > 100
    return dict(zip(CAUSE_NAMES, extra / extra.sum(), strict=True))


@pytest.mark.parametrize(
    ("move", "firm", "causes"),
    [
        ({"firms.nanyuan.price": 360}, 0, ("price", "reference_price")),
        ({"firms.eton.price": 240}, 0, ("rival_price", "rival_reference")),
        ({"customers.choice.outside_value": 150}, 0, ("outside_offer",)),
        ({"customers.hazards.lapse": 0.1}, 1, ("lapse",)),
        ({"customers.hazards.credit": 0.1}, 1, ("credit",)),
        ({"customers.hazards.natural": 0.1}, 1, ("natural",)),
    ],
)
def test_a_single_shock_is_named_for_what_it_is(move, firm, causes):
    """Of the departures that one shock adds, most are attributed to it."""
    base = quiet()
    found = excess(base, base.move(3, move), firm)
    assert sum(found[cause] for cause in causes) > 0.65, found


def test_an_announced_promotion_is_labelled_as_one():
    """A rival's temporary offer is promotion, its permanent price is not."""
    base = quiet()
    cut = {"name": "price_cut", "depth": 0.2, "start": 3, "restore": 100, "promotion": True}
    found = excess(base, base.set({"firms.eton.strategy": cut}), 0)
    assert found["rival_promotion"] > 0.65
    assert found["rival_price"] < 0.05


def test_fault_is_the_largest_class_by_default():
    """In a market at rest most leave for a wish of their own; of those given a reason, most by a fault (S6)."""
    of_class = taxonomy("course")
    records = [simulate(quiet(horizon=24), seed) for seed in (1, 2)]
    sums = sum(record.shares[record.ticks >= 1].sum(axis=(0, 1)) for record in records)
    found = dict.fromkeys(COURSE, 0.0)
    for cause, departures_for_it in zip(CAUSE_NAMES, sums, strict=True):
        found[of_class[cause]] += departures_for_it
    assert found["customer"] > 0.5 * sum(found.values())
    for other in ("competitive", "natural", "passive"):
        assert found["fault"] > 1.5 * found[other], other


def test_a_new_rival_is_competition():
    """Those whom a firm draws away by entering the market leave for it, not for a wish of their own."""
    base = quiet(**{"firms.eton.initial_share": 0, "firms.nanyuan.initial_share": 0.6})
    never, opens = (base.set({"firms.eton.opens": tick}) for tick in (6, 3))
    a, b = (simulate(plan, 1, departures=True) for plan in (never, opens))
    between = (a.ticks >= 3) & (a.ticks < 6)
    extra = (b.shares[between] - a.shares[between]).sum(axis=0)[0]
    assert extra.sum() > 50
    assert extra[CAUSE_NAMES.index("rival_product")] > 0.8 * extra.sum()
    # Whoever joins later knew the newcomer, and compares with that day like everybody else.
    assert b.primary[b.ticks < 3][:, :, CAUSE_NAMES.index("rival_product")].sum() == 0


def test_unchanged_conduct_leaves_the_day_of_joining_as_the_measure():
    """Had a firm never been better than it is, what would be is what is, to the last bits of a sum."""
    still = quiet(**{"mechanisms.quality_erosion": False, "mechanisms.crowding": False, "horizon": 3})
    model = ChurnModel(still.set({"firms.nanyuan.relationship": "proactive"}), rng=1)
    model.run()
    c = model.columns
    rows = np.flatnonzero(c.provider > 0)
    home = c.provider[rows] - 1
    core = (c.belief - c.belief_crowding - c.belief_word)[home, rows]
    np.testing.assert_allclose(c.kept_core[rows], core, atol=1e-5)
    np.testing.assert_array_equal(c.kept_attachment[rows], c.attachment[home, rows])


def test_a_fallen_barrier_is_an_enabler_and_not_a_cause():
    """When switching becomes free the barrier is reported beside the causes."""
    base = quiet()
    free = base.move(3, {"mechanisms.switching_cost": False})
    a, b = simulate(base, 1), simulate(free, 1)
    after = a.ticks >= 3
    switching = ENABLERS.index("switching_cost")
    assert a.enablers[:, :, switching].sum() == 0
    departures_now = b.primary[after][:, :, :N_VALUE_CAUSES].sum()
    assert b.enablers[after][:, :, switching].sum() > 20 * departures_now
    assert b.measures["lost"][after].sum() > 1.3 * a.measures["lost"][after].sum()
