"""What a scenario may say about what customers come to want, and about business customers: as `config.dealings`."""

from __future__ import annotations

from churnsim.declarations import ASSUMED, Record, declared


class Promotion(Record):
    """Promotions make customers weigh price more (E32, E33)."""

    growth: float = declared(
        0.01, en="Price weight added by a promotion seen", zh="促销引起的价格权重增量", unit="per tick", low=0,
        high=1, plausible=(0.002, 0.05), source="Mela, Gupta & Lehmann 1997 (direction); docs/model.md E32: xi .01",
    )  # fmt: skip
    decay: float = declared(
        0.02, en="Added price weight that fades", zh="价格敏感度消退率", unit="per tick", low=0, high=1,
        plausible=(0.005, 0.1), source=ASSUMED,
    )  # fmt: skip
    offset: float = declared(
        0.5, en="Added price weight that full attachment offsets", zh="依附对价格敏感的抵消", low=0, high=1,
        plausible=(0, 1), source="Umashankar, Bhagwat & Kumar 2017 (direction); size assumed",
    )  # fmt: skip


class Attributes(Record):
    """Which attributes count depends on satisfaction (E34; course S55)."""

    sharpness: float = declared(
        6, en="How sharply needs move on with satisfaction", zh="需求层次转换的陡度", low=0, high=50,
        plausible=(2, 12), source="course S55; Kano et al. 1984 (direction); size assumed",
    )  # fmt: skip


class Technology(Record):
    """What technology is worth (course S13)."""

    value: float = declared(
        100, en="Worth of one unit of technology", zh="技术价值", unit="currency", low=0, high=1e9,
        plausible=(0, 300), source=ASSUMED,
    )  # fmt: skip
    spread: float = declared(
        0.6, en="Spread of that worth (coefficient of variation)", zh="技术偏好差异", low=0, high=3,
        plausible=(0, 1), source=ASSUMED,
    )  # fmt: skip


class Ethics(Record):
    """Who cares about a firm's ethics, and how much (course S15, S65)."""

    share: float = declared(
        0.3, en="Customers who care", zh="关注道德的客户占比", low=0, high=1, plausible=(0.1, 0.6), source=ASSUMED
    )
    value: float = declared(
        200, en="Worth of a spotless image to them", zh="良好形象的价值", unit="currency", low=0, high=1e9,
        plausible=(50, 400), source=ASSUMED,
    )  # fmt: skip
    kindred: float = declared(
        0, en="Customers who share a firm's values", zh="价值观相同的客户占比", low=0, high=1, plausible=(0, 0.5),
        source="course S65",
    )  # fmt: skip
    kinship: float = declared(
        50, en="Worth of shared values to them", zh="价值观认同的价值", unit="currency", low=0, high=1e9,
        plausible=(0, 150), source=ASSUMED,
    )  # fmt: skip


class Variety(Record):
    """Those who want a new taste (course S16)."""

    share: float = declared(
        0.2, en="Customers who seek variety", zh="求新客户占比", low=0, high=1, plausible=(0, 0.5), source=ASSUMED
    )
    value: float = declared(
        150, en="Worth of a change to them, in the long run", zh="换口味的价值", unit="currency", low=0, high=1e9,
        plausible=(30, 300), source="McAlister & Pessemier 1982 (direction), recalled; size assumed",
    )  # fmt: skip
    time: float = declared(
        6, en="Time until 63 % of it is felt", zh="厌倦时间", unit="ticks", low=1e-3, high=1e6, plausible=(2, 24),
        source=ASSUMED,
    )  # fmt: skip


class Fit(Record):
    """What an offer that fits the customer's business is worth (course S106, S109)."""

    value: float = declared(
        60, en="Worth of a perfect fit", zh="产品契合的价值", unit="currency", low=0, high=1e9,
        plausible=(0, 150), source=ASSUMED,
    )  # fmt: skip
    suggestions: float = declared(
        0.1, en="Customers who suggest something", zh="提建议的客户比例", unit="per tick", low=0, high=1,
        plausible=(0.02, 0.3), source="course S106; size assumed",
    )  # fmt: skip


class BuyingCentre(Record):
    """Contact persons at a business customer: decider, recommender, influencer (course S94, S21)."""

    leaves: float = declared(
        0.03, en="Contact persons who leave or fall silent", zh="联系人离岗率", unit="per tick", low=0, high=1,
        plausible=(0.01, 0.1), source=ASSUMED,
    )  # fmt: skip
    replaced: float = declared(
        0.25, en="Vacancies that are filled", zh="联系人补位率", unit="per tick", low=0, high=1,
        plausible=(0.1, 0.5), source="course S21: four months on leave; assumed",
    )  # fmt: skip
    lost: float = declared(
        0.9, en="Orders lost while nobody answers", zh="无人回应时丢单概率", low=0, high=1, plausible=(0.5, 1),
        source=ASSUMED,
    )  # fmt: skip


class Credit(Record):
    """Bad debtors (course S8)."""

    bad: float = declared(
        0.03, en="Customers of bad credit", zh="不良信用客户占比", low=0, high=1, plausible=(0.005, 0.1),
        source=ASSUMED,
    )  # fmt: skip
    default: float = declared(
        0.2, en="Purchases that a bad debtor does not pay", zh="违约概率", unit="per stay", low=0, high=1,
        plausible=(0.05, 0.5), source=ASSUMED,
    )  # fmt: skip
    detected: float = declared(
        0.8, en="Bad debtors that full strictness finds", zh="筛查命中率", low=0, high=1, plausible=(0.5, 1),
        source=ASSUMED,
    )  # fmt: skip
    false_alarm: float = declared(
        0.1, en="Good customers that full strictness refuses", zh="筛查误拒率", low=0, high=1,
        plausible=(0.02, 0.3), source="course S8: cost of false positives; size assumed",
    )  # fmt: skip
    friction: float = declared(
        0.1, en="Worth lost per unit prepaid", zh="预付款的不便", unit="share of the price", low=0, high=1,
        plausible=(0, 0.3), source=ASSUMED,
    )  # fmt: skip


class Power(Record):
    """Powerful customers who leave on purpose to obtain better terms (course S10, S114)."""

    share: float = declared(
        0.1, en="Customers with power, by size", zh="强势客户占比", low=0, high=1, plausible=(0.01, 0.2),
        source="course S10: the top decile",
    )  # fmt: skip
    threat: float = declared(
        0.05, en="Powerful customers who threaten to leave", zh="议价威胁率", unit="per tick", low=0, high=1,
        plausible=(0.01, 0.2), source=ASSUMED,
    )  # fmt: skip
    demand: float = declared(
        0.1, en="Discount they demand", zh="要求的让价", unit="share of the price", low=0, high=1,
        plausible=(0.02, 0.3), source=ASSUMED,
    )  # fmt: skip
    anger: float = declared(
        150, en="Worth lost when refused", zh="拒绝后的损失", unit="currency", low=0, high=1e9,
        plausible=(50, 400), source=ASSUMED,
    )  # fmt: skip


class Stock(Record):
    """Buying ahead under a promotion (course S38)."""

    ahead: float = declared(
        1, en="Purchases that customers lay in under a promotion", zh="促销提前购买量", unit="stays", low=0, high=20,
        plausible=(0, 3), source="Blattberg, Eppen & Lieberman 1981 (form); size assumed",
    )  # fmt: skip
    use: float = declared(
        0.5, en="Needs met from the stock while there is one", zh="以库存满足需求的比例", low=0, high=1,
        plausible=(0.2, 1),
        source="Hendel & Nevo 2003: stocks hold purchases back, but not much (direction); size assumed",
    )  # fmt: skip


class Fatigue(Record):
    """Contacts wear off, and similar people reach each other (E14; course S92, S96)."""

    limit: float = declared(
        3, en="Recent contacts that halve the effect", zh="联系疲劳阈值", unit="contacts", low=1e-3, high=1e6,
        plausible=(1, 10), source="docs/model.md E14: n0; size assumed",
    )  # fmt: skip
    fading: float = declared(
        0.5, en="Recent contacts forgotten", zh="联系记忆消退率", unit="per tick", low=0, high=1,
        plausible=(0.2, 1), source=ASSUMED,
    )  # fmt: skip
    bonded: float = declared(
        0.2, en="Customers who share a bond with the staff", zh="五缘客户占比", low=0, high=1, plausible=(0, 0.5),
        source="course S96: place, interest, kin, work, faith; share assumed",
    )  # fmt: skip
    bond: float = declared(
        1.5, en="Effect of a contact with them, times the usual", zh="五缘联系倍数", low=0, high=10,
        plausible=(1, 3), source=ASSUMED,
    )  # fmt: skip


class Reciprocity(Record):
    """An unexpected favour obliges; one that has come to be expected less so (course S66)."""

    bond: float = declared(
        0.1, en="Attachment that a first great favour adds, of what is missing", zh="首次意外恩惠增进的依附", low=0,
        high=1, plausible=(0.02, 0.3),
        source="course S66; Gouldner 1960, Regan 1971 (direction), recalled; size assumed",
    )  # fmt: skip
    scale: float = declared(
        30, en="Worth of a favour that has 63 % of its full effect", zh="恩惠效果尺度", unit="currency", low=1e-9,
        high=1e9, plausible=(10, 100), source=ASSUMED,
    )  # fmt: skip
    fading: float = declared(
        0.1, en="Favours forgotten", zh="恩惠记忆消退率", unit="per tick", low=0, high=1, plausible=(0.02, 0.3),
        source=ASSUMED,
    )  # fmt: skip


class Commitment(Record):
    """The attached do not look at lures, and pay a premium (course S58, S59)."""

    resistance: float = declared(
        2, en="Drop in log-odds of looking around at full attachment", zh="依附对诱惑的抵制", low=0, high=50,
        plausible=(0, 5), source="course S58; Dick & Basu 1994 (direction); size assumed",
    )  # fmt: skip
