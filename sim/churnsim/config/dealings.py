"""What a scenario may say about how customers take dealings beyond the stay: one class per mechanism.

Every class has the name of its mechanism and works only while that is on. Rates are per tick of the scenario.
"""

from __future__ import annotations

from pydantic import field_validator

from churnsim.declarations import ASSUMED, Record, declared


class Calendar(Record):
    """Seasons: how likely a purchase is in each tick of the cycle (course S21)."""

    weights: tuple[float, ...] = declared(
        (1,), en="Weight of each tick of the cycle, from tick 1 on", zh="各期季节权重", source="1: no season"
    )

    @field_validator("weights", mode="before")
    @classmethod
    def _from_words(cls, value: object) -> object:
        """Read ``1 .9 1.2``: a cell of a study's design, or one value of a factor, holds a whole calendar that way."""
        return value.split() if isinstance(value, str) else value

    @field_validator("weights")
    @classmethod
    def _some_season(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """Refuse a cycle that is empty or has negative weights."""
        if not value or min(value) < 0 or max(value) > 1000 or len(value) > 366:
            raise ValueError("weights has 1 to 366 numbers from 0 to 1000")
        return value


class LifeCycle(Record):
    """A need that ends: how long it lasts, and how often it changes on the way (course S101)."""

    length: int = declared(
        36, en="Length of the need", zh="需求持续期", unit="ticks", low=1, high=30_000, plausible=(6, 120),
        source="course S101: three years",
    )  # fmt: skip
    stages: int = declared(
        6, en="Stages with needs of their own", zh="需求阶段数", low=1, high=100, plausible=(1, 12),
        source="course S101: stage-specific service; number assumed",
    )  # fmt: skip
    help: float = declared(
        60, en="Worth of what fits the stage", zh="契合阶段需求的价值", unit="currency", low=0, high=1e9,
        plausible=(0, 120), source=ASSUMED,
    )  # fmt: skip


class Rhythm(Record):
    """How regularly needs arise."""

    stages: int = declared(
        2, en="Stages from one need to the next", zh="两次需求之间的阶段数", low=1, high=20, plausible=(1, 4),
        source="Chatfield & Goodhardt 1973, recalled: Erlang-2 gaps; 1 is chance alone",
    )  # fmt: skip


class Failure(Record):
    """Failures, what they cost a customer's loyalty, voice, and what recovery mends (E22, E23)."""

    rate: float = declared(
        0.08, en="Core failures at usual quality", zh="核心服务失误率", unit="per stay", low=0, high=1,
        plausible=(0.02, 0.2), source="docs/model.md E22: .08 (1 - q) / .26",
    )  # fmt: skip
    encounter: float = declared(
        0.04, en="Encounter failures at usual courtesy", zh="接触失误率", unit="per stay", low=0, high=1,
        plausible=(0.01, 0.1), source=ASSUMED,
    )  # fmt: skip
    major: float = declared(
        0.2, en="Share of failures that are major", zh="严重失误比例", low=0, high=1, plausible=(0.05, 0.4),
        source="docs/model.md E22",
    )  # fmt: skip
    minor_loss: float = declared(
        90, en="Worth lost by a minor failure", zh="轻微失误损失", unit="currency", low=0, high=1e9,
        plausible=(30, 200), source="assumed; the complaint table needs other sizes, see the scenario complaint_table",
    )  # fmt: skip
    major_loss: float = declared(
        220, en="Worth lost by a major failure", zh="严重失误损失", unit="currency", low=0, high=1e9,
        plausible=(100, 500), source="assumed; the complaint table needs other sizes, see the scenario complaint_table",
    )  # fmt: skip
    displeasure: float = declared(
        0.15, en="Satisfaction lost by a minor failure", zh="轻微失误的满意度损失", low=0, high=1,
        plausible=(0.05, 0.3), source="a major failure twice as much; assumed",
    )  # fmt: skip
    estrangement: float = declared(
        0.1, en="Share of attachment lost by a minor failure", zh="轻微失误的依附损失", low=0, high=1,
        plausible=(0, 0.3), source="a major failure twice as much; assumed",
    )  # fmt: skip
    tolerance: float = declared(
        0.4, en="Loss forgiven by the fully attached", zh="依附者的宽容度", low=0, high=1, plausible=(0, 0.8),
        source="course S48, S59: loyal customers tolerate an error; size assumed",
    )  # fmt: skip
    forgetting: float = declared(
        0.1, en="Forgetting of failures", zh="失误遗忘率", unit="per tick", low=0, high=1, plausible=(0.02, 0.3),
        source=ASSUMED,
    )  # fmt: skip
    trigger: float = declared(
        1, en="Log-odds of looking around after a failure", zh="失误触发", low=0, high=50, plausible=(0, 3),
        source="docs/model.md: failure +1 (assumed)",
    )  # fmt: skip
    voice: float = declared(
        -2.5, en="Base log-odds of complaining", zh="投诉倾向基准（对数几率）", low=-50, high=50, plausible=(-4, 0),
        source="TARP: 1 in 26 complains; with hope of success more",
    )  # fmt: skip
    voice_hope: float = declared(
        2, en="Log-odds per chance of success", zh="投诉成功预期的影响", low=0, high=50, plausible=(0, 5),
        source="Hirschman 1970; Singh 1988 (direction); size assumed",
    )  # fmt: skip
    voice_attachment: float = declared(
        1, en="Log-odds of the fully attached", zh="依附对投诉的影响", low=-50, high=50, plausible=(0, 3),
        source="Hirschman 1970: loyalty activates voice; size assumed",
    )  # fmt: skip
    voice_major: float = declared(
        1, en="Log-odds if the failure is major", zh="严重失误对投诉的影响", low=0, high=50, plausible=(0, 3),
        source=ASSUMED,
    )  # fmt: skip
    voice_guarantee: float = declared(
        1, en="Log-odds under a guarantee", zh="服务保证对投诉的影响", low=0, high=50, plausible=(0, 3),
        source="course S76: complaints rise; size assumed",
    )  # fmt: skip
    heard: tuple[float, float] = declared(
        (0.1, 0.2), en="Loss mended by complaining in vain (minor, major)", zh="仅投诉的弥补(轻微、严重)",
        source="complaint table: unresolved .46 against .37 (direction); sizes assumed",
    )  # fmt: skip
    distributive: tuple[float, float] = declared(
        (0.3, 0.25), en="Loss mended by full compensation (minor, major)", zh="赔偿的弥补(轻微、严重)",
        source="Tax, Brown & Chandrashekaran 1998; Smith, Bolton & Wagner 1999 (direction); sizes assumed",
    )  # fmt: skip
    interactional: tuple[float, float] = declared(
        (0.3, 0.25), en="Loss mended by full courtesy (minor, major)", zh="态度的弥补(轻微、严重)",
        source="Tax, Brown & Chandrashekaran 1998; Smith, Bolton & Wagner 1999 (direction); sizes assumed",
    )  # fmt: skip
    procedural: tuple[float, float] = declared(
        (0.4, 0.3), en="Loss mended by full speed (minor, major)", zh="速度的弥补(轻微、严重)",
        source="Tax, Brown & Chandrashekaran 1998; course S67, S68 (direction); sizes assumed",
    )  # fmt: skip
    paradox: float = declared(
        1.3, en="Satisfaction mended, times the loss mended", zh="补救悖论系数", low=0, high=5, plausible=(1, 1.6),
        source="de Matos, Henrique & Rossi 2007: satisfaction may overshoot, repurchase does not; size assumed",
    )  # fmt: skip
    ignored: float = declared(
        0.10, en="Attachment lost when a complaint is not answered", zh="被忽视的依附损失", low=0, high=1,
        plausible=(0.02, 0.3), source="docs/model.md E13: zeta (assumed)",
    )  # fmt: skip
    warning: float = declared(
        0.5, en="Quality that others hear of, below what was delivered", zh="负面口碑的落差", low=0, high=1,
        plausible=(0.2, 0.8), source=ASSUMED,
    )  # fmt: skip

    @field_validator("heard", "distributive", "interactional", "procedural")
    @classmethod
    def _shares(cls, value: tuple[float, float]) -> tuple[float, float]:
        """Refuse shares outside 0 to 1."""
        if min(value) < 0 or max(value) > 1:
            raise ValueError("both numbers must be between 0 and 1 (share of the loss)")
        return value


class Employees(Record):
    """Customers who belong to an employee (E28)."""

    owned: float = declared(
        0.3, en="Attachment that belongs to the employee", zh="依附于员工的比例", low=0, high=1,
        plausible=(0.1, 0.6), source="docs/model.md E28: psi; Palmatier, Scheer & Steenkamp 2007 (direction)",
    )  # fmt: skip
    joins_rival: float = declared(
        0.5, en="Quitting employees who join a rival", zh="跳槽到对手的比例", low=0, high=1, plausible=(0, 1),
        source=ASSUMED,
    )  # fmt: skip
    carried: float = declared(
        0.8, en="Share of it that moves along to the rival", zh="随员工转移的比例", low=0, high=1,
        plausible=(0, 1), source="course S98; size assumed",
    )  # fmt: skip


class LoyaltyCard(Record):
    """What points and perks are worth to a customer (course S47, S102-S104)."""

    weight: float = declared(
        0.8, en="Worth of a point, near its reward", zh="积分价值折扣", low=0, high=5, plausible=(0.3, 1.2),
        source=ASSUMED,
    )  # fmt: skip
    pressure: float = declared(
        1, en="How much more points count near the reward", zh="积分临近兑换的压力", low=0, high=10,
        plausible=(0, 3), source="goal gradient, Kivetz, Urminsky & Zheng 2006, recalled; size assumed",
    )  # fmt: skip
    expiry: float = declared(
        0.05, en="Points that expire while away", zh="离店积分过期率", unit="per tick", low=0, high=1,
        plausible=(0, 0.2), source=ASSUMED,
    )  # fmt: skip
    belonging: float = declared(
        0.03, en="Attachment that clubs make grow", zh="俱乐部增进依附", unit="per tick", low=0, high=1,
        plausible=(0, 0.1), source="course S102: clubs raise emotional switching cost; size assumed",
    )  # fmt: skip
    perks: float = declared(
        80, en="Worth of full perks to the elite", zh="礼遇价值", unit="currency", low=0, high=1e9,
        plausible=(0, 300), source=ASSUMED,
    )  # fmt: skip


class Acquisition(Record):
    """How firms become known to those who have never been there (E21)."""

    known: float = declared(
        0, en="Customers who know each firm from the start", zh="初始知晓率", low=0, high=1, plausible=(0, 1),
        source=ASSUMED,
    )  # fmt: skip
    innovation: float = declared(
        0.01, en="Becoming aware by oneself", zh="创新系数 p", unit="per tick", low=0, high=1,
        plausible=(0.003, 0.03), source="Bass 1969: p, recalled",
    )  # fmt: skip
    imitation: float = declared(
        0.38, en="Becoming aware from users", zh="模仿系数 q", unit="per tick", low=0, high=1, plausible=(0.1, 0.6),
        source="Bass 1969: q, recalled",
    )  # fmt: skip
    advertising: float = declared(
        0.1, en="Reached by full advertising", zh="广告触达率", unit="per tick", low=0, high=1,
        plausible=(0.02, 0.3), source=ASSUMED,
    )  # fmt: skip


class Referral(Record):
    """Who refers others, and what it takes (E20; course S72)."""

    rate: float = declared(
        0.02, en="Referring at full attachment and satisfaction", zh="推荐率", unit="per tick", low=0, high=1,
        plausible=(0.002, 0.05), source="docs/model.md E20: .005 of all customers; here of the fully attached",
    )  # fmt: skip
    sociability: float = declared(
        0.8, en="Spread of sociability (coefficient of variation)", zh="社交广度差异", low=0, high=5,
        plausible=(0.3, 1.5), source=ASSUMED,
    )  # fmt: skip
    types: tuple[float, float, float, float] = declared(
        (0.25, 0.25, 0.25, 0.25), en="Referrers: unconditional, for money, for favours, for friends",
        zh="推荐者类型占比：无条件、金钱、人情、朋友", source="course S72: four types; shares assumed",
    )  # fmt: skip
    reward_scale: float = declared(
        50, en="Reward that moves 63 % of those who want money", zh="推荐奖励效果尺度", unit="currency", low=1e-9,
        high=1e9, plausible=(20, 200), source=ASSUMED,
    )  # fmt: skip
    care: float = declared(
        3, en="Referrals of those looked after, times the usual", zh="维护后的推荐倍数", low=1, high=100,
        plausible=(1, 10), source=ASSUMED,
    )  # fmt: skip
    trust: float = declared(
        0.3, en="Belief moved by a referral", zh="推荐的可信度", low=0, high=1, plausible=(0.1, 0.6), source=ASSUMED
    )
    bond: float = declared(
        0.1, en="Attachment a referral begins with", zh="推荐带来的初始依附", low=0, high=1, plausible=(0, 0.3),
        source="Schmitt, Skiera & Van den Bulte 2011: referred customers stay longer; size assumed",
    )  # fmt: skip

    matching: float = declared(
        0, en="Who is told is whom the firm suits: shift of tastes, in standard deviations",
        zh="推荐对象的匹配度（偏好均值提高几个标准差）", low=0, high=3, plausible=(0, 1),
        source="Van den Bulte, Bayer, Skiera & Schmitt 2018 (direction); form and sizes assumed",
    )  # fmt: skip

    @field_validator("types")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """Refuse shares that do not sum to 1."""
        if min(value) < 0 or abs(sum(value) - 1) > 1e-9:
            raise ValueError("the four shares must be 0 or more and sum to 1")
        return value


class Offers(Record):
    """How customers take offers made to win them back or to keep them (E24; course S87)."""

    fitting: float = declared(
        1.5, en="Worth of an offer that fits the cause of leaving", zh="对症优惠倍数", low=0, high=10,
        plausible=(1, 2.5), source="Homburg, Hoyer & Stock 2007 (direction); size assumed",
    )  # fmt: skip
    unfitting: float = declared(
        0.6, en="Worth of an offer that does not fit it", zh="不对症优惠倍数", low=0, high=10, plausible=(0.2, 1),
        source=ASSUMED,
    )  # fmt: skip
    price_life: int = declared(
        2, en="Time a price offer holds", zh="价格优惠期", unit="ticks", low=1, high=1000, plausible=(1, 6),
        source=ASSUMED,
    )  # fmt: skip
    upgrade_life: int = declared(
        12, en="Time an upgrade holds", zh="升级优惠期", unit="ticks", low=1, high=1000, plausible=(6, 24),
        source="Kumar, Bhagwat & Zhang 2015: longest second lifetime (direction); size assumed",
    )  # fmt: skip
    amends: float = declared(
        0.7, en="Grievance mended by an apology or a personal approach", zh="道歉对怨气的化解", low=0, high=1,
        plausible=(0.3, 1), source=ASSUMED,
    )  # fmt: skip
    rekindled: float = declared(
        0.1, en="Attachment rekindled by an apology or a personal approach", zh="道歉重建的依附", low=0, high=1,
        plausible=(0, 0.3), source=ASSUMED,
    )  # fmt: skip
    counted: float = declared(
        0, en="Share of a price offer that counts in what customers are used to pay", zh="价格优惠计入习惯价格的比例",
        low=0, high=1, plausible=(0, 1),
        source="Lattin & Bucklin 1989: expectations follow past promotions; "
        "Mayhew & Winer 1992, recalled; size assumed",
    )  # fmt: skip
