"""The levers of a firm beyond price, service and relationship, and the stocks they move: their places in the books.

A lever is named after its place in a scenario, ``card.points`` being ``card_points`` in an action.
"""

from __future__ import annotations

LEVERS: tuple[str, ...] = (
    "recovery_resolution", "recovery_speed", "recovery_compensation", "recovery_courtesy", "recovery_consistency",
    "recovery_guarantee",
    "staff_pay",
    "reminders_spend",
    "card_points", "card_club", "card_perks",
    "win_back_key", "win_back_ordinary", "win_back_small", "win_back_worth", "win_back_kind", "win_back_matched",
    "save_coverage", "save_worth", "save_threshold", "save_precision",
    "advertising_spend",
    "referral_reward", "referral_care", "referral_targeted",
    "innovation_spend", "responsibility_spend",
    "promise_level",
    "listening_spend",
    "screening_strictness", "screening_prepayment", "screening_review",
    "bargaining_concession",
    "enquiries_coverage", "enquiries_alarm",
    "tiers_tilt",
    "favours_coverage", "favours_worth",
)  # fmt: skip
"""Every lever, by its place."""

N_LEVERS = len(LEVERS)

(
    RESOLUTION, SPEED, COMPENSATION, COURTESY, CONSISTENCY, GUARANTEE,
    PAY,
    REMIND,
    POINTS_RATE, CLUB, PERKS,
    BACK_KEY, BACK_ORDINARY, BACK_SMALL, BACK_WORTH, BACK_KIND, BACK_MATCHED,
    SAVE_COVERAGE, SAVE_WORTH, SAVE_THRESHOLD, SAVE_PRECISION,
    ADVERTISE,
    REWARD, CARE, TARGETED,
    INNOVATE, RESPOND,
    PROMISE,
    LISTEN,
    STRICTNESS, PREPAYMENT, REVIEW,
    CONCESSION,
    COVERAGE, ALARM,
    TILT,
    FAVOURS, FAVOUR_WORTH,
) = range(N_LEVERS)  # fmt: skip

PROGRAMMES: tuple[tuple[int, str], ...] = (
    (PAY, "stays"), (REMIND, "customers"), (CLUB, "customers"), (PERKS, "elite"), (LISTEN, "customers"),
    (ADVERTISE, "market"), (INNOVATE, "market"), (RESPOND, "market"),
)  # fmt: skip
"""Levers that are rates of spending, in the order in which a budget funds them after service and relationship work
(docs/model.md, E29), and what each is spent on: an expected stay, a customer, an elite customer, or a customer of
the market."""

PRICE_CUT, UPGRADE, BUNDLE, APOLOGY, RELATION = range(5)
"""Kinds of win-back offer (Kumar, Bhagwat & Zhang 2015, and the course)."""

OFFER_KINDS: tuple[str, ...] = ("price", "upgrade", "bundle", "apology", "relation")

STOCKS: tuple[str, ...] = ("morale", "technology", "image", "fit", "quit_hazard", "known_share")
"""What a firm's dealings have built up, by place; published for customers each tick."""

N_STOCKS = len(STOCKS)
MORALE, TECHNOLOGY, IMAGE, FIT, QUIT_HAZARD, KNOWN_SHARE = range(N_STOCKS)

FACTS: tuple[str, ...] = (
    "recovery_handling", "staff_count", "card_reward", "card_elite_share", "win_back_key_share",
    "win_back_small_share", "win_back_worthless_share", "win_back_window", "win_back_contact_cost",
    "save_contact_cost", "referral_care_cost", "screening_cost", "enquiries_cost", "responsibility_kinship",
)  # fmt: skip
"""What a firm's dealings are like and no strategy changes; kept beside the levers, at the places that follow."""

N_CONDUCT = N_LEVERS + len(FACTS)

(
    HANDLING, STAFF, REWARD_AT, ELITE_SHARE, KEY_SHARE,
    SMALL_SHARE, WORTHLESS_SHARE, WINDOW, OFFER_COST,
    SAVE_COST, CARE_COST, SCREEN_COST, ENQUIRY_COST, KINSHIP,
) = range(N_LEVERS, N_CONDUCT)  # fmt: skip
