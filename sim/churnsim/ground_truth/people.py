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


def lots(plan: Plan, ids: np.ndarray) -> np.ndarray:
    """Return which group each customer is in by lot, 0 for the untreated, (n,) uint8."""
    luck = uniforms(np.uint64(mix(int(stream_key(plan.seed, Stream.FIRM, 0, LOT_PART)))), ids).astype(np.float64)
    if not plan.treated:
        return np.zeros(ids.size, np.uint8)
    place = np.floor(luck / plan.treated * len(plan.treatments)).astype(np.int64)
    return np.where(luck < plan.treated, 1 + np.minimum(place, len(plan.treatments) - 1), 0).astype(np.uint8)


class People:
    """Accounts of the firm's customers in the untreated world, and everybody's generation in every world.

    Attributes
    ----------
    generation : (rows,) uint16
        How many persons have been in the place before, by row.
    group : (n,) uint8
        Treatment by lot, by place in a world.
    """

    def __init__(self, plan: Plan, worlds: Worlds) -> None:
        self.plan = plan
        self.option = list(plan.scenario.firms).index(plan.firm) + 1
        first = worlds.batch.first
        room = int(first[1] if len(first) > 1 else worlds.columns.id.size)
        self.generation = np.zeros(worlds.columns.id.size, np.uint16)
        self.group = lots(plan, worlds.columns.id[:room])
        self.first_purchase = np.full(room, NEVER, np.int32)
        self.last_purchase = np.full(room, NEVER, np.int32)
        self.purchases = np.zeros(room, np.int32)
        self.spend = np.zeros(room)

    def close_tick(self, worlds: Worlds, buyers: np.ndarray, amount: np.ndarray) -> None:
        """Enter the purchases of the untreated world up to the snapshot, and let newcomers take the places of the gone.

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
            self.last_purchase[buyers] = tick
            if tick > plan.snapshot - plan.history:
                self.purchases[buyers] += 1
                self.spend[buyers] += amount
            mine = left[left < self.first_purchase.size]
            for column in (self.first_purchase, self.last_purchase):
                column[mine] = NEVER
            self.purchases[mine], self.spend[mine] = 0, 0
        self.generation[left] += 1

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
        numbers = customer_numbers(columns.id[rows], self.generation[rows])
        referred = worlds.dealings.referred[rows] if worlds.deals else np.zeros(rows.size, np.bool_)
        writers.add(
            "customers",
            {
                "customer": numbers,
                "first_purchase": _ticks(self.first_purchase[rows]),
                "last_purchase": _ticks(self.last_purchase[rows]),
                "purchases": self.purchases[rows],
                "spend": self.spend[rows],
                "contract_left": _ticks(self._contract_left(worlds, rows)),
                "referred": referred & with_firm[rows],
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
        return Outcomes(plan, worlds, np.flatnonzero(active), self.generation, self.group)

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
