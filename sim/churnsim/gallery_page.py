"""The gallery of figures, made from real runs: ``python -m churnsim.gallery_page docs/gallery.md``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from churnsim import plots
from churnsim.i18n import LANGUAGES
from churnsim.plots.accessor import about
from churnsim.plots.style import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from churnsim.customer_value import ValueMatrix
    from churnsim.lock_in import Holds
    from churnsim.results import Result

DPI = 64
"""Small pictures, which still can be read."""

FIGURES = "figures/gallery"
TREATMENTS = {
    "proactive_contact": {"en": "proactive contact", "zh": "主动联系"},
    "staff_training": {"en": "staff training", "zh": "员工培训"},
}
"""What the treatments of the value matrix are called."""


@dataclass(frozen=True)
class Entry:
    """One figure of the gallery.

    Attributes
    ----------
    name : str
        The plot function, and the stem of the picture.
    asks : str
        The question that it answers.
    call : str
        How to draw it.
    draw : callable
        Draws it in a language.
    """

    name: str
    asks: str
    call: str
    draw: Callable[[str], Axes]


class Worlds:
    """The runs behind the gallery, each made when it is first drawn.

    Parameters
    ----------
    customers, seeds
        Size of every market, and runs per scenario.
    """

    def __init__(self, customers: int = 2000, seeds: int = 30) -> None:
        self.customers, self.seeds = customers, seeds

    def runs(self, name: str, *arms: str, **changes: object) -> Result:
        """Run arms of a built-in scenario."""
        import churnsim as cs

        plan = cs.load(name).set({"customers.count": self.customers, **changes})
        return cs.run([plan.arm(arm) for arm in arms], range(1, self.seeds + 1), progress=False)

    @cached_property
    def hotels(self) -> Result:
        """Two hotels, and nobody doing anything; with a ledger."""
        return self.runs("two_hotels", "both_passive", "case", ledger=True)

    @cached_property
    def bucket(self) -> Result:
        """The leaky bucket."""
        return self.runs("leaky_bucket", "case")

    @cached_property
    def loyalty(self) -> Result:
        """Kinds of loyalty."""
        return self.runs("loyalty_types", "case")

    @cached_property
    def cars(self) -> Result:
        """Satisfied car buyers, free and locked in."""
        return self.runs("us_cars", "case", "lock_in")

    @cached_property
    def deciles(self) -> Result:
        """Deciles of customers, by two presets."""
        return self.runs("customer_deciles", "case", "pareto8020")

    @cached_property
    def held(self) -> Holds:
        """What holds the hotels' guests at the end of one run."""
        from churnsim.lock_in import holds
        from churnsim.model import ChurnModel

        scenario = self.hotels.scenarios["case"]
        model = ChurnModel(scenario, rng=1)
        while model.tick < scenario.horizon:
            model.step()
        return holds(model)

    @cached_property
    def matrix(self) -> ValueMatrix:
        """What Nanyuan's guests are worth, and what looking after them could add."""
        from churnsim.customer_value import value_matrix

        world = self.hotels.scenarios["both_passive"].set({"horizon": 36})
        treatments: dict[str, dict[str, object]] = {
            "proactive_contact": {"firms.nanyuan.relationship": "proactive"},
            "staff_training": {"firms.nanyuan.training": 8},
        }
        return value_matrix(world, treatments, "nanyuan")


def entries(worlds: Worlds) -> Iterator[Entry]:
    """Return every figure of the gallery, in order."""

    def plot(result: str, method: str, *given: object, **options: object) -> Callable[[str], Axes]:
        """Return how to draw a figure of a result; of several panels the first one."""

        def draw(lang: str) -> Axes:
            drawn = getattr(getattr(worlds, result).plot, method)(*given, **options, lang=lang)
            return drawn[0] if isinstance(drawn, tuple) else drawn

        return draw

    def hotels(method: str, *given: object, **options: object) -> Callable[[str], Axes]:
        """Return how to draw a figure of the hotels."""
        return plot("hotels", method, *given, scenario="case", **options)

    pair = {"baseline": "both_passive", "firm": "eton"}
    yield Entry("ribbons", "Who has the market, and when does it turn?", "runs.plot.ribbons()", hotels("ribbons"))
    yield Entry("fan", "How sure is that?", 'runs.plot.fan("share")', hotels("fan", "share"))
    yield Entry("panels", "How do guests feel about it?", "runs.plot.attitudes()", hotels("attitudes"))
    yield Entry(
        "compare",
        "The same measure in several scenarios",
        'runs.plot.compare("share")',
        plot("hotels", "compare", "share"),
    )
    yield Entry(
        "ghost", "What did a change change?", 'runs.plot.ghost("share", baseline="both_passive", firm="eton")',
        hotels("ghost", "share", **pair),
    )  # fmt: skip
    yield Entry(
        "causes", "Why do they leave, over time?", 'runs.plot.causes(firm="eton")', hotels("causes", firm="eton")
    )
    yield Entry(
        "cause_summary", "Why do they leave, in sum?", 'runs.plot.cause_summary(firm="eton")',
        hotels("cause_summary", firm="eton"),
    )  # fmt: skip
    yield Entry(
        "causes_and_summary",
        "Why do they leave, every firm?",
        "runs.plot.causes_and_summary()",
        hotels("causes_and_summary"),
    )
    yield Entry(
        "taxonomy", "What kind of churn is it?", 'runs.plot.taxonomy(firm="eton")', hotels("taxonomy", firm="eton")
    )
    yield Entry(
        "cause_waterfall", "Which causes explain the difference?",
        'runs.plot.cause_waterfall(baseline="both_passive", firm="eton")', hotels("cause_waterfall", **pair),
    )  # fmt: skip
    yield Entry(
        "profit_waterfall", "Where did the money go?",
        'runs.plot.profit_waterfall(baseline="both_passive", firm="eton")', hotels("profit_waterfall", **pair),
    )  # fmt: skip
    yield Entry("switching", "From where to where?", "runs.plot.switching()", hotels("switching"))
    yield Entry("bucket", "Why can flat sales hide a loss?", "runs.plot.bucket()", plot("bucket", "bucket"))
    yield Entry("spiral", "Does low price end in poor service?", "runs.plot.spiral()", hotels("spiral"))
    yield Entry("survival", "How long do they stay?", "runs.plot.survival()  # ledger: true", hotels("survival"))

    def pareto(lang: str) -> Axes:
        """Draw the concentration of two presets in one figure."""
        return plots.pareto(worlds.deciles.concentration, lang=lang, about=about(worlds.deciles))

    def satisfied(lang: str) -> Axes:
        """Draw satisfaction and repurchase of both worlds of car buyers."""
        return plots.satisfied_loyal(worlds.cars.ticks, firm="a", lang=lang, about=about(worlds.cars))

    yield Entry("pareto", "What do the best 20 % bring?", "plots.pareto(runs.concentration)  # ledger: true", pareto)
    yield Entry(
        "value_histogram", "Who is worth keeping?", 'plots.value_histogram(cs.value_matrix(...).customers)',
        lambda lang: plots.value_histogram(worlds.matrix.customers, lang=lang, about=about(worlds.hotels)),
    )  # fmt: skip
    yield Entry(
        "value_matrix", "Whom to develop, whom to let go?", "plots.value_matrix(matrix.customers, matrix.cuts)",
        lambda lang: plots.value_matrix(
            worlds.matrix.customers, worlds.matrix.cuts, treatments=TREATMENTS, lang=lang, about=about(worlds.hotels)
        ),
    )  # fmt: skip
    yield Entry("ladder", "At which rung do we lose them?", "runs.plot.ladder()", plot("loyalty", "ladder"))
    yield Entry(
        "loyalty_types", "True or spurious loyalty?", "runs.plot.loyalty_types()", plot("loyalty", "loyalty_types")
    )
    yield Entry(
        "balance", "Love or lock-in?", "plots.balance(cs.holds(model).firms)",
        lambda lang: plots.balance(worlds.held.firms, lang=lang, about=about(worlds.hotels)),
    )  # fmt: skip
    yield Entry("satisfied_loyal", "Satisfied, and loyal?", "plots.satisfied_loyal(runs.ticks)", satisfied)


HEAD = """# Gallery

Every figure of a result, drawn from real runs ({customers} customers, {seeds} seeds) by `make gallery`. All are
functions of a tidy table in `churnsim.plots`, `f(frame, *, ax=None, lang="en") -> Axes`; those of several panels make a
figure of their own. `Result.plot` fills in the table and the names. The same functions feed notebooks, `churnsim run`
and reports. Figures of studies (sensitivity, phase maps, tournaments) are shown with the studies.

Rules that all of them keep: shares start at 0; the unit stands in the title; lines are named at their ends; colours
(Okabe-Ito) are doubled by dashes or patterns; what a band means stands in the caption; English and Chinese have the
same layout.
"""


def write(target: Path, worlds: Worlds) -> None:
    """Write the page and its pictures.

    Parameters
    ----------
    target
        The page; pictures go to ``figures/gallery`` beside it.
    worlds
        The runs.
    """
    folder = target.parent / FIGURES
    folder.mkdir(parents=True, exist_ok=True)
    parts = [HEAD.format(customers=worlds.customers, seeds=worlds.seeds)]
    for entry in entries(worlds):
        for lang in LANGUAGES:
            (folder / f"{entry.name}.{lang}.png").write_bytes(plots.png(figure_of(entry.draw(lang)), dpi=DPI))
        pictures = " ".join(f"![{entry.asks}]({FIGURES}/{entry.name}.{lang}.png)" for lang in LANGUAGES)
        parts.append(f"## {entry.name}\n\n{entry.asks}\n\n```python\n{entry.call}\n```\n\n{pictures}\n")
    target.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Worlds())
