"""What a scenario may say about a firm's dealings beyond price, service and relationship work.

One class per family of levers. What a strategy may change is listed in `churnsim.engine.levers.LEVERS`; the lever
``card_points`` of an action is the parameter ``card.points`` here. Each family works only while its mechanism is on.
"""

from __future__ import annotations

from typing import Literal

from churnsim.declarations import ASSUMED, Record, declared

OFFERS = Literal["price", "upgrade", "bundle", "apology", "relation"]


class Recovery(Record):
    """What happens to a complaint (E23)."""

    resolution: float = declared(
        0.5, en="Complaints that are settled", zh="投诉解决率", low=0, high=1, plausible=(0.2, 0.9), source=ASSUMED
    )
    speed: float = declared(
        0.3, en="Settled complaints that are settled at once", zh="当场解决比例", low=0, high=1, plausible=(0, 1),
        source=ASSUMED,
    )  # fmt: skip
    compensation: float = declared(
        0.2, en="Compensation", zh="赔偿比例", unit="share of the price", low=0, high=1, plausible=(0, 0.5),
        source=ASSUMED,
    )  # fmt: skip
    courtesy: float = declared(
        0.5, en="Apology and listening", zh="道歉与倾听", low=0, high=1, plausible=(0, 1),
        source="course S73, S74; 0 rude, 1 perfect; assumed",
    )  # fmt: skip
    consistency: float = declared(
        0.8, en="Like cases treated alike", zh="处理一致性", low=0, high=1, plausible=(0.5, 1),
        source="course S73; share of cases handled by precedent; assumed",
    )  # fmt: skip
    guarantee: float = declared(
        0, en="Guarantee: paid back per justified complaint", zh="服务保证赔付倍数", unit="times the price", low=0,
        high=10, plausible=(0, 2), source="course S76: double refund is 2",
    )  # fmt: skip
    handling: float = declared(
        10, en="Cost of full speed and courtesy", zh="投诉处理成本", unit="currency per complaint", low=0, high=1e9,
        plausible=(0, 50), source=ASSUMED,
    )  # fmt: skip


class Staff(Record):
    """Employees: what keeps them, and how many there are (E28)."""

    pay: float = declared(
        0, en="Pay and care above the usual", zh="高于行业的薪酬与关怀", unit="currency per stay", low=0, high=1e8,
        plausible=(0, 30), source="course S97",
    )  # fmt: skip
    pay_scale: float = declared(
        15, en="Extra pay that wins 63 % of the morale to be won", zh="薪酬效果尺度", unit="currency per stay",
        low=1e-9, high=1e9, plausible=(5, 40), source=ASSUMED,
    )  # fmt: skip
    usual_morale: float = declared(
        0.5, en="Morale at the usual pay", zh="常规薪酬下的士气", low=0, high=1, plausible=(0.3, 0.7), source=ASSUMED
    )
    adjustment: float = declared(
        0.1, en="Speed at which morale follows", zh="士气调整速度", unit="per tick", low=0, high=1,
        plausible=(0.05, 0.3), source=ASSUMED,
    )  # fmt: skip
    strain: float = declared(
        0.5, en="Morale lost per unit of load above capacity", zh="超负荷对士气的损害", low=0, high=5,
        plausible=(0, 1), source=ASSUMED,
    )  # fmt: skip
    quitting: float = declared(
        0.02, en="Employees who quit at the usual morale", zh="员工离职率", unit="per tick", low=0, high=1,
        plausible=(0.005, 0.05), source="docs/model.md E28; size assumed",
    )  # fmt: skip
    attrition: float = declared(
        3, en="Drop of the log rate of quitting per unit of morale", zh="士气对离职的抑制", low=0, high=20,
        plausible=(1, 6), source="docs/model.md E28: h0 exp(-b m); size assumed",
    )  # fmt: skip
    count: int = declared(
        20, en="Employees with customers of their own", zh="一线员工数", unit="employees", low=1, high=100_000,
        plausible=(5, 200), source=ASSUMED,
    )  # fmt: skip


class Reminders(Record):
    """Business reminders against lapsing (course S7)."""

    spend: float = declared(
        0, en="Reminders", zh="业务提醒投入", unit="currency per customer and tick", low=0, high=1e9,
        plausible=(0, 5), source="course S7",
    )  # fmt: skip
    scale: float = declared(
        1, en="Money that prevents 63 % of lapses", zh="提醒效果尺度", unit="currency per customer and tick",
        low=1e-9, high=1e9, plausible=(0.2, 5), source=ASSUMED,
    )  # fmt: skip


class Card(Record):
    """Loyalty card: points, clubs and an elite tier (course S47, S102-S104)."""

    points: float = declared(
        0, en="Points", zh="积分返还率", unit="share of the price", low=0, high=1, plausible=(0, 0.1),
        source="course S102",
    )  # fmt: skip
    reward: float = declared(
        60, en="Points that make a reward", zh="兑换门槛", unit="currency", low=1e-9, high=1e9, plausible=(20, 300),
        source=ASSUMED,
    )  # fmt: skip
    club: float = declared(
        0, en="Clubs and events", zh="会员俱乐部投入", unit="currency per customer and tick", low=0, high=1e9,
        plausible=(0, 10), source="course S102: niche clubs",
    )  # fmt: skip
    club_scale: float = declared(
        3, en="Club money that has 63 % of its full effect", zh="俱乐部效果尺度",
        unit="currency per customer and tick", low=1e-9, high=1e9, plausible=(1, 10), source=ASSUMED,
    )  # fmt: skip
    perks: float = declared(
        0, en="Perks of the elite", zh="顶级会员礼遇", unit="currency per elite customer and tick", low=0, high=1e9,
        plausible=(0, 200), source="course S103, S104",
    )  # fmt: skip
    perks_scale: float = declared(
        40, en="Perk money that has 63 % of its full effect", zh="礼遇效果尺度",
        unit="currency per elite customer and tick", low=1e-9, high=1e9, plausible=(10, 200), source=ASSUMED,
    )  # fmt: skip
    elite_share: float = declared(
        0.002, en="Customers of the elite, by size", zh="顶级会员占比", low=0, high=1, plausible=(0.001, 0.1),
        source="course S103: 20 000 of more than 10 million members",
    )  # fmt: skip


class WinBack(Record):
    """Offers to lost customers, by tier of value and by cause of leaving (E24; course S87)."""

    key: float = declared(
        0, en="Key customers approached", zh="重点客户赢回力度", unit="per tick", low=0, high=1, plausible=(0, 1),
        source="course S87: utmost",
    )  # fmt: skip
    ordinary: float = declared(
        0, en="Ordinary customers approached", zh="普通客户赢回力度", unit="per tick", low=0, high=1,
        plausible=(0, 1), source="course S87: try",
    )  # fmt: skip
    small: float = declared(
        0, en="Small customers approached", zh="小客户赢回力度", unit="per tick", low=0, high=1, plausible=(0, 1),
        source="course S87: opportunistic",
    )  # fmt: skip
    worth: float = declared(
        60, en="Worth of an offer", zh="赢回优惠价值", unit="currency", low=0, high=1e9, plausible=(20, 150),
        source=ASSUMED,
    )  # fmt: skip
    kind: OFFERS = declared("price", en="Kind of offer", zh="赢回方式", source="Kumar, Bhagwat & Zhang 2015")
    matched: bool = declared(
        False, en="Offer fits the cause of leaving", zh="对症下药", source="course S87: investigate, fit the remedy"
    )
    key_share: float = declared(
        0.2, en="Customers who are key, by size", zh="重点客户占比", low=0, high=1, plausible=(0.05, 0.3),
        source="course S35: the top 20 %",
    )  # fmt: skip
    small_share: float = declared(
        0.3, en="Customers who are small", zh="小客户占比", low=0, high=1, plausible=(0.1, 0.5), source=ASSUMED
    )
    worthless_share: float = declared(
        0.2, en="Customers not worth keeping", zh="不值得赢回的客户占比", low=0, high=1, plausible=(0, 0.4),
        source="course S87: give up; size assumed",
    )  # fmt: skip
    window: int = declared(
        6, en="Time in which the lost are approached", zh="赢回时限", unit="ticks", low=1, high=1000,
        plausible=(1, 24), source=ASSUMED,
    )  # fmt: skip
    contact_cost: float = declared(
        5, en="Cost of one approach", zh="单次赢回联系成本", unit="currency", low=0, high=1e9, plausible=(1, 50),
        source=ASSUMED,
    )  # fmt: skip


class Save(Record):
    """Offers to customers at risk before they leave (course S99: treat early)."""

    coverage: float = declared(
        0, en="Customers at risk approached", zh="风险客户挽留力度", unit="per tick", low=0, high=1,
        plausible=(0, 1), source="course S99",
    )  # fmt: skip
    worth: float = declared(
        40, en="Worth of an offer", zh="挽留优惠价值", unit="currency", low=0, high=1e9, plausible=(10, 150),
        source=ASSUMED,
    )  # fmt: skip
    threshold: float = declared(
        0.4, en="Satisfaction below which a customer is at risk", zh="风险满意度阈值", low=0, high=1,
        plausible=(0.2, 0.6), source=ASSUMED,
    )  # fmt: skip
    precision: float = declared(
        0.7, en="Precision of the warning", zh="预警准确度", low=0, high=1, plausible=(0, 1),
        source="0 picks anybody, 1 exactly those at risk; assumed",
    )  # fmt: skip
    contact_cost: float = declared(
        2, en="Cost of one approach", zh="单次挽留联系成本", unit="currency", low=0, high=1e9, plausible=(1, 20),
        source=ASSUMED,
    )  # fmt: skip


class Advertising(Record):
    """Advertising that makes a firm known (E21)."""

    spend: float = declared(
        0, en="Advertising", zh="广告投入", unit="currency per market customer and tick", low=0, high=1e9,
        plausible=(0, 20), source="course S84",
    )  # fmt: skip
    scale: float = declared(
        10, en="Advertising that has 63 % of its full effect", zh="广告效果尺度",
        unit="currency per market customer and tick", low=1e-9, high=1e9, plausible=(2, 40), source=ASSUMED,
    )  # fmt: skip


class Referring(Record):
    """Rewards and care for those who refer others (E20; course S72, S83)."""

    reward: float = declared(
        0, en="Reward per customer referred", zh="推荐奖励", unit="currency", low=0, high=1e9, plausible=(0, 300),
        source="course S72, S83",
    )  # fmt: skip
    care: float = declared(
        0, en="Customers looked after as referrers", zh="推荐客户维护比例", low=0, high=1, plausible=(0, 0.5),
        source="course S83: 800 of 2000",
    )  # fmt: skip
    targeted: bool = declared(
        False, en="Well-connected, satisfied customers are chosen", zh="是否挑选推荐客户", source="course S72"
    )
    care_cost: float = declared(
        25, en="Cost of looking after a referrer", zh="推荐客户维护成本", unit="currency per customer and tick",
        low=0, high=1e9, plausible=(5, 300), source="course S83: 300 per customer, spread over a year",
    )  # fmt: skip


class Innovation(Record):
    """Technology of what is offered (course S13)."""

    level: float = declared(
        0, en="Technology at the start, and later leaps", zh="技术水平", low=0, high=100, plausible=(0, 2),
        source=ASSUMED,
    )  # fmt: skip
    spend: float = declared(
        0, en="Research and development", zh="研发投入", unit="currency per market customer and tick", low=0,
        high=1e9, plausible=(0, 10), source="course S11",
    )  # fmt: skip
    scale: float = declared(
        5, en="Money that has 63 % of its full effect", zh="研发效果尺度",
        unit="currency per market customer and tick", low=1e-9, high=1e9, plausible=(1, 20), source=ASSUMED,
    )  # fmt: skip
    rate: float = declared(
        0.05, en="Fastest progress", zh="最快技术进步", unit="per tick", low=0, high=1, plausible=(0.01, 0.1),
        source=ASSUMED,
    )  # fmt: skip


class Responsibility(Record):
    """Public spirit, and what becomes known to the contrary (course S15)."""

    spend: float = declared(
        0, en="Social responsibility", zh="社会责任投入", unit="currency per market customer and tick", low=0,
        high=1e9, plausible=(0, 5), source="course S15",
    )  # fmt: skip
    scale: float = declared(
        2, en="Money that has 63 % of its full effect", zh="社会责任效果尺度",
        unit="currency per market customer and tick", low=1e-9, high=1e9, plausible=(0.5, 10), source=ASSUMED,
    )  # fmt: skip
    scandal: float = declared(
        0, en="Scandals so far", zh="丑闻累计程度", low=0, high=100, plausible=(0, 2),
        source="course S15: a move that raises it is a scandal of that size",
    )  # fmt: skip
    recovery: float = declared(
        0.05, en="Speed at which image recovers", zh="形象恢复速度", unit="per tick", low=0, high=1,
        plausible=(0.01, 0.2), source="course S15: slowly; size assumed",
    )  # fmt: skip
    kinship: float = declared(
        0, en="Values shared with the like-minded", zh="价值观契合", low=0, high=1, plausible=(0, 1),
        source="course S65",
    )  # fmt: skip


class Promise(Record):
    """What is promised beyond what is delivered (course S108)."""

    level: float = declared(
        0, en="Quality promised above the quality there is", zh="承诺超出实际的程度", low=0, high=1,
        plausible=(0, 0.3), source="course S108",
    )  # fmt: skip


class Listening(Record):
    """Listening to suggestions, complaints and changed needs (course S100, S105, S106, S109)."""

    spend: float = declared(
        0, en="Listening", zh="倾听投入", unit="currency per customer and tick", low=0, high=1e9,
        plausible=(0, 10), source="course S106",
    )  # fmt: skip
    scale: float = declared(
        2, en="Money that has 63 % of its full effect", zh="倾听效果尺度", unit="currency per customer and tick",
        low=1e-9, high=1e9, plausible=(0.5, 10), source=ASSUMED,
    )  # fmt: skip
    speed: float = declared(
        0.1, en="Speed at which the offer fits", zh="产品契合提升速度", unit="per tick", low=0, high=1,
        plausible=(0.02, 0.3), source=ASSUMED,
    )  # fmt: skip
    drift: float = declared(
        0.03, en="Speed at which needs move on", zh="需求漂移速度", unit="per tick", low=0, high=1,
        plausible=(0.01, 0.1), source=ASSUMED,
    )  # fmt: skip


class Screening(Record):
    """Credit scoring, of newcomers and of present customers, and prepayment (course S8)."""

    strictness: float = declared(
        0, en="Strictness of screening", zh="信用筛查严格度", low=0, high=1, plausible=(0, 1), source="course S8"
    )
    prepayment: float = declared(
        0, en="Share of the price paid ahead", zh="预付款比例", low=0, high=1, plausible=(0, 1), source="course S8"
    )
    review: float = declared(
        0, en="Present customers whose credit is looked at again", zh="在册客户信用复查率", unit="per tick", low=0,
        high=1, plausible=(0, 0.2), source="behavioural scoring, Thomas 2000; size assumed",
    )  # fmt: skip
    cost: float = declared(
        3, en="Cost of screening somebody once", zh="单次信用审查成本", unit="currency", low=0, high=1e9,
        plausible=(0, 30), source=ASSUMED,
    )  # fmt: skip


class Bargaining(Record):
    """What powerful customers are granted (course S10, S114)."""

    concession: float = declared(
        0, en="Largest discount granted to a customer who threatens to leave", zh="最大让价幅度",
        unit="share of the price", low=0, high=1, plausible=(0, 0.2), source="course S10",
    )  # fmt: skip


class Enquiries(Record):
    """Who answers a business customer, and who notices silence (course S21, S94)."""

    coverage: int = declared(
        1, en="Contact persons known at a customer", zh="联系人覆盖数", unit="persons", low=1, high=3,
        plausible=(1, 3), source="course S94: decider, recommender, influencer",
    )  # fmt: skip
    alarm: int = declared(
        0, en="Silence after which somebody asks (0: nobody does)", zh="静默报警时限", unit="ticks", low=0,
        high=1000, plausible=(0, 6), source="course S21",
    )  # fmt: skip
    cost: float = declared(
        5, en="Cost of one contact person", zh="联系人维护成本", unit="currency per customer and tick", low=0,
        high=1e9, plausible=(0, 100), source=ASSUMED,
    )  # fmt: skip


class Tiers(Record):
    """Service by the customer's value (course S19, S90)."""

    tilt: float = declared(
        0, en="Quality moved from the smallest to the largest customer", zh="服务向大客户倾斜程度", low=0, high=1,
        plausible=(0, 0.4), source="course S19, S90; 0 treats all alike",
    )  # fmt: skip


class Favours(Record):
    """Favours that nobody expected: a gift, an upgrade, better treatment than was paid for (course S66)."""

    coverage: float = declared(
        0, en="Customers who get an unexpected favour", zh="意外恩惠覆盖率", unit="per tick", low=0, high=1,
        plausible=(0, 0.3), source="course S66",
    )  # fmt: skip
    worth: float = declared(
        20, en="Worth and cost of a favour", zh="单次恩惠价值", unit="currency", low=0, high=1e9, plausible=(5, 100),
        source=ASSUMED,
    )  # fmt: skip
