"""Products across replications, in which luck cancels instead of adding up; and means of what is there."""

from __future__ import annotations

import numpy as np


def cross(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return the mean of products over pairs of different replications; with one replication the plain product.

    Parameters
    ----------
    p, q : (m, …) float64
        NaN where a replication is missing.

    Returns
    -------
    (…) float64
        NaN where no pair is left.
    """
    if len(p) == 1:
        return p[0] * q[0]
    has_p, has_q = np.isfinite(p), np.isfinite(q)
    p, q = np.where(has_p, p, 0.0), np.where(has_q, q, 0.0)
    pairs = has_p.sum(axis=0) * has_q.sum(axis=0) - (has_p & has_q).sum(axis=0)
    total = p.sum(axis=0) * q.sum(axis=0) - (p * q).sum(axis=0)
    return np.divide(total, pairs, out=np.full(total.shape, np.nan), where=pairs > 0)


def mean_of(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is there; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.divide(np.where(known, values, 0.0).sum(axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)
