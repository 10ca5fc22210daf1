"""A firm's quality and money (E27, E29), in double precision: there are few firms."""

from __future__ import annotations

import math


def quality_bought(money, scale):
    """Return the quality that service money per stay sustains, ``1 - exp(-s / s0)`` (E27)."""
    return 1 - math.exp(-money / scale)


def quality_after(quality, target, speed):
    """Return the quality stock after one tick, ``q + delta (q* - q)`` (Nerlove & Arrow 1962)."""
    return quality + speed * (target - quality)


def expected_stays(expected, stays, weight):
    """Return the smoothed number of stays that a budget is made from, per market customer and tick."""
    return expected + weight * (stays - expected)


def spendable(margin, expected, fixed_cost, cash, credit, cash_use):
    """Return the money available for this tick's spending, per market customer (E29).

    ``[(p - c) n - F]^+ + lambda [cash + credit]^+``: made from expected stays, not from the outcome
    of the same tick, which would be circular.

    Parameters
    ----------
    margin
        Price less variable cost, in currency per stay.
    expected
        Expected stays per market customer.
    fixed_cost, cash, credit
        Currency per market customer.
    cash_use
        Share of cash and credit that may be used in one tick.
    """
    return max(margin * expected - fixed_cost, 0.0) + cash_use * max(cash + credit, 0.0)


def funded(wish, available):
    """Return what share of a wish is paid for, and what money is left for the next in the queue.

    Parameters
    ----------
    wish : float
        Money asked for.
    available : float
        Money there is.

    Returns
    -------
    tuple of float
        Share between 0 and 1, and money left.
    """
    if wish > available:
        return available / wish, 0.0
    return 1.0, available - wish


def effect(money, scale):
    """Return the share of its full effect that money has, ``1 - exp(-s / s0)``."""
    return 1 - math.exp(-money / scale)


def morale_after(morale, usual, pay_effect, overload, strain, speed):
    """Return morale after one tick, ``m + delta (m* - m)`` (E28).

    ``m* = usual + (1 - usual) x effect of pay - strain x load above capacity``, within 0 and 1.
    """
    target = usual + (1 - usual) * pay_effect - strain * overload
    return morale + speed * (min(max(target, 0.0), 1.0) - morale)


def quitting(rate, attrition, morale, usual):
    """Return the probability that an employee quits, ``h0 exp(-b (m - usual))``, at most 1 (E28)."""
    return min(rate * math.exp(-attrition * (morale - usual)), 1.0)


def morale_factor(morale, usual):
    """Return by how much morale multiplies the quality that money buys (E28).

    ``(1 + m) / (1 + usual)``: one at the usual morale, so that the mechanism alone moves nothing.
    """
    return (1 + morale) / (1 + usual)


def image_after(image, target, speed):
    """Return a firm's image after one tick without scandal; it recovers slowly (course S15)."""
    return image + speed * (target - image)


def fit_after(fit, voices, listening, speed, drift):
    """Return how well an offer fits after one tick, ``F + speed v L (1 - F) - drift F`` (course S106).

    Parameters
    ----------
    voices
        Suggestions and complaints per customer of the last tick.
    listening
        Effect of listening, 0 to 1.
    """
    return fit + speed * voices * listening * (1 - fit) - drift * fit
