"""Published numbers under a name, each with its source and its standing.

Several of them contradict each other (C1 to C7): each is a preset of its own, never all at once.
Standing: *course* = as taught; *derived* = worked out from the course's numbers; *recalled* = from the
literature, not read again in the source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class SellingFunnel:
    """What selling to new and to existing customers takes.

    Attributes
    ----------
    success_new, success_existing : float
        Share of contacts that end in a sale.
    cost_new, cost_existing : float
        Cost of a contact, in any one unit.
    """

    success_new: float
    success_existing: float
    cost_new: float
    cost_existing: float


FUNNEL_COURSE = SellingFunnel(success_new=0.15, success_existing=0.50, cost_new=6.0, cost_existing=1.0)
"""Selling to new customers succeeds at 15 %, to existing ones at 50 %, and costs 6 times as much.

Course S79. If the six times are per contact, a sale costs 20 times as much (derived, C1).
"""

CAC_RATIO = (5.0, 10.0)
"""Cost of winning a customer / cost of keeping one, lowest and highest.

Course S78 ("5-10 times"; once "5"). Per customer won and kept, not per sale as `FUNNEL_COURSE` (C1).
"""

SIGMA_SPEND = 1.05
"""Sigma of lognormal spending at which the top 1 % make about 10 % of sales.

Derived from the course's purchase deciles, S36: 1.045 gives 10 % and, for the top 10 %, 40.6 %; rounded to 1.05
they are 10.1 % and 40.8 %. Agrees with 30-50 % for the top 10 % of S35 (C2).
"""

SIGMA_PARETO_80_20 = 1.683
"""Preset ``pareto8020``: sigma at which the top 20 % make 80 % of sales.

Derived from the course's S35. Contradicts S36: the top 1 % would make 26 % and the top 10 % 65.6 % (C2).
"""

COMPLAINT_REPURCHASE: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "minor": MappingProxyType({"silent": 0.37, "unresolved": 0.46, "resolved": 0.70, "resolved_fast": 0.95}),
        "major": MappingProxyType({"silent": 0.09, "unresolved": 0.19, "resolved": 0.54, "resolved_fast": 0.82}),
    }
)
"""Share of customers with a problem who buy again, by its severity and by what became of the complaint.

TARP 1979 and 1986, recalled; fragments read in pages derived from it. ``silent`` did not complain. The course's
70 % (S67), 95 % (S68) and 91 % lost (S69) are three cells of it, of different severities (C3).
"""


@dataclass(frozen=True)
class SpendBand:
    """A band of spending and how many customers are in it.

    Attributes
    ----------
    low, high : float
        Spending of a customer per month, in yuan: above `low` and up to `high`.
    percentage : float
        Customers in the band, per cent, as published.
    """

    low: float
    high: float
    percentage: float


ARPU_GOTONE = (
    SpendBand(0, 50, 28.6),
    SpendBand(50, 100, 45.4),
    SpendBand(100, 200, 19.8),
    SpendBand(200, 300, 4.1),
    SpendBand(300, 500, 1.5),
    SpendBand(500, math.inf, 0.7),
)
"""Average revenue per user of China Mobile's GoTone (全球通), in bands.

Course S37. The percentages sum to 100.1 as published, by rounding; `concentration.band_probabilities`
normalises them (C7). The course writes the bands as 51-100 and so on, in whole yuan.
"""
