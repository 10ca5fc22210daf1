"""What a customer is offered."""

from __future__ import annotations

from churnsim.mechanisms.rule import rule


@rule
def conceded(granted, demand, limit):
    """Return the discount that a powerful customer has after a threat, as a share of the price (course S10).

    ``max(d, min(demand, limit))``: the firm gives what is asked for up to its limit, and takes nothing back. With a
    limit of 0 it gives nothing, with one of the demand or more all of it.
    """
    offered = demand if demand < limit else limit
    return offered if offered > granted else granted
