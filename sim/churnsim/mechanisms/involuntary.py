"""Exits that nobody chooses, labelled at their source (E25)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.rule import rule

NONE = np.uint8(0)
NATURAL = np.uint8(1)
LAPSE = np.uint8(2)
CREDIT = np.uint8(3)
CLOSURE = np.uint8(4)
NEED_END = np.uint8(5)


@rule
def involuntary_exit(luck, natural, lapse, credit, with_firm, firm_open):
    """Return which involuntary exit befalls a customer this tick, if any.

    Anybody may leave the market; only a firm's customer can lapse, be dropped for bad credit
    or lose a firm that closes. The three hazards exclude each other.

    Parameters
    ----------
    luck
        A uniform number.
    natural, lapse, credit
        Hazards per tick.
    with_firm
        Whether the customer is with a firm.
    firm_open
        Whether that firm is open.
    """
    # From the weakest claim to the strongest, without branches.
    kind = CREDIT if luck < natural + lapse + credit else NONE
    kind = LAPSE if luck < natural + lapse else kind
    kind = kind if firm_open else CLOSURE
    kind = kind if with_firm else NONE
    return NATURAL if luck < natural else kind


@rule
def gone_for_good(kind):
    """Return whether an exit takes the customer out of the market, for a newcomer to come instead."""
    return (kind == NATURAL) | (kind == NEED_END)
