"""What customers are worth to a firm, and what they could be: the value matrix (course S85, S88)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnsim.engine.compiled import Compiled
from churnsim.ledger import Ledger
from churnsim.markets import Markets
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS = ("low", "high")
NOTHING = "nothing"
"""Best treatment of a customer to whom no treatment does any good."""


@dataclass(frozen=True)
class ValueMatrix:
    """Customers by what they are worth and what they could be.

    Attributes
    ----------
    customers : pandas.DataFrame
        One row per customer of the firm at tick 0: customer (id), clv (currency, as things are), one column per
        treatment (clv under it), potential (the best of them less clv), best (treatment; ``nothing`` where none brings
        more), value and growth (``low`` or ``high``).
    cells : pandas.DataFrame
        Per cell of the matrix: value, growth, customers, share, clv and potential (means), best (treatment with the
        highest mean gain in the cell, ``nothing`` where none has any).
    negative : float
        Share of the customers with a negative clv: those not worth keeping.
    cuts : (float, float)
        Where value and growth are cut, in currency.
    """

    customers: pd.DataFrame
    cells: pd.DataFrame
    negative: float
    cuts: tuple[float, float]


def value_matrix(
    scenario: Scenario,
    treatments: Mapping[str, Mapping[str, Any] | Scenario],
    firm: str,
    seed: int | None = None,
    discount: float = 0.01,
    cuts: tuple[float, float] | None = None,
) -> ValueMatrix:
    """Place a firm's customers by their value and their growth potential.

    The scenario is run once as it is and once per treatment, all with the same people and the same luck (common
    random numbers by customer), so what a treatment adds to a customer is that customer's own. CLV is what came in over
    play, discounted to tick 0; of each customer one life is seen, so a single potential is part luck, a cell's
    mean hardly.

    Parameters
    ----------
    scenario
        The world as it is.
    treatments
        By name, what the firm might do: changes by dotted path, made from tick 1 on, or a whole scenario.
    firm
        Whose customers; all who are with it at tick 0.
    seed
        Seed of all luck; by default the scenario's.
    discount
        Discount rate per tick (docs/model.md E31).
    cuts
        Where high begins, for value and for growth, in currency; by default the medians.

    Raises
    ------
    ValueError
        If there is no such firm, or no treatment.
    """
    if firm not in scenario.firms:
        raise ValueError(f"no firm '{firm}' in this scenario ({', '.join(scenario.firms)})")
    if not treatments:
        raise ValueError(
            f"name at least one treatment, such as more_contact={{'firms.{firm}.relationship': 'proactive'}}"
        )
    worlds = [scenario, *(_treated(scenario, changes) for changes in treatments.values())]
    kept = [world.set({"ledger": True, "discount": discount}) for world in worlds]
    markets = Markets(kept, [scenario.seed if seed is None else seed] * len(kept), engine=Compiled())
    ledger, place = markets.ledger, list(scenario.firms).index(firm)
    assert ledger is not None
    mine = [markets.columns.id[markets.batch.first[r] :][: markets.batch.active[r]] for r in range(len(kept))]
    with_firm = markets.columns.provider[markets.batch.first[0] :][: markets.batch.active[0]] == place + 1
    who = mine[0][with_firm]
    markets.run_to_horizon()
    worth = np.stack([_margins(ledger, r, place, who) for r in range(len(kept))], axis=1)
    return _matrix(who, worth, list(treatments), cuts)


def _treated(scenario: Scenario, changes: Mapping[str, Any] | Scenario) -> Scenario:
    """Return the scenario with a treatment from tick 1 on."""
    return changes if isinstance(changes, Scenario) else scenario.move(1, changes)


def _margins(ledger: Ledger, r: int, firm: int, who: NDArray[Any]) -> NDArray[np.float64]:
    """Return the discounted margins of people who were there before play, by id."""
    persons = ledger.persons(r)
    first = persons["entered"] == 0
    ids, margin = persons["id"][first], persons["margin"][firm, first]
    order = np.argsort(ids)
    return margin[order[np.searchsorted(ids, who, sorter=order)]]


def _matrix(
    who: NDArray[Any], worth: NDArray[np.float64], names: list[str], cuts: tuple[float, float] | None
) -> ValueMatrix:
    """Return the matrix from every customer's worth, as things are (first column) and under each treatment."""
    now, treated = worth[:, 0], worth[:, 1:]
    gains = treated - now[:, np.newaxis]
    potential = gains.max(axis=1)
    best = np.where(potential > 0, gains.argmax(axis=1) + 1, 0)
    if cuts is None:
        cuts = (float(np.median(now)), float(np.median(potential))) if who.size else (0.0, 0.0)
    options = [NOTHING, *names]
    customers = pd.DataFrame(
        {
            "customer": who,
            "clv": now,
            **{name: treated[:, k] for k, name in enumerate(names)},
            "potential": potential,
            "best": pd.Categorical.from_codes(best, options),
            "value": pd.Categorical.from_codes((now >= cuts[0]).astype(int), list(LEVELS)),
            "growth": pd.Categorical.from_codes((potential >= cuts[1]).astype(int), list(LEVELS)),
        }
    )
    cells = []
    for value in reversed(LEVELS):
        for growth in reversed(LEVELS):
            here = ((customers["value"] == value) & (customers["growth"] == growth)).to_numpy()
            count = int(here.sum())
            means = gains[here].mean(axis=0) if count else np.full(len(names), np.nan)
            cells.append(
                {
                    "value": value,
                    "growth": growth,
                    "customers": count,
                    "share": count / who.size if who.size else np.nan,
                    "clv": now[here].mean() if count else np.nan,
                    "potential": potential[here].mean() if count else np.nan,
                    "best": names[int(means.argmax())] if count and means.max() > 0 else NOTHING,
                }
            )
    negative = float((now < 0).mean()) if who.size else float("nan")
    return ValueMatrix(customers, pd.DataFrame(cells), negative, cuts)
