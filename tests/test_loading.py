"""Loading scenario files: what is read, what extends what, the schema."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest

from churnsim.config import library
from churnsim.config.errors import ScenarioError
from churnsim.config.loading import ScenarioWarning, builtin_names, load
from churnsim.config.schema import scenario_schema
from scenario_files import MINIMAL, problems_of

ROOT = Path(__file__).resolve().parents[1]


# ---------------------------------------------------------------------- what is read


@pytest.mark.parametrize("name", builtin_names())
def test_builtin_scenarios(name, tmp_path):
    scenario = load(name)
    assert scenario.id == name == scenario.name
    assert scenario.title.en
    assert scenario.question.en != scenario.question.zh
    assert scenario.sources
    for arm in scenario.arm_names:
        assert scenario.arm(arm)
    path = tmp_path / "again.yaml"
    path.write_text(scenario.to_yaml(), encoding="utf-8")
    assert load(path) == scenario


def test_two_hotels_has_its_controls():
    case = load("two_hotels")
    assert {name for name, arm in case.arms.items() if arm.control} == {"both_passive", "nanyuan_passive"}
    assert tuple(case.firms) == ("nanyuan", "eton")
    assert case.firms["eton"].strategy.depth == 0.25


def test_minimal_file(write):
    scenario = load(write(MINIMAL, "My first-try 2.yaml"))
    assert scenario.id == "my_first_try_2"
    assert scenario.title.zh == "One hotel"
    assert scenario.firms["solo"].initial_share == 0.5
    assert load(write(MINIMAL, "我的酒店.yaml")).id == "scenario"


def test_path_forms(write, monkeypatch):
    path = write(MINIMAL)
    monkeypatch.chdir(path.parent)
    assert load("mine.yaml") == load(path) == load(str(path)) == load("./mine.yaml")


def test_byte_order_mark_windows_lines_and_document_marks(write):
    plain = load(write(MINIMAL))
    assert load(write(b"\xef\xbb\xbf" + MINIMAL.encode())) == plain
    assert load(write(MINIMAL.replace("\n", "\r\n"))) == plain
    assert load(write(f"%YAML 1.2\n---\n{MINIMAL}...\n")) == plain


def test_yaml_1_2_rules(write):
    text = MINIMAL + "tick: week\ncustomers: {count: 0x64, growth: 1e-3, choice: {noise: 8_0}}\nseed: 010\n"
    scenario = load(write(text))
    assert (scenario.customers.count, scenario.customers.growth, scenario.seed) == (100, 0.001, 10)
    assert load(write(MINIMAL.replace("One hotel", "no"))).title.en == "no"


def test_a_source_is_one_string_or_a_text_in_each_language(write, tmp_path):
    text = MINIMAL.replace("[assumed]", "[Keaveney 1995, {en: 'Assumed: all', zh: 假设：全部}]")
    scenario = load(write(text))
    assert [source.en for source in scenario.sources] == ["Keaveney 1995", "Assumed: all"]
    assert [source.zh for source in scenario.sources] == ["Keaveney 1995", "假设：全部"]
    assert scenario.key == load(write(MINIMAL)).key, "where its numbers come from does not change a scenario"
    assert load(write(scenario.to_yaml(), "again.yaml")) == scenario


def test_aliases(write):
    firms = "firms:\n  a: &it {name: A, price: 210}\n  b: *it\n"
    scenario = load(write(MINIMAL.split("firms:")[0] + firms))
    assert scenario.firms["b"].price == 210


def test_headings_with_nothing_below_say_nothing(write):
    assert load(write(MINIMAL + "customers:\n  # count: 3\nmoves:\narms:\n")) == load(write(MINIMAL))


def test_names_in_any_script(write):
    text = MINIMAL.replace("solo", "南苑") + 'claims: [{id: a, text: x, holds: "share.南苑@1-3 >= 0"}]\n'
    assert tuple(load(write(text)).firms) == ("南苑",)


def test_part_of_a_default_distribution(write):
    scenario = load(write(MINIMAL + "customers: {opportunity: {a: 3}, switching_cost: {cv: 0}}\n"))
    assert (scenario.customers.opportunity.a, scenario.customers.opportunity.b) == (3, 2)
    assert scenario.customers.switching_cost.mean == 110


def test_full_width_percent_sign(write):
    assert load(write(MINIMAL.replace("50%", "50\uff05"))).firms["solo"].initial_share == 0.5


# ---------------------------------------------------------------------- extends


def test_extends_says_only_what_differs(write):
    case = load("two_hotels")
    path = write("extends: two_hotels\ntitle: mine\nfirms: {eton: {strategy: {depth: 10%}, quality: {scale: 50}}}\n")
    scenario = load(path)
    assert scenario.title.en == "mine"
    assert scenario.id == "mine"
    assert scenario.question == case.question
    assert scenario.firms["eton"].strategy.depth == 0.1
    assert scenario.firms["nanyuan"] == case.firms["nanyuan"]
    assert scenario.arm_names == case.arm_names
    assert scenario.key == case.set({"firms.eton.strategy.depth": 0.1, "firms.eton.quality.scale": 50}).key


def test_extends_a_file_beside_it_and_in_a_chain(write, tmp_path):
    (tmp_path / "deep").mkdir()
    write("extends: two_hotels\nhorizon: 96\nfirms: {eton: {price: 310}}\n", "a.yaml")
    write("extends: ../a.yaml\nfirms: {eton: {unit_cost: 80}}\n", "deep/b.yaml")
    eton = load(tmp_path / "deep" / "b.yaml").firms["eton"]
    assert (eton.price, eton.unit_cost) == (310, 80)


def test_what_a_case_is_called_is_not_inherited(write):
    with pytest.warns(ScenarioWarning):
        child = load(write("extends: two_hotels\nhorizon: 30\n"))
    assert load("two_hotels").case.en == "Eton cuts and Nanyuan invests"
    assert child.case_title is None and child.case.en == "The case itself" and child.case.zh == "案例本身"
    own = load(write("extends: two_hotels\ncase_title: Mine\n"))
    assert own.case.zh == "Mine" and load(write(own.to_yaml())) == own


def test_extends_replaces_distributions_lists_and_named_strategies(write):
    scenario = load(
        write(
            "extends: two_hotels\nsources: [me]\ncustomers: {switching_cost: 0, opportunity: {a: 3}}\n"
            "firms: {eton: {strategy: {name: mixed}}}\narms: {eton_restores: null}\nclaims: []\n"
        )
    )
    assert [source.zh for source in scenario.sources] == ["me"]
    assert scenario.customers.switching_cost.value == 0
    assert (scenario.customers.opportunity.a, scenario.customers.opportunity.b) == (3, 2)
    assert scenario.firms["eton"].strategy.name == "mixed"
    assert "eton_restores" not in scenario.arms


def test_extends_drops_a_firm_only_when_told_so(write):
    with pytest.warns(ScenarioWarning, match="left out what no longer fits"):
        alone = load(write("extends: two_hotels\nfirms: {eton: null}\n"))
    assert tuple(alone.firms) == ("nanyuan",)
    assert "both_passive" not in alone.arms
    with pytest.warns(ScenarioWarning):
        assert load(write("extends: two_hotels\nfirms:\n  eton:\n")) == alone
    assert load(write("extends: two_hotels\nfirms:\n")).firms.keys() == {"nanyuan", "eton"}


def test_extends_drops_an_arm(write):
    for nothing in ("", " null", " ~"):
        scenario = load(write(f"extends: two_hotels\narms:\n  eton_restores:{nothing}\nclaims: []\n"))
        assert "eton_restores" not in scenario.arms
        assert "both_passive" in scenario.arms


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("firms:\n  eton:\n  # nobody\n  nanyuan:\n\n\nhorizon: 96\n", 2, "a scenario has 1 to 8 firms, not 0"),
        ("firms:\n  etton:\n\n\nhorizon: 96\n", 3, "no firm 'etton' in this scenario; did you mean eton?"),
        ("arms:\n  eton_restore:\n\n", 3, "no arm 'eton_restore' in this scenario; did you mean eton_restores?"),
        ("firms:\n  eton:\n    price:\n\n\nhorizon: 96\n", 4, "must be a number"),
        ("firms: {etton: {price: 200}}\n", 2, "a new firm needs a name; did you mean eton?"),
        ("firms: {zzz: {price: 200}}\n", 2, "'name' is missing in firms.zzz; a new firm needs a name"),
    ],
)
def test_extends_says_what_is_wrong_with_a_firm(write, text, line, message):
    (problem,) = problems_of(write("extends: two_hotels\n" + text))
    assert message in problem.line_in("en")
    assert problem.line == line


def test_extends_leaves_out_what_no_longer_fits_with_one_warning(write):
    with pytest.warns(ScenarioWarning) as caught:
        scenario = load(write("extends: two_hotels\nhorizon: 24\nfirms: {eton: {strategy: passive}}\n"))
    assert len(caught) == 1
    assert "arm eton_restores" in str(caught[0].message)
    assert "eton_restores" not in scenario.arms
    assert {claim.id for claim in scenario.claims} == {"T1", "T9"}


def test_extends_crops_inherited_moves(write):
    write(
        "extends: two_hotels\nmoves: [{tick: 8, firm: eton, price: 225}, {tick: 90, firm: eton, price: 1}]\n", "a.yaml"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScenarioWarning)
        scenario = load(write("extends: a.yaml\nhorizon: 24\n"))
    assert [move.tick for move in scenario.moves] == [8]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: two_hotel\n", "no built-in scenario 'two_hotel'; did you mean two_hotels?"),
        ("extends: nowhere.yaml\n", "no such file"),
        ("extends: mine.yaml\n", "extends itself: mine.yaml -> mine.yaml"),
        ("extends: [a, b]\n", "must be a text, not a list"),
        ("extends:\n", "must be a text, not nothing"),
    ],
)
def test_extends_errors(write, text, expected):
    (problem,) = problems_of(write(text))
    assert expected in problem.line_in("en")
    assert (problem.line, problem.path) == (1, "extends")


def test_problem_in_a_parent_names_the_parent(write):
    write("extends: two_hotels\nfirms: {eton: {price: -1}}\n", "parent.yaml")
    (problem,) = problems_of(write("extends: parent.yaml\nhorizon: 96\n"))
    assert problem.file.endswith("parent.yaml")
    assert (problem.line, problem.column) == (2, 23)


# ---------------------------------------------------------------------- library, schema


def test_installed_package_comes_before_the_source_tree(tmp_path, monkeypatch):
    inside = tmp_path / "churnsim" / "scenarios"
    inside.mkdir(parents=True)
    shutil.copy(ROOT / "scenarios" / "two_hotels.yaml", inside / "installed.yaml")
    monkeypatch.setattr(library.resources, "files", lambda package: tmp_path / package)
    assert library.builtin_names() == ("installed",)
    shutil.rmtree(inside)
    assert "two_hotels" in library.builtin_names()


def test_schema_describes_the_built_in_files():
    jsonschema = pytest.importorskip("jsonschema")
    from ruamel.yaml import YAML

    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for place, name in enumerate(builtin_names()):
        content = YAML(typ="safe", pure=True).load(
            (library.builtin_folder() / f"{name}.yaml").read_text(encoding="utf-8")
        )
        assert not list(validator.iter_errors(content))
        if place % 5:
            continue  # written out in full they are long; some do
        written = YAML(typ="safe", pure=True).load(load(name).to_yaml())
        assert not list(validator.iter_errors(written))
    assert list(validator.iter_errors({"extends": "two_hotels", "firms": {"eton": {"prise": 3}}}))
    assert list(validator.iter_errors({"extends": "two_hotels", "firms": {"eton": {"strategy": "price_cutt"}}}))
    assert not list(validator.iter_errors({"extends": "two_hotels", "firms": {"eton": {"initial_share": "25%"}}}))
    for members, right in (
        (["ucb", {"strategy": {"name": "price_cut", "depth": "10%"}, "weight": 2}], True),
        (["ucbb"], False),
        ([{"strategy": {"name": "price_cut", "dept": 0.1}}], False),
    ):
        strategy = {"name": "portfolio", "members": members}
        found = list(validator.iter_errors({"extends": "two_hotels", "firms": {"eton": {"strategy": strategy}}}))
        assert (not found) == right, members


def test_strategies_in_a_mixture_are_read_and_checked_like_any(write):
    """Names, mappings and percentages; problems have their place."""
    head = "extends: two_hotels\nclaims: []\narms: {eton_restores: null}\nfirms:\n  eton:\n    strategy:\n"
    members = "      name: portfolio\n      members: [harvest, {strategy: {name: price_cut, depth: 20%}, weight: 3}]\n"
    plan = load(write(head + members))
    found = plan.firms["eton"].strategy.members
    assert [(member.strategy.name, member.weight) for member in found] == [("harvest", 1), ("price_cut", 3)]
    assert found[1].strategy.depth == 0.2
    assert load(write(plan.to_yaml())) == plan
    moved = plan.move(3, {"firms.eton.strategy": {"name": "lottery", "members": ["ucb", "passive"]}})
    assert moved.at(3).firms["eton"].strategy.members[0].strategy.name == "ucb"
    for wrong, told in (("depth", "did you mean depth"), ("price_cut", "did you mean price_cut")):
        with pytest.raises(ScenarioError, match=told):
            load(write(head + members.replace(wrong, wrong[:-1])))
