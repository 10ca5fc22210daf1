"""The library of firm strategies; importing it registers them all."""

from churnsim.strategies.base import REGISTRY, Action, Strategy, View, combined, read_strategy, where
from churnsim.strategies.control import Passive, Random
from churnsim.strategies.mixed import Mixed
from churnsim.strategies.pricing import PriceCut
from churnsim.strategies.quality import ServiceQuality
from churnsim.strategies.relationship import RelationshipInvestment

__all__ = [
    "REGISTRY",
    "Action",
    "Mixed",
    "Passive",
    "PriceCut",
    "Random",
    "RelationshipInvestment",
    "ServiceQuality",
    "Strategy",
    "View",
    "combined",
    "read_strategy",
    "where",
]
