"""The command line, as a person and as a program meet it."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from churnsim import running
from churnsim.cli import app, options, progress, summary
from churnsim.cli.leads import NOBODY, _last_change, lead_change
from churnsim.cli.run import ENGINES
from churnsim.cli.session import BadInputError, Session, language
from churnsim.cli.verify import plain
from churnsim.engine import kernel, ladders
from churnsim.i18n import money, percent
from conftest import ROOT

SMALL = ("--customers", 200, "--horizon", 8, "--set", "burn_in=4", "--seeds", 2, "--no-plots")
ESCAPE = "\x1b"

BAD = """\
extends: two_hotels
firms:
  eton:
    prise: 225
    service: -5
"""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Write a scenario file with two mistakes."""
    file = tmp_path / "bad.yaml"
    file.write_text(BAD, encoding="utf-8")
    return file


def tables(folder: Path) -> dict[str, bytes]:
    """Return the bytes of a result's tables."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.parquet"))}


# ---------------------------------------------------------------------- run


def test_run_answers_with_the_shape_of_the_contract(cli):
    answer = cli("run", "two_hotels", *SMALL, "--json")
    assert answer.code == 0
    found = answer.json
    assert list(found) == ["scenario", "id", "arms", "out"]
    assert found["scenario"] == "two_hotels"
    assert found["out"] == f"results/two_hotels-{found['id']}"
    assert Path(found["out"], "run.json").is_file()
    plan = cs.load("two_hotels")
    controls = [name for name, arm in plan.arms.items() if arm.control]
    assert controls
    assert list(found["arms"]) == ["case", *controls]
    for arm in found["arms"].values():
        assert set(arm["firms"]) == set(arm["causes"]) == set(plan.firms)
        for measures in arm["firms"].values():
            assert set(measures) == {name for name, measure in cs.MEASURES.items() if measure.scope == "firm"}
            for numbers in measures.values():
                assert set(numbers) == {"mean", "low", "high"}
                known = [value for value in numbers.values() if value is not None]
                assert known == [] or numbers["low"] <= numbers["mean"] <= numbers["high"]
        for shares in arm["causes"].values():
            assert shares == {} or sum(shares.values()) == pytest.approx(1)


def test_json_is_alone_on_standard_output(cli):
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case", "--json")
    assert json.loads(answer.out)
    assert "2 of 2 runs" in answer.err
    assert "saved" in answer.err


def test_numbers_are_those_of_the_python_interface(cli):
    found = cli("run", "two_hotels", *SMALL, "--arm", "case", "--json").json
    plan = cs.load("two_hotels").set({"customers.count": 200, "horizon": 8, "burn_in": 4}).arm("case")
    ticks = cs.run(plan, seeds=[1, 2], progress=False).ticks
    last = ticks[(ticks["tick"] == 8) & (ticks["firm"] == "eton")]
    assert found["arms"]["case"]["firms"]["eton"]["share"]["mean"] == pytest.approx(last["share"].mean(), abs=0)
    assert found["arms"]["case"]["firms"]["eton"]["cash"]["low"] == pytest.approx(last["cash"].quantile(0.05))


@pytest.mark.parametrize("change", [("--threads", 2), ("--jobs", 1), ("--engine", "agents")])
def test_numbers_do_not_depend_on_how_they_are_computed(cli, change):
    words = ("run", "two_hotels", *SMALL, "--arm", "case", "--json")
    assert cli(*words, "--out", "a").json["arms"] == cli(*words, "--out", "b", *change).json["arms"]
    assert tables(Path("a")) == tables(Path("b"))


def test_table_shows_firms_and_intervals(cli):
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case", "--arm", "both_passive")
    assert answer.code == 0
    assert ESCAPE not in answer.out + answer.err
    for words in (
        "[case]",
        "[both_passive]",
        "Nanyuan",
        "Eton",
        "month 2",
        "month 8",
        "last 8 months",
        "next",
    ):
        assert words in answer.out
    assert answer.out.count("Main reason") == 2
    assert re.search(r"Market share +month 2 +\d+ %", answer.out.replace("\N{NO-BREAK SPACE}", " "))
    assert "Use 30 or more" in answer.err


def test_progress_has_a_line_per_tenth_and_the_time(cli):
    answer = cli("run", "two_hotels", *SMALL, "--seeds", 20, "--arm", "case")
    lines = [line for line in answer.err.splitlines() if " of 20 runs" in line]
    assert 2 <= len(lines) <= 11
    assert all(re.match(r"\d\d:\d\d:\d\d +\d+ %", line) for line in lines)
    assert lines[-1].endswith("100 %  20 of 20 runs")


def test_quiet_says_only_where_the_result_is(cli):
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case", "--out", "mine", "-q")
    assert (answer.out, answer.err) == ("mine\n", "")


def test_arms(cli):
    every = cli("run", "two_hotels", *SMALL, "--arm", "all", "--json").json
    assert list(every["arms"]) == list(cs.load("two_hotels").set({"horizon": 8}).arm_names)
    unknown = cli("run", "two_hotels", *SMALL, "--arm", "nobody", "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "both_passive" in unknown.err


def test_settings_and_moves_change_the_numbers_and_the_id(cli):
    words = ("run", "two_hotels", *SMALL, "--arm", "both_passive", "--json")
    plain = cli(*words).json
    cheap = cli(*words, "--set", "firms.eton.price=150").json
    moved = cli(*words, "--move", "tick=3 firms.eton.price=150").json
    named = cli(*words, "--move", "tick=3 firm=eton price=150 note='price war'").json
    price = [a["arms"]["both_passive"]["firms"]["eton"]["price"]["mean"] for a in (plain, cheap, moved)]
    assert price == [300, 150, 150]
    assert len({answer["id"] for answer in (plain, cheap, moved)}) == 3
    assert named["arms"] == moved["arms"]


def test_percentages_are_read(cli):
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case", "--set", "firms.eton.strategy.depth=50%", "--json")
    assert answer.json["arms"]["case"]["firms"]["eton"]["price"]["mean"] == 150


def test_figures_are_saved(cli):
    words = [word for word in SMALL if word != "--no-plots"]
    answer = cli("run", "two_hotels", *words, "--arm", "case", "--out", "mine")
    assert "mine/figures/" in answer.out
    assert {"share_fan.png", "churn.png", "causes.png"} <= {file.name for file in Path("mine/figures").iterdir()}
    cli("run", "two_hotels", *SMALL, "--arm", "case", "--out", "mine")
    assert not Path("mine/figures").exists()


def test_repeating_a_result(cli):
    first = cli("run", "two_hotels", *SMALL, "--move", "tick=3 firms.eton.price=150", "--out", "a", "--json").json
    again = cli("run", "--from", "a", "--out", "b", "--json")
    assert again.code == 0
    assert again.json == first | {"out": "b", "identical": True}
    assert tables(Path("a")) == tables(Path("b"))
    in_place = cli("run", "--from", "a")
    assert "identical" in in_place.err
    assert "saved" not in in_place.out


def test_repeating_says_what_differs(cli):
    cli("run", "two_hotels", *SMALL, "--arm", "case", "--out", "a")
    saved = cs.open("a")
    saved.ticks.loc[0, "share"] += 1e-12
    saved.save("a")
    assert isinstance(saved.ticks, pd.DataFrame)
    answer = cli("run", "--from", "a", "--json")
    assert answer.code == 1
    assert answer.json["identical"] is False
    assert "ticks" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name a scenario"),
        (("two_hotels", "--from", "a"), "Name a scenario"),
        (("--from", "nowhere"), "no run.json"),
        (("two_hotel",), "two_hotels"),
        (("two_hotels", "--seeds", "0"), "--seeds 0"),
        (("two_hotels", "--seeds", "7-3"), "--seeds 7-3"),
        (("two_hotels", "--seeds", "many"), "such as 50"),
        (("two_hotels", "--engine", "steam"), "compiled, agents"),
        (("two_hotels", "--set", "price"), "firms.eton.price=225"),
        (("two_hotels", "--set", "firms.eton.price=[1"), "firms.eton.price=225"),
        (("two_hotels", "--set", "firms.eton.prise=1"), "price"),
        (("two_hotels", "--move", "firms.eton.price=1"), "tick=8"),
        (("two_hotels", "--move", "tick=8"), "tick=8"),
        (("two_hotels", "--move", "tick=8 'firms.eton.price=1"), "tick=8"),
        (("two_hotels", "--move", "tick=8 customers.count=3"), "drawn once"),
        (("two_hotels", "--customers", "0"), "customers"),
        (("two_hotels", "--threads", "0"), "threads"),
        (("two_hotels", "--lang", "fr"), "en, zh"),
        (("two_hotels", "--out", "taken"), "nothing was overwritten"),
        (("two_hotels", "--seeds", ""), "such as 50"),
        (("two_hotels", "--seeds", "1-100001"), "at most 100"),
        (("two_hotels", "--out", "taken/diary.txt/sub"), "Not a directory"),
        (("two_hotels", "--out", "x" * 300), "cannot be written"),
    ],
)
def test_bad_input_ends_with_2_and_writes_nothing(cli, words, said):
    Path("taken").mkdir()
    Path("taken/diary.txt").write_text("dear diary", encoding="utf-8")
    answer = cli("run", *words, "--json", *(() if "--seeds" in words or "--from" in words else ("--seeds", 2)))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert [path.name for path in Path().rglob("*")] == ["taken", "diary.txt"]


def test_all_that_is_wrong_is_said_at_once(cli):
    answer = cli(
        "run", "two_hotels", "--set", "firms.eton.prise=3", "--set", "customers.count=-1",
        "--move", "tick=8 firms.etn.price=225", "--move", "tick=9 customers.count=5",
    )  # fmt: skip
    assert answer.code == 2
    assert "4 problems" in answer.err


def test_a_failure_is_one_sentence_and_a_file(cli, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("no stays")

    monkeypatch.setattr("churnsim.running.simulate", broken)
    monkeypatch.setattr("churnsim.running.Markets", broken)
    answer = cli("run", "two_hotels", *SMALL, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    assert "'case' with seed 1" in answer.err
    (crash,) = Path().glob("churnsim-crash-*.txt")
    assert "ZeroDivisionError: no stays" in crash.read_text(encoding="utf-8")
    assert str(crash) in answer.err.replace("\n", "")
    assert not Path("results").exists()
    assert "Traceback" in cli("run", "two_hotels", *SMALL, "-v").err


def test_an_interrupt_inside_ends_with_130(cli, monkeypatch):
    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("churnsim.running.run", stopped)
    monkeypatch.setitem(vars(cs), "run", stopped)
    answer = cli("run", "two_hotels", *SMALL)
    assert answer.code == 130
    assert "nothing was saved" in answer.err
    assert not Path("results").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_control_c_ends_the_process_with_130_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", "from churnsim.cli import main; main()", "run", "two_hotels"]
    command += ["--customers", "2000", "--seeds", "5000", "--arm", "case"]
    streams = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}

    def listen_to_signals() -> None:
        """Undo what a shell does to tests that it runs in the background: they would be deaf to Ctrl-C."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=listen_to_signals, **streams) as child:
        said = child.stderr.readline()
        if "compiling" in said:
            said = child.stderr.readline()
        assert " 0 %" in said
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
        assert child.wait(timeout=60) == 130
    assert "nothing was saved" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_found_first(cli, monkeypatch):
    monkeypatch.chdir("/proc")
    for words in (("run", "two_hotels"), ("run", "two_hotels", "--out", "/proc/xx"), ("new", "mine")):
        answer = cli(*words)
        assert (answer.code, answer.out) == (2, ""), words
        assert "cannot be written" in answer.err
        assert answer.err.count("\n") == 1


@pytest.mark.parametrize(("broken", "said"), [("save", "could not be saved"), ("figures", "its figures")])
def test_a_result_that_cannot_be_saved_is_shown_and_said(cli, monkeypatch, broken, said):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "mine/ticks.parquet")

    monkeypatch.setattr(cs.Result, broken, full)
    answer = cli("run", "two_hotels", *(word for word in SMALL if word != "--no-plots"), "--arm", "case")
    assert answer.code == 1
    assert "Market share" in answer.out
    assert said in answer.err
    assert "mine/ticks.parquet: No space left on device" in answer.err
    assert "should not have happened" not in answer.err
    assert not list(Path().glob("churnsim-crash-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_leaves_early_ends_it_quietly(tmp_path):
    command = [sys.executable, "-c", "from churnsim.cli import main; main()", "run", "two_hotels", "--arm", "case"]
    command += [str(word) for word in SMALL]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert "two_hotels" in child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read()
        assert child.wait(timeout=60) == 141
    assert "Traceback" not in said
    assert "should not" not in said
    assert "BrokenPipe" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert list(tmp_path.glob("results/*/run.json"))


def test_the_next_line_repeats_what_was_typed(cli, tmp_path):
    (tmp_path / "my own.yaml").write_text("extends: two_hotels\n", encoding="utf-8")
    move = "tick=3 firms.eton.price=150"
    words = [word for word in SMALL if word != "--no-plots"]
    answer = cli("run", "my own.yaml", *words, "--no-plots", "--arm", "case", "--move", move)
    assert "churnsim show 'my own.yaml'" in answer.out
    shown = next(line for line in answer.out.splitlines() if line.startswith("next"))
    verify = shown.removeprefix("next").partition(" churnsim run")[0].strip()
    assert verify == (
        f"churnsim verify 'my own.yaml' --set burn_in=4 --set customers.count=200 --set horizon=8 --move '{move}'"
    )
    assert cli(*shlex.split(verify)[1:], "--seeds", 2).code in (0, 1)


def test_closed_firms_are_listed_and_do_not_lead(cli):
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case", "--set", "firms.eton.cash=100", "--set",
                 "firms.eton.price=20")  # fmt: skip
    assert re.search(r"Closed +\N{EN DASH} +in 2 of 2 runs, median month \d", answer.out)
    assert "Lead (mean share over the past 2 months): " in answer.out
    assert ": Eton" not in answer.out
    assert '"Wish for variety" means taste and luck of the day' in answer.out
    assert "Closed" not in cli("run", "two_hotels", *SMALL, "--arm", "case").out


def test_one_of_a_kind_is_not_plural(cli):
    answer = cli("run", "two_hotels", "--seeds", 1, "--customers", 1, "--horizon", 1, "--arm", "case", "--no-plots")
    assert "2 firms · 1 customer · 1 month · seed 1 ·" in answer.out
    assert "last 1 month " in answer.out
    assert "5-95 % of 1 run." in answer.out
    assert "1 of 1 run\n" in answer.err


# ---------------------------------------------------------------------- verify


CLAIMS = """\
extends: two_hotels
burn_in: 4
horizon: 8
customers: {count: 200}
moves: []
claims:
  - {id: cheaper, text: Eton is cheaper, holds: price.eton@8 < price.nanyuan@8, needed: 0.9}
  - {id: gap, text: Difference in quality, estimate: quality.nanyuan@8 - quality.eton@8}
"""


def test_verify(cli, tmp_path):
    (tmp_path / "true.yaml").write_text(CLAIMS, encoding="utf-8")
    (tmp_path / "false.yaml").write_text(CLAIMS.replace("@8 <", "@8 >"), encoding="utf-8")
    one = cli("verify", "true.yaml", "--seeds", 2, "--json")
    assert one.code == 0
    assert list(one.json) == ["scenario", "claims"]
    assert [claim["id"] for claim in one.json["claims"]] == ["cheaper", "gap"]
    for claim in one.json["claims"]:
        more = {"measured"} if claim["needed"] is not None else set()
        assert set(claim) == {"id", "text", "holds", "fraction", "needed", "value", "low", "high"} | more
    both = cli("verify", "true.yaml", "false.yaml", "--seeds", 2, "--json")
    assert both.code == 1
    assert [answer["claims"][0]["holds"] for answer in both.json["scenarios"]] == [True, False]
    told = cli("verify", "false.yaml", "--seeds", 2)
    assert told.code == 1
    assert "FAILS  cheaper  Eton is cheaper" in told.out
    assert "0" in told.out


def test_verify_says_what_is_only_reported_and_has_no_interval(cli, tmp_path):
    (tmp_path / "true.yaml").write_text(CLAIMS, encoding="utf-8")
    one = cli("verify", "true.yaml", "--seeds", 1)
    assert one.code == 0
    assert "2 claims · 1 arm · seed 1" in one.out
    assert "reported  gap" in one.out
    assert one.out.count("(no interval with one run)") == 2
    two = cli("verify", "true.yaml", "--seeds", 2)
    assert "difference \N{MINUS SIGN}" in two.out and "measured on average: " in two.out
    assert "margin" not in two.out and "side" not in two.out
    assert "holds" not in two.out.partition("reported")[2]
    zh = cli("verify", "true.yaml", "--seeds", 2, "--lang", "zh")
    assert "报告  gap" in zh.out
    assert "平均相差" in zh.out and "平均测得：" in zh.out and "两边" not in zh.out


def test_verify_takes_settings(cli, tmp_path):
    (tmp_path / "true.yaml").write_text(CLAIMS, encoding="utf-8")
    dear = ("--set", "firms.eton.price=400", "--set", "firms.eton.strategy.depth=0%")
    assert cli("verify", "true.yaml", "--seeds", 2, *dear).code == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [(5.6e6, "5 600 000"), (-1234.56, "−1 235"), (0.053123, "0.05312"), (12.5, "12.5"), (300, "300"), (0, "0"),
     (1e-12, "0"), (100.0, "100")],
)  # fmt: skip
def test_numbers_of_claims_can_be_read(value, shown):
    assert plain(value).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_scenario_warnings_are_one_translated_line(cli, tmp_path):
    (tmp_path / "short.yaml").write_text("extends: two_hotels\nhorizon: 30\n", encoding="utf-8")
    english = cli("check", "short.yaml")
    assert re.fullmatch(r"note: short\.yaml: left out .*\n", english.err)
    assert "claim T2" in english.err
    chinese = cli("check", "short.yaml", "--lang", "zh").err
    assert chinese.startswith("注意：short.yaml：")
    assert "论断 T2" in chinese
    assert cli("check", "short.yaml", "-q").err == ""


def test_verify_needs_something_to_verify(cli):
    assert cli("verify").code == 2
    both = cli("verify", "two_hotels", "--all")
    assert both.code == 2
    assert "either" in both.err.lower()
    assert cli("verify", "nonsense").code == 2


# ---------------------------------------------------------------------- list, show, new, check, doctor


def test_list(cli):
    found = cli("list", "--json").json
    assert set(found) == {
        "scenarios", "studies", "strategies", "firm_measures", "market_measures", "ledger_measures",
    }  # fmt: skip
    assert "two_hotels_phase" in {row["id"] for row in found["studies"]}
    assert "two_hotels" in {row["id"] for row in found["scenarios"]}
    assert {row["id"] for row in found["strategies"]} == set(cs.STRATEGIES)
    told = cli("list").out
    assert "two_hotels" in told
    assert "price_cut" in told


def test_show(cli):
    found = cli("show", "two_hotels", "--json").json
    rows = {row["path"]: row for row in found["parameters"]}
    assert rows["firms.eton.strategy.depth"]["unit"] == "share of the list price"
    assert rows["customers.choice.noise"] | {"from": "", "value": 0} == {
        "path": "customers.choice.noise", "value": 0, "unit": "currency", "label": "Choice noise", "from": "",
        "source": rows["customers.choice.noise"]["source"],
        "default_source": rows["customers.choice.noise"]["default_source"],
        "low": 0, "high": 1e9, "plausible": [50, 150],
    }  # fmt: skip
    assert {row["from"] for row in rows.values()} == {"file", "default"}
    assert rows["firms.eton.strategy.depth"]["from"] == "file"
    told = cli("show", "two_hotels").out
    for words in ("customers.attachment.value", "Oliver 1980", "both_passive", "control"):
        assert words in told


def test_show_tells_sources_in_the_readers_language(cli):
    for lang, said in (("en", "equations, parameters and the prototype"), ("zh", "方程、参数以及默认值所依据的原型")):
        assert f"docs/model.md: {said}" in cli("show", "two_hotels", "--lang", lang).out.replace("：", ": ")
        assert any(said in source for source in cli("show", "two_hotels", "--lang", lang, "--json").json["sources"])


def test_every_parameter_shown_can_be_set(cli):
    plan = cs.load("two_hotels")
    for row in cli("show", "two_hotels", "--json").json["parameters"]:
        assert plan.set({row["path"]: row["value"]}).key == plan.key, row["path"]


def test_show_differences(cli, tmp_path):
    (tmp_path / "dear.yaml").write_text("extends: two_hotels\nfirms: {eton: {price: 310}}\n", encoding="utf-8")
    found = cli("show", "two_hotels", "--diff", "dear.yaml", "--json").json
    assert found["differences"] == [{"path": "firms.eton.price", "value": 300, "other": 310}]
    assert "firms.eton.price" in cli("show", "two_hotels", "--diff", "dear.yaml").out
    assert "same values" in cli("show", "two_hotels", "--diff", "two_hotels").out


def test_show_schema(cli):
    schema = json.loads(cli("show", "--schema").out)
    assert {"firms", "customers", "moves", "extends"} <= set(schema["properties"]), "a file may extend another"
    assert cli("show").code == 2


def test_new_writes_a_file_that_is_fine_and_says_the_same(cli):
    assert cli("new", "mine").code == 0
    assert cli("check", "mine.yaml").code == 0
    assert cs.load("mine.yaml").key == cs.load("two_hotels").key
    again = cli("new", "mine")
    assert again.code == 2
    assert "already there" in again.err
    assert cli("new", "two_hotels").code == 2
    assert cli("new", "Not a name").code == 2
    assert cli("new", "other", "--from", "mine.yaml", "--json").json == {"file": "other.yaml"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_value_of_a_new_file_can_be_uncommented(cli, lang):
    cli("new", "mine", "--lang", lang)
    head, _, values = Path("mine.yaml").read_text(encoding="utf-8").partition("# tick:")
    values, _, _ = values.rpartition("\n\n# ")
    bare = "\n".join(line.removeprefix("# ") for line in f"# tick:{values}".splitlines())
    Path("mine.yaml").write_text(head + bare + "\n", encoding="utf-8")
    assert cs.load("mine.yaml").key == cs.load("two_hotels").key


def test_check(cli, bad):
    found = cli("check", "bad.yaml", "two_hotels", "--json")
    assert found.code == 2
    wrong, fine = found.json["files"]
    assert fine == {"file": "two_hotels", "errors": []}
    assert [(error["line"], error["path"]) for error in wrong["errors"]] == [
        (4, "firms.eton.prise"),
        (5, "firms.eton.service"),
    ]
    assert set(wrong["errors"][0]) == {"line", "column", "path", "message", "suggestion"}
    assert "price" in wrong["errors"][0]["suggestion"]
    told = cli("check", "bad.yaml")
    assert "   4 |     prise: 225" in told.err


def test_check_speaks_chinese(cli, bad):
    assert "有 2 个问题" in cli("check", "bad.yaml", "--lang", "zh").err
    assert "有 2 个问题" in cli("--lang", "zh", "check", "bad.yaml").err


def test_doctor(cli):
    answer = cli("doctor")
    assert answer.code == 0
    assert "Python" in answer.out
    found = cli("doctor", "--json").json
    ids = {check["id"] for check in found["checks"]}
    assert ids == {"python", "packages", "cores", "cache", "fonts", "encoding", "write"}
    assert all((check["fix"] is None) == check["ok"] for check in found["checks"])


# ---------------------------------------------------------------------- parts


def test_language(monkeypatch):
    for name in ("CHURN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language() == "zh"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert language() == "en"
    monkeypatch.setenv("CHURN_LANG", "zh")
    assert language() == "zh"
    assert language("en") == "en"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_help_in_both_languages(lang):
    environment = {**os.environ, "CHURN_LANG": lang, "PYTHONUTF8": "1"}
    code = "from churnsim.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert {"en": "Simulate customer churn", "zh": "模拟客户流失"}[lang] in done.stdout
    for name in ("list", "show", "new", "check", "run", "verify", "doctor"):
        assert f"\n  {name}" in done.stdout


@pytest.mark.parametrize(
    ("written", "seeds"), [("3", [1, 2, 3]), ("3-5", [3, 4, 5]), ("0-1", [0, 1]), (" 2 - 2 ", [2])]
)
def test_seeds(written, seeds):
    assert options.read_seeds(Session(), written) == seeds


@pytest.mark.parametrize("written", ["", "0", "-1", "1,2", "5-4", "1e3", "100001", "99999999999999999999", "9" * 5000])
def test_bad_seeds(written):
    with pytest.raises(BadInputError):
        options.read_seeds(Session(), written)


@pytest.mark.parametrize(
    ("values", "write", "shown"),
    [
        ((0.36, 0.35, 0.37), percent, "36 %  (35–37)"),
        ((0.36, 0.36, 0.36), percent, "36 %"),
        ((3.1e6, 2.9e6, 3.3e6), money, "¥3.1 M  (2.9–3.3)"),
        ((-3.29e5, -3.32e5, -3.26e5), money, "−¥329 k  (−332 – −326)"),
        ((0.0, -2e3, 1e6), money, "¥0  (−¥2.0 k – ¥1.0 M)"),
        ((float("nan"),) * 3, percent, "–"),
    ],
)
def test_intervals_name_their_unit_once(values, write, shown):
    row = dict(zip(("mean", "low", "high"), values, strict=True))
    assert summary._spread(row, write).replace("\N{NO-BREAK SPACE}", " ") == shown


def test_table_fits_a_terminal(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    answer = cli("run", "two_hotels", *SMALL, "--arm", "case")
    assert "…" not in answer.out
    table = answer.out.partition("[case]")[2].partition("Lead (")[0]
    assert max(len(line) for line in table.splitlines()) <= 80


def test_lead_changes():
    first = np.tile([0.6, 0.4], (40, 1))
    both = np.ones((80, 2), dtype=bool)
    assert _last_change(first, both[:40]) == (0, None, pytest.approx(0.2))
    turned = np.vstack([first, np.tile([0.3, 0.7], (40, 1))])
    winner, tick, _ = _last_change(turned, both)
    assert winner == 1
    assert 40 < tick <= 52
    assert _last_change(first[:3], both[:3])[:2] == (0, None)
    closed = both.copy()
    closed[-1, 1] = False
    assert _last_change(turned, closed)[:2] == (0, 80)
    assert _last_change(turned, ~both)[0] == NOBODY
    assert _last_change(np.full((8, 2), np.nan), both[:8])[0] == NOBODY


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([(0.6, 0.4)] * 9, "throughout (ahead at the end in 9 of 9 runs)"),
        ([(0.6, 0.4)], "throughout (ahead at the end in 1 of 1 run)"),
        ([(0.505, 0.495)] * 9, None),
        ([(0.6, 0.4)] * 8 + [(0.4, 0.6)], None),
        ([(0.505, 0.495)] * 10, "throughout"),
        ([(0.6, 0.4)] * 5 + [(0.4, 0.6)] * 5, "nobody clearly"),
        ([(np.nan, np.nan)] * 10, ": nobody"),
        ([(np.nan, np.nan)] * 3, None),
    ],
)
def test_few_runs_tell_of_a_lead_only_where_it_is_clear(shares, said):
    rows = [
        {"scenario": "case", "seed": seed, "tick": tick, "firm": firm, "share": share, "open": 1.0}
        for seed, run in enumerate(shares)
        for tick in range(1, 5)
        for firm, share in zip(("nanyuan", "eton"), run, strict=True)
    ]
    result = SimpleNamespace(ticks=pd.DataFrame(rows), scenarios={"case": cs.load("two_hotels").set({"horizon": 4})})
    lead = lead_change(Session(), result, "case")
    assert lead == said if said is None else said in lead


def test_a_lead_that_begins_in_the_last_tick_has_no_from_to(cli):
    rows = [
        {"scenario": "case", "seed": seed, "tick": tick, "firm": firm, "share": share, "open": 1.0}
        for seed in range(10)
        for tick in range(1, 5)
        for firm, share in (("nanyuan", 0.3), ("eton", 0.6 if tick == 4 else 0.1))
    ]
    result = SimpleNamespace(ticks=pd.DataFrame(rows), scenarios={"case": cs.load("two_hotels").set({"horizon": 4})})
    assert lead_change(Session(), result, "case") == "Lead (share in each month): Eton at the end (in 10 of 10 runs)"


@pytest.mark.parametrize(
    ("tick", "horizon", "lang", "said"),
    [
        ("month", 96, "en", "Lead (mean share over the past 12 months): Eton throughout"),
        ("week", 26, "en", "Lead (mean share over the past 6 weeks): Eton throughout"),
        ("quarter", 40, "zh", "领先者（按过去 10 个季度的平均占有率）：伊顿酒店"),
        ("year", 7, "zh", "领先者（按每年的占有率）：伊顿酒店"),
    ],
)
def test_a_lead_says_over_how_many_ticks_shares_are_averaged(tick, horizon, lang, said):
    rows = [
        {"scenario": "case", "seed": seed, "tick": t, "firm": firm, "share": share, "open": 1.0}
        for seed in range(10)
        for t in range(1, horizon + 1)
        for firm, share in (("nanyuan", 0.3), ("eton", 0.6))
    ]
    plan = cs.load("two_hotels").set({"horizon": horizon, "tick": tick})
    result = SimpleNamespace(ticks=pd.DataFrame(rows), scenarios={"case": plan})
    assert lead_change(Session(lang=lang), result, "case").startswith(said)


def test_purchases_at_no_firm_are_told(cli):
    """Shares need not add up to one: the rest of the occasions is spent nowhere."""
    answer = cli("run", "two_hotels", "--customers", "200", "--horizon", "30", "--seeds", "3", "--arm", "case")
    line = next(line for line in answer.out.splitlines() if line.startswith("Bought at no firm"))
    found = cs.open(next(Path("results").iterdir()))
    for tick in (24, 30):
        market = found.market[found.market["tick"] == tick]["outside_share"].mean()
        shares = found.ticks[found.ticks["tick"] == tick].groupby("seed")["share"].sum().mean()
        assert market + shares == pytest.approx(1)
        assert f"{percent(market)}" in line and f"in month {tick}" in line


@pytest.mark.parametrize(
    ("name", "lang", "said", "hidden"),
    [
        ("calibration_panel", "en", "Of costs nothing is known here: profit and cash are not shown.", "¥"),
        ("calibration_events", "zh", "此处价格与成本均未知：不显示任何金额。", "¥"),
        ("calibration_retention", "en", "no purchases, money or reasons to show", "Main reason"),
    ],
)
def test_money_that_nobody_knows_is_not_shown(cli, name, lang, said, hidden):
    words = (name, "--seeds", 2, "--customers", 60, "--horizon", 12, "--out", "r", "--lang", lang, "--arm", "case")
    told = cli("run", *words).out
    assert said in told and hidden not in told and "¥" not in told
    assert not list(Path("r/figures").glob("*profit*")) and list(Path("r/figures").glob("*share_fan*"))
    summary = Path("r/summary.csv").read_text(encoding="utf-8")
    assert ",profit," not in summary and ",cash," not in summary and ",share," in summary
    assert (",price," in summary) == (name == "calibration_panel")
    firms = cli("run", *words, "--json").json["arms"]["case"]["firms"]
    assert all("share" in firm and "cumulative_profit" not in firm for firm in firms.values())
    # Whoever knows the costs says so, and sees what follows.
    known = cli("run", name, *words[1:], "--set", "money=known", "--json").json["arms"]["case"]["firms"]
    assert all("cumulative_profit" in firm for firm in known.values())


def test_engines_are_those_of_the_model():
    assert ENGINES == running.ENGINES


@pytest.fixture
def compiled_anew(monkeypatch, tmp_path):
    """A small kernel, compiled into an empty cache: its name, its source, and the folder that Numba made."""
    monkeypatch.setattr(kernel, "CACHE_FOLDER", tmp_path / "cache")
    monkeypatch.setattr(kernel, "CACHED", True)
    (tmp_path / "cache").mkdir()
    name = "ladders.build_ladders"
    assert not kernel.warm(name)
    kernel.kernel(ladders.build_ladders.py_func)(np.ones((2, 5)), 1.0, 2.0)
    (place,) = (tmp_path / "cache").iterdir()
    return name, Path(ladders.__file__), place


def test_what_is_compiled_is_looked_for_where_numba_keeps_it(compiled_anew):
    """Another installation's code in the same folder is of no use to this one."""
    name, _, place = compiled_anew
    assert kernel.warm(name)
    notes = []
    said = SimpleNamespace(note=notes.append, say=lambda key: key)
    assert not progress.note_compiling(said, [name]) and not notes
    place.rename(place.with_name("engine_of_another_installation"))
    assert not kernel.warm(name)
    assert progress.note_compiling(said, [name]) and notes == ["run.compiling"]


def test_compiled_code_is_as_old_as_the_source_it_was_made_from(compiled_anew, monkeypatch):
    """The same source, checked out anew, needs no compiling; an index of another source, or half of one, is none."""
    name, source, place = compiled_anew
    (index,) = place.glob("*.nbi")
    os.utime(index, (0, 0))
    assert kernel.warm(name)
    whole = index.read_bytes()
    for cut in (0, 5, len(whole) // 2):
        index.write_bytes(whole[:cut])
        assert not kernel.warm(name)
    index.write_bytes(whole)
    assert kernel.warm(name)
    assert kernel._is_current(index, source) and not kernel._is_current(index, Path(kernel.__file__))
    monkeypatch.setattr(kernel.numba, "__version__", "0.0")
    assert not kernel.warm(name)


FAULTY = {
    "path.yaml": "scenario: two_hotels\nfactors: {firms.eton.prise: {levels: [1, 2]}}\noutcomes: [share.eton]",
    "sobol.yaml": "scenario: two_hotels\nfactors: {firms.eton.price: {uniform: [200, 220]}}\ndesign: sobol\n"
    "samples: 8\noutcomes: [share.eton]",
    "game.yaml": "scenario: two_hotels\nstrategies: [passive, undercutt]",
    "plan.yaml": "scenario: two_hotels\nfirm: eton\nlevers: {firms.eton.prise: {uniform: [1, 2]}}\n"
    "maximise: {profit: profit.eton}",
    "data.csv": "x\n1\n",
    "broken.yaml": "a: [1",
}
"""Files of which none is what the command below asks for."""


BAD_INPUT = [
    "run nosuch", "run two_hotels --set firms.eton.prise=3", "run two_hotels --seeds x", "run two_hotels --arm x",
    "verify nosuch", "check path.yaml", "report nosuch", "generate nosuch --out d", "replay lesson:nosuch",
    "replay two_hotels -o nowhere/r.html", "play nosuch", "play broken.yaml", "play lesson:nosuch",
    "lesson nosuch", "lesson churn_rate --seeds x", "reproduce nosuch", "results show nosuch",
    "sweep nosuch", "sweep path.yaml", "compare sobol.yaml --outcome x", "compare sobol.yaml --better x",
    "sensitivity nosuch", "sensitivity path.yaml", "sensitivity sobol.yaml --outcome x",
    "sensitivity sobol.yaml --method x", "sensitivity sobol.yaml --screen --outcome x",
    "sensitivity sobol.yaml --confidence 2", "tournament nosuch", "tournament game.yaml", "tournament broken.yaml",
    "optimise nosuch", "optimise plan.yaml", "optimise broken.yaml", "optimise plan.yaml --jobs 2 --dask-local 2",
    "fit nosuch --data data.csv --format panel --out z.yaml",
    "fit calibration_panel --data data.csv --format x --out z.yaml",
    "fit calibration_panel --data data.csv --format panel --out nowhere/z.yaml",
    "fit calibration_panel --data data.csv --format panel --out z.yaml",
    "fit calibration_events --data nosuch.csv --format events --out z.yaml",
    "fit calibration_retention --data data.csv --format retention --out z.yaml",
    "predict nosuch.yaml", "predict path.yaml",
]  # fmt: skip
"""Commands with something wrong in what was typed or in a file."""


def test_bad_input_is_told_before_anything_heavy_is_imported(tmp_path):
    """What numba, SciPy and the like take to import is seconds in which nobody knows what is wrong."""
    for name, content in FAULTY.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    code = (
        "import json, sys\n"
        "from churnsim.cli.app import app\n"
        "found = {}\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    sys.argv[1:] = words.split()\n"
        "    try:\n        app()\n    except SystemExit as end:\n        code = end.code\n"
        "    heavy = {'numba', 'mesa', 'matplotlib.figure', 'scipy', 'SALib', 'starlette'} & set(sys.modules)\n"
        "    found[words] = [code, sorted(heavy)]\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(BAD_INPUT)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {words: [2, []] for words in BAD_INPUT}, done.stderr


def test_documentation_names_every_command_and_option():
    import typer

    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in typer.main.get_command(app).commands.items():
        assert f"churnsim {name}" in written
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert f"`{option}" in written, f"{name} {option}"
