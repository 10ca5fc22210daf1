"""Attachment: contact makes it grow, separation lets it fade (E13, E14)."""

from __future__ import annotations

import numpy as np

from churnsim.mechanisms.arithmetic import ONE, ZERO, exp, positive
from churnsim.mechanisms.rule import rule


@rule
def contacts_received(wished, luck):
    """Return how many contacts a firm's customer receives when `wished` are meant for each: the fraction is luck."""
    whole = np.floor(wished)
    return whole + (ONE if luck < wished - whole else ZERO)


@rule
def contact_effect(contacts, richness, satiation):
    """Return how effective `contacts` contacts in one tick are, 0 to 1 (first form of E14).

    ``richness * n / (1 + (n - 1) / n0)``, at most 1: each further contact adds less.

    Parameters
    ----------
    contacts
        Number of contacts this tick.
    richness
        Richness of the channel times personalisation, 0 to 1.
    satiation
        ``n0``, contacts beyond the first that halve the effect of each.
    """
    if contacts <= ZERO:
        return ZERO
    effect = richness * contacts / (ONE + (contacts - ONE) / satiation)
    return effect if effect < ONE else ONE


@rule
def attachment(level, intensity, satisfaction, growth, floor, decay):
    """Return the attachment after one tick (E13).

    ``A + gamma u [S - floor]^+ (1 - A) - delta A (1 - u)``; its fixed point under constant input is
    ``g / (g + delta (1 - u))`` with ``g = gamma u [S - floor]^+``.

    Parameters
    ----------
    level
        Attachment now, 0 to 1.
    intensity
        Contact intensity ``u`` of the tick, 0 to 1.
    satisfaction
        Satisfaction with the firm, 0 to 1; below `floor` nothing grows.
    growth, floor, decay
        ``gamma`` and ``delta`` per tick, and the floor.
    """
    gain = growth * intensity * positive(satisfaction - floor) * (ONE - level)
    return level + gain - decay * level * (ONE - intensity)


@rule
def receptiveness(recent, limit, bonded, bond):
    """Return how much a contact does with this customer, times the usual, ``b / (1 + n_recent / n0)`` (E14).

    Less after many contacts, more where customer and staff have a bond (course S92, S96).
    """
    return (bond if bonded else ONE) / (ONE + recent / limit)


@rule
def receive(intensity, receptive, most):
    """Return the intensity of contacts to somebody so receptive, at most `most`, that of fully effective work."""
    felt = intensity * receptive
    return felt if felt < most else most


@rule
def obliged(level, worth, scale, remembered, bond):
    """Return the attachment after an unexpected favour, ``A + b (1 - exp(-w / scale)) / (1 + n) (1 - A)``.

    With n favours still remembered the next one is hardly unexpected, and obliges less (course S66; the form is ours).
    """
    return level + bond * (ONE - exp(-worth / scale)) / (ONE + remembered) * (ONE - level)
