"""What a scenario may say about customers: their traits and how they judge.

One class per mechanism. Symbols in the labels' comments (μ, θ, η ...) are those
of ``docs/model.md``; rates are per tick of the scenario.
"""

from __future__ import annotations

from pydantic import model_validator

from churnsim.config import dealings, wants
from churnsim.config.distributions import KINDS, Beta, Constant, Distribution, Lognormal
from churnsim.declarations import ASSUMED, Record, declaration, declared

PROTOTYPE = "prototype of the two-hotel case, docs/model.md"

CIRCLE = 10
"""Places of a circle of like-minded people, per place that one's acquaintances near by reach to one side (assumed).

So wide that nearest and farthest of them are nearly as alike; the highest homophily allowed is within its reach."""


class Choice(Record):
    """Random-utility choice between the firms and staying away (E1)."""

    noise: float = declared(
        75, en="Choice noise", zh="选择随机性", unit="currency", low=0, high=1e9, plausible=(50, 150),
        source="gives an own-price elasticity near -2 at a price of 300; Tellis 1988, Bijmolt et al. 2005",
    )  # fmt: skip
    outside_value: float = declared(
        0, en="Value of staying away", zh="不消费的价值", unit="currency", low=-1e9, high=1e9,
        plausible=(-200, 200), source="calibrated per scenario",
    )  # fmt: skip


class Taste(Record):
    """Persistent liking of a firm that never changes (E3)."""

    sd: float = declared(
        70, en="Spread of personal taste", zh="个人偏好差异", unit="currency", low=0, high=1e9,
        plausible=(0, 150), source="of the size of the choice noise; Heckman 1981, Dubé et al. 2010",
    )  # fmt: skip
    homophily: float = declared(
        0, en="Correlation of taste with acquaintances near by", zh="与近邻熟人的偏好相关", low=0, high=0.9,
        plausible=(0, 0.5), source="McPherson, Smith-Lovin & Cook 2001: similarity breeds connection; sizes assumed",
    )  # fmt: skip


class ReferencePrice(Record):
    """What the customer is used to paying, and how gains and losses against it weigh (E5)."""

    weight: float = declared(
        0.5, en="Weight of gains against the reference price", zh="参照价格权重", low=0, high=5,
        plausible=(0, 1), source="Kalyanaram & Winer 1995; Mazumdar, Raj & Sinha 2005 (size assumed)",
    )  # fmt: skip
    loss_aversion: float = declared(
        2, en="Price loss aversion", zh="价格损失厌恶", low=1, high=10, plausible=(1, 3),
        source="Hardie, Johnson & Fader 1993 (significant); 1.5-2 recalled",
    )  # fmt: skip
    adaptation: float = declared(
        0.15, en="Adaptation of the reference price per purchase tick", zh="参照价格适应速度", unit="per tick",
        low=0, high=1, plausible=(0.05, 0.4), source="carry-over .6-.85 per purchase, recalled",
    )  # fmt: skip
    seen_only: float = declared(
        0.3, en="Adaptation where the price is only seen", zh="仅看到价格时的适应比例", low=0, high=1,
        plausible=(0, 1), source=ASSUMED,
    )  # fmt: skip


class PriceCue(Record):
    """Price as a sign of quality for those who have no experience (E6)."""

    strength: float = declared(
        0.05, en="Quality inferred from price", zh="以价论质强度", low=0, high=1, plausible=(0, 0.15),
        source="Rao & Monroe 1989, recalled",
    )  # fmt: skip


class Experience(Record):
    """What a stay is like (E7)."""

    noise: float = declared(
        0.10, en="Luck in one stay", zh="单次体验波动", low=0, high=1, plausible=(0, 0.2), source=PROTOTYPE
    )
    crowding: float = declared(
        0.5, en="Quality lost per unit of load above capacity", zh="拥挤损失", low=0, high=5,
        plausible=(0, 1), source=PROTOTYPE,
    )  # fmt: skip
    core_floor: float = declared(
        0.2, en="Core quality below which nothing else counts", zh="核心质量底线", low=0, high=1,
        plausible=(0, 0.4), source=ASSUMED,
    )  # fmt: skip
    market_memory: float = declared(
        0.1, en="Weight of the newest tick in the market's mean experience", zh="市场平均体验更新权重",
        unit="per tick", low=0, high=1, plausible=(0.05, 0.5), source=ASSUMED,
    )  # fmt: skip


class Belief(Record):
    """What the customer believes of each firm's quality (E8)."""

    learning: float = declared(
        0.25, en="Learning from one stay", zh="信念学习率", unit="per stay", low=0, high=1,
        plausible=(0.1, 0.5), source="exponential smoothing; Erdem & Keane 1996 (size from the prototype)",
    )  # fmt: skip
    initial_sd: float = declared(
        0.06, en="Spread of first beliefs", zh="初始信念差异", low=0, high=1, plausible=(0, 0.15),
        source=PROTOTYPE,
    )  # fmt: skip


class Expectation(Record):
    """The expectation ratchet: up faster than down, and driven by rivals (E9)."""

    up: float = declared(
        0.30, en="Adaptation upwards", zh="期望上调速度", unit="per stay", low=0, high=1,
        plausible=(0.1, 0.6), source="Boulding et al. 1993 (sign); size from the prototype",
    )  # fmt: skip
    down: float = declared(
        0.20, en="Adaptation downwards", zh="期望下调速度", unit="per stay", low=0, high=1,
        plausible=(0.05, 0.6), source="Boulding et al. 1993 (sign); size from the prototype",
    )  # fmt: skip
    spillover: float = declared(
        0.02, en="Pull of the best firm known", zh="最佳同行的拉动", unit="per tick", low=0, high=1,
        plausible=(0, 0.1), source="course: expectations are also made by competitors; size assumed",
    )  # fmt: skip


class Satisfaction(Record):
    """Disconfirmation with loss aversion, and its slow sum (E10)."""

    disconfirmation: float = declared(
        1.5, en="Weight of experience minus expectation", zh="期望落差权重", low=0, high=10,
        plausible=(0.5, 3), source="Oliver 1980; Anderson & Sullivan 1993 (size from the prototype)",
    )  # fmt: skip
    loss_aversion: float = declared(
        2, en="Extra weight of falling short", zh="负面落差倍数", low=1, high=10, plausible=(1, 3),
        source="Anderson & Sullivan 1993: shortfall weighs more; size assumed",
    )  # fmt: skip
    performance: float = declared(
        1, en="Weight of experience against the market's mean", zh="绝对表现权重", low=0, high=10,
        plausible=(0, 2), source="Anderson & Sullivan 1993 (size from the prototype)",
    )  # fmt: skip
    adjustment: float = declared(
        0.3, en="Weight of the newest stay", zh="满意度更新权重", unit="per stay", low=0, high=1,
        plausible=(0.1, 0.6), source="anchoring and adjustment, Bolton 1998 (size from the prototype)",
    )  # fmt: skip
    neutral: float = declared(
        0.5, en="Satisfaction of somebody without experience", zh="初始满意度", low=0, high=1,
        plausible=(0.3, 0.7), source=ASSUMED,
    )  # fmt: skip


class Attention(Record):
    """Whether a customer looks around at all (E11)."""

    base: float = declared(
        2, en="Base log-odds of looking around", zh="关注基准（对数几率）", low=-50, high=50,
        plausible=(-1, 4), source="calibrated: churn of passive hotels near .10 a month, two_hotels claim P1",
    )  # fmt: skip
    satisfaction: float = declared(
        4, en="Drop in log-odds from no to full satisfaction", zh="满意度对关注的抑制", low=0, high=50,
        plausible=(0, 10), source="two-stage inertia, Hortaçsu et al. 2017, recalled; size from the prototype",
    )  # fmt: skip
    own_price_rise: float = declared(
        10, en="Log-odds per unit of own price above the reference", zh="本店涨价触发", low=0, high=100,
        plausible=(0, 20), source="switching triggers, Roos 1999, recalled; +1 per 10 % assumed",
    )  # fmt: skip
    rival_price_cut: float = declared(
        5, en="Log-odds per unit of a rival's price below its reference", zh="对手降价触发", low=0, high=100,
        plausible=(0, 20), source="switching triggers, Roos 1999, recalled; +.5 per 10 % assumed",
    )  # fmt: skip
    contract_expiry: float = declared(
        1.5, en="Log-odds in the tick when a contract ends", zh="合同到期触发", low=0, high=50,
        plausible=(0, 3), source=ASSUMED,
    )  # fmt: skip
    contact: float = declared(
        0.2, en="Log-odds when the firm makes contact", zh="联系唤醒", low=0, high=50, plausible=(0, 1),
        source="contact can wake customers: Ascarza, Iyengar & Schleicher 2016 (size assumed)",
    )  # fmt: skip


class Attachment(Record):
    """Attachment grows with contact and satisfaction and fades in separation (E13, E14)."""

    value: float = declared(
        200, en="Money value of full attachment", zh="心理依附的货币价值", unit="currency", low=0, high=1e9,
        plausible=(0, 300), source=PROTOTYPE,
    )  # fmt: skip
    growth: float = declared(
        0.15, en="Growth per tick of full contact", zh="依附增长率", unit="per tick", low=0, high=1,
        plausible=(0.03, 0.2), source="Thomson, MacInnis & Park 2005 (direction); size from the prototype",
    )  # fmt: skip
    decay: float = declared(
        0.03, en="Decay per tick of separation", zh="分离衰减率", unit="per tick", low=0, high=1,
        plausible=(0.01, 0.08), source=PROTOTYPE,
    )  # fmt: skip
    floor: float = declared(
        0.3, en="Satisfaction below which nothing grows", zh="依附增长的满意度门槛", low=0, high=1,
        plausible=(0, 0.5), source=PROTOTYPE,
    )  # fmt: skip
    initial: float = declared(
        0.2, en="Attachment of first customers", zh="初始依附", low=0, high=1, plausible=(0, 0.5),
        source=PROTOTYPE,
    )  # fmt: skip
    stay_intensity: float = declared(
        0.4, en="Contact intensity of a stay", zh="入住的接触强度", low=0, high=1, plausible=(0.1, 0.8),
        source=PROTOTYPE,
    )  # fmt: skip
    contact_intensity: float = declared(
        0.6, en="Contact intensity of fully effective relationship work", zh="关系联系的接触强度", low=0,
        high=1, plausible=(0.1, 0.8), source=PROTOTYPE,
    )  # fmt: skip
    satiation: float = declared(
        2, en="Contacts per tick beyond the first that halve the effect", zh="联系饱和常数",
        unit="contacts", low=1, high=1e6, plausible=(1, 10), source=ASSUMED,
    )  # fmt: skip

    @model_validator(mode="after")
    def _intensity_within_one(self) -> Attachment:
        """Refuse more than full contact."""
        if self.stay_intensity + self.contact_intensity > 1 + 1e-12:
            raise ValueError("stay_intensity + contact_intensity must not exceed 1")
        return self


class SunkCost(Record):
    """Past payments that hold the customer, irrationally (E15)."""

    weight: float = declared(
        0.3, en="Weight of what has been paid", zh="沉没成本权重", low=0, high=1, plausible=(0, 1),
        source="Arkes & Blumer 1985 (effect); size from docs/model.md",
    )  # fmt: skip
    decay: float = declared(
        0.35, en="Payment depreciation", zh="付款折旧率", unit="per tick", low=0, high=1, plausible=(0.1, 0.6),
        source="Gourville & Soman 1998: decline over about five months",
    )  # fmt: skip
    price_share: float = declared(
        0.10, en="Share of each price that feels invested", zh="计入沉没的价格比例", low=0, high=1,
        plausible=(0, 0.3), source=ASSUMED,
    )  # fmt: skip


class WordOfMouth(Record):
    """Who tells whom after a stay, and how much it moves beliefs (E19)."""

    contacts: int = declared(
        8, en="Acquaintances per customer", zh="每位客户的熟人数", unit="customers", low=1, high=64,
        plausible=(2, 20), source=PROTOTYPE,
    )  # fmt: skip
    rewired: float = declared(
        0.1, en="Share of acquaintances far away", zh="远距熟人比例", low=0, high=1, plausible=(0, 1),
        source="small world, Watts & Strogatz 1998 (share assumed)",
    )  # fmt: skip
    tell_base: float = declared(
        0.15, en="Probability of telling after a neutral stay", zh="中性体验的传播概率", low=0, high=1,
        plausible=(0, 0.5), source=PROTOTYPE,
    )  # fmt: skip
    tell_extreme: float = declared(
        0.30, en="Added probability at extreme satisfaction", zh="极端满意度的附加传播概率", low=0, high=1,
        plausible=(0, 0.8), source=ASSUMED,
    )  # fmt: skip
    told_when_dissatisfied: float = declared(
        9, en="People told by the dissatisfied", zh="不满者告知人数", unit="people", low=0, high=64,
        plausible=(8, 10), source="TARP 9-10, checked; course 8-10",
    )  # fmt: skip
    told_when_satisfied: float = declared(
        4.5, en="People told by the satisfied", zh="满意者告知人数", unit="people", low=0, high=64,
        plausible=(3, 6), source="TARP 4-5, recalled",
    )  # fmt: skip
    weight: float = declared(
        0.03, en="Pull of one telling on the listener's belief", zh="口碑影响力", low=0, high=1,
        plausible=(0.01, 0.10), source=PROTOTYPE,
    )  # fmt: skip


class Hazards(Record):
    """Exits that nobody chooses (E25)."""

    natural: float = declared(
        0.003, en="Leaves the market for good (moves, dies)", zh="自然流失率", unit="per tick", low=0, high=1,
        plausible=(0.001, 0.01), source="course: very small share; size assumed",
    )  # fmt: skip
    lapse: float = declared(
        0.003, en="Forgets and lapses", zh="非恶意被动流失率", unit="per tick", low=0, high=1,
        plausible=(0, 0.02), source="course: rare; size assumed",
    )  # fmt: skip
    credit: float = declared(
        0.001, en="Dropped for bad credit", zh="恶意被动流失率", unit="per tick", low=0, high=1,
        plausible=(0, 0.01), source=ASSUMED,
    )  # fmt: skip

    @model_validator(mode="after")
    def _sum_within_one(self) -> Hazards:
        """Refuse exits that are more than certain."""
        if self.natural + self.lapse + self.credit > 1:
            raise ValueError("natural + lapse + credit must not exceed 1 per tick")
        return self


class Customers(Record):
    """The population: how many, what they are like, how they judge."""

    count: int = declared(
        6000, en="Customers in the market", zh="市场客户数", unit="customers", low=1, high=100_000_000,
        plausible=(1000, 1_000_000), source=PROTOTYPE,
    )  # fmt: skip
    growth: float = declared(
        0, en="Growth of the market", zh="市场增长率", unit="per tick", low=0, high=0.2, plausible=(0, 0.02),
        source="closed market",
    )  # fmt: skip
    opportunity: Distribution = declared(
        Beta(dist="beta", a=2, b=2), en="Probability of a purchase occasion", zh="购买机会概率",
        unit="per tick", low=0, high=1, plausible=(0.1, 0.9), source="mean .5, " + PROTOTYPE,
    )  # fmt: skip
    quality_value: Distribution = declared(
        Lognormal(dist="lognormal", mean=420, cv=0.2), en="Willingness to pay for full quality",
        zh="对质量的支付意愿", unit="currency", low=0, high=1e9, plausible=(200, 800), source=PROTOTYPE,
    )  # fmt: skip
    price_weight: Distribution = declared(
        Constant(value=1), en="Weight of price", zh="价格权重", low=0, high=100, plausible=(0.5, 2),
        source="money scale: one yuan of price counts as one yuan",
    )  # fmt: skip
    switching_cost: Distribution = declared(
        Lognormal(dist="lognormal", mean=110, cv=0.5), en="Switching cost", zh="转移成本", unit="currency",
        low=0, high=1e9, plausible=(20, 220), source="15-40 % of the price, Dubé, Hitsch & Rossi 2010",
    )  # fmt: skip
    transaction_cost: Distribution = declared(
        Lognormal(dist="lognormal", mean=30, cv=0.5), en="Cost of a first contract", zh="交易成本",
        unit="currency", low=0, high=1e9, plausible=(0, 60), source="Williamson 1985; 10 % of the price assumed",
    )  # fmt: skip
    size: Distribution = declared(
        Lognormal(dist="lognormal", mean=1, cv=1.4183), en="What a customer spends, relative to the average",
        zh="消费规模", low=0, high=1e6, plausible=(0.1, 20),
        source="course S36: sigma 1.05 of the logarithm gives the top 1 % 10 % and the top 10 % 40.6 % of sales",
    )  # fmt: skip
    inactivity: int = declared(
        3, en="Silence after which the ledger takes a customer for lost", zh="判定流失的未购买期数", unit="ticks",
        low=1, high=1000, plausible=(1, 12), source="course S22: a three-year customer, silent for three months",
    )  # fmt: skip
    choice: Choice = Choice()
    taste: Taste = Taste()
    reference_price: ReferencePrice = ReferencePrice()
    price_cue: PriceCue = PriceCue()
    experience: Experience = Experience()
    belief: Belief = Belief()
    expectation: Expectation = Expectation()
    satisfaction: Satisfaction = Satisfaction()
    attention: Attention = Attention()
    attachment: Attachment = Attachment()
    sunk_cost: SunkCost = SunkCost()
    word_of_mouth: WordOfMouth = WordOfMouth()
    hazards: Hazards = Hazards()
    calendar: dealings.Calendar = dealings.Calendar()
    life_cycle: dealings.LifeCycle = dealings.LifeCycle()
    rhythm: dealings.Rhythm = dealings.Rhythm()
    failure: dealings.Failure = dealings.Failure()
    employees: dealings.Employees = dealings.Employees()
    loyalty_card: dealings.LoyaltyCard = dealings.LoyaltyCard()
    acquisition: dealings.Acquisition = dealings.Acquisition()
    referral: dealings.Referral = dealings.Referral()
    offers: dealings.Offers = dealings.Offers()
    promotion: wants.Promotion = wants.Promotion()
    attributes: wants.Attributes = wants.Attributes()
    technology: wants.Technology = wants.Technology()
    ethics: wants.Ethics = wants.Ethics()
    variety: wants.Variety = wants.Variety()
    fit: wants.Fit = wants.Fit()
    buying_centre: wants.BuyingCentre = wants.BuyingCentre()
    credit: wants.Credit = wants.Credit()
    power: wants.Power = wants.Power()
    stock: wants.Stock = wants.Stock()
    fatigue: wants.Fatigue = wants.Fatigue()
    commitment: wants.Commitment = wants.Commitment()
    reciprocity: wants.Reciprocity = wants.Reciprocity()

    @property
    def circle(self) -> int:
        """How many neighbours in the network, oneself included, add to what a customer's taste has of others (E3)."""
        return CIRCLE * ((self.word_of_mouth.contacts + 1) // 2)

    @property
    def part_of_circle(self) -> float:
        """How much of the variance of taste is the circle's, for the correlation asked for on average over ties.

        Circles of people d places apart have ``1 - d / circle`` of their members in common; tie n leads n // 2 + 1
        places away.
        """
        ties = range(self.word_of_mouth.contacts)
        shared = sum(1 - (n // 2 + 1) / self.circle for n in ties) / len(ties)
        return self.taste.homophily / shared

    @model_validator(mode="after")
    def _homophily_has_a_network(self) -> Customers:
        """Refuse like-minded acquaintances where there is nobody near by, or not enough people for a circle."""
        if self.taste.homophily and self.word_of_mouth.rewired == 1:
            raise ValueError("taste.homophily needs acquaintances near by: word_of_mouth.rewired must be below 1")
        if self.taste.homophily and self.count < self.circle:
            raise ValueError(
                f"count must be at least {self.circle} customers where taste.homophily is above 0, with "
                f"{self.word_of_mouth.contacts} acquaintances each"
            )
        return self

    @model_validator(mode="after")
    def _traits_within_bounds(self) -> Customers:
        """Refuse a distribution that reaches where the trait has no meaning."""
        for name, field in type(self).model_fields.items():
            trait, about = getattr(self, name), declaration(field)
            if isinstance(trait, KINDS) and about is not None:
                low, high = trait.support
                reach = high if high != float("inf") else trait.mean_value
                if low < (about.low or 0) or reach > (about.high or float("inf")):
                    raise ValueError(
                        f"{name} must stay between {about.low:g} and {about.high:g} ({about.unit}); "
                        f"this distribution reaches from {low:g} to {high:g}"
                    )
        return self
