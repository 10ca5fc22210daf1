"""Whose decision a report is about: choices are compared within a world, worlds are named as worlds."""

from __future__ import annotations

import openpyxl
import pptx
import pytest

import churnsim as cs
from churnsim.report import findings, page, slides, workbook
from churnsim.report.decision import conduct, decided, world
from churnsim.report.overview import between, sections
from churnsim.report.plans import deviation, plan, scope


class Scenarios:
    """A result as far as decisions look at it."""

    def __init__(self, scenarios):
        self.scenarios = scenarios

    scenario_name = cs.Result.scenario_name
    _known = staticmethod(cs.Result._known)
    _hashes = property(lambda self: self.scenarios)


@pytest.fixture(scope="module")
def hotels():
    case = cs.load("two_hotels").set({"customers.count": 100, "horizon": 6, "burn_in": 4})
    return Scenarios({name: case.arm(name) for name in case.arm_names})


@pytest.fixture(scope="module")
def every(hotels):
    """All ten arms, run."""
    return cs.run(list(hotels.scenarios.values()), [1, 2, 3], progress=False)


def some(hotels, *names):
    return Scenarios({name: hotels.scenarios[name] for name in names})


@pytest.mark.parametrize(
    ("names", "asked", "firm", "baseline", "main", "is_choice"),
    [
        # Nanyuan's own conduct alone differs between the case and its standing by; nobody acting is another world.
        (("case", "both_passive", "nanyuan_passive"), {}, "nanyuan", "nanyuan_passive", "case", True),
        (("case", "both_passive", "nanyuan_passive"), {"firm": "eton"}, "eton", "both_passive", "nanyuan_passive",
         True),
        (("case", "eton_restores", "nanyuan_only"), {}, "eton", "nanyuan_only", "case", True),
        (("case", "both_passive"), {}, "nanyuan", "both_passive", "case", False),
        (("case", "no_budget"), {}, "nanyuan", "case", "no_budget", False),
        (("case", "nanyuan_passive", "no_budget"), {"main": "no_budget"}, "nanyuan", "case", "no_budget", False),
        (("case", "both_passive", "nanyuan_passive"), {"baseline": "both_passive", "main": "case"}, "nanyuan",
         "both_passive", "case", False),
        (("case", "both_passive", "nanyuan_passive"), {"main": "nanyuan_passive"}, "nanyuan", "case",
         "nanyuan_passive", True),
        (("case",), {}, "nanyuan", "case", "case", False),
    ],
)  # fmt: skip
def test_choices_are_compared_within_one_world(hotels, names, asked, firm, baseline, main, is_choice):
    found = decided(some(hotels, *names), **asked)
    assert (found.firm, found.baseline, found.main, found.is_choice) == (firm, baseline, main, is_choice)
    assert sorted(name for each in found.worlds for name in each.names) == sorted(names)
    assert main in found.worlds[0].names
    if is_choice:
        same = [world(hotels.scenarios[name], firm) for name in (baseline, main)]
        own = [conduct(hotels.scenarios[name], firm) for name in (baseline, main)]
        assert same[0] == same[1] and own[0] != own[1]


def test_conduct_and_world_are_the_whole_scenario(hotels):
    moved = hotels.scenarios["case"].move(tick=3, firm="eton", price=250).move(tick=3, firm="nanyuan", price=310)
    for firm, own in (("eton", "firms.eton.price"), ("nanyuan", "firms.nanyuan.price")):
        changed = conduct(moved, firm) - conduct(hotels.scenarios["case"], firm)
        assert {path for path, _ in changed} == {own}
        assert not conduct(moved, firm) & world(moved, firm)
    assert conduct(moved, "eton") | world(moved, "eton") == conduct(moved, "nanyuan") | world(moved, "nanyuan")


def test_worlds_are_compared_where_the_firm_does_the_same(hotels):
    found = decided(hotels)
    assert [each.names for each in found.worlds[:2]] == [("nanyuan_passive", "case"), ("both_passive", "nanyuan_only")]
    assert found.references["nanyuan_only"] == "both_passive"  # the same choice where Eton does nothing
    alone = set(found.references) - {"case", "nanyuan_only"}
    assert alone == {"eton_restores", *(name for name in hotels.scenarios if name.startswith("no_"))}
    assert {found.references[name] for name in alone} == {"case"}
    asked = decided(hotels, baseline="both_passive", main="case")
    assert set(asked.references.values()) == {"both_passive"} and len(asked.references) == 9


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"firm": "etton"}, "unknown firm"), ({"main": "cse"}, "unknown scenario"),
     ({"baseline": "case", "main": "case"}, "compared with itself")],
)  # fmt: skip
def test_what_cannot_be_asked(hotels, asked, said):
    with pytest.raises(ValueError, match=said):
        decided(hotels, **asked)


def test_the_report_says_whose_choice_it_is(every):
    found = findings(every)
    assert plan(found, "case") == "relationship investment" and plan(found, "nanyuan_passive") == "no change"
    assert "“relationship investment” than with “no change”" in found.answer() or "no difference" in found.answer()
    assert "The decision is Nanyuan's" in scope(found)[0] and "Eton: price cut" in scope(found)[1]
    assert "--firm eton" in scope(found)[2]
    assert any("Eton: no change" in line for line in found.supports())
    eton = findings(every, firm="eton")
    # Two strategies of the same name are told apart by what differs in them.
    assert plan(eton, "case") == "price cut" and "19" in plan(eton, "eton_restores")
    none = findings(every, baseline="both_passive", scenario="case")
    assert "no choice of Nanyuan's alone" in scope(none)[0] and "Eton: price cut" in scope(none)[0]
    assert deviation(found, "no_budget") == "as “Eton cuts and Nanyuan invests”, with binding budget: no"


def test_differences_are_to_what_a_scenario_is_compared_with(every):
    found = findings(every)
    for name, reference in found.decision.references.items():
        row = every.diff(reference, "cumulative_profit", at=6).set_index(["scenario", "firm"]).loc[name, "nanyuan"]
        assert found.differences[name, "nanyuan", "cumulative_profit"].mean == row["mean"]
    rows = [row for section in sections(found) for row in section.rows]
    assert sorted(row.name for row in rows) == sorted(every.scenarios)
    assert [row.name for row in rows if row.main] == ["case"]
    assert all(bool(row.cells[0].change) == (row.name in found.decision.references) for row in rows)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_ten_arms_fit_their_slides(every, tmp_path, lang):
    found = findings(every, lang=lang)
    slides(found, tmp_path / "r.pptx")
    deck = pptx.Presentation(str(tmp_path / "r.pptx"))
    told = set()
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.top + shape.height <= deck.slide_height and shape.left + shape.width <= deck.slide_width
            if shape.has_chart:
                assert len(shape.chart.plots[0].series) <= 6
            if shape.has_table:
                cells = [[cell.text_frame.text for cell in row.cells] for row in shape.table.rows]
                assert len(cells) <= 14
                told |= {row[0] for row in cells}
    assert all(any(found.title(name) in said for said in told) for name in every.scenarios)
    workbook(found, tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[0]
    assert {cell.value for cell in sheet["C"]} >= {found.title(name) for name in every.scenarios}


def test_a_page_of_ten_arms_has_every_one_once_in_its_table(every, monkeypatch):
    monkeypatch.setattr("churnsim.report.html_page.drawings", lambda found, letters: {})
    found = findings(every)
    written = page(found)
    table = written[written.index('<table class="kpis">') :].partition("</table>")[0]
    assert table.count('<th scope="row">') == 10
    assert "6 scenarios are not drawn" in written


@pytest.mark.parametrize(
    ("ends", "said"),
    [(("−¥49.4 k", "−¥39.2 k"), "−49.4 … −39.2"), (("33.2 %", "35.6 %"), "33.2 … 35.6"), (("¥0", "¥3 k"), "¥0 … ¥3 k")],
)
def test_intervals_write_their_unit_once(ends, said):
    assert between(*ends).replace("\N{NO-BREAK SPACE}", " ") == said


def test_control_arms_of_ones_own_scenario_are_known(tmp_path):
    """Nobody stands by in it: the control arm is what its file says."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "id: mine\nextends: two_hotels\nclaims: []\nfirms: {nanyuan: {strategy: {name: price_cut, depth: 5%}}}\narms:\n"
        "  fair: {title: Fair, set: {firms.nanyuan.strategy: {name: cost_plus}}}\n"
        "  usual: {title: Usual, control: true, set: {firms.nanyuan.strategy: {name: price_cut, depth: 10%}}}\n",
        encoding="utf-8",
    )
    case = cs.load(path)
    result = Scenarios({name: case.arm(name) for name in ("case", "fair", "usual")})
    assert decided(result, firm="nanyuan").baseline == "usual"
    # Without the case nobody knows.
    assert decided(Scenarios({name: case.arm(name) for name in ("fair", "usual")}), firm="nanyuan").baseline == "fair"
