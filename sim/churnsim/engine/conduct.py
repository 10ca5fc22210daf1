"""Firms' dealings beyond the stay: what their levers cost, and the stocks that they move, in double precision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from churnsim.engine.books import FIRST_BIRTH, compiled
from churnsim.engine.dealings.state import (
    ASSIGNMENT,
    KNOWS,
    N_FIRM_STREAMS,
    N_STREAMS,
    N_TRAIT_STREAMS,
    PLACE,
)
from churnsim.engine.kernel import kernel
from churnsim.engine.levers import (
    ADVERTISE,
    CLUB,
    FIT,
    IMAGE,
    INNOVATE,
    KNOWN_SHARE,
    LISTEN,
    MORALE,
    N_CONDUCT,
    N_STOCKS,
    PAY,
    PERKS,
    PROGRAMMES,
    QUIT_HAZARD,
    REMIND,
    RESPOND,
    TECHNOLOGY,
)
from churnsim.engine.state import SCALE
from churnsim.mechanisms import firm as rules
from churnsim.randomness import Stream, key_of

effect = compiled(rules.effect)
funded = compiled(rules.funded)
morale_after = compiled(rules.morale_after)
quitting = compiled(rules.quitting)
image_after = compiled(rules.image_after)
fit_after = compiled(rules.fit_after)

N_PROGRAMMES = len(PROGRAMMES)
LEVER_OF = np.array([lever for lever, _ in PROGRAMMES], np.int64)
PER_STAY, PER_CUSTOMER, PER_ELITE, PER_MARKET = range(4)
PER = np.array([{"stays": 0, "customers": 1, "elite": 2, "market": 3}[base] for _, base in PROGRAMMES], np.int64)
PAY_AT, REMIND_AT, CLUB_AT, PERKS_AT, LISTEN_AT, ADVERTISE_AT, INNOVATE_AT, RESPOND_AT = range(N_PROGRAMMES)

VOLUME, VOLUME_PAID, COST = PLACE["volume"], PLACE["volume_paid"], PLACE["cost"]
SUGGESTIONS, COMPLAINTS, ELITE = PLACE["suggestions"], PLACE["complaints"], PLACE["elite"]


class Conduct(NamedTuple):
    """Dealings of every firm of every market; arrays are float64 (R, J) unless said otherwise."""

    listed: np.ndarray  # (R, J, N_CONDUCT), what holds where a strategy says nothing
    levers: np.ndarray  # (R, J, N_CONDUCT), as wished and then as funded; facts behind the levers
    scales: np.ndarray  # (R, J, N_PROGRAMMES), money that has 63 % of its full effect
    stocks: np.ndarray  # (R, J, N_STOCKS)
    elite: np.ndarray  # elite customers at the end of the last tick, per market customer
    voices: np.ndarray  # suggestions and complaints per customer in the last tick
    usual_morale: np.ndarray
    morale_speed: np.ndarray
    strain: np.ndarray
    quit_rate: np.ndarray
    attrition: np.ndarray
    progress: np.ndarray  # fastest progress of technology per tick
    technology_level: np.ndarray  # leaps so far
    scandal: np.ndarray  # scandals so far
    image_speed: np.ndarray
    fit_speed: np.ndarray
    fit_drift: np.ndarray
    programmes: np.ndarray  # bool (R, N_PROGRAMMES), whether the programme's mechanism is on


def new_conduct(markets: int, firms: int) -> Conduct:
    """Return zeroed conduct."""
    shapes = {
        "listed": (markets, firms, N_CONDUCT), "levers": (markets, firms, N_CONDUCT),
        "scales": (markets, firms, N_PROGRAMMES), "stocks": (markets, firms, N_STOCKS),
        "programmes": (markets, N_PROGRAMMES),
    }  # fmt: skip
    return Conduct(
        **{
            name: np.zeros(shapes.get(name, (markets, firms)), np.bool_ if name == "programmes" else np.float64)
            for name in Conduct._fields
        }
    )


@kernel
def fund_programmes(books, conduct, rules):
    """Fund the programmes from what service and relationship work have left, in their order (E29)."""
    for r in range(rules.size.size):
        if not rules.dealings[r]:
            continue
        for j in range(books.price.shape[1]):
            books.programme_cost[r, j] = 0.0
            available = books.left[r, j]
            for n in range(N_PROGRAMMES):
                lever = LEVER_OF[n]
                wish = conduct.levers[r, j, lever]
                if not conduct.programmes[r, n] or not books.open[r, j] or wish <= 0.0:
                    conduct.levers[r, j, lever] = 0.0
                    continue
                base = 1.0
                if PER[n] == PER_STAY:
                    base = books.expected[r, j]
                elif PER[n] == PER_CUSTOMER:
                    base = books.customers[r, j]
                elif PER[n] == PER_ELITE:
                    base = conduct.elite[r, j]
                share = 1.0
                if rules.budget[r]:
                    share, available = funded(wish * base, available)
                conduct.levers[r, j, lever] = wish * share
                books.programme_cost[r, j] += wish * base * share
                books.shortfall[r, j] += wish * base * (1 - share)


@kernel
def cultivate(books, conduct, rules):
    """Let morale, technology, image and fit follow (E28; course S11-S15, S106)."""
    for r in range(rules.size.size):
        if not rules.dealings[r]:
            continue
        for j in range(books.price.shape[1]):
            stocks, scales = conduct.stocks[r, j], conduct.scales[r, j]
            overload = max(books.stays[r, j] / books.capacity[r, j] - 1, 0.0)
            usual = conduct.usual_morale[r, j]
            stocks[MORALE] = morale_after(
                stocks[MORALE],
                usual,
                effect(conduct.levers[r, j, PAY], scales[PAY_AT]),
                overload,
                conduct.strain[r, j],
                conduct.morale_speed[r, j],
            )
            stocks[QUIT_HAZARD] = quitting(conduct.quit_rate[r, j], conduct.attrition[r, j], stocks[MORALE], usual)
            stocks[TECHNOLOGY] += conduct.progress[r, j] * effect(conduct.levers[r, j, INNOVATE], scales[INNOVATE_AT])
            target = 0.5 * effect(conduct.levers[r, j, RESPOND], scales[RESPOND_AT])
            stocks[IMAGE] = image_after(stocks[IMAGE], target, conduct.image_speed[r, j])
            stocks[FIT] = fit_after(
                stocks[FIT],
                conduct.voices[r, j],
                effect(conduct.levers[r, j, LISTEN], scales[LISTEN_AT]),
                conduct.fit_speed[r, j],
                conduct.fit_drift[r, j],
            )
            stocks[KNOWN_SHARE] = books.customers[r, j]


@kernel
def publish_conduct(markets, books, conduct, rules, seeds, codes, tick, row):
    """Publish dealings for all customers of every market in a tick; programmes by the effect that their money has."""
    nothing = np.uint64(0)
    for r in range(seeds.size):
        if not rules.dealings[r]:
            continue
        born = FIRST_BIRTH if row == 0 else tick
        for n in range(N_STREAMS):
            markets.deal_keys[r, n] = key_of(seeds[r], np.int64(Stream.DEALINGS) + n, tick, nothing)
        for n in range(N_TRAIT_STREAMS):
            markets.birth_keys[r, n] = key_of(seeds[r], np.int64(Stream.DEALINGS_TRAIT) + n, born, nothing)
        for j in range(codes.shape[1]):
            for n in range(N_FIRM_STREAMS):
                when = born if n == KNOWS else (0 if n == ASSIGNMENT else tick)
                markets.firm_keys[r, j, n] = key_of(seeds[r], np.int64(Stream.DEALINGS_OF_FIRM) + n, when, codes[r, j])
            for k in range(N_CONDUCT):
                markets.conduct[r, j, k] = np.float32(conduct.levers[r, j, k])
            for k in range(N_STOCKS):
                markets.stocks[r, j, k] = np.float32(conduct.stocks[r, j, k])
            scales = conduct.scales[r, j]
            for lever, place in ((REMIND, REMIND_AT), (CLUB, CLUB_AT), (PERKS, PERKS_AT), (LISTEN, LISTEN_AT),
                                 (ADVERTISE, ADVERTISE_AT)):  # fmt: skip
                markets.conduct[r, j, lever] = np.float32(effect(conduct.levers[r, j, lever], scales[place]))


@kernel
def settle_dealings(books, conduct, rules, counters, money_unit):
    """Work out what the tick's dealings have cost and sold, per market customer."""
    for r in range(rules.size.size):
        if not rules.dealings[r]:
            continue
        for j in range(books.price.shape[1]):
            counted = counters.counted[r, j]
            books.volume[r, j] = counted[VOLUME] / SCALE / rules.size[r]
            books.volume_paid[r, j] = counted[VOLUME_PAID] / SCALE / rules.size[r]
            spent = counted[COST] / SCALE * money_unit[r] / rules.size[r]
            books.dealing_cost[r, j] = books.programme_cost[r, j] + spent
            conduct.elite[r, j] = counted[ELITE] / rules.size[r]
            voices = np.float64(counted[SUGGESTIONS] + counted[COMPLAINTS]) / rules.size[r]
            conduct.voices[r, j] = min(voices / books.customers[r, j], 1.0) if books.customers[r, j] > 0 else 0.0
