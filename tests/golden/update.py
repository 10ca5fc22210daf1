"""Write the golden summary anew: ``python tests/golden/update.py``.

Run it only for a change that is meant to move numbers, and say so in CHANGELOG.md under *Results*.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from churnsim import load
from churnsim.model import simulate

FILE = Path(__file__).parent / "two_hotels.json"


def summary() -> dict[str, dict[str, list[float]]]:
    """Return last-tick and summed measures of a small run of three arms."""
    found = {}
    base = load("two_hotels").set({"customers.count": 600, "burn_in": 12, "horizon": 18})
    for arm in ("case", "both_passive", "no_budget"):
        record = simulate(base.arm(arm), 11)
        found[arm] = {name: [float(x) for x in column[-1]] for name, column in sorted(record.measures.items())}
        found[arm]["lost_in_all"] = [float(x) for x in record.measures["lost"].sum(axis=0)]
        found[arm]["causes"] = [float(x) for x in record.primary.sum(axis=(0, 1))]
        found[arm]["shares_of_causes"] = [float(np.round(x, 4)) for x in record.shares.sum(axis=(0, 1))]
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(summary(), indent=1) + "\n", encoding="utf-8")
