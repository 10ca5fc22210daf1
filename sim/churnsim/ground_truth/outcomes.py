"""What becomes of the customers of the snapshot in every world: labels, and the effect of treatments on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from churnsim.ground_truth.plan import Plan
from churnsim.ground_truth.tables import category

if TYPE_CHECKING:
    from churnsim.ground_truth.people import People
    from churnsim.ground_truth.worlds import Worlds
    from churnsim.ground_truth.writing import Writers

CHUNK = 1 << 18
"""Customers whose effects are written at a time."""


class Outcomes:
    """Departures and purchases of the snapshot's customers, in every world.

    Arrays have a leading axis over worlds, then one entry per customer of the cohort.

    Parameters
    ----------
    plan, worlds
        What is generated, at the snapshot.
    places : (n,) int64
        Places of the cohort within a world.
    people
        Accounts of everybody, whose `generation` goes on being updated.
    """

    def __init__(self, plan: Plan, worlds: Worlds, places: np.ndarray, people: People) -> None:
        self.plan = plan
        self.option = list(plan.scenario.firms).index(plan.firm) + 1
        self.places = places
        self.group = people.group[places]
        self.chance = people.chance[places]
        self.born = people.generation[places].copy()
        self.ids = worlds.columns.id[places]
        self._generation = people.generation
        self._member = np.full(people.group.size, -1, np.int64)
        self._member[places] = np.arange(places.size)
        worlds_count = len(worlds.bases)
        self.left = np.zeros((worlds_count, places.size), np.bool_)
        self.purchases = np.zeros((worlds_count, places.size), np.int32)
        self.spend = np.zeros((worlds_count, places.size))
        # Of the first tick after the snapshot.
        self.hazard = np.zeros((worlds_count, places.size), np.float32)
        # Who is with another firm at the snapshot already has left, whatever the firm believes.
        self.left[:] = worlds.columns.provider[places] != self.option
        self.gone = self.left[0].copy()

    def close_tick(self, worlds: Worlds, r: int, buyers: np.ndarray, amount: np.ndarray) -> None:
        """Enter a tick of world `r`, after its newcomers have come.

        Parameters
        ----------
        worlds, r
            The worlds after a service phase, and which of them.
        buyers : (n,) int64
            Rows of those who have bought at the firm.
        amount : (n,) float64
            What they have paid, in currency.
        """
        first = int(worlds.batch.first[r])
        rows = first + self.places
        same = self._generation[rows] == self.born
        self.left[r] |= ~same | (worlds.columns.provider[rows] != self.option)
        member = self._member[buyers - first]
        kept = member >= 0
        kept[kept] = same[member[kept]]
        self.purchases[r, member[kept]] += 1
        self.spend[r, member[kept]] += amount[kept]

    def write(self, writers: Writers) -> None:
        """Write labels and effects."""
        from churnsim.ground_truth.people import customer_numbers

        plan = self.plan
        churned = self.left if plan.churn == "visible" else self.purchases == 0
        for low in range(0, self.places.size, CHUNK):
            part = slice(low, low + CHUNK)
            numbers = customer_numbers(self.ids[part], self.born[part])
            group = self.group[part]
            mine = churned[group, np.arange(low, low + group.size)]
            treatment = category(group.astype(np.int8), plan.groups)
            writers.add("labels", {"customer": numbers, "treatment": treatment, "churned": mine})
        for low in range(0, self.places.size, CHUNK):
            part = slice(low, low + CHUNK)
            numbers = customer_numbers(self.ids[part], self.born[part])
            for r in range(1, len(plan.groups)):
                writers.add(
                    "effects",
                    {
                        "customer": numbers,
                        "treatment": category(np.full(numbers.size, r, np.int8), plan.groups),
                        "propensity": self.chance[part] / len(plan.treatments),
                        **{
                            f"hazard_{world}": pa.array(self.hazard[r if world else 0, part], mask=self.gone[part])
                            for world in (0, 1)
                        },
                        **{
                            f"{name}_{world}": table[r if world else 0, part].copy()
                            for name, table in (
                                ("left", self.left),
                                ("churned", churned),
                                ("purchases", self.purchases),
                                ("spend", self.spend),
                            )
                            for world in (0, 1)
                        },
                    },
                )
