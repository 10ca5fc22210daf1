"""Forecasts as tables, for spreadsheets and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from churnsim.calibration.errors import refuse


def survival(answer: dict[str, Any]) -> pd.DataFrame:
    """Return a forecast of retention as ``segment, period, S, low, high``."""
    parts = [
        pd.DataFrame({"segment": name, "period": range(1, len(one["S"]) + 1), **one})
        for name, one in answer["segments"].items()
    ]
    return pd.concat(parts, ignore_index=True)[["segment", "period", "S", "low", "high"]]


def purchases(answer: dict[str, Any]) -> pd.DataFrame:
    """Return a forecast of a log as ``week, cumulative_repeats, low, high``."""
    table = pd.DataFrame({name: answer[name] for name in ("cumulative_repeats", "low", "high")})
    table.insert(0, "week", range(1, len(table) + 1))
    return table


def save_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV; the file takes its place when it is complete."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.draft")
    try:
        table.to_csv(draft, index=False)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise refuse("not_written", file=path, reason=error.strerror or str(error)) from None
