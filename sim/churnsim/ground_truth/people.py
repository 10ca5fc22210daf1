"""Who the firm's customers are: numbers that belong to a person, what the firm knows of them, and the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from churnsim.ground_truth.outcomes import Outcomes
from churnsim.ground_truth.plan import Plan
from churnsim.ground_truth.tables import category
from churnsim.mechanisms.involuntary import gone_for_good
from churnsim.mechanisms.rule import interpreted
from churnsim.randomness import Stream, mix, stream_key, uniforms

if TYPE_CHECKING:
    from churnsim.ground_truth.worlds import Worlds
    from churnsim.ground_truth.writing import Writers

LOT_PART = 2
"""Part of the firm's stream that assigns treatments."""

NEVER = np.iinfo(np.int32).min
GENERATION_BITS = 32

gone = interpreted(gone_for_good)


def customer_numbers(ids: np.ndarray, generation: np.ndarray) -> np.ndarray:
    """Return the numbers of persons: whoever takes the place of one who left the market has another number."""
    return ids.astype(np.int64) | (generation.astype(np.int64) << GENERATION_BITS)


def chances(plan: Plan, spend: np.ndarray) -> np.ndarray:
    """Return each customer's probability of being treated, (n,) float64: by what they have spent, where that counts.

    The log-odds rise with the rank by spending in equal steps from the lowest to the highest, so that no probability
    comes nearer to 0 or 1 than `Plan.targeting` makes it, whatever the distribution of spending is.
    """
    if not plan.targeting or not 0 < plan.treated < 1:
        return np.full(spend.size, plan.treated)
    from scipy.stats import rankdata

    rank = (rankdata(spend) - 0.5) / max(spend.size, 1)
    return 1 / (1 + (1 / plan.treated - 1) * np.exp(-plan.targeting * (rank - 0.5)))


def lots(plan: Plan, ids: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return which group each customer is in by lot, 0 for the untreated, (n,) uint8."""
    luck = uniforms(np.uint64(mix(int(stream_key(plan.seed, Stream.FIRM, 0, LOT_PART)))), ids).astype(np.float64)
    of_treated = np.divide(luck, chance, out=np.ones(ids.size), where=luck < chance)
    place = np.floor(of_treated * len(plan.treatments)).astype(np.int64)
    return np.where(luck < chance, 1 + np.minimum(place, len(plan.treatments) - 1), 0).astype(np.uint8)


class People:
    """Accounts of the firm's customers in the untreated world, and everybody's generation in every world.

    Attributes
    ----------
    generation : (rows,) uint16
        How many persons have been in the place before, by row.
    group : (n,) uint8
        Treatment by lot, by place in a world; drawn at the snapshot, nobody's before.
    chance : (n,) float64
        Probability of being treated, by place.
    last_purchase : (n,) int32
        Tick of the last purchase, by place; after the snapshot in the world of the customer's own lot.
    """

    def __init__(self, plan: Plan, worlds: Worlds) -> None:
        self.plan = plan
        self.option = list(plan.scenario.firms).index(plan.firm) + 1
        first = worlds.batch.first
        room = int(first[1] if len(first) > 1 else worlds.columns.id.size)
        self.generation = np.zeros(worlds.columns.id.size, np.uint16)
        self.group = np.zeros(room, np.uint8)
        self.chance = np.full(room, plan.treated)
        self.referred = np.zeros(room, np.bool_)
        self.first_purchase = np.full(room, NEVER, np.int32)
        self.last_purchase = np.full(room, NEVER, np.int32)
        self.purchases = np.zeros(room, np.int32)
        self.spend = np.zeros(room)

    def close_tick(self, worlds: Worlds, buyers: np.ndarray, amount: np.ndarray) -> None:
        """Enter the purchases of the untreated world up to the snapshot, and let newcomers take the places of the gone.

        After it, `see` tells of purchases.

        Parameters
        ----------
        worlds
            The worlds after a service phase.
        buyers : (n,) int64
            Rows of the untreated world whose customers have bought at the firm.
        amount : (n,) float64
            What they have paid, in currency.
        """
        tick, plan = worlds.tick, self.plan
        left = np.flatnonzero(gone(worlds.columns.exit))
        if tick <= plan.snapshot:
            fresh = buyers[self.first_purchase[buyers] == NEVER]
            self.first_purchase[fresh] = tick
            # How somebody came is known from the day; the state's own mark goes out when the customer leaves.
            self.referred[fresh] = worlds.dealings.referred[fresh] if worlds.deals else False
            self.last_purchase[buyers] = tick
            if tick > plan.snapshot - plan.history:
                self.purchases[buyers] += 1
                self.spend[buyers] += amount
        first = worlds.batch.first
        world = np.searchsorted(first, left, side="right") - 1
        place = left - first[world]
        mine = place[self.group[place] == world]
        for column in (self.first_purchase, self.last_purchase):
            column[mine] = NEVER
        self.purchases[mine], self.spend[mine], self.referred[mine] = 0, 0, False
        self.generation[left] += 1

    def see(self, worlds: Worlds, r: int, buyers: np.ndarray) -> None:
        """Enter the purchases of those whom the lot has put into world `r`, after the snapshot."""
        self.last_purchase[buyers - int(worlds.batch.first[r])] = worlds.tick

    def counted(self, tick: int) -> np.ndarray:
        """Return whom a firm that is not told of departures takes for customers when a tick begins, by place."""
        return self.last_purchase >= tick - self.plan.inactivity

    def take_snapshot(self, worlds: Worlds, writers: Writers) -> Outcomes:
        """Write the tables of customers and of their true states; return who is followed from here on.

        A firm that is told of departures takes those for customers who are; another one those who have bought lately.
        """
        plan, columns, tick = self.plan, worlds.columns, worlds.tick
        n = int(worlds.batch.active[0])
        with_firm = columns.provider[:n] == self.option
        known = self.purchases[:n] > 0
        active = self.last_purchase[:n] > tick - plan.inactivity
        if plan.churn == "visible":
            known, active = known | with_firm, with_firm
        known |= active
        rows = np.flatnonzero(known)
        self.chance[rows] = chances(plan, self.spend[rows])
        self.group[:] = lots(plan, columns.id[: self.group.size], self.chance)
        numbers = customer_numbers(columns.id[rows], self.generation[rows])
        writers.add(
            "customers",
            {
                "customer": numbers,
                "first_purchase": _ticks(self.first_purchase[rows]),
                "last_purchase": _ticks(self.last_purchase[rows]),
                "purchases": self.purchases[rows],
                "spend": self.spend[rows],
                "contract_left": _ticks(self._contract_left(worlds, rows)),
                "referred": self.referred[rows],
                "treatment": category(self.group[rows].astype(np.int8), plan.groups),
                "active": active[rows],
            },
        )
        home = self.option - 1
        writers.add(
            "states",
            {
                "customer": numbers,
                "with_firm": with_firm[rows],
                "tenure": np.where(with_firm[rows], columns.tenure[rows], 0).astype(np.int32),
                "satisfaction": _where(with_firm[rows], columns.satisfaction[rows]),
                "expectation": _where(with_firm[rows], columns.expectation[rows]),
                "belief": columns.belief[home, rows],
                "attachment": columns.attachment[home, rows],
                "reference_price": columns.reference[home, rows],
                "opportunity": columns.opportunity[rows],
                "quality_value": columns.quality_value[rows],
                "price_weight": columns.price_weight[rows],
                "switching_cost": columns.switching_cost[rows],
                "taste": columns.taste[home, rows],
            },
        )
        return Outcomes(plan, worlds, np.flatnonzero(active), self)

    def _contract_left(self, worlds: Worlds, rows: np.ndarray) -> np.ndarray:
        """Return how many ticks the contracts with the firm still run; `NEVER` without one."""
        columns, home = worlds.columns, self.option - 1
        length = worlds.batch.contract_length[0, columns.anchor_row[rows], home]
        left = length.astype(np.int32) - columns.tenure[rows]
        return np.where((columns.provider[rows] == self.option) & (left > 0), left, NEVER).astype(np.int32)


def _ticks(values: np.ndarray) -> pa.Array:
    """Return ticks with missing values where there are none."""
    return pa.array(values, pa.int32(), mask=values == NEVER)


def _where(known: np.ndarray, values: np.ndarray) -> pa.Array:
    """Return numbers of customers of the firm, missing for the others."""
    return pa.array(values, pa.float32(), mask=~known)
