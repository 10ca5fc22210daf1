"""What of a result means something: where nothing is known of money, or nobody ever buys, not everything does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from churnsim.config.errors import ScenarioError

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.results.result import Result


def knows(result: Result, measure: str) -> bool:
    """Return whether a firm measure means something in all scenarios of a result; see `Scenario.knows`."""
    return all(scenario.knows(measure) for scenario in result.scenarios.values())


def known_rows(result: Result, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a summary that mean something; all of them where the scenarios cannot be read.

    Parameters
    ----------
    result
        The result.
    table
        With columns scenario and measure.
    """
    try:
        scenarios = result.scenarios
    except ScenarioError:
        return table
    if all(scenario.money == "known" for scenario in scenarios.values()):
        return table
    pairs = zip(table["scenario"], table["measure"], strict=True)
    return table[np.array([scenarios[name].knows(measure) for name, measure in pairs])].reset_index(drop=True)


def only_leaves(result: Result, scenario: str) -> bool:
    """Return whether nobody ever buys in a scenario: it is a cohort that is left, and there is no market."""
    ticks = result.ticks
    return not ticks.loc[(ticks["scenario"] == scenario) & (ticks["tick"] > 0), "stays"].any()


def share_of(result: Result) -> str:
    """Return the measure that tells how many customers a firm has: of purchases, or of customers where nobody buys."""
    return "customer_share" if all(only_leaves(result, name) for name in result.scenarios) else "share"
