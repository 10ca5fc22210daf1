"""Switches: every mechanism can be made to vanish."""

from __future__ import annotations

from churnsim.declarations import Record, declared


class Mechanisms(Record):
    """One switch per mechanism; off means exactly as if it did not exist."""

    budget: bool = declared(True, en="Binding budget", zh="预算约束", source="course: no money for service")
    crowding: bool = declared(True, en="Crowding", zh="拥挤", source="queueing")
    quality_erosion: bool = declared(True, en="Quality follows spending", zh="质量随投入变化", source="E27")
    reference_price: bool = declared(True, en="Reference price", zh="参照价格", source="E5")
    price_cue: bool = declared(True, en="Price as a cue to quality", zh="以价论质", source="E6")
    learning: bool = declared(True, en="Learning of quality", zh="质量学习", source="E8")
    expectation: bool = declared(True, en="Expectation ratchet", zh="期望棘轮", source="E9")
    attention: bool = declared(True, en="Attention stage", zh="关注阶段", source="E11; off: everybody looks around")
    taste: bool = declared(True, en="Personal taste", zh="个人偏好", source="E3")
    attachment: bool = declared(True, en="Attachment", zh="心理依附", source="E13")
    sunk_cost: bool = declared(True, en="Sunk cost", zh="沉没成本", source="E15")
    switching_cost: bool = declared(True, en="Switching cost", zh="转移成本", source="E16")
    transaction_cost: bool = declared(True, en="Transaction cost", zh="交易成本", source="E17")
    termination: bool = declared(True, en="Termination barrier", zh="终止壁垒", source="E18")
    word_of_mouth: bool = declared(True, en="Word of mouth", zh="口碑", source="E19")
    involuntary: bool = declared(True, en="Involuntary exits", zh="非自愿流失", source="E25")
    insolvency: bool = declared(True, en="Insolvent firms close", zh="资不抵债即停业", source="docs/model.md")
    # What follows concerns dealings beyond the stay; a scenario switches on what it needs (docs/decisions/0008).
    sizes: bool = declared(False, en="Customers differ in spending", zh="客户消费规模差异", source="course S35-S37")
    calendar: bool = declared(False, en="Seasons", zh="季节性", source="course S21")
    life_cycle: bool = declared(False, en="The need ends", zh="需求生命周期", source="course S101")
    failure: bool = declared(False, en="Failures, complaints, recovery", zh="失误、投诉与补救", source="E22, E23")
    employees: bool = declared(False, en="Morale and leaving employees", zh="员工士气与离职", source="E28")
    loyalty_card: bool = declared(False, en="Loyalty card", zh="积分卡与会员", source="course S47, S102, S103")
    acquisition: bool = declared(False, en="Firms must become known", zh="获客与知晓", source="E21")
    referral: bool = declared(False, en="Referral", zh="推荐", source="E20")
    win_back: bool = declared(False, en="Win-back offers", zh="客户赢回", source="E24")
    save_offers: bool = declared(False, en="Offers to customers at risk", zh="挽留优惠", source="course S99; E11")
    promotion_sensitivity: bool = declared(
        False, en="Promotions raise price sensitivity", zh="促销提高价格敏感度", source="E32, E33"
    )
    attribute_weights: bool = declared(
        False, en="What counts depends on satisfaction", zh="需求随满意度变化", source="E34"
    )
    innovation: bool = declared(False, en="Technology", zh="技术创新", source="course S13")
    ethics: bool = declared(False, en="Ethics and image", zh="商业道德与形象", source="course S15")
    variety: bool = declared(False, en="Variety seeking", zh="求新求变", source="course S16")
    promises: bool = declared(False, en="Promises raise expectations", zh="承诺抬高期望", source="course S108")
    listening: bool = declared(False, en="Listening improves the fit", zh="倾听改进产品", source="course S106")
    buying_centre: bool = declared(False, en="Buying centre", zh="采购中心", source="course S21, S94")
    screening: bool = declared(False, en="Bad debtors and screening", zh="信用欺诈与筛查", source="course S8")
    reminders: bool = declared(False, en="Reminders", zh="业务提醒", source="course S7")
    bargaining: bool = declared(False, en="Powerful customers bargain", zh="大客户议价", source="course S10")
    stockpiling: bool = declared(False, en="Stockpiling under promotion", zh="促销囤货", source="course S38")
    contact_fatigue: bool = declared(False, en="Contacts wear off", zh="联系疲劳", source="E14")
    commitment: bool = declared(False, en="The attached resist lures", zh="依附者抵制诱惑", source="course S58, S59")
    service_tiers: bool = declared(False, en="Service by value", zh="按客户价值分级服务", source="course S19, S90")
    favours: bool = declared(False, en="Unexpected favours oblige", zh="意外恩惠与回报义务", source="course S66")
    rhythm: bool = declared(False, en="Needs arise in a rhythm", zh="购买周期", source="Chatfield & Goodhardt 1973")

    @property
    def dealings(self) -> bool:
        """Whether anything beyond the stay itself is simulated."""
        return any(getattr(self, name) for name in DEALINGS)


DEALINGS: tuple[str, ...] = (
    "sizes", "calendar", "life_cycle", "failure", "employees", "loyalty_card", "acquisition", "referral", "win_back",
    "save_offers", "promotion_sensitivity", "attribute_weights", "innovation", "ethics", "variety", "promises",
    "listening", "buying_centre", "screening", "reminders", "bargaining", "stockpiling", "contact_fatigue",
    "commitment", "service_tiers", "favours", "rhythm",
)  # fmt: skip
"""Mechanisms that concern dealings beyond the stay; all off, none of their state exists."""
