"""Dealings beyond the stay: both engines agree, off means absent, and every mechanism does what it says."""

from __future__ import annotations

import numpy as np
import pytest

from churnsim import load
from churnsim.config.mechanisms import DEALINGS
from churnsim.engine.dealings.state import COUNTED, Dealings
from churnsim.model import ChurnModel, simulate
from test_equivalence import same_record, same_state

ALL_ON = {f"mechanisms.{name}": True for name in DEALINGS}

BUSY = {
    "customers.count": 240, "burn_in": 6, "horizon": 14,
    "customers.hazards.natural": 0.02, "customers.hazards.lapse": 0.03,
    "customers.life_cycle.length": 12, "customers.calendar.weights": [1, 0.5, 1.5],
    "customers.failure.rate": 0.4, "customers.failure.encounter": 0.2, "customers.failure.voice": 0,
    "customers.acquisition.known": 0.5, "customers.referral.rate": 0.8, "customers.buying_centre.leaves": 0.2,
    "customers.credit.bad": 0.3, "customers.power.threat": 0.4, "customers.power.share": 0.5,
    "customers.ethics.kindred": 0.4, "customers.attachment.growth": 1, "customers.attachment.floor": 0,
    "customers.attachment.initial": 0.85, "customers.satisfaction.adjustment": 1,
    "firms.nanyuan.recovery.guarantee": 1, "firms.nanyuan.staff.pay": 8, "firms.nanyuan.staff.quitting": 0.2,
    "firms.nanyuan.reminders.spend": 2, "firms.nanyuan.card.points": 0.3, "firms.nanyuan.card.club": 4,
    "firms.nanyuan.card.perks": 30, "firms.nanyuan.card.elite_share": 0.2, "firms.nanyuan.win_back.key": 0.9,
    "firms.nanyuan.win_back.ordinary": 0.8, "firms.nanyuan.win_back.small": 0.5, "firms.nanyuan.win_back.matched": True,
    "firms.nanyuan.save.coverage": 0.5, "firms.nanyuan.save.threshold": 0.6,
    "firms.nanyuan.advertising.spend": 3, "firms.nanyuan.referral.reward": 40, "firms.nanyuan.referral.care": 0.3,
    "firms.nanyuan.referral.targeted": True, "firms.nanyuan.innovation.spend": 2, "firms.nanyuan.innovation.level": 0.5,
    "firms.nanyuan.responsibility.spend": 1, "firms.nanyuan.promise.level": 0.1, "firms.nanyuan.listening.spend": 2,
    "firms.nanyuan.screening.strictness": 0.5, "firms.nanyuan.screening.prepayment": 0.3,
    "firms.nanyuan.bargaining.concession": 0.15, "firms.nanyuan.enquiries.coverage": 2,
    "firms.nanyuan.enquiries.alarm": 2, "firms.nanyuan.tiers.tilt": 0.3, "firms.nanyuan.responsibility.kinship": 0.5,
    "firms.nanyuan.cash": 500, "firms.eton.cash": 500,
    "firms.eton.win_back.ordinary": 0.6, "firms.eton.win_back.kind": "bundle", "firms.eton.staff.quitting": 0.1,
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
    record = simulate(lively.set({"customers.count": 4000}), 3)
    never = [name for name in COUNTED if not np.nansum(record.dealings[name])]
    assert never == []
