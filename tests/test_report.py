"""Reports: page, workbook and slides say the same, stand alone, and can be read again."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from html import escape
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import openpyxl
import pptx
import pytest

import churnsim as cs
from churnsim.plots import fonts
from churnsim.report import MissingExtraError, findings, merged, page, slides, workbook
from churnsim.report.doubts import SIMPLE, _Question
from churnsim.report.html_page import BLOCKS
from churnsim.report.inputs import inputs, of_every_firm
from churnsim.report.quantities import Difference, money_format
from churnsim.report.reading import WorkbookError, scenarios_in
from churnsim.report.suggesting import suggestion

needs_chinese = pytest.mark.skipif(fonts.chinese_family() is None, reason="no Chinese font on this machine")
SEEDS = range(1, 7)


@pytest.fixture(scope="module")
def result():
    case = cs.load("two_hotels").set({"customers.count": 200, "horizon": 24, "burn_in": 8})
    return cs.run([case.arm("case"), case.arm("both_passive")], SEEDS, progress=False)


@pytest.fixture(scope="module")
def folder(result, tmp_path_factory):
    place = tmp_path_factory.mktemp("results") / "hotels"
    result.save(place)
    return place


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the figures, which take seconds, where something else is tested."""
    monkeypatch.setattr("churnsim.report.html_page.drawings", lambda found, letters: {})


class Addresses(HTMLParser):
    """Collects what a page points to, and where it can be pointed to."""

    def __init__(self):
        super().__init__()
        self.asked, self.ids, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "xlink:href", "action"):
                self.asked.append(value)
            if name == "id":
                self.ids.append(value)


@pytest.mark.parametrize(
    ("lang", "drawn"),
    [("en", True), ("zh", False), pytest.param("zh", True, marks=(needs_chinese, pytest.mark.slow))],
)
def test_the_page_is_whole_and_stands_alone(result, lang, drawn, monkeypatch):
    if not drawn:
        monkeypatch.setattr("churnsim.report.html_page.drawings", lambda found, letters: {})
    found = findings(result, lang=lang, firm="eton")
    written = page(found, command="churnsim run --from hotels")
    parsed = Addresses()
    parsed.feed(written)
    assert all(one.startswith(("#", "data:")) for one in parsed.asked)
    assert {one[1:] for one in parsed.asked if one.startswith("#")} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert not {"script", "iframe", "link", "img"} & set(parsed.tags)
    assert "@import" not in written and "url(http" not in written
    for block in BLOCKS:
        assert block in parsed.ids and found.say(f"block.{block}") in written
    assert found.answer() in written.replace("&#34;", '"')
    assert found.first.id_hash in written and "churnsim run --from hotels" in written
    assert all(f"<li>{escape(source[lang])}</li>" in written for source in found.first.sources)
    assert parsed.tags.count("figure") >= (10 if drawn else 0)
    assert len(written.encode()) < 400_000  # two scenarios of 24 months; 96 months of three take about 500
    assert "@page" in written and "A4" in written
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", written, flags=re.DOTALL)
    assert "None" not in re.sub(r"<[^>]*>", "", body) and "nan" not in re.sub(r"<[^>]*>", "", body).lower().split()
    if lang == "zh":
        said = re.sub(r"<[^>]*>", " ", re.sub(r"<details>.*</details>|<small>.*?</small>", "", body, flags=re.DOTALL))
        assert not re.search(r"Market share|baseline|Revenue|depth|passive|price_cut|false|proactive|tick", said)
        assert "能动型" in said and "降价幅度" in said


def test_the_answer_comes_from_the_pairs(result):
    found = findings(result, firm="eton")
    assert (found.baseline, found.main) == ("both_passive", "case")
    row = result.diff("both_passive", "cumulative_profit", at=24).set_index("firm").loc["eton"]
    gap = found.differences["case", "eton", "cumulative_profit"]
    assert (gap.mean, gap.low, gap.high, gap.better_in) == (row["mean"], row["low"], row["high"], row["better_in"])
    assert gap.sign == -1 and "less" in found.answer() and found.cash(abs(gap.mean)) in found.answer()
    money = found.money["case", "eton"]
    spent = money["sales"] + money["service"] + money["relationship"] + money["programmes"]
    assert money["revenue"] - spent == pytest.approx(money["profit"])
    shares = found.causes["case", "eton"]["classes"]
    assert sum(shares.values()) == pytest.approx(1)


def test_chance_is_not_called_a_difference(result):
    same = {name: one.named(name) for name, one in zip(("a", "b"), [result.scenarios["case"]] * 2, strict=True)}
    again = cs.run(list(same.values()), SEEDS, progress=False)
    found = findings(again)
    assert found.differences["b", "nanyuan", "cumulative_profit"].sign == 0
    assert "no difference" in found.answer()
    assert Difference(-1, -2, 1, 3, 6).sign == 0 and Difference(1, 0.5, 2, 6, 6).sign == 1


def test_a_single_scenario_and_few_seeds(result, no_figures):
    one = cs.run([result.scenarios["case"]], [1], progress=False)
    found = findings(one)
    assert found.others == [] and "share" in found.answer()
    written = page(found)
    assert "1 seed" in written


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_workbook_has_numbers_and_native_charts(result, tmp_path, lang):
    found = findings(result, lang=lang, firm="eton")
    workbook(found, tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    assert [sheet.title for sheet in visible] == [
        found.say(f"sheet.{name}") for name in ("summary", "ticks", "causes", "inputs", "notes")
    ]
    assert [len(sheet._charts) for sheet in visible] == [2, 0, 1, 0, 0]
    ticks = visible[1]
    assert ticks.freeze_panes == "B3"
    numbers = [cell.value for row in ticks.iter_rows(min_row=3) for cell in row if cell.value is not None]
    assert numbers and all(isinstance(value, (int, float)) for value in numbers)
    frame = result.ticks
    mean = frame[(frame["scenario"] == "both_passive") & (frame["firm"] == "nanyuan") & (frame["tick"] == 24)][
        "share"
    ].mean()
    assert ticks.cell(3 + 24, 2).value == pytest.approx(mean)
    assert visible[0].cell(2, 1).value == found.answer()
    notes = {cell.value for row in visible[-1].iter_rows() for cell in row}
    assert {source[lang] for source in found.first.sources} <= notes
    # Printed, a sheet is as wide as a page: it took 72 pages before.
    assert all(sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0 for sheet in visible)


def test_inputs_can_be_read_again(result, tmp_path, cli):
    file = tmp_path / "report.xlsx"
    workbook(findings(result, lang="zh"), file)
    found = scenarios_in(file)
    assert {name: changes for name, (_, changes) in found.items()} == {"both_passive": {}, "case": {}}
    assert found["case"][0].key == result.scenarios["case"].key
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[3]
    heads = {cell.value: cell.column for cell in sheet[2]}
    for row in range(3, sheet.max_row + 1):
        if sheet.cell(row, 1).value == "firms.eton.strategy.depth":
            sheet.cell(row, heads["case"]).value = 0.1
    book.save(file)
    answer = cli("new", "milder", "--inputs", file)
    assert answer.code == 0, answer.err
    milder = cs.load(tmp_path / "milder.yaml")
    assert milder.firms["eton"].strategy.depth == 0.1
    assert milder.key == result.scenarios["case"].set({"firms.eton.strategy.depth": 0.1}).key
    # Title and question are no longer those of a cut by a quarter.
    assert milder.title["en"] == "Two hotels: milder"
    assert "Depth of the cut 0.1 instead of 0.25" in milder.question["en"] and "0.1" in milder.question["zh"]
    sheet.cell(row, 1).value, sheet.cell(row, heads["case"]).value = "firms.eton.strategy.depth", 7
    book.save(file)
    wrong = cli("new", "wild", "--inputs", file)
    assert wrong.code == 2 and "firms.eton.strategy.depth" in wrong.err
    assert f"sheet 输入, cell {sheet.cell(row, heads['case']).coordinate}" in wrong.err
    assert cli("new", "other", "--inputs", file, "--from", "nobody").code == 2


def test_an_unchanged_workbook_is_the_scenario_itself(result, tmp_path, cli):
    file = tmp_path / "report.xlsx"
    workbook(findings(result), file)
    assert cli("new", "again", "--inputs", file).code == 0
    again = cs.load(tmp_path / "again.yaml")
    assert again.key == result.scenarios["case"].key and again.title == result.scenarios["case"].title
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[3]
    row = next(row for row in range(3, sheet.max_row + 1) if sheet.cell(row, 1).value == "firms.eton.price")
    for column in (4, 5):
        sheet.cell(row, column).value = 280
    book.save(file)
    both = cli("new", "which", "--inputs", file)
    assert both.code == 2 and "both_passive, case" in both.err
    sheet.cell(row, 4).value, sheet.cell(row, 5).value = 300, None
    book.save(file)
    emptied = cli("new", "which", "--inputs", file)
    assert emptied.code == 2 and f"sheet Inputs, cell E{row}" in emptied.err


def test_other_workbooks_are_refused(tmp_path, cli):
    book = openpyxl.Workbook()
    book.save(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("no workbook")
    for name in ("other.xlsx", "text.xlsx", "absent.xlsx"):
        with pytest.raises(WorkbookError):
            scenarios_in(tmp_path / name)
    assert cli("new", "mine", "--inputs", tmp_path / "other.xlsx").code == 2


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_slides_have_native_charts_and_notes(result, tmp_path, lang):
    found = findings(result, lang=lang, firm="eton")
    slides(found, tmp_path / "report.pptx")
    deck = pptx.Presentation(str(tmp_path / "report.pptx"))
    assert len(deck.slides) == 6
    assert all(slide.notes_slide.notes_text_frame.text.strip() for slide in deck.slides)
    charts = [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    assert len(charts) == 3
    series = {one.name: list(one.values) for one in charts[0].plots[0].series}
    assert len(series) == 4 and all(len(values) == 25 for values in series.values())
    assert any(found.answer() in s.text_frame.text for s in deck.slides[0].shapes if s.has_text_frame)
    # The charts can be edited: each has its numbers in a workbook of its own, the same as it shows.
    for chart in charts:
        book = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
        rows = list(book.worksheets[0].iter_rows(min_row=2, min_col=2, values_only=True))
        shown = [list(one.values) for one in chart.plots[0].series]
        np.testing.assert_allclose(np.array(rows, dtype=float).T, np.array(shown, dtype=float), rtol=1e-12)
    mean = result.ticks[(result.ticks["scenario"] == "case") & (result.ticks["firm"] == "eton")]
    assert series[found.say("comma").join([found.firm_name("eton"), found.title("case")])][-1] == pytest.approx(
        mean[mean["tick"] == 24]["share"].mean()
    )
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
            assert shape.top >= 0 and shape.top + shape.height <= deck.slide_height


def test_only_a_measure_alone_goes_by_its_name():
    assert SIMPLE.fullmatch("share.eton@-11-0")["measure"] == "share"
    assert SIMPLE.fullmatch("profit.eton")["firm"] == "eton"
    assert SIMPLE.fullmatch("profit.eton@36 - profit.nanyuan@36") is None


def test_where_an_answer_turns_is_found(result, monkeypatch):
    """Sixty points whose answer turns where the first assumption is above a half, and nowhere else."""
    first = np.linspace(0.01, 0.99, 60)
    columns = {"first": first, "second": np.random.default_rng(1).permutation(first)}
    gap = np.where(first > 0.5, 1.0, -3.0)[None, :] + np.zeros((2, 1))
    question = object.__new__(_Question)
    question.found, question.outcome, question.paired = findings(result, firm="eton"), "profit", True
    question._simple = SIMPLE.fullmatch("cumulative_profit.eton")
    question.names = {name: name for name in columns}
    study = SimpleNamespace(outcomes={"profit": "cumulative_profit.eton"}, factors=columns)
    question.store = SimpleNamespace(study=study)
    points = SimpleNamespace(labels=lambda path, rows: columns[path][rows])
    analysis = SimpleNamespace(
        values=lambda outcome: gap, independent=lambda: np.arange(60), points=points, study=study
    )
    turned, where = question._turns(analysis)
    assert "in 50\N{NO-BREAK SPACE}% the answer is the opposite" in turned
    assert "first at least 0.5" in where and "second" not in where
    gap[:] = -1.0
    assert "nothing turns the answer" in question._turns(analysis)[0]


def test_results_are_merged_by_seed(result):
    case = result.scenarios["case"]
    other = cs.run([case.set({"firms.eton.strategy.depth": 0.1})], range(3, 9), progress=False)
    both = merged([result, other])
    assert list(both.scenarios) == ["1: case", "both_passive", "2: case"]
    assert both.seeds == [3, 4, 5, 6]
    found = findings(both, scenario="2: case", firm="eton")
    assert found.differences["2: case", "eton", "cumulative_profit"].runs == 4
    with pytest.raises(ValueError, match="no seed in common"):
        merged([result, cs.run([case], [99], progress=False)])


def test_the_command_writes_all_three(folder, cli, tmp_path, no_figures):
    answer = cli("report", folder, "-o", "r.html", "--xlsx", "r.xlsx", "--pptx", "r.pptx", "--json")
    assert answer.code == 0, answer.err
    assert all((tmp_path / name).stat().st_size > 10_000 for name in answer.json["files"])


def test_a_question_asked_of_other_settings_says_so():
    """Who lowers the cut to a tenth must not hand on a page that says a quarter without a word."""
    case = cs.load("two_hotels").set({"customers.count": 100, "horizon": 3})
    for changes, differs in (({}, False), ({"firms.eton.strategy.depth": 0.1}, True)):
        run = cs.run([case.set(changes)], range(1, 3), progress=False)
        assert ("settings were changed" in findings(run).question) == differs


@pytest.fixture(scope="module")
def suggested(folder):
    """A study as the report suggests it, of fewer points and assumptions, run."""
    found = findings(cs.open(folder), firm="eton")
    study = suggestion(found)
    assert set(study["arms"]) == {"both_passive", "case"} and len(study["factors"]) == 15
    factors = dict(list(study["factors"].items())[:3])
    small = {**study, "factors": factors, "samples": 24, "replications": 2}
    return cs.sweep(cs.Study(name="doubts", **small), out=folder.parent / "doubts", jobs=0, progress=False)


def test_a_study_says_what_the_answer_hangs_on(result, suggested, folder, cli, tmp_path, monkeypatch):
    monkeypatch.setattr("churnsim.report.figures._wanted", lambda found: iter(()))  # the others take seconds
    found = findings(result, firm="eton", studies=[suggested])
    (doubt,) = found.doubts
    assert doubt.method == "swings" and list(doubt.frame["outcome"].unique()) == [doubt.outcome]
    assert "Willingness to pay for full quality, mean" in set(doubt.frame["factor"])
    # Eton loses by its cut whatever these assumptions are: the study has the sign of the answer in every run.
    frame = suggested.frame().pivot(index=["row", "replication"], columns="arm", values="profit")
    gaps = frame["case"] - frame["both_passive"]
    against = (gaps > 0).mean()
    assert found.differences["case", "eton", "cumulative_profit"].sign == -1
    assert (f"{100 * against:.0f}\N{NO-BREAK SPACE}%" in doubt.said[1]) if against else "nothing turns" in doubt.said[1]
    assert doubt.frame["mean"].iloc[0] == pytest.approx(gaps.mean())
    answer = cli("report", folder, folder.parent / "doubts", "--firm", "eton")
    assert answer.code == 0, answer.err
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="figure-doubt_1_1"' in written and "doubts.yaml" not in written
    alone = cli("report", folder.parent / "doubts")
    assert alone.code == 2 and "a study alone" in alone.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "not a result folder"),
        (("HERE", "--firm", "etton"), "unknown firm 'etton'"),
        (("HERE", "--baseline", "cse"), "unknown scenario 'cse'"),
        (("HERE", "--baseline", "case", "--scenario", "case"), "compared with itself"),
        (("HERE", "--xlsx", "report.html"), "named twice"),
        (("HERE", "-o", "nowhere/r.html"), "nowhere: No such file"),
        (("HERE", "--pptx", "nowhere/r.pptx"), "nowhere: No such file"),
    ],
)
def test_the_command_says_what_is_wrong(folder, cli, tmp_path, words, said):
    answer = cli("report", *(folder if word == "HERE" else word for word in words))
    assert answer.code == 2 and said in answer.err
    assert not (tmp_path / "report.html").exists()


def test_what_is_not_installed_is_named(result, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtraError, match=r"churnsim\[office\]"):
        workbook(findings(result), tmp_path / "r.xlsx")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_runs_over_the_edge_of_a_phone(result, tmp_path, no_figures, lang):
    from playwright.sync_api import sync_playwright

    case = result.scenarios["case"]
    third = cs.run([case.set({"firms.eton.strategy.depth": 0.1}).named("milder")], SEEDS, progress=False)
    found = findings(merged([result, third]), lang=lang, firm="eton")
    (tmp_path / "r.html").write_text(page(found), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for width in (390, 1280):
            shown = browser.new_page(viewport={"width": width, "height": 800})
            shown.goto((tmp_path / "r.html").as_uri())
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on this machine")
def test_the_page_prints(result, tmp_path):
    (tmp_path / "r.html").write_text(page(findings(result)), encoding="utf-8")
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'r.pdf'}",
         (tmp_path / "r.html").as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    pdf = (tmp_path / "r.pdf").read_bytes()
    # Eight pages or so, and four of the inputs that are folded away on the screen.
    assert pdf.startswith(b"%PDF") and 9 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 15


def test_the_case_has_a_name_of_its_own(result):
    found = findings(result, lang="en")
    assert found.title("case") == "Eton cuts and Nanyuan invests" != found.first.title["en"]
    alone = cs.Result({"case": result.scenarios["case"]}, _rows_of(result, "case"), result.provenance)
    assert findings(alone, lang="en").title("case") == found.first.title["en"]


def _rows_of(result, name):
    """The tables of one scenario of a result."""
    from churnsim import storage

    tables = {table: frame for table in storage.TABLES if (frame := getattr(result, table)) is not None}
    kept = {table: frame[frame["scenario"] == name].copy() for table, frame in tables.items()}
    for frame in kept.values():
        frame["scenario"] = frame["scenario"].cat.remove_unused_categories()
    return kept


def test_inputs_of_every_firm_stand_once(result, no_figures):
    found = findings(result, lang="en")
    every = inputs(found)
    merged_rows = of_every_firm(found, every)
    paths = [each.path for each in merged_rows]
    assert len(set(paths)) == len(paths) < len(every)
    price = next(each for each in merged_rows if each.path == "firms.*.price")
    assert price.label == "List price" and set(price.values) == {300.0}
    # What differs between firms stays with each of them.
    assert "firms.eton.strategy.name" in paths and "firms.nanyuan.strategy.name" in paths
    written = page(found)
    assert written.count("firms.*.price") == 1 and "firms.eton.price<" not in written


def test_units_are_the_scenarios_own(result):
    every = {each.path: each for each in inputs(findings(result, lang="zh"))}
    assert every["customers.switching_cost.mean"].unit == "元"
    assert every["firms.eton.price"].unit == "元/次入住"
    assert every["horizon"].unit == "月"
    english = {each.path: each for each in inputs(findings(result, lang="en"))}
    assert english["firms.eton.price"].unit == "yuan per stay" and english["horizon"].unit == "months"


@pytest.mark.parametrize(
    ("largest", "lang", "written"),
    [(350_000, "en", '#,##0,"k"'), (350_000, "zh", '0\\.0,"万"'), (3e6, "en", '0.0,,"M"'), (900, "zh", "#,##0")],
)
def test_charts_write_money_in_its_unit(largest, lang, written):
    assert money_format(largest, lang) == written


@pytest.mark.parametrize(("lang", "unit"), [("en", "¥200 k"), ("zh", "¥20 万")])
def test_a_tornado_has_a_currency(lang, unit):
    import pandas as pd

    from churnsim import plots

    frame = pd.DataFrame(
        {
            "factor": ["a", "b"], "at_low": [-1e5, 1e5], "at_high": [3e5, 2e5], "end_low": [0, 0], "end_high": [1, 1],
            "mean": 1e5, "swing": [4e5, 1e5], "low": [3e5, 5e4], "high": [5e5, 2e5], "inert": [False, True],
            "outcome": "profit", "method": "swings", "runs": 40, "confidence": 0.95, "noise_share": 0.1,
        }
    )  # fmt: skip
    ax = plots.tornado(frame, measure="cumulative_profit", lang=lang)
    ax.figure.canvas.draw()
    labels = [label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in ax.get_xticklabels()]
    if lang == "zh" and fonts.chinese_family() is None:
        return
    assert unit in labels or unit.replace("20 ", "20.0 ") in labels
    said = [text.get_text() for text in ax.texts]
    assert any(text.startswith("¥") and "[" in text for text in said)
    assert not any("¥" in label.get_text() for label in plots.tornado(frame, lang=lang).get_xticklabels())


@pytest.fixture(scope="module")
def panel():
    case = cs.load("calibration_panel").set({"customers.count": 150, "horizon": 12})
    dear = case.move(1, {"firms.large.price": 60}).named("dear").set({"title": {"en": "Dear", "zh": "涨价"}})
    dearer = case.move(1, {"firms.large.price": 70}).named("dearer").set({"title": {"en": "Dearer", "zh": "更贵"}})
    return cs.run([case.arm("case"), dear, dearer], SEEDS, progress=False)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_costs_choices_are_judged_by_the_share(panel, lang, tmp_path, no_figures):
    found = findings(panel, lang=lang, firm="large")
    assert found.goal == "share" and found.ranking.best == "case"
    label = {"en": "Market share", "zh": "市场占有率"}[lang]
    assert label in found.answer() and {"en": "points", "zh": "个百分点"}[lang] in found.answer()
    html = page(found)
    assert 'id="money"' not in html and 'id="causes"' in html
    workbook(found, tmp_path / "r.xlsx")
    slides(found, tmp_path / "r.pptx")
    profit = {"en": "profit", "zh": "利润"}[lang]
    told = html.split('id="compared"')[0].lower()
    assert told.count(profit) == 1 and {"en": "no profit is shown", "zh": "不显示利润"}[lang] in told
    sheets = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert not any(
        profit in str(cell.value).lower() for row in sheets.worksheets[1].iter_rows(max_row=2) for cell in row
    )
    assert any(label in str(cell.value) for row in sheets.worksheets[0].iter_rows() for cell in row)
    two = findings(panel, lang=lang, firm="large", baseline="case", scenario="dearer")
    assert {"en": "less with", "zh": "低"}[lang] in two.answer() and found.earns is False
    assert {"en": "none of 6 runs", "zh": "没有一次"}[lang] in two.answer()


def test_a_cohort_has_neither_market_nor_money(tmp_path):
    case = cs.load("calibration_retention").set({"customers.count": 300})
    found = findings(cs.run([case.arm("case"), case.arm("constant")], SEEDS, progress=False))
    assert (found.goal, found.is_cohort) == ("customer_share", True)
    html = page(found)
    parts = re.findall(r'<h2 id="(\w+)"', html)
    assert parts == ["answer", "compared", "time", "sure", "method"]
    assert "figure-ghost_share" in html and "figure-customer_share" in html and "profit" not in html.split("<h2")[1]
    workbook(found, tmp_path / "r.xlsx")
    slides(found, tmp_path / "r.pptx")
