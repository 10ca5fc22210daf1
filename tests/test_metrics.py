"""The catalogue of measures."""

from __future__ import annotations

import pytest

from churnsim.dealing_measures import DEALING_MEASURES
from churnsim.i18n import LANGUAGES
from churnsim.metrics import FIRM_MEASURES, INDICES, MARKET_MEASURES, MEASURES, measures

FIRM = """share customers customer_share stays joined lost churn retention returned cohort_returned lost_pool
satisfaction expectation attachment belief reference_price quality crowding price service training contacts
relationship_cost service_cost revenue profit cumulative_profit cash shortfall true_loyal spurious_loyal
latent_loyal not_loyal open""".split()
MARKET = "occasions outside_share customers experience newcomers".split()


def test_names_are_those_that_others_rely_on():
    assert list(FIRM_MEASURES) == FIRM
    assert list(MARKET_MEASURES) == MARKET
    assert measures("firm") is FIRM_MEASURES and measures("market") is MARKET_MEASURES


def test_a_name_of_both_scopes_is_the_firms():
    assert MEASURES["customers"].scope == "firm"
    assert set(MEASURES) == {*FIRM, *MARKET}


@pytest.mark.parametrize("measure", [*FIRM_MEASURES.values(), *MARKET_MEASURES.values()], ids=lambda m: m.name)
def test_every_measure_is_fully_declared(measure):
    assert measure.scope in ("firm", "market")
    assert measure.kind in ("per_tick", "at_end")
    assert measure.better in ("more", "less", None)
    assert measure.unit and measure.formula and measure.source
    assert set(measure.label) == set(LANGUAGES) and all(measure.label.values())


def test_indices_are_measures():
    assert {*MEASURES, *DEALING_MEASURES} >= INDICES


def test_directions():
    assert MEASURES["profit"].better == "more"
    assert MEASURES["churn"].better == "less"
    assert MEASURES["price"].better is None


def test_importing_the_catalogue_loads_nothing_heavy(python):
    code = "import sys, churnsim.metrics\nprint({'numpy', 'pandas', 'matplotlib', 'pydantic'} & set(sys.modules))"
    assert python(code).strip() == "set()"
