"""What a scenario may say about a firm: prices, costs, money and its strategy."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import SerializeAsAny, field_validator

from churnsim.config import conduct
from churnsim.config.customers import PROTOTYPE
from churnsim.declarations import ASSUMED, Record, declared
from churnsim.strategies import Strategy, read_strategy

LEVELS = ("basic", "reactive", "accountable", "proactive", "partnership")
"""The five relationship levels of the course, from none to partnership."""

Level = Literal["basic", "reactive", "accountable", "proactive", "partnership"]
Spending = Literal["service", "relationship"]


CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
FOLDED = re.compile(f"(?<={CHINESE}) (?={CHINESE})")
"""A space between two Chinese characters or punctuation marks."""


class Text(Record):
    """A text in both languages; a plain string serves for both."""

    en: str
    zh: str

    @field_validator("zh")
    @classmethod
    def _without_folds(cls, text: str) -> str:
        """Take out the spaces that YAML puts where lines of a folded text meet: Chinese has none there."""
        return FOLDED.sub("", text)

    def __getitem__(self, language: str) -> str:
        """Return the text in ``en`` or ``zh``."""
        return getattr(self, language)


def as_text(value: Any) -> Any:
    """Read a plain string as the text in both languages."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


class RelationshipLevel(Record):
    """What one level of relationship work does and costs (course: five levels)."""

    contacts: float = declared(en="Contacts", zh="联系次数", unit="per customer and tick", low=0, high=30)
    richness: float = declared(en="Richness of a contact", zh="联系丰富度", low=0, high=1)
    cost: float = declared(en="Cost", zh="成本", unit="currency per customer and tick", low=0, high=1e9)


def default_levels() -> dict[str, RelationshipLevel]:
    """Return the levels of docs/model.md (assumed)."""
    table = {
        "basic": (0, 0, 0),
        "reactive": (0.25, 0.07, 0.5),
        "accountable": (0.5, 0.45, 2),
        "proactive": (1, 0.6, 4),
        "partnership": (2, 1, 12),
    }
    return {name: RelationshipLevel(contacts=c, richness=r, cost=y) for name, (c, r, y) in table.items()}


class Quality(Record):
    """How money per stay becomes quality (E27)."""

    scale: float = declared(
        60, en="Service money that buys 63 % of full quality", zh="质量投入尺度", unit="currency per stay",
        low=1e-9, high=1e9, plausible=(40, 90), source=PROTOTYPE,
    )  # fmt: skip
    adjustment: float = declared(
        0.10, en="Speed at which quality follows", zh="质量调整速度", unit="per tick", low=0, high=1,
        plausible=(0.03, 0.25), source="Nerlove & Arrow 1962 (form); size from the prototype",
    )  # fmt: skip


class Budget(Record):
    """How a firm's spending is bound by its money (E29)."""

    cash_use: float = declared(
        0.25, en="Share of cash and credit usable in one tick", zh="每期可动用现金比例", unit="per tick",
        low=0, high=1, plausible=(0.1, 1), source=PROTOTYPE,
    )  # fmt: skip
    memory: float = declared(
        0.5, en="Weight of the last tick in expected stays", zh="预期入住更新权重", unit="per tick", low=0,
        high=1, plausible=(0.2, 1), source=ASSUMED,
    )  # fmt: skip
    insolvency: float = declared(
        3, en="Fixed costs of debt that close the firm", zh="停业债务（固定成本月数）", unit="ticks of fixed cost",
        low=0, high=1000, plausible=(1, 12), source=ASSUMED,
    )  # fmt: skip
    priority: tuple[Spending, ...] = declared(
        ("service", "relationship"), en="What is funded first, after fixed cost", zh="拨款顺序",
        source="order of docs/model.md E29",
    )  # fmt: skip

    @field_validator("priority")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a queue in which a kind of spending is missing or named twice."""
        if sorted(value) != ["relationship", "service"]:
            raise ValueError("priority must name service and relationship, each once")
        return value


class Contract(Record):
    """Contract terms that bar the exit (E18)."""

    length: int = declared(0, en="Contract length", zh="合同期", unit="ticks", low=0, high=1200, plausible=(0, 24))
    fee: float = declared(
        0, en="Fee for leaving on the first day", zh="违约金", unit="currency", low=0, high=1e9,
        plausible=(0, 600), source="hotels: no contract",
    )  # fmt: skip


class Firm(Record):
    """One firm. Money per "market customer" makes the story the same at any size of market."""

    name: Text
    price: float = declared(
        300, en="List price", zh="标价", unit="currency per stay", low=0, high=1e9, plausible=(200, 400),
        source=PROTOTYPE,
    )  # fmt: skip
    unit_cost: float = declared(
        90, en="Variable cost", zh="变动成本", unit="currency per stay", low=0, high=1e9, plausible=(50, 150),
        source=PROTOTYPE,
    )  # fmt: skip
    service: float = declared(
        80, en="Service money", zh="服务投入", unit="currency per stay", low=0, high=1e9, plausible=(40, 120),
        source=PROTOTYPE,
    )  # fmt: skip
    training: float = declared(
        0, en="Staff training, on top of service", zh="员工培训投入", unit="currency per stay", low=0, high=1e9,
        plausible=(0, 25), source="course: staff service",
    )  # fmt: skip
    relationship: Level = declared("basic", en="Relationship level", zh="关系层级", source="course: five levels")
    relationship_budget: float | None = declared(
        None, en="Relationship money at most (none: what the level costs)", zh="关系投资预算",
        unit="currency per customer and tick", low=0, high=1e9, plausible=(0, 12),
    )  # fmt: skip
    fixed_cost: float = declared(
        40 / 3, en="Fixed cost", zh="固定成本", unit="currency per market customer and tick", low=0, high=1e9,
        plausible=(2.5, 8.5), source="80 000 yuan a month at 6 000 customers, " + PROTOTYPE,
    )  # fmt: skip
    capacity: float = declared(
        0.1417, en="Capacity before crowding", zh="接待能力", unit="stays per market customer and tick", low=1e-9,
        high=1e9, plausible=(0.06, 0.14), source="850 stays a month at 6 000 customers, " + PROTOTYPE,
    )  # fmt: skip
    cash: float = declared(
        50, en="Cash at tick 0", zh="期初现金", unit="currency per market customer", low=-1e9, high=1e9,
        plausible=(0, 50), source="300 000 yuan at 6 000 customers, " + PROTOTYPE,
    )  # fmt: skip
    credit: float = declared(
        0, en="Credit line", zh="信用额度", unit="currency per market customer", low=0, high=1e9,
        plausible=(0, 50), source=ASSUMED,
    )  # fmt: skip
    initial_share: float = declared(
        0.3, en="Share of customers at the start of burn-in", zh="初始客户占比", low=0, high=1,
        plausible=(0, 1), source="calibrated equilibrium of the two hotels",
    )  # fmt: skip
    research: float = declared(
        0.5, en="Research: how well the firm knows its customers' satisfaction", zh="客户满意度调研力度", low=0, high=1,
        plausible=(0, 1), source="course S77; 0 guesses, 1 knows; read by strategies alone; assumed",
    )  # fmt: skip
    quality: Quality = Quality()
    budget: Budget = Budget()
    contract: Contract = Contract()
    opens: int = declared(
        0, en="First tick of trading (0: from the beginning)", zh="开业时间", unit="tick", low=0, high=100_000
    )
    recovery: conduct.Recovery = conduct.Recovery()
    staff: conduct.Staff = conduct.Staff()
    reminders: conduct.Reminders = conduct.Reminders()
    card: conduct.Card = conduct.Card()
    win_back: conduct.WinBack = conduct.WinBack()
    save: conduct.Save = conduct.Save()
    advertising: conduct.Advertising = conduct.Advertising()
    referral: conduct.Referring = conduct.Referring()
    innovation: conduct.Innovation = conduct.Innovation()
    responsibility: conduct.Responsibility = conduct.Responsibility()
    promise: conduct.Promise = conduct.Promise()
    listening: conduct.Listening = conduct.Listening()
    screening: conduct.Screening = conduct.Screening()
    bargaining: conduct.Bargaining = conduct.Bargaining()
    enquiries: conduct.Enquiries = conduct.Enquiries()
    tiers: conduct.Tiers = conduct.Tiers()
    favours: conduct.Favours = conduct.Favours()
    strategy: SerializeAsAny[Strategy] = declared(
        en="Strategy", zh="策略", factory=lambda: read_strategy("passive"), source="control"
    )

    _name = field_validator("name", mode="before")(as_text)
    _strategy = field_validator("strategy", mode="before")(read_strategy)
