"""``Result.plot``: the plot functions with a result's tables and names filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim import plots
from churnsim.declarations import walk
from churnsim.i18n import LANGUAGES, has_text, number, percent, text
from churnsim.plots.style import About, figure_of
from churnsim.results.knowledge import only_leaves, share_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from churnsim.results import Result
    from churnsim.scenario import Scenario

BASE_ARM = "case"
"""Name of a scenario among its own arms."""

FIGURES = ("share_fan", "churn", "quality", "profit", "attitudes", "causes")
"""Files that `Plots.save` writes for every scenario, and ``compare`` where there are several."""


class Plots:
    """Draws a result. Every method takes ``scenario`` (default: the first), ``lang`` and, where it is one, ``ax``."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._about = about(result)

    def fan(self, measure: str = "share", *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw any firm measure: median, 50 % and 90 % bands."""
        return plots.fan(self._rows("ticks", scenario), measure, about=self._about, **kwargs)

    def share(self, **kwargs: Any) -> Axes:
        """Draw market shares."""
        return self.fan("share", **kwargs)

    def churn(self, **kwargs: Any) -> Axes:
        """Draw churn rates."""
        return self.fan("churn", **kwargs)

    def quality(self, **kwargs: Any) -> Axes:
        """Draw service quality."""
        return self.fan("quality", **kwargs)

    def profit(self, **kwargs: Any) -> Axes:
        """Draw profit to date."""
        return self.fan("cumulative_profit", **kwargs)

    def attitudes(self, *, scenario: str | None = None, **kwargs: Any) -> tuple[Axes, ...]:
        """Draw satisfaction and attachment side by side."""
        frame = self._rows("ticks", scenario)
        return plots.panels(frame, ("satisfaction", "attachment"), about=self._about, **kwargs)

    def causes(self, *, scenario: str | None = None, firm: str | None = None, **kwargs: Any) -> Axes:
        """Draw why customers left one firm over time."""
        return plots.causes(self._rows("causes", scenario), firm=firm, about=self._about, **kwargs)

    def cause_summary(self, *, scenario: str | None = None, firm: str | None = None, **kwargs: Any) -> Axes:
        """Draw why customers left one firm, over the whole of play."""
        return plots.cause_summary(self._rows("causes", scenario), firm=firm, about=self._about, **kwargs)

    def causes_and_summary(self, *, scenario: str | None = None, **kwargs: Any) -> tuple[Axes, ...]:
        """Draw why customers left, for every firm."""
        return plots.causes_and_summary(self._rows("causes", scenario), about=self._about, **kwargs)

    def compare(self, measure: str = "share", **kwargs: Any) -> tuple[Axes, ...]:
        """Draw a measure in every scenario, side by side."""
        return plots.compare(self._result.ticks, measure, about=self._about, **kwargs)

    def ribbons(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw who has the market, stacked."""
        return plots.ribbons(self._rows("ticks", scenario), about=self._about, **kwargs)

    def loyalty_types(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw what kind of loyalty a firm's customers have."""
        return plots.loyalty_types(self._rows("ticks", scenario), about=self._about, **kwargs)

    def ghost(self, measure: str = "share", *, baseline: str, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw a measure of one firm in a scenario, and in the baseline as its ghost."""
        return plots.ghost(self._pair("ticks", baseline, scenario), measure, about=self._about, **kwargs)

    def spiral(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw the firms' paths through service quality and share."""
        return plots.spiral(self._rows("ticks", scenario), about=self._about, **kwargs)

    def taxonomy(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw what kind of churn a firm has."""
        return plots.taxonomy(self._rows("causes", scenario), about=self._about, **kwargs)

    def cause_waterfall(self, *, baseline: str, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw how departures change from a baseline to a scenario, cause by cause."""
        return plots.cause_waterfall(self._pair("causes", baseline, scenario), about=self._about, **kwargs)

    def profit_waterfall(self, *, baseline: str, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw where the profit went from a baseline to a scenario."""
        return plots.profit_waterfall(self._pair("ticks", baseline, scenario), about=self._about, **kwargs)

    def bucket(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw a firm as a leaky bucket."""
        return plots.bucket(self._rows("ticks", scenario), about=self._about, **kwargs)

    def switching(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw who switched to whom."""
        return plots.switching(self._rows("flows", scenario), about=self._about, **kwargs)

    def ladder(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw a firm's loyalty ladder at the last tick."""
        return plots.ladder(self._rows("ticks", scenario), about=self._about, **kwargs)

    def satisfied_loyal(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw how many buy again by how satisfied they were."""
        return plots.satisfied_loyal(self._rows("ticks", scenario), about=self._about, **kwargs)

    def survival(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw how long customers stay; needs a ledger."""
        return plots.survival(self._ledger("tenure", scenario), about=self._about, **kwargs)

    def pareto(self, *, scenario: str | None = None, **kwargs: Any) -> Axes:
        """Draw what the best customers bring; needs a ledger."""
        return plots.pareto(self._ledger("concentration", scenario), about=self._about, **kwargs)

    def save(self, folder: str | Path, *, lang: str = "en", scenario: str | None = None) -> list[Path]:
        """Write the standard figures of a scenario as PNG files, and return them.

        The files are named after `FIGURES`; in another language than English the
        language follows the name, as in ``churn.zh.png``. There is none of profit where it is not known,
        and of a cohort that only leaves there is who is left, and churn.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        # Where no font can show the language, the file says which one it is really in.
        suffix = "" if plots.usable_language(lang) == "en" else f".{lang}"
        name = self._result.scenario_name(scenario)
        cohort = only_leaves(self._result, name)
        own: dict[str, Any] = {"scenario": name, "lang": lang}
        drawn: dict[str, Axes] = {
            "share_fan": self.fan("customer_share" if cohort else "share", **own),
            "churn": self.churn(**own),
        }
        if not cohort:
            drawn["quality"] = self.quality(**own)
            if self._result.scenarios[name].knows("cumulative_profit"):
                drawn["profit"] = self.profit(**own)
            drawn["attitudes"] = self.attitudes(**own)[0]
            drawn["causes"] = self.causes_and_summary(**own)[0]
        if len(self._result.scenarios) > 1:
            drawn["compare"] = self.compare(share_of(self._result), lang=lang)[0]
        files = []
        for name, ax in drawn.items():
            files.append(target / f"{name}{suffix}.png")
            files[-1].write_bytes(plots.png(figure_of(ax)))
        return files

    def _rows(self, table: str, scenario: str | None) -> pd.DataFrame:
        """Return a table's rows of one scenario."""
        name = self._result.scenario_name(scenario)
        frame = getattr(self._result, table)
        return frame[frame["scenario"] == name]

    def _ledger(self, table: str, scenario: str | None) -> pd.DataFrame:
        """Return the rows of a table of the ledger; say so where no scenario keeps one."""
        if getattr(self._result, table) is None:
            raise ValueError("no scenario of this result keeps a ledger; run it with ledger: true")
        return self._rows(table, scenario)

    def _pair(self, table: str, baseline: str, scenario: str | None) -> pd.DataFrame:
        """Return the rows of a baseline and one other scenario, the baseline's first in the order of the categories."""
        first, second = self._result.scenario_name(baseline), self._result.scenario_name(scenario)
        if first == second:
            raise ValueError(f"a scenario is compared with another one; '{first}' was named twice")
        frame = getattr(self._result, table)
        rows = frame[frame["scenario"].isin([first, second])].copy()
        rows["scenario"] = rows["scenario"].cat.set_categories([first, second])
        return rows


def about(result: Result) -> About:
    """Gather display names, units and flags from a result's scenarios."""
    scenarios = result.scenarios
    first = next(iter(scenarios.values()))
    return About(
        tick=first.tick,
        currency=first.currency,
        firms={
            name: {lang: firm.name[lang] for lang in LANGUAGES}
            for scenario in scenarios.values()
            for name, firm in scenario.firms.items()
        },
        scenarios=_titles(scenarios),
        flags={name: _flags(scenario) for name, scenario in scenarios.items()},
    )


def _titles(scenarios: Mapping[str, Scenario]) -> dict[str, dict[str, str]]:
    """Return every scenario's display name by language.

    That is its title, but variants that were only given a name share their title with
    what they were made from: they go by their name. The arm ``case`` has the title of the whole,
    which says nothing beside the titles of other arms: there it is called what its `case_title` says.
    """
    titles = [scenario.title for scenario in scenarios.values()]
    arms = [scenario.id for scenario in scenarios.values()]

    def shown(name: str, scenario: Scenario, lang: str) -> str:
        if name == BASE_ARM and arms.count(scenario.id) > 1:
            return str(scenario.case[lang])
        if titles.count(scenario.title) == 1 or name in (BASE_ARM, scenario.id):
            return str(scenario.title[lang])
        return name

    return {name: {lang: shown(name, each, lang) for lang in LANGUAGES} for name, each in scenarios.items()}


def _flags(scenario: Any) -> list[tuple[int, dict[str, str]]]:
    """Return when strategies and moves begin, and what they are."""
    marks = []
    for firm in scenario.firms.values():
        strategy = firm.strategy
        if strategy.name != "passive":
            marks.append(
                (getattr(strategy, "start", 1), _flag_words(firm, strategy.name, getattr(strategy, "depth", None)))
            )
        if getattr(strategy, "restore", None) is not None:
            marks.append((strategy.restore, _flag_words(firm, "restored")))
    for move in scenario.moves:
        marks.append((move.tick, _move_words(scenario, move)))
    return marks


def _flag_words(firm: Any, strategy: str, depth: float | None = None) -> dict[str, str]:
    """Return "Eton: price cut 25 %" in every language."""
    words = {}
    for lang in LANGUAGES:
        key = f"strategy.{strategy}"
        said = text(key, lang) if has_text(key) else strategy.replace("_", " ")
        said += f" {percent(depth)}" if depth else ""
        words[lang] = text("plot.flag", lang, firm=firm.name[lang], what=said)
    return words


def _move_words(scenario: Any, move: Any) -> dict[str, str]:
    """Return a move's note, or which parameters it changes to what."""
    if move.note is not None:
        return {lang: move.note[lang] for lang in LANGUAGES}
    known = {path: declared.label for path, _, declared in walk(scenario) if declared is not None}
    words = {}
    for lang in LANGUAGES:
        parts = []
        for path, value in move.changes.items():
            head, *rest = path.split(".")
            label = known[path][lang] if path in known else path.rsplit(".", 1)[-1].replace("_", " ")
            shown = number(value, 0 if float(value).is_integer() else 2) if type(value) in (int, float) else value
            said = f"{label} {shown}"
            owned = head == "firms" and rest[0] in scenario.firms
            parts.append(text("plot.flag", lang, firm=scenario.firms[rest[0]].name[lang], what=said) if owned else said)
        words[lang] = text("plot.flags_joined", lang).join(parts)
    return words
