"""What is seen of the worlds, tick by tick: the firm's log of everyday business, and the truth beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from churnsim.causes import CAUSE_NAMES, ENABLERS, N_VALUE_CAUSES
from churnsim.engine.dealings.state import CELLS
from churnsim.engine.state import one_of
from churnsim.ground_truth.hazard import Hazard, hazard_of
from churnsim.ground_truth.outcomes import Outcomes
from churnsim.ground_truth.people import People, customer_numbers
from churnsim.ground_truth.plan import Plan
from churnsim.ground_truth.tables import category
from churnsim.ground_truth.worlds import Worlds
from churnsim.ground_truth.writing import Writers
from churnsim.mechanisms.involuntary import NONE, gone_for_good
from churnsim.mechanisms.rule import interpreted
from churnsim.randomness import Stream, mix, stream_key, uniforms

CONTACT_KINDS = ["relationship", "offer"]
SEVERITIES = ["minor", "major"]
OUTCOMES = ["in_vain", "settled", "settled_at_once"]
PER_SEVERITY = len(CELLS) // 2
"""Cells of the complaint table per severity: silent, then the `OUTCOMES`."""

SURVEY_PART = 1
ASKED, SATISFACTION, EXPECTATION, INTENTION = range(4)
"""Purposes of the survey's random numbers."""

gone = interpreted(gone_for_good)


def survey_key(seed: int, tick: int, purpose: int) -> np.uint64:
    """Return the key of a survey's random numbers, which no rule of behaviour uses."""
    return np.uint64(mix(int(stream_key(seed, Stream.FIRM, tick, SURVEY_PART)) + purpose))


def answers(level: np.ndarray, luck: np.ndarray, noise: float) -> np.ndarray:
    """Return answers on a scale of 1 to 10 about levels of 0 to 1; `noise` is in points.

    Parameters
    ----------
    level
        What is asked about, 0 to 1.
    luck
        Uniform numbers.
    noise
        Standard deviation of the error.
    """
    from scipy.special import ndtri

    points = 1 + 9 * level.astype(np.float64) + noise * ndtri(luck.astype(np.float64))
    return np.clip(np.rint(points), 1, 10).astype(np.int8)


class Watch:
    """Writes the log of one firm over the window, and the truth about its customers.

    Up to the snapshot all worlds are one; after it each customer is followed in the world of its own treatment.
    """

    def __init__(self, plan: Plan, writers: Writers) -> None:
        self.plan = plan
        self.writers = writers
        self.firm = list(plan.scenario.firms).index(plan.firm)
        self.option = self.firm + 1
        self.people: People | None = None
        self.outcomes: Outcomes | None = None
        self._options = ["outside", *plan.scenario.firms]
        self._hazards: dict[int, tuple[np.ndarray, Hazard]] = {}
        self._offers: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def before_approach(self, worlds: Worlds) -> None:
        """Remember which offers are in force already."""
        self._offers = {}
        if worlds.deals:
            for r in self._seen_worlds(worlds):
                rows = self.rows(worlds, r)
                kept = (worlds.dealings.offer_from[rows].copy(), worlds.dealings.offer_left[rows].copy())
                self._offers[r] = kept

    def before_choice(self, worlds: Worlds) -> None:
        """Work out the true hazards of the firm's customers, and write the offers that have been made.

        In the first tick after the snapshot those of the whole cohort in every world are kept for the effects.
        """
        if self.people is None:
            self.people = People(self.plan, worlds)
        self._hazards = {}
        for r in self._seen_worlds(worlds):
            mine = self._mine(worlds, r, worlds.columns.provider[self.rows(worlds, r)] == self.option)
            self._hazards[r] = mine, self._hazard(worlds, r, mine)
            if r in self._offers:
                self._write_offers(worlds, r)
        if self.outcomes is not None and worlds.tick == self.plan.snapshot + 1:
            for r in range(len(worlds.bases)):
                rows = int(worlds.batch.first[r]) + self.outcomes.places[~self.outcomes.gone]
                self.outcomes.hazard[r, ~self.outcomes.gone] = self._hazard(worlds, r, rows).total

    def after_choice(self, worlds: Worlds) -> None:
        """Write hazards and the causes of departures."""
        for r, (mine, hazard) in self._hazards.items():
            columns = worlds.columns
            left = (columns.following[mine] != self.option) | gone(columns.exit[mine])
            self.writers.add(
                "hazards",
                {
                    **self._who(worlds, r, mine),
                    "hazard": hazard.total.astype(np.float32),
                    "voluntary": hazard.voluntary.astype(np.float32),
                    "involuntary": hazard.involuntary.astype(np.float32),
                    "attention": hazard.attention.astype(np.float32),
                    "stays": hazard.stays.astype(np.float32),
                    "left": left,
                },
            )
            self._write_departures(worlds, r, mine[left])

    def after_service(self, worlds: Worlds) -> None:
        """Write the day's business, and keep everybody's account."""
        assert self.people is not None
        for r in self._seen_worlds(worlds):
            bought = worlds.columns.choice[self.rows(worlds, r)] == self.option
            buyers = self._mine(worlds, r, bought)
            price, amount = self.paid(worlds, r, buyers)
            self._write_transactions(worlds, r, buyers, price, amount)
            self._write_contacts(worlds, r)
            if worlds.deals:
                self._write_failures(worlds, r, buyers)
            if worlds.tick <= self.plan.snapshot:
                self._write_surveys(worlds, r, buyers)
            else:
                self.people.see(worlds, r, buyers)
        buyers = self.rows(worlds, 0).start + np.flatnonzero(worlds.columns.choice[self.rows(worlds, 0)] == self.option)
        _, amount = self.paid(worlds, 0, buyers)
        self.people.close_tick(worlds, buyers, amount)
        if self.outcomes is not None:
            for r in range(len(worlds.bases)):
                rows = self.rows(worlds, r)
                buyers = rows.start + np.flatnonzero(worlds.columns.choice[rows] == self.option)
                _, amount = self.paid(worlds, r, buyers)
                self.outcomes.close_tick(worlds, r, buyers, amount)

    def after_tick(self, worlds: Worlds) -> None:
        """At the snapshot, write who the customers are, and begin to follow what becomes of them."""
        if worlds.tick == self.plan.snapshot:
            assert self.people is not None
            self.outcomes = self.people.take_snapshot(worlds, self.writers)

    # ------------------------------------------------------------------ who is seen

    def rows(self, worlds: Worlds, r: int) -> slice:
        """Return the rows of world `r`'s customers."""
        first = int(worlds.batch.first[r])
        return slice(first, first + int(worlds.batch.active[r]))

    def _seen_worlds(self, worlds: Worlds) -> list[int]:
        """Return the worlds in which some customers are followed this tick."""
        plan = self.plan
        if not plan.snapshot - plan.history < worlds.tick <= plan.snapshot + plan.outcome:
            return []
        return [0] if worlds.tick <= plan.snapshot else list(range(len(worlds.bases)))

    def _mine(self, worlds: Worlds, r: int, wanted: np.ndarray) -> np.ndarray:
        """Return the rows of those wanted customers of world `r` who are followed in it."""
        assert self.people is not None
        if worlds.tick > self.plan.snapshot:
            wanted = wanted & (self.people.group[: wanted.size] == r)
        return self.rows(worlds, r).start + np.flatnonzero(wanted)

    def _who(self, worlds: Worlds, r: int, rows: np.ndarray) -> dict[str, Any]:
        """Return the columns that say when and who."""
        assert self.people is not None
        numbers = customer_numbers(worlds.columns.id[rows], self.people.generation[rows])
        return {"tick": np.full(rows.size, worlds.tick, np.int32), "customer": numbers}

    def _customs(self, worlds: Worlds, r: int) -> Any:
        """Return the numbers of a world's dealings, None where there are none."""
        return worlds.customs[worlds.batch.customs_set[r]] if worlds.deals else None

    def _hazard(self, worlds: Worlds, r: int, rows: np.ndarray) -> Hazard:
        """Return the hazards of some rows of world `r`."""
        parameters = worlds.parameter_sets[worlds.current[r]]
        market = one_of(worlds.batch, r)
        return hazard_of(worlds.columns, worlds.dealings, parameters, self._customs(worlds, r), market, rows)

    # ------------------------------------------------------------------ what is written

    def _write_departures(self, worlds: Worlds, r: int, rows: np.ndarray) -> None:
        """Write why customers left."""
        columns = worlds.columns
        shares = np.zeros((rows.size, len(CAUSE_NAMES)), np.float32)
        barriers = np.zeros((rows.size, len(ENABLERS)), np.float32)
        cause = np.zeros(rows.size, np.int8)
        kinds = columns.exit[rows]
        forced = np.flatnonzero(kinds != NONE)
        cause[forced] = N_VALUE_CAUSES - 1 + kinds[forced].astype(np.intp)
        shares[forced, cause[forced]] = 1
        chosen = np.flatnonzero(kinds == NONE)
        sets = worlds.batch.parameter_set[r, columns.anchor_row[rows[chosen]]]
        for then in np.unique(sets):
            those = chosen[sets == then]
            primary, parts, _, worn = worlds.engine.itemise(worlds, r, rows[those], int(then))
            cause[those], barriers[those] = primary, worn
            shares[those[:, np.newaxis], np.arange(N_VALUE_CAUSES)] = parts
        taken = np.where(kinds == NONE, columns.following[rows], 0).astype(np.int8)
        self.writers.add(
            "departures",
            {
                **self._who(worlds, r, rows),
                "taken": category(taken, self._options),
                "cause": category(cause, list(CAUSE_NAMES)),
                **{name: shares[:, m].copy() for m, name in enumerate(CAUSE_NAMES)},
                **{f"barrier_{name}": barriers[:, m].copy() for m, name in enumerate(ENABLERS)},
            },
        )

    def paid(self, worlds: Worlds, r: int, buyers: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the price of an average purchase at the firm, and what each buyer has paid."""
        price = float(worlds.books.price[r, self.firm])
        if not worlds.deals:
            return price, np.full(buyers.size, price)
        dealings, customs = worlds.dealings, self._customs(worlds, r)
        amount = price * dealings.size[buyers].astype(np.float64)
        if customs.on_stockpiling:
            amount *= dealings.basket[buyers].astype(np.float64)
        if customs.on_bargaining:
            amount *= 1 - dealings.discount[buyers].astype(np.float64)
        return price, amount

    def _write_transactions(self, worlds: Worlds, r: int, buyers: np.ndarray, price: float, amount: np.ndarray) -> None:
        """Write who has bought, and what was paid."""
        self.writers.add(
            "transactions",
            {
                **self._who(worlds, r, buyers),
                "price": np.full(buyers.size, price),
                "amount": amount,
                "promotion": np.full(buyers.size, bool(worlds.books.promotion[r, self.firm])),
            },
        )

    def _write_contacts(self, worlds: Worlds, r: int) -> None:
        """Write whom the firm has contacted.

        A firm that is not told of departures also writes to those who have left and whom it still counts. Nothing comes
        of it in the model, but without these letters their absence would give the departure away.
        """
        assert self.people is not None
        columns = worlds.columns
        mine, _ = self._hazards[r]
        if self.plan.churn == "silent":
            places = self.people.counted(worlds.tick)[: int(worlds.batch.active[r])]
            mine = np.union1d(mine, self._mine(worlds, r, places))
        wished = float(worlds.batch.contacts[r, self.firm])
        if wished > 0:
            luck = uniforms(worlds.batch.contact_key[r], columns.id[mine])
            number = np.floor(wished) + (luck < np.float32(wished - np.floor(wished)))
            self._add_contacts(worlds, r, mine[number > 0], 0, number[number > 0], None)

    def _write_offers(self, worlds: Worlds, r: int) -> None:
        """Write to whom the firm has made an offer; who then leaves the market keeps no trace of it."""
        rows, dealings, (before, left) = self.rows(worlds, r), worlds.dealings, self._offers[r]
        now = dealings.offer_from[rows] == self.option
        running = (before == self.option) & (dealings.offer_left[rows] < left)
        # A refusal to bargain is kept like an offer of less than nothing.
        fresh = self._mine(worlds, r, now & ~running & (dealings.offer_worth[rows] >= 0))
        self._add_contacts(worlds, r, fresh, 1, np.ones(fresh.size), dealings.offer_worth[fresh])

    def _add_contacts(
        self, worlds: Worlds, r: int, rows: np.ndarray, kind: int, number: np.ndarray, worth: np.ndarray | None
    ) -> None:
        """Write contacts of one kind."""
        self.writers.add(
            "contacts",
            {
                **self._who(worlds, r, rows),
                "kind": category(np.full(rows.size, kind, np.int8), CONTACT_KINDS),
                "number": number.astype(np.int16),
                "worth": np.zeros(rows.size, np.float32) if worth is None else worth,
            },
        )

    def _write_failures(self, worlds: Worlds, r: int, buyers: np.ndarray) -> None:
        """Write complaints, and in truth the failures that nobody spoke of as well."""
        pending = worlds.dealings.pending[buyers].astype(np.int8) - 1
        failed, cell = buyers[pending >= 0], pending[pending >= 0]
        severity, answer = cell // PER_SEVERITY, cell % PER_SEVERITY - 1
        voiced = answer >= 0
        who = self._who(worlds, r, failed)
        self.writers.add("failures", {**who, "severity": category(severity, SEVERITIES), "voiced": voiced})
        spoken = {name: column[voiced] for name, column in who.items()}
        said = {
            "severity": category(severity[voiced], SEVERITIES),
            "outcome": category(answer[voiced], OUTCOMES),
        }
        self.writers.add("complaints", {**spoken, **said})

    def _write_surveys(self, worlds: Worlds, r: int, buyers: np.ndarray) -> None:
        """Ask some of the buyers after their purchase."""
        assert self.people is not None
        columns, plan, tick = worlds.columns, self.plan, worlds.tick
        asked = uniforms(survey_key(plan.seed, tick, ASKED), columns.id[buyers]) < plan.surveyed
        rows = buyers[asked & (columns.provider[buyers] == self.option)]
        levels = {
            "satisfaction": columns.satisfaction[rows],
            "expectation": columns.expectation[rows],
            "intention": self._hazard(worlds, r, rows).intention,
        }
        found = {}
        for purpose, (name, level) in enumerate(levels.items(), start=SATISFACTION):
            luck = uniforms(survey_key(plan.seed, tick, purpose), columns.id[rows])
            found[name] = answers(level, luck, plan.noise)
        self.writers.add("surveys", {**self._who(worlds, r, rows), **found})
