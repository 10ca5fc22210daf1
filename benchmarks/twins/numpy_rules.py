"""The numbers of the NumPy twin's rules: what a scenario and its switches come to, in single precision."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

F = np.float32


def rules_of(customers: Any, on: Any) -> SimpleNamespace:
    """Return the numbers of a scenario's customers; a mechanism that is off has those at which it does nothing.

    Parameters
    ----------
    customers, on
        Sections ``customers`` and ``mechanisms`` of a scenario.
    """
    c = customers
    # Without a memory of prices every comparison is with the last price, bought or not.
    memory = (c.reference_price.weight, c.reference_price.adaptation, c.reference_price.seen_only)
    weight, adaptation, seen_only = memory if on.reference_price else (0, 1, 1)
    return SimpleNamespace(
        noise=F(c.choice.noise),
        outside_value=F(c.choice.outside_value),
        gain_weight=F(weight),
        loss_aversion=F(c.reference_price.loss_aversion),
        reference_rate=F(adaptation),
        reference_seen=F(adaptation) * F(seen_only),
        experience_noise=F(c.experience.noise),
        core_floor=F(c.experience.core_floor),
        learning=F(c.belief.learning if on.learning else 0),
        # Without the ratchet expectations rise as slowly as they fall, and nobody else's quality counts.
        expectation_up=F(c.expectation.up if on.expectation else c.expectation.down),
        expectation_down=F(c.expectation.down),
        expectation_spill=F(c.expectation.spillover if on.expectation else 0),
        disconfirmation=F(c.satisfaction.disconfirmation),
        satisfaction_loss=F(c.satisfaction.loss_aversion),
        performance=F(c.satisfaction.performance),
        satisfaction_rate=F(c.satisfaction.adjustment),
        neutral=F(c.satisfaction.neutral),
        attention_base=F(c.attention.base),
        attention_slope=F(c.attention.satisfaction),
        trigger_rise=F(c.attention.own_price_rise),
        trigger_cut=F(c.attention.rival_price_cut),
        trigger_expiry=F(c.attention.contract_expiry),
        trigger_contact=F(c.attention.contact),
        attachment_value=F(c.attachment.value if on.attachment else 0),
        attachment_growth=F(c.attachment.growth if on.attachment else 0),
        attachment_decay=F(c.attachment.decay),
        attachment_floor=F(c.attachment.floor),
        stay_intensity=F(c.attachment.stay_intensity),
        contact_intensity=F(c.attachment.contact_intensity),
        satiation=F(c.attachment.satiation),
        sunk_weight=F(c.sunk_cost.weight if on.sunk_cost else 0),
        sunk_decay=F(c.sunk_cost.decay),
        sunk_share=F(c.sunk_cost.price_share if on.sunk_cost else 0),
        hazard_natural=F(c.hazards.natural if on.involuntary else 0),
        hazard_lapse=F(c.hazards.lapse if on.involuntary else 0),
        hazard_credit=F(c.hazards.credit if on.involuntary else 0),
        word_weight=F(c.word_of_mouth.weight),
        tell_base=F(c.word_of_mouth.tell_base),
        tell_extreme=F(c.word_of_mouth.tell_extreme),
    )
