"""When customers need a purchase, and buying ahead under a promotion: what is bought is not bought again (course S38).

Without a rhythm a need may arise in any tick. With one it has stages to go through, whatever the customer does
meanwhile, and arises with the last of them: needs lie as far apart on average, and more evenly (Erlang gaps: Chatfield
& Goodhardt 1973, recalled).

A need arises with the customer's probability of an occasion, and takes one purchase. While a firm promotes, everybody
shops as usual, and fills the stock up to ``ahead`` at a firm that promotes. While no firm does, who has a whole
purchase at home meets the need from there with probability ``use`` and shops otherwise; who has a part of one buys the
rest. Over any time

    bought = needs met + what the stock has grown by,

so that a promotion borrows from later purchases all that it makes customers buy ahead (Blattberg, Eppen & Lieberman
1981; Neslin, Henderson & Quelch 1985; Hendel & Nevo 2006). How fast it is paid back is ``use``: where customers pay
little heed to what they have at home, the dip after a promotion is long and shallow (Neslin & Stone 1996, recalled;
Hendel & Nevo 2003).
"""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import ONE, ZERO
from churnsim.mechanisms.needs import come_so_far, filled_up
from churnsim.mechanisms.rule import part
from churnsim.randomness import uniform


@part
def chance_of_need(columns, customs, market, i):
    """Return the probability that customer `i` needs a purchase in a tick like this."""
    chance = columns.opportunity[i]
    if customs.on_calendar:
        chance = chance * market.season
    return chance if chance < ONE else ONE


@part
def need(columns, dealings, customs, market, i):
    """Return the probability that customer `i` needs a purchase this tick."""
    chance = chance_of_need(columns, customs, market, i)
    if customs.on_rhythm:
        return come_so_far(customs.rhythm_stages - np.int64(dealings.stage[i]), chance, customs.rhythm_stages)
    return chance


@part
def come_closer(columns, dealings, customs, market, i):
    """Let customer `i` come closer to the next need, or begin anew after one; the luck of the need decides."""
    chance, stages = chance_of_need(columns, customs, market, i), customs.rhythm_stages
    luck = uniform(market.opportunity_key, columns.id[i])
    stage = np.int64(dealings.stage[i])
    passed = 0
    while stage + passed < stages and luck < come_so_far(passed + 1, chance, stages):
        passed += 1
    dealings.stage[i] = np.uint8(stage + passed if stage + passed < stages else 0)


@part
def promoted(market):
    """Return whether any open firm has announced a promotion this tick."""
    found = False
    for j in range(market.price.size):
        found = found or (market.open[j] and market.promotions[market.row, j])
    return found


@part
def in_store(dealings, market, i):
    """Return whether customer `i` may meet this tick's need from what was bought ahead."""
    return dealings.stock[i] >= ONE and not promoted(market)


@part
def shopping(columns, dealings, customs, market, i):
    """Return the probability that customer `i` has an occasion to purchase this tick."""
    chance = need(columns, dealings, customs, market, i)
    if customs.on_stockpiling and in_store(dealings, market, i):
        chance = chance * (ONE - customs.stock_use)
    return chance


@part
def use_up(columns, dealings, customs, market, i):
    """Let a need of this tick that sent nobody shopping use up a purchase; the same luck decides both."""
    luck = uniform(market.opportunity_key, columns.id[i])
    if in_store(dealings, market, i) and dealings.chance[i] <= luck < need(columns, dealings, customs, market, i):
        dealings.stock[i] = dealings.stock[i] - ONE


@part
def fill_basket(dealings, customs, market, i, j):
    """Let customer `i`, who buys at firm `j`, buy ahead or only what is missing; return the purchases ahead."""
    stock = dealings.stock[i]
    if market.promotions[market.row, j]:
        ahead = filled_up(stock, customs.stock_ahead)
        dealings.stock[i] = stock + ahead
        dealings.basket[i] = ONE + ahead
        return ahead
    dealings.basket[i] = ONE
    if stock < ONE and not promoted(market):  # while a rival promotes, what is there is kept
        dealings.basket[i] = ONE - stock
        dealings.stock[i] = ZERO
    return ZERO
