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
