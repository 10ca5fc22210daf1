"""Households that choose on under given prices, by the model's own rules.

The engine's firms have one price for everybody; a panel's households see prices of their own. So this loop calls the
rules of `mechanisms` that the engine's choice and service call, in the same order and precision, and gives the
engine's choices bit for bit where both can run (tests/test_predict.py).
"""

from __future__ import annotations

from churnsim.engine.kernel import kernel
from churnsim.mechanisms.arithmetic import ONE, ZERO, gumbel
from churnsim.mechanisms.attachment import attachment
from churnsim.mechanisms.memory import reference_price
from churnsim.mechanisms.value import firm_value, moving_cost, transaction_utility


@kernel
def free_run(
    household, luck, worth, price, taste, weight, attached, reference, last,
    noise, attachment_value, growth, switching, gain_weight, loss_aversion, adaptation, choice,
):  # fmt: skip
    """Let every row's household choose (E1, E3, E5, E13, E16), remember, and go on to its next row.

    Parameters
    ----------
    household : (rows,) int64
        Whose occasion it is; a household's rows stand in order of time.
    luck : (rows, brands) float32
        Uniform numbers.
    worth, price : (rows, brands) float32
        What a brand is worth to everybody on that occasion, and its price, in money.
    taste : (households, brands) float32
        Tastes, in money.
    weight : (households,) float32
        Price weights.
    attached, reference : (households, brands) float32
        Attachment and reference prices; both go on changing here.
    last : (households,) int64
        Brand bought last, -1 for none; changes too.
    noise, attachment_value, growth, switching, gain_weight, loss_aversion, adaptation : float32
        Parameters; `growth` is also the decay of attachment.
    choice : (rows,) int64
        The answer.
    """
    for row in range(household.size):
        i = household[row]
        best, highest = -1, ZERO
        for k in range(price.shape[1]):
            gain = transaction_utility(reference[i, k], price[row, k], gain_weight, loss_aversion)
            value = firm_value(
                worth[row, k], price[row, k], weight[i], gain, attached[i, k], attachment_value, taste[i, k], ZERO
            )
            if last[i] != k:
                value = value - moving_cost(switching, ZERO, ZERO, last[i] >= 0, True, False, last[i] < 0)
            utility = value + noise * gumbel(luck[row, k])
            if best < 0 or utility > highest or (utility == highest and k == last[i]):
                best, highest = k, utility
        choice[row] = best
        last[i] = best
        for k in range(price.shape[1]):
            bought = k == best
            attached[i, k] = attachment(
                attached[i, k], ONE if bought else ZERO, ONE, growth if bought else ZERO, ZERO, growth
            )
            reference[i, k] = reference_price(reference[i, k], price[row, k], adaptation)
