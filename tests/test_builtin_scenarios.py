"""Every built-in scenario keeps its promises, and numbers do not move unannounced."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from churnsim import load, run
from churnsim.claims import arms_of, check_claims
from churnsim.config.loading import builtin_names
from churnsim.model import simulate

NAMES = sorted(builtin_names())
GOLDEN = Path(__file__).parent / "golden"


def test_there_are_scenarios():
    """The contract below is not empty."""
    assert {"two_hotels", "inertia_limit", "bertrand_limit", "sbg_cohort"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_contract(name):
    """A scenario says what it asks, in both languages, with sources, controls and claims, and runs in every arm."""
    scenario = load(name)
    assert scenario.id == name
    for text in (scenario.title, scenario.question):
        assert text.en.strip()
        assert any("一" <= letter <= "鿿" for letter in text.zh)
    assert bool(scenario.case_title) == bool(scenario.arms)  # what the case is called beside its arms
    if scenario.case_title:
        assert any("一" <= letter <= "鿿" for letter in scenario.case_title.zh)
    assert scenario.sources
    assert scenario.claims
    assert len({claim.id for claim in scenario.claims}) == len(scenario.claims)
    if len(scenario.firms) > 1 and name != "bertrand_limit":
        assert any(arm.control for arm in scenario.arms.values())
    for arm in scenario.arm_names:
        tiny = scenario.arm(arm).set({"customers.count": 60, "burn_in": 1, "horizon": 2})
        record = simulate(tiny, 1)
        assert record.market["occasions"].sum() > 0


NAME = r"(?:(?:[Vv]an|[Dd]en|de) )*[A-Z][\w.-]*"
CITATION = re.compile(rf"{NAME}(?:, {NAME})*(?: & {NAME}| et al\.)? \d{{4}}|\b[A-Z]{{2,}}\b|docs/[\w./]+(?: E\d+)?")
"""Authors and year, an acronym, or a place in the documentation."""
SYMBOLS = set("alpha beta gamma delta sigma rho exp Phi floor scale spend Logit RevPAR".split())
"""Words of formulas, and terms that Chinese takes as they are."""


def _numbers(text):
    """Return the numbers of a text in order of size; Chinese counts millions in ten thousands."""
    text = re.sub(r"([\d.]+) million", lambda found: f"{100 * float(found[1]):g}", text)
    return sorted(re.findall(r"\d+(?:\.\d+)?|\.\d+", text))


def _english_words(text):
    """Return the words that belong to no citation, formula or path and are no acronym."""
    text = re.sub(r"\w+(?:\.\w+)+|\w*[_0-9]\w*|\b[A-Z]+\b", "", CITATION.sub("", text), flags=re.ASCII)
    return set(re.findall(r"[A-Za-z]{3,}", text)) - SYMBOLS


@pytest.mark.parametrize("name", NAMES)
def test_sources_are_in_both_languages_but_for_citations(name):
    """What is more than a citation is told in the reader's language, with the same numbers and years."""
    for source in load(name).sources:
        if source.en == source.zh:
            assert all(CITATION.fullmatch(part) for part in source.en.split("; ")), source.en
            continue
        assert re.search("[一-鿿]", source.zh), source.en
        assert not re.search("[一-鿿]", source.en), source.en
        assert _english_words(source.zh) == set(), source.zh
        assert _numbers(source.zh) == _numbers(source.en), source.zh


@pytest.mark.parametrize("name", [name for name in NAMES if name != "two_hotels"])
def test_claims_hold_on_a_few_seeds(name):
    """Exact limits hold on each of a few seeds, other claims on most (the full number of seeds is a slow test)."""
    scenario = load(name)
    arms = sorted(set().union(*(arms_of(claim) for claim in scenario.claims)))
    result = run([scenario.arm(arm) for arm in arms], seeds=range(1, 4))
    for verdict in check_claims(scenario, result, "en"):
        if verdict["needed"] is None:
            continue  # an estimate needs more seeds
        exact = verdict["needed"] == 1
        assert verdict["fraction"] >= (1 if exact else 0.6), verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_claims_hold_over_100_seeds(name):
    """What the scenario is said to show is what it shows."""
    scenario = load(name)
    arms = sorted(set().union(*(arms_of(claim) for claim in scenario.claims)))
    result = run([scenario.arm(arm) for arm in arms], seeds=range(1, 101))
    for verdict in check_claims(scenario, result, "en"):
        assert verdict["holds"], verdict


def test_nothing_in_the_code_knows_the_hotels():
    """The story emerges: outside docstrings no hotel is named anywhere in the model."""
    package = Path(__file__).parent.parent / "sim" / "churnsim"
    seen = 0
    model = (
        "agents",
        "markets",
        "decisions",
        "customers",
        "firms",
        "model",
        "parameters",
        "population",
        "randomness",
        "recorder",
    )
    parts = ("engine", "mechanisms", "strategies")
    for path in [
        *(package / f"{name}.py" for name in model),
        *(f for part in parts for f in (package / part).glob("*.py")),
    ]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            seen += 1
            word = getattr(node, "id", getattr(node, "attr", getattr(node, "arg", None)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
                word = node.value
            if isinstance(word, str):
                assert not re.search(r"\b(nanyuan|eton)\b", word.lower()), f"{path.name}:{node.lineno}: {word}"
    assert seen > 5_000


def test_golden():
    """Numbers for a fixed seed are those on record; tests/golden/update.py writes them anew."""
    spec = importlib.util.spec_from_file_location("update_golden", GOLDEN / "update.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recorded = json.loads((GOLDEN / "two_hotels.json").read_text(encoding="utf-8"))
    found = module.summary()
    assert recorded.keys() == found.keys()
    for arm, measures in recorded.items():
        assert measures.keys() == found[arm].keys()
        for name, values in measures.items():
            np.testing.assert_allclose(found[arm][name], values, rtol=1e-9, err_msg=f"{arm} {name}")
