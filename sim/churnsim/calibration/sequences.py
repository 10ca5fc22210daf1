"""What sequences of choices say: shares, repeat rate, switching, and runs."""

from __future__ import annotations

import numpy as np


def shares_of(choice: np.ndarray, brands: int) -> np.ndarray:
    """Return each brand's share of all choices."""
    return np.bincount(choice, minlength=brands) / max(choice.size, 1)


def _pairs(household: np.ndarray, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the earlier and the later choice of every pair that follow each other in one household."""
    same = household[1:] == household[:-1]
    return choice[:-1][same], choice[1:][same]


def repeat_rate(household: np.ndarray, choice: np.ndarray) -> float:
    """Return the share of choices that are the household's last one again; NaN where nobody chooses twice."""
    before, after = _pairs(household, choice)
    return float((before == after).mean()) if before.size else float("nan")


def switching(household: np.ndarray, choice: np.ndarray, brands: int) -> np.ndarray:
    """Return (brands, brands) shares of what follows each brand; a row is NaN where nothing does."""
    before, after = _pairs(household, choice)
    count = np.zeros((brands, brands))
    np.add.at(count, (before, after), 1)
    with np.errstate(invalid="ignore"):
        return count / count.sum(1, keepdims=True)


def run_ratio(household: np.ndarray, choice: np.ndarray) -> float:
    """Return runs of equal choices over what their order by chance would give within households.

    In random order a household with n choices, n_k of brand k, has ``1 + n - sum n_k^2 / n`` runs: each neighbouring
    pair differs with probability ``1 - sum n_k (n_k - 1) / (n (n - 1))``. Near 1 repeat buying is liking; below it is
    memory.
    """
    before, after = _pairs(household, choice)
    _, place, size = np.unique(household, return_inverse=True, return_counts=True)
    count = np.zeros((size.size, int(choice.max(initial=0)) + 1))
    np.add.at(count, (place, choice), 1)
    runs = size.size + float((before != after).sum())
    expected = float((1 + size - (count**2).sum(1) / size).sum())
    return runs / expected if expected > 0 else float("nan")
