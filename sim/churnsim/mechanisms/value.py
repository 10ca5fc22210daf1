"""What an option is worth to a customer: the terms of the decision, all in money.

Every term is in the scenario's currency (willingness-to-pay space, Train & Weeks 2005), so
that sunk, transaction, switching and termination costs add up without unit tricks.
"""

from __future__ import annotations

from churnsim.mechanisms.arithmetic import ONE, ZERO, positive
from churnsim.mechanisms.rule import rule


@rule
def core_gate(belief, floor):
    """Return how much anything counts when core quality is `belief`: min(1, belief / floor).

    Core quality is not compensatory (course: polite waitress, inedible rice). `floor` 0 is no gate.
    """
    return ONE if belief >= floor else positive(belief) / floor


@rule
def quality_value(belief, value_of_quality, floor):
    """Return the willingness to pay for a believed quality, ``theta * q * gate(q)`` (E4), in money."""
    return value_of_quality * belief * core_gate(belief, floor)


@rule
def transaction_utility(reference, price, weight, loss_aversion):
    """Return the gain or loss against the reference price (E5), in money.

    ``weight * g`` for a gain ``g = reference - price``, ``weight * loss_aversion * g`` for a
    loss. Thaler 1985; Hardie, Johnson & Fader 1993.
    """
    gain = reference - price
    return weight * (gain if gain >= ZERO else loss_aversion * gain)


@rule
def cue_value(cue, value_of_quality, experienced):
    """Return what the price says about quality to somebody without experience (E6), in money."""
    return ZERO if experienced else value_of_quality * cue


@rule
def termination_barrier(fee, length, tenure):
    """Return the fee for leaving a running contract, falling with the time left (E18), in money.

    ``fee * months left / contract length``; zero without a contract or after its end.
    """
    left = length - tenure
    return fee * left / length if left > ZERO else ZERO


@rule
def firm_value(quality, price, price_weight, gain, attachment, attachment_value, taste, cue):
    """Return what a firm is worth before any cost of moving, in money (E1, E4-E6, E13).

    ``theta q gate(q) - omega p + TU + kappa_A A + tau + cue``.
    """
    return quality - price_weight * price + gain + attachment_value * attachment + taste + cue


@rule
def moving_cost(switching, transaction, termination, from_firm, to_firm, experienced, newcomer):
    """Return what it costs to take another option than the present one, in money (E16-E18).

    Switching cost on every move, also to and from the outside option, of whoever has ever been
    with a firm: a newcomer has nothing to switch from (Klemperer 1987). Transaction cost on a
    first contract with a firm; termination barrier on leaving a firm for anything.

    Parameters
    ----------
    switching, transaction, termination
        The three costs, in money.
    from_firm, to_firm
        Whether the present option and the new one are firms (not the outside option).
    experienced
        Whether the customer has ever had a contract with the new firm.
    newcomer
        Whether the customer has never been with any firm.
    """
    switching = ZERO if newcomer else switching
    return switching + (termination if from_firm else ZERO) + (transaction if to_firm and not experienced else ZERO)
