"""A scenario as plain, validated, immutable data."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from churnsim.config.customers import Customers
from churnsim.config.firms import LEVELS, Firm, RelationshipLevel, Text, as_text, default_levels
from churnsim.config.mechanisms import Mechanisms
from churnsim.declarations import Record, declared
from churnsim.metrics import Money

MAX_FIRMS = 8
"""A customer remembers in one byte which firms it has ever been with."""


class Move(Record):
    """A dated change: from its tick on, parameters have new values.

    In a file a move is written flat, ``{tick: 8, firms.eton.price: 225}`` or
    ``{tick: 8, firm: eton, price: 225}``; here the changes are keyed by dotted path.
    """

    tick: int = declared(en="Tick", zh="时间", unit="tick", low=1, high=100_000)
    changes: dict[str, Any]
    note: Text | None = None

    _note = field_validator("note", mode="before")(as_text)

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        """Gather the flat form's paths under ``changes``."""
        if not isinstance(value, dict) or "changes" in value:
            return value
        firm = value.get("firm")
        changes = {
            (f"firms.{firm}.{key}" if firm is not None else key): item
            for key, item in value.items()
            if key not in ("tick", "note", "firm")
        }
        if not changes:
            raise ValueError("a move changes at least one parameter")
        kept = {key: value[key] for key in ("tick", "note") if key in value}
        return {**kept, "changes": changes}


class Arm(Record):
    """A named variant of the scenario, run on the same customers with the same luck."""

    title: Text
    control: bool = False
    set: dict[str, Any] = Field(default_factory=dict)
    moves: tuple[Move, ...] = ()

    _title = field_validator("title", mode="before")(as_text)


class Claim(Record):
    """A machine-checkable statement of what the scenario shows.

    Exactly one of `holds` and `above`/`report` forms (see ``churnsim.claims``):
    ``holds`` is a comparison that must be true in a fraction `needed` of the seeds;
    ``estimate`` is a quantity whose 95 % interval over seeds must lie above `above`,
    or below `below`; without either it is only reported.
    """

    id: str
    text: Text
    holds: str | None = None
    needed: float = Field(default=0.9, ge=0, le=1)
    estimate: str | None = None
    above: float | None = None
    below: float | None = None

    _text = field_validator("text", mode="before")(as_text)

    @model_validator(mode="after")
    def _one_form(self) -> Claim:
        """Refuse a claim that is not either a statement per seed or an estimate over seeds."""
        if (self.holds is None) == (self.estimate is None):
            raise ValueError("a claim has either 'holds' or 'estimate'")
        if self.holds is not None and (self.above is not None or self.below is not None):
            raise ValueError("'above' and 'below' belong to an 'estimate'")
        return self

    @property
    def is_only_reported(self) -> bool:
        """Whether it is an estimate without a bound, which cannot fail."""
        return self.estimate is not None and self.above is None and self.below is None


class ScenarioRecord(Record):
    """Everything a scenario file may contain."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = ""
    title: Text
    case_title: Text | None = None
    question: Text
    sources: tuple[Text, ...]
    tick: Literal["day", "week", "month", "quarter", "year"] = "month"
    burn_in: int = declared(36, en="Burn-in", zh="预热期", unit="ticks", low=0, high=10_000)
    horizon: int = declared(96, en="Horizon", zh="模拟期", unit="ticks", low=1, high=30_000)
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    money: Money = "known"
    seed: int = declared(1, en="Seed", zh="随机种子", low=0, high=2**63 - 1)
    ledger: bool = declared(
        False, en="Keep every customer's account", zh="记录每位客户的账目", source="off: costs memory and time"
    )
    discount: float = declared(
        0.01, en="Discount rate of the ledger", zh="账目的折现率", unit="per tick", low=0, high=1, plausible=(0, 0.05),
        source="docs/model.md E31: 1 % a month",
    )  # fmt: skip
    customers: Customers = Customers()
    mechanisms: Mechanisms = Mechanisms()
    relationship_levels: dict[str, RelationshipLevel] = Field(default_factory=default_levels)
    firms: dict[str, Firm] = Field(min_length=1, max_length=MAX_FIRMS)
    moves: tuple[Move, ...] = ()
    arms: dict[str, Arm] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = ()

    _texts = field_validator("title", "case_title", "question", mode="before")(as_text)

    @field_validator("sources", mode="before")
    @classmethod
    def _sources_as_texts(cls, value: Any) -> Any:
        """Read each plain string as the source in both languages: a citation is the same in all."""
        return tuple(as_text(source) for source in value) if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _consistent(self) -> ScenarioRecord:
        """Check what no single field can know."""
        if set(self.relationship_levels) != set(LEVELS):
            raise ValueError(f"relationship_levels must have exactly {', '.join(LEVELS)}")
        shares = sum(firm.initial_share for firm in self.firms.values())
        if shares > 1 + 1e-9:
            raise ValueError(f"the firms' initial_share values sum to {shares:g}; they must not exceed 1")
        for name, firm in self.firms.items():
            if firm.opens and firm.initial_share:
                raise ValueError(f"firm '{name}' opens in tick {firm.opens}; until then its initial_share must be 0")
            if not name.isidentifier() or name == "outside":
                raise ValueError(f"firm name '{name}' must be a plain identifier other than 'outside'")
        return self
