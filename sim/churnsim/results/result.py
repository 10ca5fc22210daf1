"""Results: tidy tables of many runs, what they say in sum, and how they are kept."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from churnsim import storage
from churnsim.causes import CAUSE_NAMES, N_VALUE_CAUSES
from churnsim.config.errors import ScenarioError
from churnsim.dealing_measures import PER_FIRM
from churnsim.metrics import FIRM_MEASURES
from churnsim.provenance import provenance
from churnsim.results.knowledge import known_rows
from churnsim.results.ledger import LedgerAssembler, LedgerTables
from churnsim.tables import UNITS, runs_table

if TYPE_CHECKING:
    from churnsim.plots.accessor import Plots
    from churnsim.records import RunRecord
    from churnsim.scenario import Scenario

    At = int | tuple[int, int]

_ADDITIVE = ("currency", "customers", "stays", "occasions")
"""Units of measures whose sum over ticks has a meaning."""


class Result(LedgerTables):
    """Everything that a set of runs left behind.

    Make one with ``churnsim.run``, `Result.from_records` or ``churnsim.open``.

    Attributes
    ----------
    scenarios : dict of str to Scenario
        By name, in order; of an opened result, read when they are first needed.
    seeds : list of int
        Seeds in order of the runs.
    ticks : pandas.DataFrame
        scenario, seed, tick, firm, and one column per measure of ``metrics.FIRM_MEASURES``; where a scenario has
        dealings beyond the stay, also of ``dealing_measures.DEALING_MEASURES``.
    market : pandas.DataFrame
        scenario, seed, tick, and one column per measure of ``metrics.MARKET_MEASURES``.
    causes : pandas.DataFrame
        scenario, seed, tick, firm, cause, its class in three taxonomies, and departures by
        primary cause (``primary``), split over causes (``share``), naming the cause (``labels``).
    enablers : pandas.DataFrame
        scenario, seed, tick, firm, enabler, and the ``money`` by which it had worn off.
    flows : pandas.DataFrame
        scenario, seed, tick, from, to, count.
    events : pandas.DataFrame
        scenario, seed, tick, firm, event, value.
    runs : pandas.DataFrame
        One row per run: scenario, seed, id_hash, version, and every parameter by dotted path.
    departures : pandas.DataFrame or None
        One row per departure, where the runs kept them.
    tenure, value, concentration, inactivity, observables : pandas.DataFrame or None
        What the books know of single customers (`LedgerTables`), where a scenario keeps a ledger.
    units : dict of str to str
        Unit by column.
    provenance : dict
        Versions, git state, engine and time of the runs.
    folder : pathlib.Path or None
        Where the result was last saved or opened.
    """

    def __init__(
        self,
        scenarios: Mapping[str, Scenario] | Callable[[], Mapping[str, Scenario]],
        tables: Mapping[str, pd.DataFrame | Callable[[], pd.DataFrame | None]],
        about: Mapping[str, Any],
        folder: Path | None = None,
        hashes: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:
        if not callable(scenarios):
            hashes = {name: scenario.id_hash for name, scenario in scenarios.items()}
        self._scenarios = scenarios
        self._hashes = dict(hashes or {})
        self._units = units
        self.provenance = dict(about)
        self.folder = folder
        self._tables: dict[str, Any] = dict(tables)

    @classmethod
    def from_records(cls, scenarios: Sequence[Scenario], records: Sequence[RunRecord], **details: Any) -> Result:
        """Make a result from run records.

        Parameters
        ----------
        scenarios
            The scenarios of the runs, with different names.
        records
            Runs, in the order that the tables are to have.
        **details
            What else ``run.json`` is to say, such as ``engine="compiled"`` or ``seconds=9.4``.
        """
        named = {scenario.name: scenario for scenario in scenarios}
        if len(named) < len(scenarios):
            raise ValueError("two scenarios have the same name")
        keys = [(record.scenario, int(record.seed)) for record in records]
        strangers = sorted({name for name, _ in keys} - set(named))
        if strangers:
            raise ValueError(f"records of scenarios that were not given: {', '.join(strangers)}")
        if len(set(keys)) < len(keys):
            raise ValueError("two records are of the same scenario and seed")
        about = {**provenance(), "created": datetime.now(UTC).isoformat(timespec="seconds"), **details}
        hashes = {name: scenario.id_hash for name, scenario in named.items()}
        build = LedgerAssembler(records, list(named))
        tables = {name: getattr(build, name) for name in storage.TABLES if name != "runs"}
        tables["runs"] = runs_table(keys, named, hashes, str(about["churnsim"]))
        return cls(named, tables, about)

    @cached_property
    def scenarios(self) -> dict[str, Scenario]:
        """Scenarios by name, in order."""
        return dict(self._scenarios() if callable(self._scenarios) else self._scenarios)

    ticks = property(lambda self: self._table("ticks"))
    market = property(lambda self: self._table("market"))
    causes = property(lambda self: self._table("causes"))
    enablers = property(lambda self: self._table("enablers"))
    flows = property(lambda self: self._table("flows"))
    events = property(lambda self: self._table("events"))
    runs = property(lambda self: self._table("runs"))
    departures = property(lambda self: self._table("departures"))

    def _table(self, name: str) -> pd.DataFrame | None:
        """Return a table, assembled when it is first asked for."""
        table = self._tables.get(name)
        if callable(table):
            table = self._tables[name] = table()
        return table

    @cached_property
    def seeds(self) -> list[int]:
        """Seeds, in the order of the runs."""
        return [int(seed) for seed in self.runs["seed"].unique()]

    @cached_property
    def units(self) -> dict[str, str]:
        """Unit by column; money in the scenarios' currency, where they have the same one."""
        if self._units is not None:
            return dict(self._units)
        currencies = {scenario.currency for scenario in self.scenarios.values()}
        money = currencies.pop() if len(currencies) == 1 else "currency"
        return {name: unit.replace("currency", money) for name, unit in UNITS.items()}

    @property
    def horizon(self) -> int:
        """Last tick that every scenario has."""
        if callable(self._scenarios):
            return int(self.runs["horizon"].min())
        return min(scenario.horizon for scenario in self._scenarios.values())

    def _horizon_of(self, name: str) -> int:
        """Return the last tick of one scenario."""
        if callable(self._scenarios):
            return int(self.runs.loc[self.runs["scenario"] == name, "horizon"].iloc[0])
        return self._scenarios[name].horizon

    @property
    def plot(self) -> Plots:
        """Figures; see ``churnsim.plots``."""
        from churnsim.plots.accessor import Plots

        return Plots(self)

    def summary(self, at: Iterable[At] | At | None = None, measures: Iterable[str] | None = None) -> pd.DataFrame:
        """Return mean and 5-95 % range of the runs, per scenario, firm and measure.

        Parameters
        ----------
        at
            Ticks, or windows ``(first, last)`` over which each run's mean is taken; by
            default the last tick.
        measures
            Firm measures; by default all, of a scenario's those that mean something there (`Scenario.knows`).

        Returns
        -------
        pandas.DataFrame
            scenario, tick (the window's last), over (number of ticks averaged), firm,
            measure, unit, mean, low, high (5 and 95 % of the runs), runs (with a value).
        """
        names = self._measures(measures)
        windows = self._windows(self.horizon if at is None else at)
        parts = [self._spread(self._window_means(window, names), window, names) for window in windows]
        whole = pd.concat(parts, ignore_index=True)
        return known_rows(self, whole) if measures is None else whole

    def diff(self, baseline: str, measure: str = "profit", at: At | None = None) -> pd.DataFrame:
        """Return how every scenario differs from a baseline, paired by seed.

        Parameters
        ----------
        baseline
            Name of the scenario to compare with.
        measure
            Firm measure.
        at
            A tick, or a window ``(first, last)`` over which each run's mean is taken. By
            default the whole of play: sums of money and counts, means of rates, and the
            value at the last tick of what is a state.

        Returns
        -------
        pandas.DataFrame
            scenario, firm, measure, unit, statistic (``at``, ``mean`` or ``sum``, and of which ticks), mean,
            low, high (95 % t interval of the mean difference), better_in (runs in which the
            scenario was better for the firm; missing where neither direction is), runs.
        """
        from scipy.special import stdtrit

        baseline = self.scenario_name(baseline)
        if len(self._hashes) < 2:
            raise ValueError(f"diff compares scenarios, and the result holds only '{baseline}'; run another beside it")
        (name,) = self._measures([measure])
        values, statistic = self._per_run(name, at)
        better = PER_FIRM[name].better
        base = values[values["scenario"] == baseline].set_index(["seed", "firm"])["value"]
        rows = []
        for scenario in self._hashes:
            if scenario == baseline:
                continue
            own = values[values["scenario"] == scenario].set_index(["seed", "firm"])["value"]
            gaps = (own - base).dropna()
            for firm in self.ticks["firm"].cat.categories:
                gap = gaps[gaps.index.get_level_values("firm") == firm].to_numpy()
                n = len(gap)
                mean = gap.mean() if n else np.nan
                half = stdtrit(n - 1, 0.975) * gap.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
                won = pd.NA if better is None else int(((gap > 0) if better == "more" else (gap < 0)).sum())
                rows.append(
                    (scenario, firm, name, self.units[name], statistic, mean, mean - half, mean + half, won, n)
                )  # fmt: skip
        columns = ["scenario", "firm", "measure", "unit", "statistic", "mean", "low", "high", "better_in", "runs"]
        return pd.DataFrame(rows, columns=columns).astype({"better_in": "Int64", "runs": "int64"})

    def main_cause(
        self, scenario: str | None = None, firm: str | None = None, ticks: tuple[int, int] | None = None
    ) -> tuple[str | None, float]:
        """Return the most frequent primary cause and its share of the voluntary departures.

        Parameters
        ----------
        scenario, firm
            Which; by default the first.
        ticks
            First and last tick; by default the whole of play.

        Returns
        -------
        cause, share
            None and NaN where nobody left of their own will.
        """
        name = self.scenario_name(scenario)
        firm = firm if firm is not None else self.ticks["firm"].cat.categories[0]
        self._known(firm, list(self.ticks["firm"].cat.categories), "firm")
        first, last = ticks or (1, self._horizon_of(name))
        frame = self.causes
        rows = (frame["scenario"] == name) & (frame["firm"] == firm) & frame["tick"].between(first, last)
        counts = frame[rows].groupby("cause", observed=False)["primary"].sum()
        voluntary = counts.loc[list(CAUSE_NAMES[:N_VALUE_CAUSES])]
        total = voluntary.sum()
        return (str(voluntary.idxmax()), float(voluntary.max() / total)) if total else (None, float("nan"))

    def figures(self, folder: str | Path, lang: str = "en", scenario: str | None = None) -> list[Path]:
        """Write the standard figures of a scenario as PNG files, and return them."""
        return self.plot.save(folder, lang=lang, scenario=scenario)

    def save(self, folder: str | Path) -> Path:
        """Write the result as a folder, in one step; return the folder.

        An earlier result in the folder is replaced; a folder with anything else is refused.
        """
        tables = {name: table for name in storage.TABLES if (table := self._table(name)) is not None}
        summary = self.summary(at=[0, self.horizon]) if self._has_tick(0) else self.summary()
        about = {"seeds": self.seeds, **self.provenance, "units": self.units}
        self.folder = storage.write_folder(folder, tables, self.scenarios, summary, about)
        return self.folder

    def scenario_name(self, name: str | None = None) -> str:
        """Return a scenario's name, the first one's by default; complain where there is no such scenario."""
        return next(iter(self._hashes)) if name is None else self._known(name, list(self._hashes), "scenario")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        if list(self._hashes.items()) != list(other._hashes.items()):
            return False
        return all(_same(self._table(name), other._table(name)) for name in storage.TABLES)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        try:
            tick: str = next(iter(self.scenarios.values())).tick
        except ScenarioError:
            tick = "tick"
        return f"Result({', '.join(self._hashes)}; {len(self.runs)} runs, {self.horizon} {tick}s)"

    def _repr_html_(self) -> str:
        from churnsim.results.html import result_html, unreadable_html

        try:
            _ = self.scenarios
        except ScenarioError as error:
            return unreadable_html(self, str(error))
        return result_html(self)

    def _measures(self, names: Iterable[str] | None) -> list[str]:
        """Return measures by name, all by default."""
        if names is None:
            return list(FIRM_MEASURES)
        names = [names] if isinstance(names, str) else list(names)
        taken = [name for name in PER_FIRM if name in self.ticks.columns]
        return [self._known(name, taken, "measure") for name in names]

    @staticmethod
    def _known(name: str, allowed: list[str], what: str) -> str:
        """Return the name, or say which there are."""
        if name not in allowed:
            near = difflib.get_close_matches(str(name), allowed, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"unknown {what} '{name}'{hint} ({', '.join(allowed)})")
        return name

    def _has_tick(self, tick: int) -> bool:
        """Tell whether the tables have a tick."""
        return bool((self.ticks["tick"] == tick).any())

    def _windows(self, at: Iterable[At] | At) -> list[tuple[int, int]]:
        """Return ticks and windows as windows, checked against the tables."""
        items = [at] if isinstance(at, (int, np.integer, tuple)) else list(at)
        windows = [(int(i[0]), int(i[1])) if isinstance(i, (tuple, list)) else (int(i), int(i)) for i in items]
        low, high = int(self.ticks["tick"].min()), int(self.ticks["tick"].max())
        for first, last in windows:
            if not low <= first <= last <= high:
                said = str(first) if first == last else f"{first}-{last}"
                raise ValueError(f"tick {said} is not in the result; ticks run from {low} to {high}")
        return windows

    def _window_means(self, window: tuple[int, int], names: list[str]) -> pd.DataFrame:
        """Return every run's mean over a window: scenario, seed, firm, one column per measure."""
        frame = self.ticks
        rows = frame.loc[frame["tick"].between(*window), ["scenario", "seed", "firm", *names]]
        if window[0] == window[1]:
            return rows
        return rows.groupby(["scenario", "seed", "firm"], observed=True, sort=False)[names].mean().reset_index()

    def _spread(self, values: pd.DataFrame, window: tuple[int, int], names: list[str]) -> pd.DataFrame:
        """Return mean and 5-95 % of runs in long form."""
        parts = []
        for (scenario, firm), group in values.groupby(["scenario", "firm"], observed=True, sort=False):
            table = group[names].to_numpy()
            known = ~np.isnan(table)
            mean, low, high = np.full((3, len(names)), np.nan)
            some = known.any(axis=0)
            if some.any():
                mean[some] = np.nanmean(table[:, some], axis=0)
                low[some], high[some] = np.nanquantile(table[:, some], (0.05, 0.95), axis=0)
            keys = {"scenario": scenario, "tick": window[1], "over": window[1] - window[0] + 1, "firm": firm}
            columns = {"measure": names, "unit": [self.units[name] for name in names], "mean": mean, "low": low}
            parts.append(pd.DataFrame({**keys, **columns, "high": high, "runs": known.sum(axis=0)}))
        frame = pd.concat(parts, ignore_index=True)
        for column in ("scenario", "firm"):
            frame[column] = pd.Categorical(frame[column], categories=self.ticks[column].cat.categories)
        frame["measure"] = pd.Categorical(frame["measure"], categories=names)
        return frame.sort_values(["scenario", "firm", "measure"], kind="stable", ignore_index=True)

    def _per_run(self, name: str, at: At | None) -> tuple[pd.DataFrame, str]:
        """Return one value per run and firm (scenario, seed, firm, value), and how it was taken."""
        measure = PER_FIRM[name]
        if at is None and measure.kind == "per_tick":
            window, total = (1, self.horizon), measure.unit in _ADDITIVE
        else:
            (window,) = self._windows(self.horizon if at is None else at)
            total = False
        values = self._window_means(window, [name]).rename(columns={name: "value"})
        if window[0] == window[1]:
            return values, f"at {window[0]}"
        if total:
            values["value"] *= window[1] - window[0] + 1
        return values, f"{'sum' if total else 'mean'} {window[0]}-{window[1]}"


def open(folder: str | Path) -> Result:
    """Open a result folder that `Result.save` wrote, without running anything.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    Result
        Equal to the one that was saved.

    Raises
    ------
    ResultFolderError
        If the folder is not a whole result, or a scenario in it was edited.

    Notes
    -----
    A scenario with a strategy of your own can be read only once the module that defines the strategy is
    imported. Until then the tables and what is made of them (`summary`, `diff`, `main_cause`) can be used, and
    ``scenarios`` raises a ScenarioError that names the strategy.
    """
    place = Path(folder).resolve()
    tables, run = storage.read_folder(folder)
    about = {key: value for key, value in run.items() if key not in storage.NOT_PROVENANCE}
    hashes = {entry["name"]: entry["id"] for entry in run["scenarios"]}
    result = Result(partial(_scenarios_in, place), tables, about, place, hashes, run.get("units"))
    with suppress(ScenarioError):
        _ = result.scenarios
    return result


def _scenarios_in(folder: Path) -> dict[str, Scenario]:
    """Read the scenarios of a result folder; say which strategy has to be imported where that is why it fails."""
    from churnsim.config.loading import load

    try:
        return storage.read_scenarios(folder, load)
    except ScenarioError as error:
        strange = [problem for problem in error.errors if problem.details.get("what") == "strategy"]
        if not strange:
            raise
        named = {problem.details["found"]: problem for problem in reversed(strange)}
        problems = [replace(named[name], code="import_first", details={"found": name}) for name in sorted(named)]
        raise ScenarioError(problems, error.sources, error.lang) from error


def _same(mine: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Tell whether two tables are equal, NaN being equal to NaN."""
    return mine is other if mine is None or other is None else mine.equals(other)
