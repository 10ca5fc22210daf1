"""Tables of the ledger: tenure, value, concentration, inactivity and observables of every firm's customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnsim.economics.survival import retention_by_tenure, survivor_curve
from churnsim.records import OBSERVABLES, SILENCES
from churnsim.spending import PERCENTS, SORTED_BY, best
from churnsim.tables import Assembler, categorical

if TYPE_CHECKING:
    from churnsim.records import LedgerRecord, RunRecord

TOP = "top_1pct"
"""Group of the best hundredth of a firm's buyers."""

DECILES = tuple(str(number) for number in range(1, 11))
"""Groups of a tenth of a firm's buyers each, the best first."""


class LedgerAssembler(Assembler):
    """Builds the tables of the ledger too; each is None where no run kept one."""

    def tenure(self) -> pd.DataFrame | None:
        """Return customers by whole ticks with a firm at the start of a tick, and those lost in it; sums over play."""
        kept = self._kept()
        shapes = [books.at_risk.shape for _, books in kept]
        return self._frame(
            kept,
            [firms * longest for firms, longest in shapes],
            [np.repeat(np.arange(firms), longest) for firms, longest in shapes],
            lambda: {
                "tenure": np.concatenate([np.tile(np.arange(longest), firms) for firms, longest in shapes]),
                "at_risk": np.concatenate([books.at_risk.ravel() for _, books in kept]),
                "lost": np.concatenate([books.lost.ravel() for _, books in kept]),
            },
        )

    def value(self) -> pd.DataFrame | None:
        """Return what the best hundredth of a firm's buyers and each tenth of them bring (course S35, S36)."""
        kept = self._kept()
        groups = [TOP, *DECILES]
        tenths = np.arange(1, 11) * PERCENTS // 10 - 1

        def grouped(running: np.ndarray) -> np.ndarray:
            """Return (..., groups) from sums over the best 1 ... 100 %."""
            ends = running[..., tenths]
            return np.concatenate([running[..., :1], np.diff(ends, axis=-1, prepend=0)], axis=-1)

        sizes = [len(books.buyers) * len(SORTED_BY) * len(groups) for _, books in kept]

        def columns() -> dict[str, Any]:
            """Return firm by firm, by what they are sorted, group by group."""
            cells = sum(sizes) // len(groups)
            heads = [np.repeat(grouped(best(books.buyers))[:, np.newaxis], 2, axis=1) for _, books in kept]
            curves = [grouped(books.concentration.transpose(3, 1, 0, 2)) for _, books in kept]
            return {
                "by": categorical(np.tile(np.repeat(np.arange(2), len(groups)), cells // 2), SORTED_BY),
                "group": categorical(np.tile(np.arange(len(groups)), cells), groups),
                "customers": np.concatenate([part.ravel() for part in heads]),
                "share_of_money": np.concatenate([part[0].ravel() for part in curves]),
                "share_of_purchases": np.concatenate([part[1].ravel() for part in curves]),
            }

        return self._frame(kept, sizes, _firms(kept, len(SORTED_BY) * len(groups)), columns)

    def concentration(self) -> pd.DataFrame | None:
        """Return what the best 1, 2, ... 100 % of a firm's buyers bring."""
        kept = self._kept()
        inner = len(SORTED_BY) * PERCENTS
        sizes = [len(books.buyers) * inner for _, books in kept]

        def columns() -> dict[str, Any]:
            """Return firm by firm, by what they are sorted, per cent by per cent."""
            cells = sum(sizes) // PERCENTS
            heads = [np.repeat(best(books.buyers)[:, np.newaxis], 2, axis=1) for _, books in kept]
            curves = [books.concentration.transpose(3, 1, 0, 2) for _, books in kept]
            return {
                "by": categorical(np.tile(np.repeat(np.arange(2), PERCENTS), cells // 2), SORTED_BY),
                "percent": np.tile(np.arange(1, PERCENTS + 1), cells),
                "customers": np.concatenate([part.ravel() for part in heads]),
                "share_of_money": np.concatenate([part[0].ravel() for part in curves]),
                "share_of_purchases": np.concatenate([part[1].ravel() for part in curves]),
            }

        return self._frame(kept, sizes, _firms(kept, inner), columns)

    def inactivity(self) -> pd.DataFrame | None:
        """Return whom the rule "no purchase for so long" takes for lost, tick by tick (course S22)."""
        kept = self._kept()
        shapes = [books.silences.shape[:2] for _, books in kept]

        def columns() -> dict[str, Any]:
            """Return tick by tick, firm by firm."""
            found = np.concatenate([books.silences.reshape(-1, len(SILENCES)) for _, books in kept])
            counts = {name: found[:, place].astype(np.int64) for place, name in enumerate(SILENCES[:-1])}
            ticks = [np.repeat(np.arange(1, played + 1), firms) for played, firms in shapes]
            return {"tick": np.concatenate(ticks), **counts, SILENCES[-1]: found[:, -1]}

        firms = [np.tile(np.arange(count), played) for played, count in shapes]
        frame = self._frame(kept, [played * count for played, count in shapes], firms, columns)
        # The tick stands before the firm, as in the other tables.
        return None if frame is None else frame[["scenario", "seed", "tick", "firm", *SILENCES]]

    def observables(self) -> pd.DataFrame | None:
        """Return what the log says of every firm's customers at the end (course S32)."""
        kept = self._kept()

        def columns() -> dict[str, Any]:
            """Return firm by firm."""
            found = np.concatenate([books.observables for _, books in kept])
            named = {name: found[:, place] for place, name in enumerate(OBSERVABLES)}
            return {**named, OBSERVABLES[0]: named[OBSERVABLES[0]].astype(np.int64)}

        return self._frame(kept, [len(books.buyers) for _, books in kept], _firms(kept, 1), columns)

    def _kept(self) -> list[tuple[RunRecord, LedgerRecord]]:
        """Return the records that have a ledger, with it."""
        return [(record, record.ledger) for record in self.records if record.ledger is not None]

    def _frame(
        self, kept: Sequence[tuple[RunRecord, LedgerRecord]], sizes: list[int], firms: list[np.ndarray], columns: Any
    ) -> pd.DataFrame | None:
        """Return a table with its keys; `sizes` are the rows of each run, `firms` the firm's number in each of them."""
        if not kept:
            return None
        scenarios = np.array([self.scenarios.index(record.scenario) for record, _ in kept], np.int16)
        seeds = np.array([record.seed for record, _ in kept], np.int64)
        places = {name: number for number, name in enumerate(self.firms)}
        own = [np.array([places[firm] for firm in record.firms], np.int8) for record, _ in kept]
        codes = np.concatenate([names[numbers] for names, numbers in zip(own, firms, strict=True)])
        return pd.DataFrame(
            {
                "scenario": categorical(np.repeat(scenarios, sizes), self.scenarios),
                "seed": np.repeat(seeds, sizes),
                "firm": categorical(codes, self.firms),
                **columns(),
            }
        )


def _firms(kept: Sequence[tuple[RunRecord, LedgerRecord]], inner: int) -> list[np.ndarray]:
    """Return each run's firms by number, `inner` rows each."""
    return [np.repeat(np.arange(len(books.buyers)), inner) for _, books in kept]


class LedgerTables:
    """The part of a `Result` that the ledger fills; tables are None where no scenario keeps one (``ledger: true``).

    Attributes
    ----------
    tenure : pandas.DataFrame or None
        scenario, seed, firm, tenure (whole ticks with the firm at the start of a tick), at_risk, lost; sums over play.
    value : pandas.DataFrame or None
        scenario, seed, firm, by (what the buyers are sorted by: money or purchases), group (``top_1pct``; deciles 1,
        the best, to 10), customers, share_of_money, share_of_purchases.
    concentration : pandas.DataFrame or None
        The same for the best 1, 2, ... 100 per cent of the buyers.
    inactivity : pandas.DataFrame or None
        scenario, seed, tick, firm, flagged (former buyers silent for ``customers.inactivity`` ticks), truly_gone (those
        with another provider or none), false_alarms (those who are with the firm still), missed (former buyers who are
        gone and not flagged), delay (mean ticks from leaving to the flag, of those gone who were flagged in this tick).
        A buyer is who has bought in play.
    observables : pandas.DataFrame or None
        scenario, seed, firm, and of its customers at the end: customers, repeat_purchases (mean purchases after the
        first), spend (mean, currency), wallet_share (mean share of the firm in a customer's purchases), rivals_resisted
        (share of purchases at the firm among those that its customers made while a rival was cheaper or on promotion),
        price_sensitivity (purchases per customer and tick with the price below its mean, less those with it above; NaN
        where the price never moved in play), repeat_rate (share of buyers who have bought twice), comparing (share of
        the purchase occasions on which they compared offers at all: the time that they spend choosing), tolerance
        (share of first occasions after a failed stay on which they bought again; NaN without ``mechanisms.failure``).
        These are the course's six measures of loyalty (S32): repurchase, time spent choosing, price sensitivity,
        attitude to rivals, tolerance of quality problems, spend.
    """

    _table: Any

    tenure = property(lambda self: self._table("tenure"))
    value = property(lambda self: self._table("value"))
    concentration = property(lambda self: self._table("concentration"))
    inactivity = property(lambda self: self._table("inactivity"))
    observables = property(lambda self: self._table("observables"))

    def survival(self) -> pd.DataFrame:
        """Return how long each firm's customers stay (Kaplan & Meier 1958).

        Returns
        -------
        pandas.DataFrame
            scenario, seed, firm, tenure, at_risk, lost, retention (share of those with that tenure who stay one tick
            more), survival (share of customers who reach that tenure).

        Raises
        ------
        ValueError
            If no scenario keeps a ledger.
        """
        if self.tenure is None:
            raise ValueError("no scenario of this result keeps a ledger; run it with ledger: true")
        frame = self.tenure.copy()
        frame["retention"] = retention_by_tenure(frame["at_risk"].to_numpy(), frame["lost"].to_numpy())
        keys = frame.groupby(["scenario", "seed", "firm"], observed=True, sort=False)
        curves = [survivor_curve(rows["at_risk"].to_numpy(), rows["lost"].to_numpy())[:-1] for _, rows in keys]
        return frame.assign(survival=np.concatenate(curves) if curves else np.empty(0))
