"""Tidy tables from run records: one row per scenario, seed, tick and firm.

Everything is assembled with whole-array operations; names are categoricals, whose
categories keep the scenario's order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnsim.causes import CAUSE_NAMES, ENABLERS, TAXONOMIES, taxonomy
from churnsim.dealing_measures import DEALING_MEASURES, PER_FIRM
from churnsim.declarations import walk
from churnsim.metrics import FIRM_MEASURES, MARKET_MEASURES

if TYPE_CHECKING:
    from churnsim.records import RunRecord

OUTSIDE = "outside"
"""Stands for "with no firm" in the flows."""

UNITS: dict[str, str] = {
    **{name: measure.unit for name, measure in {**MARKET_MEASURES, **PER_FIRM}.items()},
    "tick": "tick",
    "primary": "customers",
    "labels": "customers",
    "money": "currency",
    "count": "customers",
    "tenure": "ticks",
    "at_risk": "customers",
    "survival": "1",
    "percent": "1",
    "share_of_money": "1",
    "share_of_purchases": "1",
    "flagged": "customers",
    "truly_gone": "customers",
    "false_alarms": "customers",
    "missed": "customers",
    "delay": "ticks",
    "repeat_purchases": "purchases per customer",
    "spend": "currency per customer",
    "wallet_share": "1",
    "rivals_resisted": "1",
    "price_sensitivity": "purchases per customer and tick",
    "repeat_rate": "1",
}
"""Unit of every column with one; the causes' ``shares`` are customers too."""

# Texts and variants describe a scenario; they are not parameters of a run.
_NOT_PARAMETERS = (
    "id", "name", "seed", "title", "case_title", "question", "sources", "money", "arms", "claims", "moves",
)  # fmt: skip


_OF_LEDGER = frozenset({"ledger", "discount", "customers.inactivity"})
"""Parameters without effect where no ledger is kept; `runs` leaves them out then."""


def ordered_unique(names: Iterable[str]) -> list[str]:
    """Return names without repeats, in the order of their first appearance."""
    return list(dict.fromkeys(names))


def categorical(codes: np.ndarray, categories: Sequence[str]) -> pd.Categorical:
    """Make a categorical from integer codes."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(categories), dtype=object))


class Assembler:
    """Builds every table of a result from its records.

    Parameters
    ----------
    records
        Runs in the order of the tables' rows.
    scenarios
        Names in order; the categories of the ``scenario`` column.
    """

    def __init__(self, records: Sequence[RunRecord], scenarios: Sequence[str]) -> None:
        self.records = list(records)
        self.scenarios = list(scenarios)
        self.firms = ordered_unique(firm for record in records for firm in record.firms)

    def ticks(self) -> pd.DataFrame:
        """Return the firms' measures: scenario, seed, tick, firm, one column per measure."""
        frame = self._keys(lambda record: (len(record.firms),))
        frame["firm"] = self._firms(lambda record: (slice(None),))
        for name in FIRM_MEASURES:
            frame[name] = self._stack(partial(_column, "measures", name), np.float64)
        if any(record.dealings for record in self.records):
            for name in DEALING_MEASURES:
                frame[name] = self._stack(partial(_dealing, name), np.float64)
        return pd.DataFrame(frame)

    def market(self) -> pd.DataFrame:
        """Return the market's measures: scenario, seed, tick, one column per measure."""
        frame = self._keys(lambda record: ())
        for name in MARKET_MEASURES:
            frame[name] = self._stack(partial(_column, "market", name), np.float64)
        return pd.DataFrame(frame)

    def causes(self) -> pd.DataFrame:
        """Return departures by cause and its classes: primary, shares and labels."""
        n = len(CAUSE_NAMES)
        frame = self._keys(lambda record: (len(record.firms), n))
        frame["firm"] = self._firms(lambda record: (slice(None), None), (n,))
        rows = len(frame["seed"])
        cause = np.tile(np.arange(n, dtype=np.int8), rows // n)
        frame["cause"] = categorical(cause, CAUSE_NAMES)
        for name in TAXONOMIES:
            classes = taxonomy(name)
            categories = ordered_unique(classes.values())
            codes = np.array([categories.index(classes[key]) for key in CAUSE_NAMES], dtype=np.int8)
            frame[name] = categorical(codes[cause], categories)
        frame["primary"] = self._stack(lambda record: record.primary, np.int64)
        frame["share"] = self._stack(lambda record: record.shares, np.float64)
        frame["labels"] = self._stack(lambda record: record.labels, np.int64)
        return pd.DataFrame(frame)

    def enablers(self) -> pd.DataFrame:
        """Return the money by which barriers had worn off, summed over departures."""
        n = len(ENABLERS)
        frame = self._keys(lambda record: (len(record.firms), n))
        frame["firm"] = self._firms(lambda record: (slice(None), None), (n,))
        frame["enabler"] = categorical(np.tile(np.arange(n, dtype=np.int8), len(frame["seed"]) // n), ENABLERS)
        frame["money"] = self._stack(lambda record: record.enablers, np.float64)
        return pd.DataFrame(frame)

    def flows(self) -> pd.DataFrame:
        """Return how many customers went from where to where; who stayed is left out."""
        places = [OUTSIDE, *self.firms]
        code = {name: number for number, name in enumerate(places)}
        origins, targets, keep = [], [], []
        for record in self.records:
            own = np.array([0, *(code[firm] for firm in record.firms)], dtype=np.int8)
            shape = (len(record.ticks), len(own), len(own))
            origins.append(np.broadcast_to(own[:, None], shape).ravel())
            targets.append(np.broadcast_to(own[None, :], shape).ravel())
            keep.append(origins[-1] != targets[-1])
        kept = _joined(keep, bool)
        frame = self._keys(lambda record: (len(record.firms) + 1, len(record.firms) + 1))
        frame["from"] = categorical(_joined(origins, np.int8), places)
        frame["to"] = categorical(_joined(targets, np.int8), places)
        frame["count"] = self._stack(lambda record: record.flows, np.int64)
        return pd.DataFrame({name: column[kept] for name, column in frame.items()})

    def events(self) -> pd.DataFrame:
        """Return what happened once: scenario, seed, tick, firm, event, value."""
        rows = [(record.scenario, record.seed, *event) for record in self.records for event in record.events]
        scenario, seed, tick, firm, event, value = zip(*rows, strict=True) if rows else ((),) * 6
        return pd.DataFrame(
            {
                "scenario": _named(scenario, self.scenarios),
                "seed": np.array(seed, dtype=np.int64),
                "tick": np.array(tick, dtype=np.int64),
                "firm": _named(firm, self.firms),
                "event": _named(event, sorted(set(event))),
                "value": np.array(value, dtype=np.float64),
            }
        )

    def departures(self) -> pd.DataFrame | None:
        """Return one row per departure, or None where no run kept them."""
        kept = [(record, record.departures) for record in self.records if record.departures is not None]
        if not kept:
            return None
        frame = pd.concat([rows for _, rows in kept], ignore_index=True)
        sizes = [len(rows) for _, rows in kept]
        codes = np.array([self.scenarios.index(record.scenario) for record, _ in kept], dtype=np.int16)
        frame.insert(0, "scenario", categorical(np.repeat(codes, sizes), self.scenarios))
        frame.insert(1, "seed", np.repeat(np.array([record.seed for record, _ in kept], dtype=np.int64), sizes))
        for column in ("from", "to"):
            frame[column] = _named(frame[column].astype(object), [OUTSIDE, *self.firms])
        frame["primary"] = _named(frame["primary"].astype(object), CAUSE_NAMES)
        return frame

    def _keys(self, inner: Callable[[RunRecord], tuple[int, ...]]) -> dict[str, Any]:
        """Return the columns scenario, seed and tick for records whose ticks have `inner` cells each."""
        cells = [int(np.prod(inner(record), dtype=np.int64)) for record in self.records]
        sizes = [len(record.ticks) * n for record, n in zip(self.records, cells, strict=True)]
        codes = np.array([self.scenarios.index(record.scenario) for record in self.records], dtype=np.int16)
        seeds = np.array([record.seed for record in self.records], dtype=np.int64)
        ticks = [np.repeat(record.ticks, n) for record, n in zip(self.records, cells, strict=True)]
        return {
            "scenario": categorical(np.repeat(codes, sizes), self.scenarios),
            "seed": np.repeat(seeds, sizes),
            "tick": _joined(ticks, np.int64),
        }

    def _firms(self, index: Callable[[RunRecord], tuple], inner: tuple[int, ...] = ()) -> pd.Categorical:
        """Return the firm column where each tick has firms on its first axis and `inner` below them."""
        code = {name: number for number, name in enumerate(self.firms)}
        parts = []
        for record in self.records:
            own = np.array([code[firm] for firm in record.firms], dtype=np.int8)
            parts.append(np.broadcast_to(own[index(record)], (len(record.ticks), len(own), *inner)).ravel())
        return categorical(_joined(parts, np.int8), self.firms)

    def _stack(self, array: Callable[[RunRecord], np.ndarray], dtype: type) -> np.ndarray:
        """Return one array of every record, flattened and joined."""
        return _joined([np.asarray(array(record)).ravel() for record in self.records], dtype)


def _column(group: str, name: str, record: RunRecord) -> np.ndarray:
    """Return one measure of a record."""
    return getattr(record, group)[name]


def _dealing(name: str, record: RunRecord) -> np.ndarray:
    """Return a measure of dealings of a record, missing where it has none."""
    if name in record.dealings:
        return record.dealings[name]
    return np.full((len(record.ticks), len(record.firms)), np.nan)


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    """Concatenate, also nothing."""
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.empty(0, dtype)


def _named(values: Iterable[Any], categories: Sequence[str]) -> pd.Categorical:
    """Make a categorical from names."""
    return pd.Categorical(list(values), categories=pd.Index(list(categories), dtype=object))


def parameters(scenario: Any) -> dict[str, bool | float | str]:
    """Return every scalar parameter of a scenario by dotted path, in declaration order.

    Sequences of scalars become one text; texts for people, variants and claims are left out.
    """
    found: dict[str, Any] = {}
    for path, value, about in walk(scenario):
        head, last = path.split(".")[0], path.split(".")[-1]
        if head in _NOT_PARAMETERS or (about is None and last in ("en", "zh")):
            continue
        if isinstance(value, (tuple, list)) and all(isinstance(item, (str, int, float)) for item in value):
            value = ", ".join(str(item) for item in value)
        if value is None or isinstance(value, (bool, int, float, str)):
            found[path] = value
    return found


def runs_table(
    keys: Sequence[tuple[str, int]], scenarios: dict[str, Any], hashes: dict[str, str], version: str
) -> pd.DataFrame:
    """Return one row per run: which it was, and every parameter it ran with."""
    settings = {name: parameters(scenario) for name, scenario in scenarios.items()}
    paths = ordered_unique(path for values in settings.values() for path in values)
    if not any(scenario.ledger for scenario in scenarios.values()):
        paths = [path for path in paths if path not in _OF_LEDGER]
    names = [name for name, _ in keys]
    frame: dict[str, Any] = {
        "scenario": _named(names, list(scenarios)),
        "seed": np.array([seed for _, seed in keys], dtype=np.int64),
        "id_hash": _named([hashes[name] for name in names], ordered_unique(hashes.values())),
        "version": _named([version] * len(names), [version]),
    }
    for path in paths:
        by_scenario = [settings[name].get(path) for name in scenarios]
        frame[path] = _setting(by_scenario, np.array([list(scenarios).index(name) for name in names], dtype=np.intp))
    return pd.DataFrame(frame)


def _setting(values: Sequence[Any], rows: np.ndarray) -> Any:
    """Return one parameter's column: truth values, whole numbers, numbers (none is NaN), or texts."""
    if all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=bool)[rows]
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return np.array(values, dtype=np.int64)[rows]
    if all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)[rows]
    texts = [None if value is None else str(value) for value in values]
    categories = ordered_unique(item for item in texts if item is not None)
    codes = np.array([-1 if item is None else categories.index(item) for item in texts], dtype=np.int16)
    return categorical(codes[rows], categories)
