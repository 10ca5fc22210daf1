"""A scenario as a value: variants, identity, moves, arms, and what Python users see of errors."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.config.errors import ScenarioError
from churnsim.config.loading import load
from churnsim.declarations import walk
from churnsim.scenario import LATER, NOT_CONTENT, Scenario


@pytest.fixture(scope="module")
def case() -> Scenario:
    return load("two_hotels")


def problem_lines(function, *args, **kwargs) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        function(*args, **kwargs)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.errors)
    return lines


# ---------------------------------------------------------------------- setting paths


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("firms.eton.price", 225, lambda s: s.firms["eton"].price == 225.0),
        ("firms.eton.strategy.depth", "30%", lambda s: s.firms["eton"].strategy.depth == 0.3),
        ("firms.eton.strategy", "passive", lambda s: s.firms["eton"].strategy.name == "passive"),
        ("firms.eton.strategy", {"name": "mixed", "depth": 0.2}, lambda s: s.firms["eton"].strategy.depth == 0.2),
        ("firms.eton.strategy", {"restore": 19}, lambda s: s.firms["eton"].strategy.restore == 19),
        ("customers.attachment.value", 0, lambda s: s.customers.attachment.value == 0),
        ("customers.switching_cost.mean", 90, lambda s: s.customers.switching_cost.mean == 90),
        ("customers.switching_cost", 40, lambda s: s.customers.switching_cost.value == 40),
        (
            "customers.opportunity", {"dist": "uniform", "low": "10%", "high": 1},
            lambda s: s.customers.opportunity.low == 0.1,
        ),
        ("customers.attachment", {"growth": 0.1}, lambda s: s.customers.attachment.growth == 0.1),
        ("mechanisms.crowding", False, lambda s: s.mechanisms.crowding is False),
        ("relationship_levels.proactive.cost", 5, lambda s: s.relationship_levels["proactive"].cost == 5),
        (
            "firms.eton.budget.priority", ["relationship", "service"],
            lambda s: s.firms["eton"].budget.priority[0] == "relationship",
        ),
        ("customers.count", np.int64(800), lambda s: s.customers.count == 800),
        ("firms.eton.price", np.float32(225), lambda s: s.firms["eton"].price == 225.0),
        ("mechanisms.crowding", np.bool_(False), lambda s: s.mechanisms.crowding is False),
    ],
)  # fmt: skip
def test_set_reaches_everything(case, path, value, read):
    changed = case.set({path: value})
    assert read(changed)
    assert changed != case
    assert changed.id_hash != case.id_hash
    assert load("two_hotels") == case, "the original must not change"


def test_set_of_a_strategy_and_its_parameter_in_any_order(case):
    changes = {"firms.nanyuan.strategy.depth": 0.1, "firms.nanyuan.strategy": "price_cut"}
    assert case.set(changes) == case.set(dict(reversed(changes.items())))
    assert case.set(changes).firms["nanyuan"].strategy.depth == 0.1


def test_set_of_the_same_value_changes_nothing(case):
    assert case.set({"firms.eton.price": case.firms["eton"].price}) == case
    assert case.set({}) == case


def test_every_number_can_be_set_by_its_path(case):
    paths = [(path, value) for path, value, _ in walk(case) if isinstance(value, (int, float)) and "claims" not in path]
    assert len(paths) > 80
    for path, value in paths:
        if not path.startswith(("moves", "arms")):
            assert case.set({path: value}) == case, path


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"firms.etn.price": 3}, "firms.etn.price: no firm 'etn' in this scenario; did you mean eton? (nanyuan, eton)"),
        ({"customers.attachmnt.value": 3}, "unknown setting 'attachmnt' in customers; did you mean attachment?"),
        ({"firms.eton.strategy.dept": 3}, "unknown setting 'dept' in strategy price_cut; did you mean depth?"),
        ({"horizn": 3}, "unknown setting 'horizn'; did you mean horizon?"),
        ({"firms.eton.price.x": 3}, "'firms.eton.price' is a single value; nothing lies below it"),
        ({"firms.eton.price": -3}, "must be between 0 and 1 000 000 000 (currency per stay), not -3"),
        ({"firms.eton.strategy.depth": 25}, "(share of the list price), not 25; 25 % would be 0.25"),
        ({"firms.eton.price": "25%"}, "a percentage has no meaning here (unit: currency per stay)"),
        ({"customers.count": "25%"}, "a percentage has no meaning here (unit: customers)"),
        ({"firms.eton.price": "many"}, "must be a number between 0 and 1 000 000 000 (currency per stay), not 'many'"),
        ({"firms.eton.price": True}, "must be a number"),
        ({"firms.eton.price": float("nan")}, "must be a number"),
        ({"customers.switching_cost": float("inf")}, "must be a number"),
        ({"customers.count": 1.5}, "must be a whole number between 1 and 100 000 000 (customers), not 1.5"),
        ({"mechanisms.crowding": "maybe"}, "must be true or false, not 'maybe'"),
        ({"firms.eton.relationship": "proactiv"}, "unknown value 'proactiv'; did you mean proactive?"),
        ({"firms.eton.strategy": "price_cutt"}, "unknown strategy 'price_cutt'; did you mean price_cut?"),
        ({"firms.eton.strategy": 3}, "must be a strategy's name, or a mapping with its name and parameters, not 3"),
        (
            {"firms.eton.strategy": {"name": "price_cut", "start": 5, "restore": 3}},
            "restore (3) must come after start (5)",
        ),
        ({"customers.opportunity": {"dist": "betta"}}, "unknown distribution 'betta'; did you mean beta?"),
        ({"customers.opportunity": [1]}, "must be a number or a distribution such as {dist: lognormal"),
        ({"customers.opportunity": {"dist": "beta", "a": 1}}, "'b' is missing in customers.opportunity"),
        ({"customers.switching_cost": -3}, "switching_cost must stay between 0 and"),
        ({"customers.attachment.stay_intensity": 0.9}, "stay_intensity + contact_intensity must not exceed 1"),
        ({"customers.taste.homophily": 0.95}, "taste.homophily: must be between 0 and 0.9, not 0.95"),
        (
            {"customers.taste.homophily": 0.5, "customers.word_of_mouth.rewired": 1},
            "customers.taste: taste.homophily needs acquaintances near by: word_of_mouth.rewired must be below 1",
        ),
        (
            {"customers.taste.homophily": 0.5, "customers.count": 39},
            "customers.count: count must be at least 40 customers where taste.homophily is above 0, with 8",
        ),
        ({"firms.eton.initial_share": 0.9}, "initial_share values sum to 1.2"),
        ({"customers": 3}, "customers: must be a mapping (name: value), not 3"),
        ({"sources": "me"}, "sources: must be a list, not 'me'"),
        ({"currency": "yuan"}, "must be a three-letter code such as CNY, not yuan"),
        ({"moves": []}, "moves: 'moves' cannot be set this way; use .move()"),
        ({"arms.x.set": {}}, "cannot be set this way"),
        ({"firms": {"third": {"name": "Third"}}}, "no firm 'third'"),
        ({"": 3}, "unknown setting ''"),
    ],
)  # fmt: skip
def test_set_errors_read_well(case, changes, expected):
    (line,) = problem_lines(case.set, changes)
    assert expected in line
    for jargon in ("pydantic", "Input should", " tag", "ctx", "type=", "union", "Value error"):
        assert jargon not in line


def test_set_reports_every_problem(case):
    changes = {"firms.eton.price": -1, "customers.count": 0, "firms.nanyuan.relationship": "none"}
    assert len(problem_lines(case.set, changes)) == 3
    assert len(problem_lines(case.set, {"firms.etn.price": 1, "horizn": 3})) == 2


# ---------------------------------------------------------------------- moves


def test_move_acts_from_its_tick_on(case):
    moved = case.move(tick=40, firm="eton", relationship="proactive", note="follows suit").move(
        8, {"firms.eton.price": 225}
    )
    assert [move.tick for move in moved.moves] == [8, 40], "moves are kept in order of time"
    assert moved.moves[1].note.en == "follows suit"
    assert [moved.at(tick).firms["eton"].price for tick in (-5, 0, 7, 8, 96)] == [300, 300, 300, 225, 225]
    assert moved.at(39).firms["eton"].relationship == "basic"
    assert moved.at(40).firms["eton"].relationship == "proactive"
    assert moved.at(40) is moved.at(41), "one state per distinct tick"
    assert moved.at(96).moves == ()
    assert not case.moves


def test_levers_of_moves(case):
    moved = (
        case.move(8, firm="eton", price=225, service=70)
        .move(20, firm="eton", strategy="price_cut")
        .move(20, firm="eton", training=3)
    )
    assert moved.levers_at(7) == {"nanyuan": {}, "eton": {}}
    assert moved.levers_at(8)["eton"] == {"price": 225.0, "service": 70.0}
    assert moved.levers_at(96)["eton"] == {"training": 3.0}, "a new strategy gets its levers back"
    both = case.move(8, {"firms.eton.price": 200, "firms.eton.strategy": "passive"})
    assert both.levers_at(8)["eton"] == {"price": 200.0}
    unlimited = case.move(8, firm="nanyuan", relationship_budget=None)
    assert unlimited.levers_at(8)["nanyuan"] == {"relationship_budget": None}


def test_moves_are_kept_as_read(case):
    assert case.move(8, firm="eton", price=225) == case.move(8, {"firms.eton.price": 225.0})
    assert case.move(8, {"mechanisms.crowding": "off"}).moves[0].changes == {"mechanisms.crowding": False}
    by_percent = case.move(8, {"firms.eton.strategy.depth": "30%"})
    assert by_percent.moves[0].changes == {"firms.eton.strategy.depth": 0.3}
    named = case.move(8, firm="eton", strategy="passive")
    assert named.moves[0].changes == {"firms.eton.strategy": {"name": "passive"}}


@pytest.mark.parametrize(
    ("tick", "changes", "expected"),
    [
        (97, {"firms.eton.price": 1}, "a move in tick 97 never happens: the run ends with tick 96"),
        (0, {"firms.eton.price": 1}, "must be between 1 and 100 000 (tick), not 0"),
        (2.5, {"firms.eton.price": 1}, "must be a whole number"),
        (8, {}, "a move changes at least one setting"),
        (8, {"firms.etton.price": 1}, "no firm 'etton'"),
        (8, {"firms.eton.pric": 1}, "firms.eton.pric: unknown setting 'pric' in firms.eton; did you mean price?"),
        (8, {"firms.eton.price": -1}, "moves[0].firms.eton.price: must be between 0 and"),
        (8, {"firms.eton.initial_share": 0.1}, "holds for the whole run"),
        (8, {"firms.eton.name": "x"}, "holds for the whole run"),
        (8, {"horizon": 3}, "holds for the whole run"),
        (8, {"relationship_levels.basic.cost": 3}, "holds for the whole run"),
        (8, {"customers.count": 3}, "is drawn once, when the run starts"),
        (8, {"customers.taste.sd": 3}, "is drawn once"),
        (8, {"customers.switching_cost.mean": 3}, "is drawn once"),
        (8, {"customers.word_of_mouth.contacts": 3}, "is drawn once"),
        (8, {"customers.attachment": {"value": 3}}, "is a group of settings"),
        (8, {"firms.eton": {"price": 3}}, "is a group of settings"),
        (8, {"moves": []}, "cannot be set this way"),
        (8, {"customers.attachment.stay_intensity": 0.9}, "must not exceed 1"),
    ],
)  # fmt: skip
def test_move_errors_read_well(case, tick, changes, expected):
    (line,) = problem_lines(case.move, tick, changes)
    assert expected in line
    assert line.startswith("moves[0]")


def test_set_checks_earlier_moves_again(case):
    moved = case.move(8, {"customers.attachment.stay_intensity": 0.4})
    (line,) = problem_lines(moved.set, {"customers.attachment": {"stay_intensity": 0.1, "contact_intensity": 0.8}})
    assert line.startswith("moves[0].customers.attachment.stay_intensity")


def test_shorter_horizon_leaves_out_what_it_no_longer_reaches(case):
    short = case.move(8, firm="eton", price=225).move(40, firm="eton", price=200).set({"horizon": 24})
    assert [move.tick for move in short.moves] == [8]
    assert {claim.id for claim in short.claims} < {claim.id for claim in case.claims}


# ---------------------------------------------------------------------- arms


def test_arms(case):
    assert case.arm_names[0] == "case"
    assert case.arm("case") == case.named("case")
    for name in case.arm_names[1:]:
        arm = case.arm(name)
        assert arm.name == name
        assert (arm.arms, arm.claims) == ({}, ())
        assert arm.title == case.arms[name].title
        assert arm.id_hash != case.id_hash
    assert case.arm("eton_restores").firms["eton"].strategy.restore == 19
    assert (
        case.arm("both_passive").id_hash
        == case.set({"firms.eton.strategy": "passive", "firms.nanyuan.strategy": "passive"}).id_hash
    )
    assert "did you mean both_passive?" in problem_lines(case.arm, "both_pasive")[0]


# ---------------------------------------------------------------------- identity


@pytest.mark.parametrize(("group", "name"), LATER)
def test_parameters_that_came_later_count_in_the_hash_only_where_they_act(case, monkeypatch, group, name):
    """At 0, their default, they leave every run what it was, and the hash under which it was kept."""
    hashed = []
    monkeypatch.setattr("churnsim.scenario._digest", lambda content: hashed.append(content) or "hash")
    path = f"customers.{group}.{name}"
    assert getattr(getattr(case.customers, group), name) == 0
    for value in (0, 0.5):
        assert case.set({path: value}).key == "hash"
    assert [content["customers"][group].get(name) for content in hashed] == [None, 0.5]


def test_content_hash_ignores_words(case):
    words = {"title": "x", "question": "y", "sources": ["z"], "firms.eton.name": "E", "seed": 99}
    assert case.set(words).key == case.key
    assert case.named("other").key == case.key
    assert case.set(words) != case
    noted = case.move(8, firm="eton", price=225, note="a")
    assert noted.key == case.move(8, firm="eton", price=225).key
    assert noted != case.move(8, firm="eton", price=225)
    assert case.key.startswith(case.id_hash)
    assert len(case.id_hash) >= 6
    assert set(NOT_CONTENT) <= set(Scenario.model_fields)


def test_firm_order_is_content(case):
    data = case.model_dump()
    data["firms"] = dict(reversed(data["firms"].items()))
    swapped = Scenario.model_validate(data)
    assert swapped != case
    assert swapped.key != case.key
    data["relationship_levels"] = dict(reversed(data["relationship_levels"].items()))
    assert Scenario.model_validate(data) == swapped, "the order of the levels is not the file's"


def test_scenarios_are_values(case):
    again = load("two_hotels")
    assert again == case
    assert hash(again) == hash(case)
    assert len({case, again, case.named("b")}) == 2
    assert case != "two_hotels"
    with pytest.raises(ValueError, match="frozen"):
        case.horizon = 3
    assert case.named("b").name == "b"
    assert case.seeded(7).seed == 7
    assert "seed" in problem_lines(case.seeded, -1)[0]


def test_copies_and_pickles_are_equal(case):
    moved = case.move(8, firm="eton", price=225)
    moved.at(9)
    for twin in (pickle.loads(pickle.dumps(moved)), copy.deepcopy(moved), copy.copy(moved), moved.model_copy()):
        assert twin == moved
        assert hash(twin) == hash(moved)
        assert twin.at(9).firms["eton"].price == 225
    changed = moved.model_copy(update={"horizon": 50})
    assert changed.key != moved.key, "nothing remembered may survive an update"


def test_threads_agree(case):
    moved = case.move(8, firm="eton", price=225).move(20, firm="eton", price=200)
    fresh = pickle.loads(pickle.dumps(moved))
    with ThreadPoolExecutor(8) as pool:
        prices = list(pool.map(lambda tick: fresh.at(tick % 30).firms["eton"].price, range(300)))
    assert prices == [300.0 if t % 30 < 8 else 225.0 if t % 30 < 20 else 200.0 for t in range(300)]


def test_error_survives_pickling(case):
    with pytest.raises(ScenarioError) as caught:
        case.set({"horizn": 3})
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# ---------------------------------------------------------------------- text


def test_repr(case):
    moved = case.move(8, firm="eton", price=225)
    assert repr(case) == f"Scenario('two_hotels', 2 firms, 10 000 customers, 96 months, 0 moves, id {case.id_hash})"
    assert "1 move, id" in repr(moved)


def test_html_marks_changes_and_escapes(case):
    html = case.set({"firms.eton.price": 225}).move(8, firm="eton", price=200, note="<script>")._repr_html_()
    assert "<strong>225</strong> <s>300</s>" in html
    assert html.count("<details>") == 3
    assert "<script>" not in html
    assert "<s>" not in case._repr_html_()


@settings(max_examples=25, deadline=None)
@given(
    price=st.floats(0, 1e9, allow_subnormal=False),
    mean=st.floats(0, 1e6),
    seed=st.integers(0, 2**63 - 1),
    title=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40),
    tick=st.integers(1, 96),
)
def test_yaml_round_trip(tmp_path_factory, price, mean, seed, title, tick):
    scenario = (
        load_once()
        .set({"firms.eton.price": price, "customers.switching_cost.mean": mean, "seed": seed, "title": title})
        .move(tick, firm="nanyuan", price=price, strategy="random", note=title)
    )
    path = tmp_path_factory.getbasetemp() / "round_trip.yaml"
    path.write_text(scenario.to_yaml(), encoding="utf-8")
    again = load(path)
    assert again == scenario
    assert again.key == scenario.key


def test_every_arm_round_trips(case, tmp_path):
    for name in case.arm_names:
        path = tmp_path / f"{name}.yaml"
        path.write_text(case.arm(name).to_yaml(), encoding="utf-8")
        assert load(path) == case.arm(name)


_LOADED: list[Scenario] = []


def load_once() -> Scenario:
    """Hypothesis does not mix with fixtures of module scope that it would reset."""
    if not _LOADED:
        _LOADED.append(load("two_hotels"))
    return _LOADED[0]


def test_a_case_that_was_changed_is_no_longer_called_what_it_was():
    case = load("two_hotels")
    assert case.set({"customers.count": 90, "horizon": 12, "burn_in": 3}).case_title == case.case_title
    changed = case.set({"firms.eton.strategy": "passive"})
    assert changed.case_title is None and changed.key != case.key and changed.at(3) == changed.set({}).at(3)
    assert case.move(3, {"firms.eton.price": 250}).case_title is None
    assert case.set({"case_title": {"en": "Mine", "zh": "本例"}, "firms.eton.price": 290}).case.en == "Mine"
    # Beside its arms the case goes by it; an arm has a title of its own.
    assert case.arm("case").case_title == case.case_title and case.arm("both_passive").case_title is None
    assert case.set({"case_title": None}).key == case.key


def test_money_that_is_unknown_makes_no_other_runs():
    panel = load("calibration_panel")
    assert panel.knows("price") and not panel.knows("profit") and panel.knows("share")
    assert panel.set({"money": "known"}).key == panel.key and panel.set({"money": "known"}).unknown == []
    assert not load("calibration_events").knows("price")
    with pytest.raises(ScenarioError, match="known"):
        panel.set({"money": "knwon"})
