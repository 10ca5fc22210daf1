"""How somebody comes to know a firm (E21)."""

from __future__ import annotations

from churnsim.mechanisms.arithmetic import ONE, positive
from churnsim.mechanisms.rule import rule


@rule
def becomes_aware(innovation, imitation, users, advertising, reach):
    """Return the probability of coming to know a firm this tick.

    ``1 - (1 - (p + q F)) (1 - A ad)``: by oneself or from users (Bass 1969), or by advertising.

    Parameters
    ----------
    innovation, imitation
        ``p`` and ``q`` per tick.
    users
        Share ``F`` of the market that is with the firm.
    advertising
        Effect of the firm's advertising, 0 to 1.
    reach
        Share of the market that full advertising reaches in a tick.
    """
    unreached = ONE - innovation - imitation * users
    return ONE - positive(unreached) * (ONE - reach * advertising)
