"""From a scenario to the numbers that the engine reads.

Here every switch of `config.mechanisms` takes effect: a mechanism that is off gets the value at
which its rule has no effect at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from churnsim.config.customers import Customers
from churnsim.config.distributions import Beta, Constant, Lognormal, Normal, Uniform
from churnsim.config.mechanisms import DEALINGS, Mechanisms
from churnsim.config.scenario import ScenarioRecord
from churnsim.engine.state import Parameters, Traits
from churnsim.mechanisms import traits as kinds
from churnsim.mechanisms.firm import quality_bought

CELLS = 4096
"""Steps of probability in a table of quantiles."""

TRAITS = ("opportunity", "quality_value", "price_weight", "switching_cost", "transaction_cost", "size")
"""Customer traits that have a distribution, in the engine's order."""


def parameters_of(customers: Customers, on: Mechanisms) -> Parameters:
    """Return the numbers of the customers' rules."""
    c = customers
    values = {
        "noise": c.choice.noise,
        "outside_value": c.choice.outside_value,
        "gain_weight": c.reference_price.weight if on.reference_price else 0,
        "loss_aversion": c.reference_price.loss_aversion,
        # Without a memory of prices, triggers compare with the last tick's.
        "reference_rate": c.reference_price.adaptation if on.reference_price else 1,
        "reference_seen": c.reference_price.seen_only if on.reference_price else 1,
        "experience_noise": c.experience.noise,
        "core_floor": c.experience.core_floor,
        "learning": c.belief.learning if on.learning else 0,
        # Without the ratchet, expectations follow experience alike in both directions.
        "expectation_up": c.expectation.up if on.expectation else c.expectation.down,
        "expectation_down": c.expectation.down,
        "expectation_spill": c.expectation.spillover if on.expectation else 0,
        "disconfirmation": c.satisfaction.disconfirmation,
        "satisfaction_loss": c.satisfaction.loss_aversion,
        "performance": c.satisfaction.performance,
        "satisfaction_rate": c.satisfaction.adjustment,
        "neutral": c.satisfaction.neutral,
        "attention_base": c.attention.base,
        "attention_slope": c.attention.satisfaction,
        "trigger_rise": c.attention.own_price_rise,
        "trigger_cut": c.attention.rival_price_cut,
        "trigger_expiry": c.attention.contract_expiry,
        "trigger_contact": c.attention.contact,
        "attachment_value": c.attachment.value if on.attachment else 0,
        "attachment_growth": c.attachment.growth if on.attachment else 0,
        "attachment_decay": c.attachment.decay,
        "attachment_floor": c.attachment.floor,
        "stay_intensity": c.attachment.stay_intensity,
        "contact_intensity": c.attachment.contact_intensity,
        "satiation": c.attachment.satiation,
        "sunk_weight": c.sunk_cost.weight if on.sunk_cost else 0,
        "sunk_decay": c.sunk_cost.decay,
        "sunk_share": c.sunk_cost.price_share if on.sunk_cost else 0,
        "switching_on": 1 if on.switching_cost else 0,
        "transaction_on": 1 if on.transaction_cost else 0,
        "termination_on": 1 if on.termination else 0,
        "hazard_natural": c.hazards.natural if on.involuntary else 0,
        "hazard_lapse": c.hazards.lapse if on.involuntary else 0,
        "hazard_credit": c.hazards.credit if on.involuntary else 0,
        "word_weight": c.word_of_mouth.weight if on.word_of_mouth else 0,
        "tell_base": c.word_of_mouth.tell_base if on.word_of_mouth else 0,
        "tell_extreme": c.word_of_mouth.tell_extreme if on.word_of_mouth else 0,
        "told_dissatisfied": c.word_of_mouth.told_when_dissatisfied,
        "told_satisfied": c.word_of_mouth.told_when_satisfied,
    }
    return Parameters(
        **{name: np.float32(value) for name, value in values.items()},
        attention_on=np.bool_(on.attention),
        word_contacts=np.int64(c.word_of_mouth.contacts),
    )


CUSTOMS = (
    "life_cycle", "failure", "employees", "loyalty_card", "acquisition", "referral", "offers", "promotion",
    "attributes", "technology", "ethics", "variety", "fit", "buying_centre", "credit", "power", "stock", "fatigue",
    "commitment", "reciprocity", "rhythm",
)  # fmt: skip
"""Groups of parameters that say how customers take dealings; each gives numbers named ``group_parameter``."""


def customs_of(customers: Customers, on: Mechanisms) -> dict[str, np.generic]:
    """Return the numbers of the customers' dealings by name: every parameter, spreads, and what is switched on."""
    values: dict[str, np.generic] = {f"on_{name}": np.bool_(getattr(on, name)) for name in DEALINGS}
    for group in CUSTOMS:
        for name, value in getattr(customers, group):
            for part, number in enumerate(value if isinstance(value, tuple) else (value,)):
                ending = f"_{part}" if isinstance(value, tuple) else ""
                kind = np.int64 if isinstance(number, int) else np.float32
                values[f"{group}_{name}{ending}"] = kind(number)
    # Spreads are coefficients of variation; rules take the standard deviation of the logarithm.
    values["sociability_sd"] = np.float32(math.sqrt(math.log1p(customers.referral.sociability**2)))
    tilted = customers.referral.matching if on.taste and customers.taste.sd else 0
    values["referral_tilt"] = np.float32(tilted / customers.taste.sd if tilted else 0)
    values["referral_level"] = np.float32(level_of_matching(tilted, customers.word_of_mouth.contacts))
    values["technology_sd"] = np.float32(math.sqrt(math.log1p(customers.technology.spread**2)))
    return values


def level_of_matching(matching: float, contacts: int) -> float:
    """Return b such that min(contacts, exp(matching z + b)) is 1 on average over standard normal z.

    Nobody hears more often than always. What the cap takes from those whom the firm suits best goes to everybody in
    proportion, so that as many are told as without matching; with one acquaintance there is nobody to choose from.
    """
    if not matching:
        return 0.0

    def mean(level: float) -> float:
        capped = (math.log(contacts) - level) / matching
        return contacts * _normal(-capped) + math.exp(level + matching**2 / 2) * _normal(capped - matching)

    low = -(matching**2) / 2  # the answer without a cap
    high = math.log(contacts) + 8 * matching  # all but one in 10^15 are sure to hear
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean(middle) < 1 else (low, middle)
    return low


def _normal(x: float) -> float:
    """Return the standard normal distribution function."""
    return math.erfc(-x / math.sqrt(2)) / 2


def customs_stacked(sets: Sequence[dict[str, np.generic]]) -> np.ndarray:
    """Return sets of such numbers as one array of records, which kernels read."""
    kinds = [(name, value.dtype) for name, value in sets[0].items()]
    return np.array([tuple(one.values()) for one in sets], np.dtype(kinds, align=True)).view(np.recarray)


def traits_of(scenario: ScenarioRecord) -> Traits:
    """Return the distributions that customers' traits are drawn from."""
    c, on = scenario.customers, scenario.mechanisms
    specs = [_spec(getattr(c, name)) for name in TRAITS]
    circle, part = c.circle, c.part_of_circle
    own, shared = c.taste.sd * math.sqrt(1 - part), c.taste.sd * math.sqrt(part / circle)
    return Traits(
        kind=np.array([kind for kind, *_ in specs], np.int64),
        centre=np.array([centre for _, centre, _, _ in specs], np.float32),
        spread=np.array([spread for *_, spread, _ in specs], np.float32),
        table=np.stack([table for *_, table in specs]),
        taste_sd=np.float32(own if on.taste else 0),
        circle_sd=np.float32(shared if on.taste else 0),
        circle=np.int64(circle if on.taste and c.taste.homophily else 0),
        belief_sd=np.float32(c.belief.initial_sd),
        belief_mean=np.array(
            [quality_bought(f.service + f.training, f.quality.scale) for f in scenario.firms.values()], np.float32
        ),
        attachment=np.float32(c.attachment.initial if on.attachment else 0),
        neutral=np.float32(c.satisfaction.neutral),
    )


def _spec(
    trait: Constant | Normal | Lognormal | Beta | Uniform,
) -> tuple[int, float, float, np.ndarray]:
    """Return kind, centre, spread and quantile table of one distribution."""
    none = np.zeros(CELLS + 1, np.float32)
    match trait:
        case Normal():
            return kinds.NORMAL, trait.mean, trait.sd, none
        case Lognormal():
            return kinds.LOGNORMAL, trait.mean, math.sqrt(math.log1p(trait.cv**2)), none
        case Uniform():
            return kinds.UNIFORM, trait.low, trait.high - trait.low, none
        case Beta():
            return kinds.TABLE, 0.0, 0.0, _beta_quantiles(trait.a, trait.b)
        case _:
            return kinds.CONSTANT, trait.value, 0.0, none


@lru_cache(maxsize=256)
def _beta_quantiles(a: float, b: float) -> np.ndarray:
    """Return the quantiles of a beta distribution at equal steps of probability."""
    from scipy.special import betaincinv  # slow to import, and few scenarios come without it

    table = betaincinv(a, b, np.linspace(0, 1, CELLS + 1)).astype(np.float32)
    table.flags.writeable = False
    return table
