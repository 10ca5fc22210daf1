"""The causes of departure that the twins know: those of a market without dealings beyond the stay."""

from __future__ import annotations

import numpy as np

from churnsim.causes import CAUSE_NAMES, ENABLERS, N_VALUE_CAUSES

KNOWN_CAUSES = (*CAUSE_NAMES[:14], *CAUSE_NAMES[N_VALUE_CAUSES : N_VALUE_CAUSES + 4])
"""Terms of the value of an option, then involuntary exits."""

KNOWN_ENABLERS = ENABLERS[:4]


def among_all(counts: np.ndarray) -> np.ndarray:
    """Return counts by known cause (last axis) among all causes of the model, the others at zero."""
    found = np.zeros((*counts.shape[:-1], len(CAUSE_NAMES)), counts.dtype)
    found[..., [CAUSE_NAMES.index(name) for name in KNOWN_CAUSES]] = counts
    return found


def among_all_enablers(money: np.ndarray) -> np.ndarray:
    """Return money by known enabler (last axis) among all enablers of the model, the others at zero."""
    found = np.zeros((*money.shape[:-1], len(ENABLERS)), money.dtype)
    found[..., : len(KNOWN_ENABLERS)] = money
    return found
