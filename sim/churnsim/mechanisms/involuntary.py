"""Exits that nobody chooses, labelled at their source (E25)."""

from __future__ import annotations

from churnsim.mechanisms.rule import rule

NONE = 0
NATURAL = 1
LAPSE = 2
CREDIT = 3
CLOSURE = 4


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
    if luck < natural:
        return NATURAL
    if not with_firm:
        return NONE
    if not firm_open:
        return CLOSURE
    if luck < natural + lapse:
        return LAPSE
    if luck < natural + lapse + credit:
        return CREDIT
    return NONE
