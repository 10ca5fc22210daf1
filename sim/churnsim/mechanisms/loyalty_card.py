"""What points are worth before they are redeemed (course S47)."""

from __future__ import annotations

from churnsim.mechanisms.arithmetic import ONE
from churnsim.mechanisms.rule import rule


@rule
def points_worth(points, reward, weight, pressure):
    """Return the worth of points, in money: more each as the reward comes near.

    ``w P (1 + g P / R) / (1 + g)``, so that the full reward is worth ``w R``. Goal gradient, Kivetz, Urminsky & Zheng
    2006 (recalled); the form is ours.
    """
    near = points / reward if points < reward else ONE
    return weight * points * (ONE + pressure * near) / (ONE + pressure)
