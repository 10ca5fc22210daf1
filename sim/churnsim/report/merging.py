"""Several results as one, so that their scenarios can be compared."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from churnsim import storage
from churnsim.results import Result


def merged(results: Sequence[Result]) -> Result:
    """Return one result with the scenarios of all; those of the same name are told apart by their folder or number.

    Parameters
    ----------
    results
        At least one; of markets with the same length of tick and the same currency.

    Raises
    ------
    ValueError
        If ticks or currencies differ, or a seed is in none of two results, so that nothing is paired.
    """
    if len(results) == 1:
        return results[0]
    worlds = [scenario for result in results for scenario in result.scenarios.values()]
    for what, values in (("tick", {one.tick for one in worlds}), ("currency", {one.currency for one in worlds})):
        if len(values) > 1:
            raise ValueError(f"results with different {what} cannot be compared ({', '.join(sorted(values))})")
    common = set.intersection(*(set(result.seeds) for result in results))
    if not common:
        raise ValueError(
            "the results have no seed in common, so nothing in them is paired; run them with the same seeds"
        )
    names = [name for result in results for name in result.scenarios]
    renamed: list[dict[str, str]] = []
    for number, result in enumerate(results, 1):
        mark = result.folder.name if result.folder is not None else str(number)
        renamed.append({name: f"{mark}: {name}" if names.count(name) > 1 else name for name in result.scenarios})
    scenarios = {
        new: result.scenarios[old].named(new)
        for result, mapping in zip(results, renamed, strict=True)
        for old, new in mapping.items()
    }
    tables = {}
    for table in storage.TABLES:
        parts = [
            _renamed(frame[frame["seed"].isin(common)], mapping)
            for result, mapping in zip(results, renamed, strict=True)
            if (frame := getattr(result, table)) is not None
        ]
        if parts:
            tables[table] = _joined(parts, list(scenarios))
    about = {
        **results[0].provenance,
        "merged": [str(result.folder.name) if result.folder else "" for result in results],
    }
    return Result(scenarios, tables, about)


def _renamed(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return a table with its scenarios renamed, as plain texts."""
    return frame.assign(scenario=frame["scenario"].astype(object).map(names))


def _joined(parts: list[pd.DataFrame], scenarios: list[str]) -> pd.DataFrame:
    """Put tables below each other; categories are those of all of them, in order of appearance."""
    categories: dict[str, list[str]] = {"scenario": scenarios}
    for column in dict.fromkeys(name for part in parts for name in part.columns if name != "scenario"):
        own = [part[column] for part in parts if column in part]
        # A parameter may be a text in one result and a number in another: it stays what it is in each.
        if all(isinstance(each.dtype, pd.CategoricalDtype) for each in own):
            categories[column] = list(dict.fromkeys(value for each in own for value in each.cat.categories))
    plain = [part.astype({name: object for name in categories if name in part}) for part in parts]
    joined = pd.concat(plain, ignore_index=True)
    for name, values in categories.items():
        if name in joined:
            joined[name] = pd.Categorical(joined[name], categories=values)
    return joined
