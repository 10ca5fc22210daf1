"""What tests of the exact limits share: both engines, and tolerances of 4 standard errors."""

from __future__ import annotations

import numpy as np

ENGINES = ("compiled", "agents")
"""The compiled kernels, and the executable specification that goes from customer to customer."""

NOBODY = -1
"""Stands in a model's column of choices for no purchase occasion."""


def near(found: float, expected: float, n: float) -> None:
    """Check that a share of `n` independent draws is within 4 standard errors of a probability."""
    assert abs(found - expected) <= 4 * np.sqrt(expected * (1 - expected) / n), (found, expected, n)


def near_mean(sample: np.ndarray, expected: float) -> None:
    """Check that the mean of independent numbers is within 4 standard errors of what is expected."""
    assert sample.std() > 0, "what never varies shows nothing"
    assert abs(sample.mean() - expected) <= 4 * sample.std(ddof=1) / np.sqrt(sample.size), (sample.mean(), expected)
