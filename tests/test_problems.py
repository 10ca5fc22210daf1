"""What is said about scenario files that are wrong: everything at once, each with its place."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from churnsim.config.errors import ScenarioError, format_problems
from churnsim.config.loading import check_file, load
from churnsim.config.messages import MESSAGES
from churnsim.config.yaml_lines import MAX_BYTES
from scenario_files import MINIMAL, problems_of

ROOT = Path(__file__).resolve().parents[1]


# ---------------------------------------------------------------------- problems with places


BAD = """\
extends: two_hotels
title: mine
firms:
  eton:
    price_cutt: 25%
    initial_share: 30
    strategy: {name: price_cut, depth: 25, restore: x}
  nanyuan: {strategy: relationship_investmnt, price: cheap, budget: {priority: [service, training]}}
customers:
  switching_cost: {dist: lognormall, mean: 3}
  taste: {sd: -1}
  hazards: {natural: 0.7, lapse: 0.7}
moves:
  - {tick: 23, firm: etton, price: 200}
  - {tick: 8, firm: eton, price: 25%}
  - {tick: 8, firms.eton.prise: 25}
  - {tick: 800, firms.eton.price: 25}
  - {tik: 8, firms.eton.price: 25}
  - {tick: 9, customers.count: 25}
arms:
  foo: {title: t, set: {firms.eton.quality.scal: 3}}
  bar: {title: t, set: {firms.eton.price: -3}, moves: [{tick: 3, firm: eton, servic: 3}]}
  case: {title: t}
claims:
  - {id: a, text: x, holds: shar.eton@1 > 0}
  - {id: b, text: x}
"""


def test_all_problems_at_once_with_their_places(write):
    found = {(problem.line, problem.column): problem.message for problem in problems_of(write(BAD))}
    expected = {
        (5, 5): "unknown setting 'price_cutt' in firms.eton",
        (6, 20): "must be between 0 and 1, not 30",
        (7, 40): "must be between 0 and 1 (share of the list price), not 25",
        (7, 53): "must be a whole number between 1 and 100 000 (tick), not 'x'",
        (8, 23): "unknown strategy 'relationship_investmnt'",
        (8, 54): "must be a number between 0 and 1 000 000 000 (currency per stay), not 'cheap'",
        (8, 90): "unknown value 'training'",
        (10, 26): "unknown distribution 'lognormall'",
        (11, 15): "must be between 0 and 1 000 000 000 (currency), not -1",
        (12, 13): "natural + lapse + credit must not exceed 1 per tick",
        (14, 22): "no firm 'etton' in this scenario",
        (15, 34): "a percentage has no meaning here (unit: currency per stay)",
        (16, 15): "unknown setting 'prise' in firms.eton",
        (17, 12): "a move in tick 800 never happens: the run ends with tick 96",
        (18, 5): "'tick' is missing in moves[4]",
        (18, 6): "unknown setting 'tik'",
        (19, 15): "'customers.count' is drawn once, when the run starts; a move cannot change it."
        " Set it for the whole run instead",
        (21, 25): "unknown setting 'scal' in firms.eton.quality",
        (22, 43): "must be between 0 and 1 000 000 000 (currency per stay), not -3",
        (23, 3): "'case' is a reserved name",
        (25, 29): "unknown measure 'shar'",
        (26, 5): "a claim has either 'holds' or 'estimate'",
    }
    assert found == expected


def test_problems_are_rendered_as_people_read_them(write):
    path = write(BAD)
    error = check_file(path)
    lines = error.render("en").splitlines()
    assert lines[0] == f"{path} has 22 problems"
    start = lines.index("   5 |     price_cutt: 25%")
    assert lines[start + 1] == "     |     ^ unknown setting 'price_cutt' in firms.eton. Did you mean price?"
    assert lines[start + 2].startswith("      allowed: price unit_cost ")
    assert lines[start + 2].endswith(" more"), "of many names the nearest are listed"
    assert "     |                    ^ must be between 0 and 1, not 30. 30 % would be 0.3" in lines
    chinese = error.render("zh")
    assert "有 22 个问题" in chinese
    assert "您是否想写 price" in chinese
    assert "30 % 应写作 0.3" in chinese
    assert format_problems(error.errors, path.read_text(), "en") == error.render("en")


def test_language_of_the_error(write):
    with pytest.raises(ScenarioError) as caught:
        load(write(BAD), lang="zh")
    assert "没有 'price_cutt' 这个设置" in str(caught.value)


def test_caret_stands_under_wide_characters(write):
    path = write("extends: two_hotels\nfirms: {eton: {name: 伊顿酒店, prise: 3}}\n")
    _, caret = check_file(path).render("en").splitlines()[2:4]
    assert caret.index("^") == len("     | ") + len("firms: {eton: {name: , ") + 2 * 4


def test_one_line_per_problem_names_the_place(write):
    path = write("extends: two_hotels\nhorizon: 0\n")
    assert str(check_file(path)) == f"{path}:2:10: horizon: must be between 1 and 30 000 (ticks), not 0"


@pytest.mark.parametrize(
    ("addition", "line", "message"),
    [
        ("firms2: 3\n", 6, "unknown setting 'firms2'"),
        ("tick: hour\n", 6, "unknown value 'hour'"),
        ("currency: yuan\n", 6, "must be a three-letter code such as CNY, not yuan"),
        ("id: Two Hotels\n", 6, "'Two Hotels' must consist of a-z, 0-9 and _, and start with a letter"),
        ("  outside: {name: O}\n", 6, "'outside' is a reserved name"),
        ("  2x: {name: O}\n", 6, "'2x' is not a plain name: letters, digits and _, and no digit first"),
        ("  other: {price: 3}\n", 6, "'name' is missing in firms.other"),
        ("  other: {name: O, initial_share: 60%}\n", 4, "the firms' initial_share values sum to 1.1"),
        ("  other: Other\n", 6, "must be a mapping (name: value), not 'Other'"),
        ("moves: {tick: 3}\n", 6, "must be a list, not a mapping"),
        ("moves: [3]\n", 6, "must be a mapping (name: value), not 3"),
        ("mechanisms: {crowding: 25}\n", 6, "must be true or false, not 25"),
        ("customers: {quality_value: {dist: uniform, low: 3, high: 1}}\n", 6, "low (3) must not exceed high (1)"),
        ("customers: {opportunity: 3}\n", 6, "opportunity must stay between 0 and 1 (per tick)"),
        ("relationship_levels: {}\n", 6, "relationship_levels must have exactly"),
    ],
)
def test_single_problems(write, addition, line, message):
    (problem,) = problems_of(write(MINIMAL + addition))
    assert problem.line == line
    assert message in problem.message


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ("me", "must be a list, not 'me'"),
        ("{en: a, zh: b}", "must be a list, not a mapping"),
        ("[a, 3]", "must be a text (in quotes if it has a colon) or {en: ..., zh: ...}, not 3"),
        ("[null]", "must be a text (in quotes if it has a colon) or {en: ..., zh: ...}, not nothing"),
        ("[Oliver: shortfall]", "must be a text (in quotes if it has a colon) or {en: ..., zh: ...}, not a mapping"),
        ("[{en: a}]", "'zh' is missing in sources[0]"),
        ("[{en: a, zh: 3}]", "must be a text, not 3"),
        ("[{en: a, zh: b, fr: c}]", "unknown setting 'fr' in sources[0]"),
    ],
)
def test_a_source_that_is_none(write, sources, message):
    (problem,) = problems_of(write(MINIMAL.replace("[assumed]", sources)))
    assert problem.line == 3
    assert message in problem.message


def test_a_title_that_is_none(write):
    (problem,) = problems_of(write(MINIMAL.replace("One hotel", "{One: hotel}")))
    assert "必须是文字（含冒号时须加引号）或 {en: ..., zh: ...}" in problem.message_in("zh")


def test_missing_parts(write):
    messages = [problem.message for problem in problems_of(write("horizon: 3\n"))]
    assert messages == ["'title' is missing", "'question' is missing", "'sources' is missing", "'firms' is missing"]
    (problem,) = problems_of(write(MINIMAL.split("  solo")[0].replace("firms:", "firms: {}")))
    assert problem.message == "a scenario has 1 to 8 firms, not 0"


def test_too_many_firms(write):
    firms = "".join(f"  f{number}: {{name: x, initial_share: 0}}\n" for number in range(8))
    (problem,) = problems_of(write(MINIMAL + firms))
    assert problem.message == "a scenario has 1 to 8 firms, not 9"


# ---------------------------------------------------------------------- files that are no scenario


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "the file says nothing"),
        (b"# nothing\n---\n", 1, "the file says nothing"),
        (b"- a\n- b\n", 1, "must be a mapping (name: value), not a list"),
        (b"just words\n", 1, "must be a mapping"),
        (b"title: a\ntitle: b\nfirms: {x: {name: n, name: m}}\n", 2, "'title' appears twice; first in line 1"),
        (b"firms:\n\tx: 3\n", 2, "tabs cannot indent YAML"),
        (b"title: [a\n", 1, "this [ is never closed"),
        (b"title: [x\nseed: 3\n", 1, "this [ is not closed, or holds something that is not valid: line 2"),
        (b'seed: 3\ntitle: "x\n', 2, 'this " is never closed'),
        (b"title: a: b\n", 1, "not valid YAML"),
        (b"title: *nobody\n", 1, "not valid YAML"),
        (b"title: a\n---\ntitle: b\n", None, "not valid YAML"),
        (b"title: !!python/object:os.system x\n", 1, "YAML tags such as !!python/object:os.system are not used here"),
        (b"title: !secret x\n", 1, "YAML tags such as !secret are not used here"),
        (b"a: &x {b: 1}\nc: {<<: *x}\n", 2, "merge keys (<<) are not read"),
        (b"? {a: b}\n: 3\n", 1, "must be a mapping"),
        (b"a: &x [*x]\n", 1, "this alias (*) contains itself"),
        (b"\x00\x01\x02\xff\xfe", None, "this is not a UTF-8 text file"),
        (b"title: \x00\n", None, "this is not a UTF-8 text file"),
        ("title: 酒店\n".encode("gb18030"), None, "this is not a UTF-8 text file"),
        ("title: x\n".encode("utf-16"), None, "this is not a UTF-8 text file"),
        (b"a: " + b"[" * 1500, None, "nested too deeply"),
        (b"a: " + b"[" * 40 + b"]" * 40, 1, "nested too deeply"),
        (b"x" * (MAX_BYTES + 1), None, f"a scenario file has at most {MAX_BYTES // 1024} kB"),
        (b"%YAML 9.9\n---\na: 1\n", None, ""),
        (b"seed: " + b"9" * 5000 + b"\n", None, ""),
    ],
)
def test_files_that_are_no_scenario(write, content, line, message):
    problem = problems_of(write(content))[0]
    assert message in problem.message
    assert line is None or problem.line == line


def test_every_repeated_key_is_named(write):
    found = problems_of(write("title: a\ntitle: b\nfirms: {x: {name: n, name: m}}\n"))
    assert [(problem.line, problem.column) for problem in found] == [(2, 1), (3, 22)]


def test_alias_bomb_is_cut_short(write):
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    start = time.perf_counter()
    (problem,) = problems_of(write("\n".join(levels)))
    assert time.perf_counter() - start < 5
    assert "once aliases (*) are expanded" in problem.message


def test_missing_file_folder_and_unknown_name(tmp_path, write):
    assert problems_of(tmp_path / "none.yaml")[0].message == "no such file"
    (tmp_path / "folder.yaml").mkdir()
    assert problems_of(tmp_path / "folder.yaml")[0].message == "this is a folder, not a scenario file"
    with pytest.raises(ScenarioError, match=r"no built-in scenario 'two_hotel'; did you mean two_hotels\?"):
        load("two_hotel")


def test_damaged_files_never_raise_anything_else(write):
    text = (ROOT / "scenarios" / "two_hotels.yaml").read_text(encoding="utf-8")
    chance = random.Random(1)
    pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        "- ",
        "\n",
        "\t",
        "&a ",
        "*a",
        "'",
        '"',
        "null",
        "25%",
        "@",
        "#",
        "!x ",
        "..",
        "9e999",
    ]
    for _ in range(60):
        damaged = text
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(damaged))
            damaged = damaged[:at] + chance.choice(pieces) + damaged[at + chance.randint(0, 6) :]
        path = write(damaged)
        error = check_file(path)
        if error is not None:
            assert error.render("en")
            assert error.render("zh")


def test_no_hint_where_a_percentage_was_written(write):
    (problem,) = problems_of(write(MINIMAL.replace("50%", "130%")))
    assert problem.line_in("en").endswith("must be between 0 and 1, not 130%")
    (problem,) = problems_of(write(MINIMAL.replace("50%", "30")))
    assert "30 % would be 0.3" in problem.line_in("en")
    assert type(load(write(MINIMAL)).firms["solo"].initial_share) is float


def test_a_move_that_changes_nothing(write):
    (problem,) = problems_of(write(MINIMAL + "moves: [{tick: 3}]\n"))
    assert (problem.line, problem.message) == (6, "a move changes at least one setting")
    assert problem.message_in("zh") == "变动至少要修改一项设置"


def test_an_empty_range_of_an_estimate(write):
    claims = "claims:\n  - {id: a, text: x, estimate: share.solo@1, above: 3, below: 1}\n"
    (problem,) = problems_of(write(MINIMAL + claims))
    assert (problem.line, problem.path) == (7, "claims[0].above")
    assert problem.message_in("zh") == "above（3）必须小于 below（1）"


def test_every_message_is_in_both_languages():
    assert all(set(texts) == {"en", "zh"} for texts in MESSAGES.values())
