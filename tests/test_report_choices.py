"""Reports of scenarios of one's own: several choices, other money, other trades, firms that close."""

from __future__ import annotations

from html import escape
from types import SimpleNamespace

import numpy as np
import openpyxl
import pptx
import pytest

import churnsim as cs
from churnsim.config.units import sells_stays, unit_told
from churnsim.declarations import REQUIRED, defaults
from churnsim.plots import About, ghost
from churnsim.report import findings, merged, page, slides, workbook
from churnsim.report.choices import Ranking, headline, ranking
from churnsim.report.doubts import _Question
from churnsim.report.figures import _wanted
from churnsim.report.html_page import _row
from churnsim.report.overview import others
from churnsim.report.plans import scope
from churnsim.report.quantities import Difference
from churnsim.report.suggesting import suggestion
from churnsim.report.verdicts import verdicts

GYM = """\
extends: two_hotels
id: gym
title: {en: Three gyms in one town, zh: 一座城市的三家健身房}
question: {en: Price or care or contracts?, zh: 价格、关怀还是合约？}
sources: [Assumed for a workshop]
currency: EUR
horizon: 18
burn_in: 8
customers:
  count: 250
  quality_value: {dist: lognormal, mean: 62, cv: 0.2}
  switching_cost: {dist: lognormal, mean: 18, cv: 0.5}
  transaction_cost: {dist: lognormal, mean: 4, cv: 0.5}
  opportunity: 0.95
  choice: {noise: 11, outside_value: 4}
  taste: {sd: 10}
  attachment: {value: 30}
  belief: {learning: 0.98}
firms:
  nanyuan: null
  eton: null
  studio:
    name: {en: Studio Nord, zh: 北方健身}
    price: 45
    unit_cost: 8
    service: 12
    fixed_cost: 4.5
    capacity: 0.4
    cash: 20
    initial_share: 0.3
    quality: {scale: 9}
    strategy: {name: relationship_investment, level: accountable, training: 1}
  fitbox:
    name: FitBox
    price: 45
    unit_cost: 8
    service: 12
    fixed_cost: 4.5
    capacity: 0.4
    cash: 20
    initial_share: 0.3
    quality: {scale: 9}
    strategy: {name: price_cut, depth: 20%}
  cityclub:
    name: {en: City Club, zh: 城市俱乐部}
    price: 45
    unit_cost: 8
    service: 12
    fixed_cost: 14
    capacity: 0.4
    cash: 5
    initial_share: 0.3
    quality: {scale: 9}
arms:
  eton_restores: null
  both_passive: null
  nanyuan_passive: null
  nanyuan_only: null
  no_budget: null
  no_crowding: null
  no_reference_price: null
  no_attachment: null
  no_word_of_mouth: null
  idle:
    control: true
    title: {en: Studio Nord does nothing, zh: 北方健身不应对}
    set: {firms.studio.strategy: {name: passive}}
  matches:
    title: {en: Studio Nord matches the price, zh: 北方健身跟价}
    set: {firms.studio.strategy: {name: match_rival}}
  sells_contracts:
    title: {en: Studio Nord sells contracts, zh: 北方健身推合约}
    set: {firms.studio.strategy: {name: contract, length: 12, fee: 45}}
  nobody:
    title: {en: Nobody acts, zh: 各方都不行动}
    set: {firms.studio.strategy: passive, firms.fitbox.strategy: passive}
claims:
  - id: care_pays
    text: {en: Care earns more than doing nothing, zh: 关怀比不应对多赚}
    estimate: cumulative_profit.studio@18 - cumulative_profit.studio[idle]@18
    above: 0
  - id: cut_wins
    text: {en: FitBox has more than a tenth, zh: FitBox 超过一成}
    holds: share.fitbox@18 > 0.1
  - id: alone
    text: {en: Nothing is not everything, zh: 单独}
    holds: share.studio[matches]@18 > 0
"""
SEEDS = range(1, 7)
CHOICES = ("case", "idle", "matches", "sells_contracts")


@pytest.fixture(scope="module")
def gym(tmp_path_factory):
    file = tmp_path_factory.mktemp("gym") / "gym.yaml"
    file.write_text(GYM, encoding="utf-8")
    return cs.load(file)


@pytest.fixture(scope="module")
def result(gym, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "gym"
    cs.run([gym.arm(name) for name in (*CHOICES, "nobody")], SEEDS, progress=False).save(folder)
    return cs.open(folder)


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr("churnsim.report.html_page.drawings", lambda found, letters: {})


def profits(result):
    """Profit of the studio at the end, a row per seed and a column per choice."""
    ticks = result.ticks
    rows = ticks[(ticks["tick"] == 18) & (ticks["firm"] == "studio") & ticks["scenario"].isin(CHOICES)]
    return rows.astype({"scenario": object}).pivot(index="seed", columns="scenario", values="cumulative_profit")


def test_arms_may_set_a_strategy_as_a_mapping(result, no_figures):
    assert all("strategy" in str(arm.set) for arm in result.scenarios["case"].arms.values())
    assert "Studio Nord" in page(findings(result))


def test_a_move_may_set_a_strategy_as_a_mapping(gym, no_figures):
    moved = gym.arm("idle").move(tick=3, **{"firms.studio.strategy": {"name": "match_rival", "response": 0.5}})
    found = findings(cs.run([gym.arm("case"), moved.named("moved")], [1, 2], progress=False))
    assert "matching rivals" in page(found) and "{&#39;name" not in page(found)


def test_the_headline_names_the_best_of_several_choices(result):
    table = profits(result)
    best, second = table.mean().sort_values(ascending=False).index[:2]
    found = findings(result)
    assert found.ranking.names[:2] == (best, second) and set(found.ranking.names) == set(CHOICES)
    assert found.main == (best if best != "idle" else second) and found.baseline == "idle"
    wins = int((table[best] >= table.max(axis=1)).sum())
    assert found.ranking.first_in == wins
    said = found.answer()
    assert said.startswith("Of 4 choices") and f"“{found.called(best)}”" in said
    assert f"best in {wins} of 6 runs" in said and f"“{found.called(second)}”" in said
    gap = result.diff("idle", "cumulative_profit", at=18).set_index(["scenario", "firm"])
    row = gap.loc[best if best != "idle" else second, "studio"]
    against = found.ranking.behind["idle" if best != "idle" else second]
    assert against.mean == pytest.approx(row["mean"]) and against.low == pytest.approx(row["low"])
    told = scope(found)[0]
    assert "between 4 choices" in told and all(found.title(name) in told for name in CHOICES)
    assert "Nobody acts" not in told


def test_a_scenario_that_was_asked_for_is_told_beside_the_best(result):
    best = findings(result).ranking.best
    other = next(name for name in CHOICES if name not in (best, "idle"))
    found = findings(result, scenario=other)
    assert found.main == other and found.answer().startswith("Of 4 choices")
    assert f"with “{found.called(other)}” than" in found.answer() or "no difference between" in found.answer()


def test_choices_that_cannot_be_told_apart_are_said_to_be(result):
    found = findings(result)
    clear, unclear = Difference(9e3, 8e3, 1e4, 6, 6), Difference(10.0, -500.0, 520.0, 3, 6)
    names = ("matches", "sells_contracts", "case", "idle")
    rank = Ranking(names, 4, 6, {"sells_contracts": unclear, "case": clear, "idle": clear})
    said = headline(found, rank)
    assert (
        "cannot tell them apart" in said and "contract terms" in said and "€9.0" in said and "than “no change”" in said
    )
    rank = Ranking(("idle", "matches", "case"), 6, 6, {"matches": clear, "case": clear})
    assert "“no change” earns Studio Nord most" in headline(found, rank)
    assert ranking(result, "studio", CHOICES).equals == tuple(
        name for name in found.ranking.names[1:] if not found.ranking.behind[name].sign
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_slides_and_workbook_tell_closings_and_the_best(result, tmp_path, no_figures, lang):
    events = result.events
    closed = events[
        (events["event"] == "insolvent") & (events["firm"] == "cityclub") & (events["scenario"] == "matches")
    ]
    found = findings(result, lang=lang)
    each = found.closings["matches", "cityclub"]
    assert (each.runs, each.tick) == (len(closed), int(closed["tick"].median())) and each.runs > 0
    line = next(line for line in found.supports() if found.firm_name("cityclub") in line)
    assert found.say("closing.where", scenario=found.called("matches"), n=each.runs, runs=6,
                     tick="month" if lang == "en" else "月", at=each.tick) in line  # fmt: skip
    written = page(found)
    assert escape(line, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in written
    assert found.say("closing.cell", n=each.runs, runs=6) in written
    slides(found, tmp_path / "r.pptx")
    first = pptx.Presentation(str(tmp_path / "r.pptx")).slides[0]
    told = "\n".join(shape.text_frame.text for shape in first.shapes if shape.has_text_frame)
    assert found.answer() in told and scope(found)[0] in told and line in told
    workbook(found, tmp_path / "r.xlsx")
    cells = {cell.value for cell in openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[0]["A"]}
    assert {found.answer(), scope(found)[0], line} <= cells


def test_a_firm_that_never_closes_is_not_told_of(result):
    found = findings(result)
    assert not any(firm == "fitbox" for _, firm in found.closings)
    _, rows = others(found)
    assert all(not cells[0].spread for _, cells in rows)  # FitBox comes first


@pytest.mark.parametrize(("lang", "said"), [("en", "set in this scenario"), ("zh", "本情景设定")])
def test_a_value_that_was_set_does_not_cite_the_source_of_the_default(result, tmp_path, lang, said):
    found = findings(result, lang=lang)
    sources = {each.path: each.source for each in found.inputs}
    for path in ("firms.studio.price", "customers.choice.noise", "firms.fitbox.strategy.depth"):
        assert sources[path] == said, path
    assert "Thomson" in sources["customers.attachment.growth"]
    workbook(found, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[3]
    cells = {row[0]: row[-1] for row in sheet.iter_rows(min_row=3, values_only=True)}
    assert cells["firms.studio.price"] == said


def test_a_value_that_only_some_scenarios_set_says_so(gym):
    other = gym.arm("idle").set({"customers.attachment.growth": 0.1}).named("slower")
    found = findings(cs.run([gym.arm("idle"), other], [1, 2], progress=False))
    source = {each.path: each.source for each in found.inputs}["customers.attachment.growth"]
    assert source.startswith("Thomson") and source.endswith("set otherwise in some of the scenarios")


def test_defaults_are_those_of_the_records_that_are_there(gym):
    usual = defaults(gym)
    assert usual["customers.choice.noise"] == 75 and usual["firms.studio.price"] == 300
    assert usual["firms.fitbox.strategy.depth"] == 0.25  # of the price cut, though a firm is passive by default
    assert usual["customers.quality_value.mean"] == 420
    assert usual["customers.opportunity.value"] is REQUIRED  # a constant, where the default is a beta


def test_show_does_not_cite_the_source_of_the_default_for_a_value_of_the_file(cli, tmp_path):
    (tmp_path / "gym.yaml").write_text(GYM, encoding="utf-8")
    rows = {row["path"]: row for row in cli("show", "gym.yaml", "--json").json["parameters"]}
    noise, growth = rows["customers.choice.noise"], rows["customers.attachment.growth"]
    assert (noise["from"], noise["source"]) == ("file", "") and "Tellis" in noise["default_source"]
    assert growth["from"] == "default" and growth["source"] == growth["default_source"] != ""
    for lang, mark in (("en", "default: "), ("zh", "默认值：")):
        told = cli("show", "gym.yaml", "--lang", lang).out
        assert f"{mark}gives" in told or f"{mark}价格" in told


def test_a_study_is_offered_in_the_money_of_the_scenario(result):
    found = findings(result)
    factors = suggestion(found)["factors"]
    values = {each.path: each.values[0] for each in found.inputs}
    for path, levels in factors.items():
        low, high = next(iter(levels.values()))
        assert low < values[path] < high, path
    assert factors["customers.choice.noise"]["uniform"] == [7.33, 22.0]  # 50 to 150 for 75
    assert factors["customers.choice.outside_value"]["uniform"] == [-29.5, 29.5]
    assert factors["customers.attachment.value"]["uniform"] == [0.0, 45.0]
    assert factors["customers.belief.learning"]["uniform"][1] == 1  # not beyond the hard bound
    assert suggestion(found)["arms"].keys() == {found.baseline, found.main}


def test_the_study_of_the_defaults_keeps_their_ranges(tmp_path):
    case = cs.load("two_hotels").set({"customers.count": 100, "horizon": 3, "burn_in": 3})
    cs.run([case.arm("case"), case.arm("nanyuan_passive")], [1, 2], progress=False).save(tmp_path / "r")
    factors = suggestion(findings(cs.open(tmp_path / "r")))["factors"]
    assert factors["customers.choice.noise"]["uniform"] == [50, 150]
    assert factors["customers.choice.outside_value"]["uniform"] == [-200, 200]


def test_a_study_of_other_ranges_is_said_to_be_of_another_market(result):
    noise, learning = np.linspace(50, 150, 60), np.random.default_rng(1).uniform(0.1, 1, 60)
    columns = {"customers.choice.noise": noise, "customers.belief.learning": learning}
    question = object.__new__(_Question)
    question.found, question.outcome, question.paired = findings(result), "profit", True
    question._simple, question.names = None, {path: path for path in columns}
    study = SimpleNamespace(outcomes={"profit": "cumulative_profit.studio"}, factors=columns)
    question.store = SimpleNamespace(study=study)
    analysis = SimpleNamespace(
        values=lambda outcome: np.where(noise > 100, 1.0, -3.0)[None, :] + np.zeros((2, 1)),
        independent=lambda: np.arange(60), points=SimpleNamespace(labels=lambda path, rows: columns[path][rows]),
        study=study,
    )  # fmt: skip
    (said,) = question._elsewhere(analysis)
    assert "customers.choice.noise" in said and "learning" not in said
    assert not any("customers.choice.noise at" in line for line in question._turns(analysis))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_claims_of_a_file_are_checked_in_the_report(result, tmp_path, no_figures, lang):
    found = findings(result, lang=lang)
    told = {one.text: one for one in verdicts(found).claims}
    assert len(told) == 3 and verdicts(found).left_out == 0
    won = told["FitBox has more than a tenth" if lang == "en" else "FitBox 超过一成"]
    assert won.key == "yes" and won.evidence == found.say("claim_held", n=6, runs=6, needed="90\N{NO-BREAK SPACE}%")
    care = next(one for one in told.values() if one is not won and "€" in one.evidence)
    gap = result.diff("idle", "cumulative_profit", at=18).set_index(["scenario", "firm"]).loc["case", "studio"]
    assert care.key == ("yes" if gap["low"] > 0 else "no") and found.cash(gap["mean"]) in care.evidence
    assert won.evidence in page(found)
    workbook(found, tmp_path / "r.xlsx")
    notes = {cell.value for cell in openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[4]["B"]}
    assert any(won.evidence in str(note) for note in notes)


def test_claims_of_arms_that_were_not_run_are_counted(gym):
    found = findings(cs.run([gym.arm("case"), gym.arm("idle")], [1, 2], progress=False))
    assert len(verdicts(found).claims) == 2 and verdicts(found).left_out == 1
    assert "1 more claim speaks" in verdicts(found).remarks(found)[0]
    # An arm of that name from elsewhere is not the claim's.
    changed = cs.run([gym.set({"firms.studio.price": 50}).arm("matches")], [1, 2], progress=False)
    both = findings(merged([cs.run([gym.arm("case"), gym.arm("idle")], [1, 2], progress=False), changed]))
    assert len(verdicts(both).claims) == 2


def test_claims_of_a_changed_built_in_scenario_come_with_a_remark():
    case = cs.load("two_hotels").set({"customers.count": 100, "horizon": 96, "burn_in": 12})
    found = findings(cs.run([case.arm("case"), case.arm("nanyuan_passive")], [1], progress=False))
    assert verdicts(found).changed and verdicts(found).claims
    assert "Settings were changed" in verdicts(found).remarks(found)[0]


def test_a_purchase_is_a_stay_only_in_hotels(gym, result):
    assert (
        not sells_stays(gym)
        and sells_stays(cs.load("two_hotels"))
        and sells_stays(cs.load("two_hotels").arm("no_budget"))
    )
    assert unit_told("currency per stay", gym, "en") == "currency per purchase"
    assert unit_told("stays per market customer and tick", gym, "zh") == "次购买/市场客户·期"
    assert unit_told("per stay", cs.load("two_hotels"), "zh") == "每次入住"
    for lang in ("en", "zh"):
        for each in findings(result, lang=lang).inputs:
            assert " stay" not in each.unit and "入住" not in each.unit + each.label, each.path


@pytest.mark.parametrize(
    ("lang", "cut"),
    [
        ("en", "price cut (depth of the cut: 20 % of the list price; first month of the cut: 1)"),
        ("zh", "降价（降价幅度：标价的 20 %；降价开始：第 1 月）"),
    ],
)
def test_deeds_and_inputs_read_as_sentences(result, no_figures, lang, cut):
    found = findings(result, lang=lang)
    written = page(found).replace("\N{NO-BREAK SPACE}", " ")
    assert cut in written
    depth = next(each for each in found.inputs if each.path == "firms.fitbox.strategy.depth")
    row = _row(found, depth)
    assert row["cells"][0].replace("\N{NO-BREAK SPACE}", " ") == "20 %" and "0.2" not in row["cells"]
    if lang == "en":
        assert row["unit"] == "of the list price"
        for clumsy in ("The other 1", "the 1 other", "in sum than", "for this kind of reason", "First tick"):
            assert clumsy not in written
        assert "1 scenario is not drawn" in written and "The one other difference" in written


def test_the_figures_name_the_choices(result, gym):
    found = findings(result)
    drawn = {name: draw for _, name, draw, _ in _wanted(found)}
    names = (found.called(found.baseline), found.called(found.main))
    for figure in ("ghost_profit", "cause_waterfall", "profit_waterfall"):
        ax = drawn[figure]()
        ax.figure.canvas.draw()
        said = [text.get_text() for text in (*ax.texts, *ax.get_yticklabels())]
        assert all(any(text.startswith(name) for text in said) for name in names), figure
        assert not {"With", "Without"} & {text.partition("  ")[0] for text in said}
    # On its own a figure still tells with from without.
    pair = result.ticks[result.ticks["scenario"].isin(["case", "idle"])]
    pair = pair.assign(scenario=pair["scenario"].cat.set_categories(["idle", "case"]))
    assert any(text.get_text().startswith("Without") for text in ghost(pair, about=About()).texts)


def test_the_long_figure_of_many_firms_comes_last_in_its_part(result):
    order = [name for block, name, _, _ in _wanted(findings(result)) if block == "causes"]
    assert order == ["taxonomy", "switching", "cause_waterfall", "causes"]


def test_a_firm_with_a_title_is_told_that_it_has_a_name(cli, tmp_path):
    (tmp_path / "own.yaml").write_text("extends: two_hotels\nfirms: {spa: {title: Spa}}\n", encoding="utf-8")
    (error,) = (
        each for each in cli("check", "own.yaml", "--json").json["files"][0]["errors"] if each["path"].endswith("title")
    )
    assert error["suggestion"] == "did you mean name?"


def test_a_kind_of_reason_that_nobody_has_is_not_told(result):
    found = findings(result)
    of = found.causes[found.main, found.firm]
    causes = {
        **found.causes,
        (found.main, found.firm): {**of, "classes": {"customer": 1.0, "fault": 0.004, "competitive": 0.0}},
    }
    found.__dict__["causes"] = causes  # a cached property
    assert "to blame" not in found.reason(found.main)
    causes[found.main, found.firm]["classes"] = {"customer": 0.9, "fault": 0.1, "competitive": 0.0}
    assert "to blame" in found.reason(found.main)
