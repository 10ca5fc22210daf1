"""What customers and firms remember of their dealings, and what is counted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PLANES: tuple[str, ...] = (
    "sensitivity", "technology", "ethics", "core_failure", "encounter_failure", "response", "card", "offer", "product",
    "novelty", "reference",
)  # fmt: skip
"""Terms that dealings add to a firm's value, in money; each is a plane over firms and customers."""

N_PLANES = len(PLANES)
(
    SENSITIVITY, TECHNOLOGY_TERM, ETHICS_TERM, CORE_FAILURE, ENCOUNTER_FAILURE, RESPONSE, CARD, OFFER, PRODUCT, NOVELTY,
    REFERENCE_TERM,
) = range(N_PLANES)  # fmt: skip
STAFF_TIES = N_PLANES
"""The plane after them: the part of attachment that employees took along or brought, in units of attachment. It is
in the attachment already; this says whose doing it was."""


class Dealings(NamedTuple):
    """Further state of every customer; all arrays have no rows where no mechanism needs them.

    Shapes are (n,), (J, n) or (planes, J, n). Money in the scenario's currency.
    """

    terms: np.ndarray  # float32 (N_PLANES + 1, J, n), see PLANES
    anchor_terms: np.ndarray  # float32 (N_PLANES + 1, J, n), as they were on taking up with the provider
    # Written before the choice for this tick's choice.
    before: np.ndarray  # int8, provider at the tick's start
    spell: np.ndarray  # int16, tenure at the tick's start
    knew: np.ndarray  # uint8, bit j: had been firm j's customer by the tick's start
    content: np.ndarray  # float32, satisfaction at the tick's start
    leaving: np.ndarray  # uint8, involuntary exit
    chance: np.ndarray  # float32, probability of a purchase occasion
    stirred: np.ndarray  # float32, added log-odds of looking around
    receptive: np.ndarray  # float32, effect of a contact, times the usual
    barred: np.ndarray  # uint8, bit j: cannot choose firm j (does not know it, or was refused)
    # Traits.
    size: np.ndarray  # float32, spending relative to the average
    rank: np.ndarray  # float32, share of customers who are smaller
    sociability: np.ndarray  # float32, mean 1
    technology_value: np.ndarray  # float32, money per unit
    ethics_value: np.ndarray  # float32, money
    novelty_value: np.ndarray  # float32, money
    kindred: np.ndarray  # bool
    bonded: np.ndarray  # bool
    bad_debtor: np.ndarray  # bool
    referrer: np.ndarray  # uint8, type of referrer
    # Memory.
    aware: np.ndarray  # uint8, bit j: knows firm j
    age: np.ndarray  # int16, ticks since the need began
    stage: np.ndarray  # uint8, stages that the next need has behind it
    sensitised: np.ndarray  # float32, price weight added by promotions
    upset: np.ndarray  # float32, log-odds of looking around, from a failure
    pending: np.ndarray  # uint8, cell of the complaint table the last failure belongs to, plus 1; 0 is none
    points: np.ndarray  # float32 (J, n), money
    discount: np.ndarray  # float32, share of the price conceded by the provider
    offer_from: np.ndarray  # int8, option that made the offer in force, or 0
    offer_worth: np.ndarray  # float32, money
    offer_off: np.ndarray  # float32, what of it is taken off the price of a stay, money
    offer_left: np.ndarray  # int16, ticks
    offer_cost: np.ndarray  # float32, money per stay
    lost_from: np.ndarray  # int8, option of the firm left last
    lost_for: np.ndarray  # uint8, primary cause of leaving it
    lost_since: np.ndarray  # int16, ticks
    second: np.ndarray  # bool, has come back to the present provider
    visits: np.ndarray  # int16, purchases in a row from the present provider
    stock: np.ndarray  # float32, purchases bought ahead and not used yet
    basket: np.ndarray  # float32, purchases made on the last occasion, where customers may buy ahead
    recent: np.ndarray  # float32, contacts lately
    favoured: np.ndarray  # float32, favours of the provider still remembered
    helped: np.ndarray  # int16, stage of the need in which the provider found what fits, plus 1
    defaulted: np.ndarray  # uint8, bit j: firm j has done with this customer, for debts or on review
    persons: np.ndarray  # uint8, bit: contact person in place
    met: np.ndarray  # uint8, bit: contact person in place and known to the provider
    silence: np.ndarray  # int16, ticks without an answer
    refers: np.ndarray  # uint8, whether the customer refers others this tick
    invited: np.ndarray  # int8, option the customer was referred to and has not tried yet
    referred: np.ndarray  # bool, came to the present provider by referral


_TYPES: dict[str, type] = {
    "before": np.int8, "spell": np.int16, "knew": np.uint8, "leaving": np.uint8, "barred": np.uint8,
    "kindred": np.bool_, "bonded": np.bool_, "bad_debtor": np.bool_, "referrer": np.uint8, "aware": np.uint8,
    "age": np.int16, "pending": np.uint8, "offer_from": np.int8, "offer_left": np.int16, "lost_from": np.int8,
    "lost_for": np.uint8, "lost_since": np.int16, "second": np.bool_, "visits": np.int16, "helped": np.int16,
    "defaulted": np.uint8, "persons": np.uint8, "met": np.uint8, "silence": np.int16, "refers": np.uint8,
    "invited": np.int8, "referred": np.bool_, "stage": np.uint8,
}  # fmt: skip


def allocate_dealings(customers: int, firms: int) -> Dealings:
    """Return zeroed state; 0 customers where no market has dealings beyond the stay."""
    shapes: dict[str, tuple[int, ...]] = {
        "terms": (N_PLANES + 1, firms, customers), "anchor_terms": (N_PLANES + 1, firms, customers),
        "points": (firms, customers),
    }  # fmt: skip
    return Dealings(
        **{name: np.zeros(shapes.get(name, (customers,)), _TYPES.get(name, np.float32)) for name in Dealings._fields}
    )


STAGES: tuple[str, ...] = (
    "suspects", "prospects", "first_time", "repeat", "clients", "advocates", "partners", "former",
)  # fmt: skip
"""The development ladder (course S57), from those who have never heard of the firm to those who have left it."""

RUNGS = 6
"""Rungs of the loyalty ladder of business customers (course S58)."""

BINS = 5
"""Levels of satisfaction, from very dissatisfied to completely satisfied (course S33)."""

CELLS: tuple[str, ...] = tuple(
    f"{severity}_{answer}"
    for severity in ("minor", "major")
    for answer in ("silent", "in_vain", "settled", "settled_at_once")
)
"""Cells of the complaint table: how bad the failure was, and whether anybody complained and with what success."""

COUNTED: tuple[str, ...] = (
    "volume", "volume_paid", "cost",
    "core_failures", "encounter_failures", "major_failures", "complaints", "settled", "settled_at_once",
    "compensation",
    *(f"failed_{cell}" for cell in CELLS), *(f"kept_{cell}" for cell in CELLS),
    *(f"occasions_level_{n}" for n in range(1, BINS + 1)), *(f"repeats_level_{n}" for n in range(1, BINS + 1)),
    *STAGES, *(f"rung_{n}" for n in range(1, RUNGS + 1)),
    "points_earned", "points_redeemed",
    "offers", "offers_taken", "second_ended", "second_tenure", "save_offers",
    "referrals", "referred_joined", "referred_customers", "referred_lost",
    "reached", "aware",
    "bad_debt", "refused_bad", "refused_good",
    "threats", "conceded", "orders_lost", "suggestions", "needs_met", "left_with_employee", "lapses_prevented",
    "told_bad", "told_good", "tries_new", "won_new", "tries_own", "won_own",
    "stocked", "elite",
    "favours", "referrers",
)  # fmt: skip
"""What is counted per firm in a tick; money in units of the market's money unit / SCALE, shares in 1 / SCALE."""

N_COUNTED = len(COUNTED)
PLACE = {name: place for place, name in enumerate(COUNTED)}
MONEY_COUNTED = ("cost", "compensation", "points_earned", "points_redeemed", "bad_debt", "conceded")
SHARES_COUNTED = ("volume", "volume_paid", "stocked")

STREAMS: tuple[str, ...] = (
    "failure", "severity", "encounter", "voice", "settlement", "speed", "precedent", "default", "threat", "need",
    "person_1", "person_2", "person_3", "replaced_1", "replaced_2", "replaced_3", "order", "suggestion", "referral",
    "save", "signal", "audience", "care", "favour", "review",
)  # fmt: skip
"""Purposes of random numbers that a customer draws once a tick."""

N_STREAMS = len(STREAMS)
(
    FAILURE, SEVERITY, ENCOUNTER, VOICE, SETTLEMENT, SPEEDINESS, PRECEDENT, DEFAULTING, THREAT, NEED,
    PERSON_1, PERSON_2, PERSON_3, REPLACED_1, REPLACED_2, REPLACED_3, ORDER, SUGGESTION, REFERRAL,
    SAVE, SIGNAL, AUDIENCE, CARING, FAVOUR, REVIEWING,
) = range(N_STREAMS)  # fmt: skip

FIRM_STREAMS: tuple[str, ...] = ("awareness", "offer", "screen", "quitting", "destination", "assignment", "knows")
"""Purposes of random numbers that are drawn per firm; the last two are the same in every tick of a customer's life."""

N_FIRM_STREAMS = len(FIRM_STREAMS)
AWARENESS, OFFERING, SCREEN, QUITTING, DESTINATION, ASSIGNMENT, KNOWS = range(N_FIRM_STREAMS)

TRAIT_STREAMS: tuple[str, ...] = (
    "size", "sociability", "technology", "ethics", "novelty", "kindred", "bonded", "credit", "referrer", "age", "stage",
)  # fmt: skip

N_TRAIT_STREAMS = len(TRAIT_STREAMS)
SIZE, SOCIABILITY, TECH, ETHICAL, SEEKING, KINDRED, BONDED, CREDIT_TYPE, REFERRER, AGE, STAGE = range(N_TRAIT_STREAMS)


def indices(names: Sequence[str]) -> np.ndarray:
    """Return the places of some counts."""
    return np.array([PLACE[name] for name in names], np.int64)
