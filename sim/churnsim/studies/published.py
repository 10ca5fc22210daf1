"""What a study is published with: one tidy table, and the frames of its figures; compared with what was published.

The published tables lie beside the study files (``experiments/published/NAME.csv``) and are shipped with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from churnsim.studies.figures import CONTRAST, Figure
from churnsim.studies.intervals import Interval, interval, is_proportion
from churnsim.studies.library import study_folder
from churnsim.studies.problems import StudyDataError
from churnsim.studies.statistics import paired

if TYPE_CHECKING:
    import pandas as pd

    from churnsim.studies.store import Store

DIGITS = 8
"""Significant digits of published numbers: more than anybody reads, fewer than what differs between processors."""
SAME = 1e-6
"""Relative difference up to which two numbers are the same."""
SAMPLED = ("sobol", "morris", "radial", "fast")
"""Designs whose single points mean nothing: their table is the sensitivities."""


def table_of(store: Store) -> pd.DataFrame:
    """Return a study's table.

    Returns
    -------
    pandas.DataFrame
        Of a sampled design, the sensitivities: outcome, arm, method, factor, index, value, low, high, inert. Of any
        other a row per arm, point and outcome: arm, every factor, outcome, runs, mean, low, high (95 %); and where
        the study has a baseline, what the arm adds to it at the same point, paired by replication: difference,
        difference_low, difference_high, better_in.
    """
    import pandas as pd

    if store.study.design in SAMPLED:
        from churnsim.studies.sensitivity import Analysis

        return pd.concat([found.frame() for found in Analysis(store).all()], ignore_index=True)
    return pd.DataFrame(list(_summaries(store)))


def _summaries(store: Store) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of points."""
    study, frame = store.study, store.frame()
    factors = list(study.factors)
    base = study.baseline
    keyed = frame.set_index(["row", "arm", "replication"]).sort_index()
    for row, arm in keyed.index.droplevel("replication").unique():
        runs = keyed.loc[(row, arm)]
        about = {"arm": arm, **{path: runs[path].iloc[0] for path in factors}}
        for outcome in study.outcomes:
            values = runs[outcome].dropna()
            found = _interval(values.to_numpy()) if len(values) > 1 else None
            out = {
                **about, "outcome": outcome, "runs": len(values), "mean": values.mean() if len(values) else np.nan,
                "low": found.low if found else np.nan, "high": found.high if found else np.nan,
            }  # fmt: skip
            if base is not None:
                out |= _against(values, keyed, row, base, outcome) if arm != base else dict.fromkeys(GAINS, np.nan)
            yield out


def _interval(values: np.ndarray) -> Interval:
    """Return the interval of a mean; of yes and no, that of a proportion."""
    return interval(values, kind="proportion" if is_proportion(values) else "mean")


GAINS = ("difference", "difference_low", "difference_high", "better_in")


def _against(values: pd.Series, keyed: pd.DataFrame, row: int, base: str, outcome: str) -> dict[str, Any]:
    """Return how an arm differs from the baseline at a point."""
    theirs = keyed.loc[(row, base)][outcome]
    both = values.index.intersection(theirs.dropna().index)
    gap = paired(values[both].to_numpy(), theirs[both].to_numpy())
    return dict(zip(GAINS, (gap.mean, gap.low, gap.high, gap.better), strict=True))


# ------------------------------------------------------------------ what was published


def published_file(name: str) -> Path | None:
    """Return the published table of a study, None where there is none."""
    folder = study_folder()
    file = None if folder is None else folder / "published" / f"{name}.csv"
    return file if file is not None and file.is_file() else None


def as_csv(table: pd.DataFrame) -> str:
    """Return a table as it is published."""
    return table.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


@dataclass(frozen=True)
class Agreement:
    """How a table agrees with the one that was published.

    Attributes
    ----------
    cells : int
        Numbers compared.
    different : int
        Those that differ by more than one in a million.
    furthest : float
        Largest difference, as a share of the larger of the two numbers.
    """

    cells: int
    different: int
    furthest: float


def agreement(table: pd.DataFrame, file: Path) -> Agreement:
    """Compare a table with a published one.

    Raises
    ------
    StudyDataError
        If the two have other columns or rows, so that no number stands for the same.
    """
    import io

    import pandas as pd

    ours, theirs = pd.read_csv(io.StringIO(as_csv(table))), pd.read_csv(file)
    if list(ours.columns) != list(theirs.columns) or len(ours) != len(theirs):
        raise StudyDataError("other_table", {"file": file.name})
    numbers = [name for name in theirs.columns if theirs[name].dtype.kind in "fb"]
    words = [name for name in theirs.columns if name not in numbers]
    if not ours[words].astype(str).equals(theirs[words].astype(str)):
        # Effects stand in the order of their size, which may be another one now.
        by_words = {"by": words, "kind": "stable", "key": lambda column: column.astype(str), "ignore_index": True}
        ours, theirs = ours.sort_values(**by_words), theirs.sort_values(**by_words)
        if not ours[words].astype(str).equals(theirs[words].astype(str)):
            raise StudyDataError("other_table", {"file": file.name})
    a, b = ours[numbers].to_numpy(np.float64), theirs[numbers].to_numpy(np.float64)
    apart = np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), 1e-12)
    apart[np.isnan(a) & np.isnan(b)] = 0
    apart[np.isnan(a) != np.isnan(b)] = np.inf
    return Agreement(int(apart.size), int((apart > SAME).sum()), float(apart.max(initial=0.0)))


# ------------------------------------------------------------------ frames of figures


def figure_frame(store: Store, figure: Figure, lang: str = "en") -> pd.DataFrame:
    """Return what a figure of kind ``response``, ``map`` or ``verdicts`` shows.

    Returns
    -------
    pandas.DataFrame
        response: x, series, mean, low, high. map: x, y, winner, sure. verdicts: x, y, and a row per point with winner
        (which tests hold) and sure. All with x_name, y_name, outcome, and title or series_name and runs, and with the
        declared units of the factors (x_unit, y_unit, series_unit), the measure of the outcome and the currency.
    """
    frame = _shown(store, figure)
    if frame.empty:
        raise StudyDataError("figure_empty", {"found": ", ".join(f"{k} = {v}" for k, v in figure.where.items())})
    return _responses(store, frame, figure, lang) if figure.kind == "response" else _map(store, frame, figure, lang)


def _shown(store: Store, figure: Figure) -> pd.DataFrame:
    """Return the runs that a figure is about."""
    frame = store.frame()
    for path, value in figure.where.items():
        column = frame[path]
        frame = frame[(column == value) | column.isna()]
    return frame


def _responses(store: Store, frame: pd.DataFrame, figure: Figure, lang: str) -> pd.DataFrame:
    """Return an outcome along a factor, a line per arm or per level of another factor."""
    import pandas as pd

    from churnsim.studies.labels import measure_of

    assert figure.outcome is not None  # checked when the study was read
    series = figure.series or "arm"
    rows = []
    for (line, x), runs in frame.groupby([series, figure.x], sort=False, observed=True):
        found = _interval(runs[figure.outcome].dropna().to_numpy())
        name = _arm(store, str(line), lang) if series == "arm" else line
        rows.append((x, name, runs[figure.outcome].mean(), found.low, found.high))
    out = pd.DataFrame(rows, columns=["x", "series", "mean", "low", "high"])
    return out.assign(
        x_name=_name(store, figure, "x", lang),
        series_name="" if series == "arm" else _name(store, figure, "series", lang),
        outcome=figure.title[lang] if figure.title else figure.outcome, runs=len(frame) // max(len(rows), 1),
        measure=measure_of(store.study.outcomes[figure.outcome]), **_units(store, x=figure.x, series=series),
    )  # fmt: skip


def _map(store: Store, frame: pd.DataFrame, figure: Figure, lang: str) -> pd.DataFrame:
    """Return which arm has most of an outcome, or which tests hold, at every point of two factors."""
    import pandas as pd

    outcomes = list(store.study.outcomes)
    wide = frame.pivot_table(index=["row", "replication"], columns="arm", values=outcomes)
    places = frame.drop_duplicates("row").set_index("row")
    rows = []
    for row, runs in wide.groupby(level="row"):
        winner, sure = _winner(store, runs, figure, lang) if figure.kind == "map" else _verdict(runs, figure, lang)
        rows.append((places.loc[row, figure.x], places.loc[row, figure.y], winner, sure))
    out = pd.DataFrame(rows, columns=["x", "y", "winner", "sure"])
    # The same answer has the same colour in every figure of a study.
    known = [_arm(store, name, lang) for name in store.plan.arms] if figure.kind == "map" else _answers(figure, lang)
    out["winner"] = pd.Categorical(out["winner"], list(dict.fromkeys(known)))
    return out.assign(
        x_name=_name(store, figure, "x", lang), y_name=_name(store, figure, "y", lang), outcome=figure.outcome or "",
        title=figure.title[lang] if figure.title else "", **_units(store, x=figure.x, y=figure.y),
    )  # fmt: skip


def _units(store: Store, **paths: str | None) -> dict[str, str]:
    """Return the units of factors, as columns of a figure's frame, and the currency of money among them."""
    if store.study.function is not None:
        return {}
    from churnsim.studies.labels import unit_of

    base = next(iter(store.study.bases.values()))
    return {f"{axis}_unit": unit_of(base, path) or "" for axis, path in paths.items() if path} | {
        "currency": base.currency
    }


def _winner(store: Store, runs: pd.DataFrame, figure: Figure, lang: str) -> tuple[str, bool]:
    """Return the arm that has most, and whether that is sure."""
    table = runs[figure.outcome]
    order = table.mean().sort_values(ascending=False).index
    gap = paired(table[order[0]].to_numpy(), table[order[1]].to_numpy())
    return _arm(store, str(order[0]), lang), bool(gap.low > 0)


def _answers(figure: Figure, lang: str) -> list[str]:
    """Return everything that a figure of verdicts can say, all tests first and none last."""
    words = [in_language(said, lang) for said in figure.tests]
    return [_said(held, lang) for n in range(len(words), -1, -1) for held in combinations(words, n)]


def _said(held: Sequence[str], lang: str) -> str:
    """Return which tests hold, in words."""
    from churnsim.i18n import text

    return text("reproduce.and", lang).join(held) if held else text("reproduce.none_holds", lang)


def _verdict(runs: pd.DataFrame, figure: Figure, lang: str) -> tuple[str, bool]:
    """Return which of the tests hold, in words, and whether all answers are sure."""
    said, sure = [], True
    for words, contrast in figure.tests.items():
        match = CONTRAST.fullmatch(contrast)
        assert match is not None  # checked when the study was read
        ours = runs[(match["ours"].strip(), match["arm"].strip())]
        theirs = runs[(match["theirs"].strip(), match["other"].strip())]
        gap = paired(ours.to_numpy(), theirs.to_numpy())
        sure &= bool(gap.low > 0 or gap.high < 0)
        if gap.mean > 0:
            said.append(in_language(words, lang))
    return _said(said, lang), sure


def in_language(words: str, lang: str) -> str:
    """Return one side of ``English | Chinese``; words in one language stand for both."""
    english, _, chinese = words.partition("|")
    return (chinese if lang == "zh" and chinese else english).strip()


def _arm(store: Store, name: str, lang: str) -> str:
    """Return an arm's title."""
    if store.study.function is not None:
        return name
    titles = {f"{base.id}/{arm}": said.title for base in store.study.bases.values() for arm, said in base.arms.items()}
    base = store.study.bases[name]
    title = titles.get(f"{base.id}/{name}")
    return title[lang] if title is not None else name.replace("_", " ")


def _name(store: Store, figure: Figure, axis: str, lang: str) -> str:
    """Return what an axis is called: by the figure, else by the factor's label."""
    from churnsim.studies.labels import label_of

    said, path = getattr(figure, f"{axis}_name"), getattr(figure, axis)
    if said is not None:
        return said[lang]
    return path if store.study.function is not None else label_of(next(iter(store.study.bases.values())), path, lang)
