r"""Does a factor do anything at all? A test of signs, for differences between runs that differ in that factor alone.

If a factor does nothing, a difference between two runs of the same luck is exactly zero, and one between runs of
different luck is as likely to be so much above zero as below. Then signs could be tossed anew, replication by
replication, and products of two replications' differences would add up to something just as large by chance. The sum's
variance and third moment over all tosses are known without tossing (:math:`\sum e_2` and :math:`6 \sum e_3`, with the
elementary symmetric polynomials of a block's squared differences), and Cornish and Fisher's expansion (1938, recalled)
turns them into the number that is exceeded in so many of all tosses. Nothing is assumed of how luck is distributed.
"""

from __future__ import annotations

import numpy as np

LEVEL = 0.8
"""Share of the error allowed that the test aims at: with 4 % of 5 %, what the expansion is off (up to one point, by our
measurement) does not take it beyond 5 %."""

_ROUNDING = 1e-12
"""Differences, as a share of the outcomes, that are rounding."""


def told_from_nothing(differences: np.ndarray, scale: float, confidence: float) -> np.ndarray:
    """Return which factors do something.

    Parameters
    ----------
    differences : (m, n, q) float64
        Per replication (at least two), block and factor; NaN where a run is missing.
    scale
        Size of the outcomes that the differences are of, in the same unit.
    confidence
        One less the share of factors that do nothing and may be called otherwise.

    Returns
    -------
    (q,) bool
    """
    from scipy.special import ndtri

    known = np.isfinite(differences)
    x = np.where(known, differences, 0.0)
    x = np.where(np.abs(x) > _ROUNDING * scale, x, 0.0) / max(scale, np.finfo(np.float64).tiny)
    squares = x**2
    p1, p2, p3 = squares.sum(axis=0), (squares**2).sum(axis=0), (squares**3).sum(axis=0)
    total = ((x.sum(axis=0) ** 2 - p1) / 2).sum(axis=0)
    variance = ((p1**2 - p2) / 2).sum(axis=0)
    third = (p1**3 - 3 * p1 * p2 + 2 * p3).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        z, skew = total / np.sqrt(variance), third / variance**1.5
    edge = float(ndtri(1 - LEVEL * (1 - confidence)))
    # Where replications do not differ there is no luck in the differences, and any is the factor's doing.
    middle = x.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    apart = np.where(known, np.abs(x - middle), 0.0).max(axis=(0, 1), initial=0.0)
    certain = (apart <= _ROUNDING) & x.any(axis=(0, 1))
    return certain | (z > edge + skew / 6 * (edge**2 - 1))
