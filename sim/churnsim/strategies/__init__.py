"""The library of firm strategies; importing it registers them all.

What a strategy is called elsewhere and by whom its docstring says from memory: works after "Names (recalled)"
have not been looked up for it. Those that docs/model.md or a parameter's source names have their own mark there.
"""

from churnsim.strategies.accounts import AccountManagement, Concession, ServiceTiers
from churnsim.strategies.acquisition import AdvertisingSpending, ReferralProgramme
from churnsim.strategies.allocation import BudgetSplit
from churnsim.strategies.base import REGISTRY, Action, Strategy, View, combined, read_strategy, where
from churnsim.strategies.best_reply import FictitiousPlay, MyopicBestReply
from churnsim.strategies.composition import Lottery, Portfolio
from churnsim.strategies.conduct import (
    EmployeeCare,
    InnovationSpending,
    NeedsListening,
    PromiseLevel,
    SocialResponsibility,
)
from churnsim.strategies.contracts import Bundle, ContractTerms
from churnsim.strategies.control import Passive, Random
from churnsim.strategies.following import ImitateBest, Undercut
from churnsim.strategies.harvest import Harvest, InvestThenHarvest
from churnsim.strategies.loyalty import LoyaltyCard
from churnsim.strategies.menu import EpsilonGreedy, UpperConfidenceBound
from churnsim.strategies.mixed import Mixed
from churnsim.strategies.offers import SaveOffers, WinBackOffers
from churnsim.strategies.precaution import CreditScreen, Reminder
from churnsim.strategies.pricing import PriceCut
from churnsim.strategies.promotions import GrimTrigger, HighLow, MatchRival, TitForTat
from churnsim.strategies.q_learning import QLearning
from churnsim.strategies.quality import ServiceQuality
from churnsim.strategies.recovery import ServiceRecovery
from churnsim.strategies.relationship import RelationshipInvestment, UnexpectedFavours
from churnsim.strategies.rules import CostPlus, TargetProfit, TargetShare

__all__ = [
    "REGISTRY",
    "AccountManagement",
    "Action",
    "AdvertisingSpending",
    "BudgetSplit",
    "Bundle",
    "Concession",
    "ContractTerms",
    "CostPlus",
    "CreditScreen",
    "EmployeeCare",
    "EpsilonGreedy",
    "FictitiousPlay",
    "GrimTrigger",
    "Harvest",
    "HighLow",
    "ImitateBest",
    "InnovationSpending",
    "InvestThenHarvest",
    "Lottery",
    "LoyaltyCard",
    "MatchRival",
    "Mixed",
    "MyopicBestReply",
    "NeedsListening",
    "Passive",
    "Portfolio",
    "PriceCut",
    "PromiseLevel",
    "QLearning",
    "Random",
    "ReferralProgramme",
    "RelationshipInvestment",
    "Reminder",
    "SaveOffers",
    "ServiceQuality",
    "ServiceRecovery",
    "ServiceTiers",
    "SocialResponsibility",
    "Strategy",
    "TargetProfit",
    "TargetShare",
    "TitForTat",
    "Undercut",
    "UnexpectedFavours",
    "UpperConfidenceBound",
    "View",
    "WinBackOffers",
    "combined",
    "read_strategy",
    "where",
]
