"""Why customers leave: the causes that attribution can name, and the taxonomies they map to.

The money value of every option is a sum of terms. When a customer leaves firm c for
option k, the change of ``V_k - V_c`` since the last active choice of c is split over
those terms (`mechanisms/attribution.py`); each term is one *cause* below. Terms that
only held the customer back are *enablers*: their wearing-off lets a customer go, but
is not why. Exits that nobody chose are labelled at their source.
"""

from __future__ import annotations

from dataclasses import dataclass

LABEL_SHARE = 0.2
"""A cause with at least this share of a departure is named among its reasons (assumed)."""


@dataclass(frozen=True)
class Cause:
    """One cause of departure and where it stands in the three taxonomies.

    Attributes
    ----------
    name : str
        Identifier, also the key of its label in ``i18n``.
    course : str
        The course's class: ``fault``, ``competitive``, ``natural``, ``passive`` or
        ``customer`` (the customer's own wish for something else).
    course_type : str
        The course's six types of dissatisfaction (``price``, ``product``, ``service``,
        ``technology``, ``promotion``, ``political``), or ``none``.
    keaveney : str
        Category of Keaveney (1995), or ``none``.
    """

    name: str
    course: str
    course_type: str
    keaveney: str


CAUSES: tuple[Cause, ...] = (
    Cause("price", "fault", "price", "pricing"),
    Cause("reference_price", "fault", "price", "pricing"),
    Cause("core_quality", "fault", "product", "core_service_failure"),
    Cause("crowding", "fault", "service", "inconvenience"),
    Cause("bad_word", "fault", "product", "core_service_failure"),
    Cause("neglect", "fault", "service", "encounter_failure"),
    Cause("rival_price", "competitive", "price", "competition"),
    Cause("rival_promotion", "competitive", "promotion", "competition"),
    Cause("rival_reference", "competitive", "price", "competition"),
    Cause("rival_cue", "competitive", "price", "competition"),
    Cause("rival_word", "competitive", "product", "competition"),
    Cause("rival_attachment", "competitive", "service", "competition"),
    Cause("outside_offer", "competitive", "product", "competition"),
    Cause("variety", "customer", "none", "none"),
    Cause("core_failure", "fault", "product", "core_service_failure"),
    Cause("encounter_failure", "fault", "service", "encounter_failure"),
    Cause("response", "fault", "service", "response_to_failure"),
    Cause("ethics", "fault", "political", "ethics"),
    Cause("product", "fault", "product", "core_service_failure"),
    Cause("terms", "fault", "price", "pricing"),
    Cause("employee", "fault", "service", "none"),
    Cause("technology", "competitive", "technology", "competition"),
    Cause("rival_product", "competitive", "product", "competition"),
    Cause("rival_offer", "competitive", "promotion", "competition"),
    Cause("rival_image", "competitive", "political", "competition"),
    Cause("new_taste", "customer", "none", "none"),
    Cause("natural", "natural", "none", "involuntary"),
    Cause("lapse", "passive", "none", "involuntary"),
    Cause("credit", "passive", "none", "involuntary"),
    Cause("closure", "passive", "none", "involuntary"),
    Cause("need_end", "natural", "none", "involuntary"),
)
"""Every cause, in the order of the engine's cause index."""

ENABLERS: tuple[str, ...] = ("sunk_cost", "switching_cost", "transaction_cost", "termination", "card")
"""Barriers whose wearing-off is reported beside the causes, in the engine's order."""

N_VALUE_CAUSES = 26
"""Causes that are terms of the money value; the rest are involuntary."""

CAUSE_NAMES: tuple[str, ...] = tuple(cause.name for cause in CAUSES)

REMEDY: dict[str, int] = {
    "core_quality": 3, "crowding": 3, "bad_word": 3, "core_failure": 3, "encounter_failure": 3, "response": 3,
    "ethics": 3, "neglect": 4, "rival_attachment": 4, "employee": 4, "lapse": 4, "technology": 1, "product": 1,
    "rival_product": 1, "rival_word": 1, "new_taste": 1, "variety": 1,
}  # fmt: skip
"""What wins back a customer lost for a cause (course S87: fit the remedy to the cause; assumed), by its place in
`churnsim.engine.levers.OFFER_KINDS`; a price offer for all others."""

REMEDIES: tuple[int, ...] = tuple(REMEDY.get(name, 0) for name in CAUSE_NAMES)
"""The remedies in the order of the causes."""
TAXONOMIES: tuple[str, ...] = ("course", "course_type", "keaveney")


def taxonomy(name: str) -> dict[str, str]:
    """Return the class of every cause in one taxonomy, by cause name."""
    if name not in TAXONOMIES:
        raise ValueError(f"unknown taxonomy '{name}'; one of {', '.join(TAXONOMIES)}")
    return {cause.name: getattr(cause, name) for cause in CAUSES}
