"""The language of claims and what it says about runs, on small made-up results."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from churnsim.claims import arms_of, check_claims, claim_problems, within
from churnsim.config.errors import ScenarioError
from churnsim.config.loading import load
from churnsim.config.scenario import Claim
from churnsim.expressions import ExpressionError, read_expression
from churnsim.scenario import Scenario

SEEDS, TICKS = range(1, 5), range(-3, 7)


@pytest.fixture(scope="module")
def base() -> Scenario:
    return load("two_hotels").set({"burn_in": 4, "horizon": 6})


def share(arm: str, seed: int, tick: int, firm: str) -> float:
    """Made-up shares: Eton gains a tenth per tick in the case and nothing in the control; seed 4 differs."""
    if firm == "nanyuan":
        return 0.3
    return 0.3 + (0.1 * max(tick, 0) * (-1 if seed == 4 else 1) if arm == "case" else 0)


@pytest.fixture(scope="module")
def result() -> SimpleNamespace:
    keys = [(arm, seed, tick) for arm in ("case", "both_passive") for seed in SEEDS for tick in TICKS]
    ticks = pd.DataFrame(
        [
            (*key, firm, share(*key, firm), np.nan if key[2] < 0 else 1.0)
            for key in keys
            for firm in ("nanyuan", "eton")
        ],
        columns=["scenario", "seed", "tick", "firm", "share", "satisfaction"],
    )
    market = pd.DataFrame([(*key, 0.4) for key in keys], columns=["scenario", "seed", "tick", "outside_share"])
    causes = pd.DataFrame(
        [(*key, "eton", cause, number) for key in keys for cause, number in (("price", 3), ("crowding", key[1]))],
        columns=["scenario", "seed", "tick", "firm", "cause", "primary"],
    )
    for frame in (ticks, market, causes):
        for column in {"scenario", "firm", "cause"} & set(frame):
            frame[column] = frame[column].astype("category")
    # Rows in any order must give the same answer.
    return SimpleNamespace(ticks=ticks.sample(frac=1, random_state=1), market=market, causes=causes)


def verdict(base: Scenario, result, **claim) -> dict:
    claim = Claim(id="c", text={"en": "a text", "zh": "文字"}, **claim)
    (outcome,) = check_claims(base.model_copy(update={"claims": (claim,)}), result)
    more = {"measured"} if outcome["needed"] is not None else set()
    assert set(outcome) == {"id", "text", "holds", "fraction", "needed", "value", "low", "high"} | more
    assert isinstance(outcome["holds"], bool)
    return outcome


# ---------------------------------------------------------------------- statements


@pytest.mark.parametrize(
    ("expression", "fraction"),
    [
        ("share.eton@6 > 0.5", 0.75),
        ("share.eton@1-6 >= 0.6", 0.75),
        ("share.eton@-3-0 == 0.3", None),
        ("share.eton@-3-0 > 0.29 and share.eton@-3 < 0.31", 1),
        ("share.eton@6 > 0.5 or share.eton@6 < 0", 1),
        ("0.2 < share.nanyuan@1-6 <= share.nanyuan@0", 1),
        ("max(share.eton@1-6) - min(share.eton@1-6) > 0.45", 1),
        ("last(share.eton@1-6) > first(share.eton@1-6)", 0.75),
        ("sum(share.nanyuan@1-2) > 0.59", 1),
        ("share.eton@6 > 2 * share.eton[both_passive]@6", 0.75),
        ("-share.eton@6 < +1", 1),
        ("(share.eton@6 + share.nanyuan@6) / 2 > 0.5", 0.75),
        ("outside_share.market@1-6 < 0.5", 1),
        ("loss.price.eton@1-6 > 2.9", 1),
        ("sum(loss.crowding.eton@1-2) >= 4", 0.75),
        ("sum(loss.lapse.eton@1-6) < 1", 1),
        ("satisfaction.eton@-1-2 > 0.9", 1),
        ("satisfaction.eton@-1 > 0", 0),
        ("share.eton@6 - 1 < 1e9", 1),
        ("share.eton@6-6 > 0", 0.75),
        ("share.eton@1 / (share.nanyuan@1 - 0.3) > 1", 0),
        ("1 < share.eton@1 / (share.nanyuan@1 - 0.3)", 0),
        ("share.eton@1 / (share.nanyuan@1 - 0.3) > 1 or share.eton@1 > 0", 1),
    ],
)
def test_statements(base, result, expression, fraction):
    if fraction is None:
        with pytest.raises(ScenarioError, match="only"):
            verdict(base, result, holds=expression)
        return
    outcome = verdict(base, result, holds=expression, needed=0.7)
    assert outcome["fraction"] == fraction
    assert outcome["holds"] == (fraction >= 0.7)
    assert outcome["needed"] == 0.7
    assert outcome["text"] == "a text"


def test_needed_fraction_is_reached_exactly(base, result):
    assert verdict(base, result, holds="share.eton@6 > 0.5", needed=0.75)["holds"]
    assert not verdict(base, result, holds="share.eton@6 > 0.5", needed=0.76)["holds"]


def test_gap_of_a_single_comparison(base, result):
    outcome = verdict(base, result, holds="share.eton@6 > 0.5")
    gaps = [0.4, 0.4, 0.4, -0.8]
    assert outcome["value"] == pytest.approx(np.mean(gaps))
    assert [outcome["low"], outcome["high"]] == pytest.approx(np.percentile(gaps, [5, 95]))
    for several in ("share.eton@6 > 0.5 and share.eton@6 < 3", "0 < share.eton@6 < 1"):
        assert verdict(base, result, holds=several)["value"] is None
    assert verdict(base, result, holds="satisfaction.eton@-1 > 0")["value"] is None


# ---------------------------------------------------------------------- estimates


def test_both_sides_of_every_comparison_are_told(base, result):
    """Whatever a statement combines, its quantities and bounds can be read, not only whether it is true."""
    said = verdict(base, result, holds="0 < share.eton@6 < 3 and 2 * share.eton@6 > share.eton[both_passive]@6")
    assert said["value"] is None
    shown = [(row["left"], row["sign"], row["right"]) for row in said["measured"]]
    assert shown == [
        ("0", "<", "share.eton@6"), ("share.eton@6", "<", "3"), ("2 * share.eton@6", ">", "share.eton[both_passive]@6"),
    ]  # fmt: skip
    mean = verdict(base, result, estimate="share.eton@6")["value"]
    first, second, third = said["measured"]
    assert (first["left_value"], second["right_value"]) == (0, 3)
    assert first["right_value"] == second["left_value"] == pytest.approx(mean)
    assert third["left_value"] == pytest.approx(2 * mean)
    undefined = verdict(base, result, holds="share.eton@1 / (share.nanyuan@1 - 0.3) > 1")
    assert undefined["measured"][0]["left_value"] is None


def test_estimates(base, result):
    sample = [0.9, 0.9, 0.9, -0.3]
    half = 3.182446305284263 * np.std(sample, ddof=1) / 2  # t quantile with three degrees of freedom, from tables
    outcome = verdict(base, result, estimate="share.eton@6")
    assert outcome["value"] == pytest.approx(0.6)
    assert [outcome["low"], outcome["high"]] == pytest.approx([0.6 - half, 0.6 + half])
    assert (outcome["holds"], outcome["needed"], outcome["fraction"]) == (True, None, 0.75)
    assert not verdict(base, result, estimate="share.eton@6", above=0)["holds"]
    assert verdict(base, result, estimate="share.eton@6", above=-0.4)["holds"]
    assert verdict(base, result, estimate="share.eton@6", below=1.6)["holds"]
    assert not verdict(base, result, estimate="share.eton@6", above=-0.4, below=1)["holds"]


def test_estimate_of_one_run_says_nothing(base, result):
    one = SimpleNamespace(
        ticks=result.ticks.query("seed == 1"), market=result.market.query("seed == 1"), causes=result.causes
    )
    outcome = verdict(base, one, estimate="share.eton@6", above=0)
    assert (outcome["value"], outcome["low"], outcome["high"]) == (pytest.approx(0.9), None, None)
    assert not outcome["holds"]


@pytest.mark.parametrize(
    "estimate",
    [
        "share.eton@6 / (share.nanyuan@6 - 0.3)",  # infinite in every run
        "(share.nanyuan@6 - 0.3) / (share.nanyuan@6 - 0.3)",  # 0/0 in every run
        "1 / (loss.crowding.eton@6 - 2)",  # infinite in the run with seed 2
        "satisfaction.eton@-1",  # no value
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_undefined_in_a_run_supports_nothing(base, result, estimate):
    for bounds in ({}, {"above": -1e9}, {"below": 1e9}, {"above": -1e9, "below": 1e9}):
        outcome = verdict(base, result, estimate=estimate, **bounds)
        assert not outcome["holds"]
        assert outcome["value"] is None


def test_fraction_between_two_bounds(base, result):
    assert verdict(base, result, estimate="share.eton@6", above=-0.4, below=0.5)["fraction"] == 0.25


# ---------------------------------------------------------------------- results that do not fit


def test_the_scenario_itself_may_go_by_its_own_name(base, result):
    renamed = result.ticks.assign(scenario=result.ticks["scenario"].astype(str).replace("case", "two_hotels"))
    again = SimpleNamespace(ticks=renamed, market=result.market, causes=result.causes)
    assert verdict(base, again, holds="share.eton@6 > 0.5")["fraction"] == 0.75


def test_result_without_the_arm_or_the_ticks(base, result):
    with pytest.raises(ScenarioError, match=r"no run of arm 'no_budget'; allowed: both_passive, case"):
        verdict(base, result, holds="share.eton[no_budget]@6 > 0.5")
    with pytest.raises(ScenarioError, match=r"window @7-7 lies outside the run \(ticks -3 to 6\)"):
        verdict(base, result, holds="share.eton@7 > 0.5")


def test_language(base, result):
    claim = Claim(id="c", text={"en": "a text", "zh": "文字"}, holds="share.eton@6 > 0")
    assert check_claims(base.model_copy(update={"claims": (claim,)}), result, "zh")[0]["text"] == "文字"


# ---------------------------------------------------------------------- reading


def test_terms_are_read():
    expression = read_expression("max(share.eton[a_b]@-11-0) - loss.price.eton@1 >= -0.5")
    first, second = expression.terms.values()
    assert (first.measure, first.firm, first.arm, first.first, first.last) == ("share", "eton", "a_b", -11, 0)
    assert (second.measure, second.cause, second.arm, second.last) == ("loss", "price", "case", 1)
    assert expression.is_statement
    assert read_expression("share.eton@-11--3").is_statement is False
    (term,) = read_expression("share.eton@-11--3").terms.values()
    assert (term.first, term.last) == (-11, -3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("share.eton > 0", "'share.eton' needs a window, such as share.eton@24 or @85-96"),
        ("share > 0", "'share' needs a window, such as share.eton@24"),
        ("share.eton@ > 0", "is not measure.firm@ticks"),
        ("share.eton@x > 0", "is not measure.firm@ticks"),
        ("share.eton@1.5 > 0", "is not measure.firm@ticks"),
        ("share.eton.x@1 > 0", "should be written measure.firm@ticks"),
        ("loss.eton@1 > 0", "should be written loss.cause.firm@ticks"),
        ("loss_share.eton@1 > 0", "should be written loss_share.cause.firm@ticks"),
        ("share.eton@1 >", "check operators and brackets"),
        ("", "check operators and brackets"),
        ("(share.eton@1 > 0) + 1", "a comparison cannot be calculated with"),
        ("share.eton@1 and 1", "'and' and 'or' join comparisons"),
        ("median(share.eton@1) > 0", "unknown function 'median'"),
        ("max(share.eton@1, 2) > 0", "max() takes one term"),
        ("max(2 * share.eton@1) > 0", "max() takes one term"),
        ("max(share.eton@1, key=2) > 0", "only + - * /"),
        ("share.eton@1 ** 9 > 0", "only"),
        ("share.eton@1 == 1", "only"),
        ("not share.eton@1 > 1", "only"),
        ("[share.eton@1] > 1", "only"),
        ("__import__('os').system('x')", "only"),
        ("(lambda: 1)() > 0", "only"),
        ("1j > share.eton@1", "only"),
        ("True", "only"),
        ("'a' > 'b'", "only"),
        ("(" * 3000, "longer than 2000 characters"),
        ("(" * 900 + "1" + ")" * 900, ""),
        ("-" * 1900 + "1", ""),
        ("a\nb", "needs a window"),
        ("1 / 0", "division by zero (/ 0)"),
        ("share.eton@1 / (2 - 2) > 1", "division by zero (/ 2 - 2)"),
        ("1 / (1 / -0.0)", "division by zero"),
        ("share.eton@1 \x00", ""),
    ],
)
def test_expressions_that_cannot_be_read(text, why):
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert why in str(caught.value)


def test_arms_and_windows_of_a_claim():
    claim = Claim(id="c", text="x", holds="share.eton@1-6 > share.eton[both_passive]@-3 + share.eton@9")
    assert arms_of(claim) == {"case", "both_passive"}
    assert within(claim, -3, 9)
    assert not within(claim, -2, 9)
    assert not within(claim, -3, 8)
    assert arms_of(Claim(id="c", text="x", estimate="1")) == {"case"}


@pytest.mark.parametrize(
    ("claim", "messages"),
    [
        ({"holds": "shar.eton@1 > 0"}, ["unknown measure 'shar'"]),
        ({"holds": "share.etn@1 > 0"}, ["no firm 'etn' in this scenario"]),
        ({"holds": "share.eton[both]@1 > 0"}, ["no arm 'both' in this scenario"]),
        ({"holds": "loss.prise.eton@1 > 0"}, ["unknown cause 'prise'"]),
        ({"holds": "share.market@1 > 0"}, ["'share' is a measure of one firm; write share.nanyuan"]),
        (
            {"holds": "outside_share.eton@1 > 0"},
            ["'outside_share' is a measure of the market; write outside_share.market"],
        ),
        (
            {"holds": "loss_share.price.market@1 > 0"},
            ["'loss_share' is a measure of one firm; write loss_share.price.nanyuan"],
        ),
        ({"holds": "loss.price.market@1 > 0"}, ["'loss' is a measure of one firm; write loss.price.nanyuan"]),
        ({"holds": "share.eton@1-97 > 0"}, ["window @1-97 lies outside the run (ticks -35 to 96)"]),
        ({"holds": "share.eton@-36 > 0"}, ["window @-36 lies outside the run (ticks -35 to 96)"]),
        ({"holds": "share.eton@6-1 > 0"}, ["window 6-1 runs backwards; to subtract, put spaces around the minus sign"]),
        ({"holds": "share.eton@6"}, ["cannot read 'share.eton@6': 'holds' takes a comparison, such as a > b"]),
        (
            {"estimate": "share.eton@6 > 1"},
            ["cannot read 'share.eton@6 > 1': 'estimate' takes a quantity, without a comparison"],
        ),
        (
            {"holds": "shar.etn@1 > churn.eton@99"},
            ["no firm 'etn' in this scenario", "window @99 lies outside the run (ticks -35 to 96)"],
        ),
        ({"holds": "-1 < share.eton@-35-96 < 2"}, []),
        ({"estimate": "share.eton@6", "above": 3, "below": 3}, ["above (3) must be less than below (3)"]),
    ],
)  # fmt: skip
def test_claims_are_checked_against_the_scenario(claim, messages):
    scenario = load("two_hotels").model_copy(update={"claims": (Claim(id="c", text="x", **claim),)})
    assert [problem.message for problem in claim_problems(scenario)] == messages
    assert all(problem.keys[:2] == ("claims", 0) for problem in claim_problems(scenario))


def test_two_claims_with_one_id():
    claims = tuple(Claim(id="c", text="x", estimate="1") for _ in range(2))
    (problem,) = claim_problems(load("two_hotels").model_copy(update={"claims": claims}))
    assert problem.message == "two claims have the id 'c'"


def test_acceptance_tests_of_the_two_hotels():
    claims = {claim.id: claim for claim in load("two_hotels").claims}
    assert set(claims) >= {f"T{number}" for number in range(1, 10)} | {
        "T10_budget",
        "T10_crowding",
        "T10_reference_price",
    }
    assert arms_of(claims["T4"]) == {"eton_restores"}
    assert (claims["T6"].above, claims["T7"].above, claims["T7"].below) == (0, None, None)
    assert all(claim.needed >= 0.9 for claim in claims.values())
    assert all(math.isfinite(claim.needed) for claim in claims.values())
