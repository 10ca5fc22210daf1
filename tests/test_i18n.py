"""Texts in two languages, and how numbers are written."""

from __future__ import annotations

import math
import re
import string

import pytest

from churnsim.causes import CAUSE_NAMES, CAUSES, ENABLERS, TAXONOMIES
from churnsim.i18n import LANGUAGES, count, keys, money, number, percent, text
from churnsim.i18n.texts import _table
from churnsim.strategies import REGISTRY

MINUS = "\u2212"
SPACE = "\u00a0"


def fields(words: str) -> set[str]:
    return {name.partition("|")[0] for _, name, _, _ in string.Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys():
    assert keys("en") == keys("zh")


def test_both_languages_fill_in_the_same_values():
    both = {key: (text(key, "en"), text(key, "zh")) for key in keys("en")}
    assert {key: words for key, words in both.items() if not all(words)} == {}
    assert {key: words for key, words in both.items() if fields(words[0]) != fields(words[1])} == {}


def test_english_has_no_chinese_characters():
    # Templates of files in both languages hold Chinese by their purpose, and say so in their key.
    found = [key for key, words in _table("en").items() if re.search(r"[\u4e00-\u9fff]", words)]
    assert [key for key in found if not key.endswith("_zh")] == []


def test_everything_that_has_a_name_has_a_text():
    wanted = {f"cause.{name}" for name in CAUSE_NAMES} | {f"enabler.{name}" for name in ENABLERS}
    wanted |= {f"taxonomy.{taxonomy}.{getattr(cause, taxonomy)}" for taxonomy in TAXONOMIES for cause in CAUSES}
    wanted |= {
        f"tick.{tick}.{form}"
        for tick in ("day", "week", "month", "quarter", "year")
        for form in ("name", "plural", "per")
    }
    wanted |= {f"strategy.{name}" for name, kind in REGISTRY.items() if kind.__module__.startswith("churnsim.")}
    assert wanted - set(keys("en")) == set()


def test_unknown_key_and_language_are_named():
    with pytest.raises(KeyError, match=r"nothing\.here"):
        text("nothing.here", "en")
    with pytest.raises(ValueError, match=r"'fr' \(en, zh\)"):
        text("outside", "fr")


def test_values_are_filled_in():
    assert "12" in text("plot.band", "en", runs=12)
    assert "12" in text("plot.band", "zh", runs=12)


def test_words_agree_with_the_number_that_they_stand_by(monkeypatch):
    table = {"two": "{n} {n|run|runs}", "three": "在 {of} 次运行中{n|有 # 次|有 # 次|没有一次}更好"}
    monkeypatch.setattr("churnsim.i18n.texts._table", lambda _: table)
    assert [text("two", n=n) for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert [text("three", n=n, of=9) for n in (0, 1, "2")] == [
        "在 9 次运行中没有一次更好",
        "在 9 次运行中有 1 次更好",
        "在 9 次运行中有 2 次更好",
    ]


@pytest.mark.parametrize(
    ("value", "lang", "said"),
    [
        (3.1e6, "en", "¥3.1 M"),
        (3.1e6, "zh", "¥310 万"),
        (-356_000, "en", f"{MINUS}¥356 k"),
        (999_960, "en", "¥1.0 M"),
        (45_300, "en", "¥45.3 k"),
        (45_300, "zh", "¥4.53 万"),
        (240_000_000, "zh", "¥2.40 亿"),
        (9_400, "zh", "¥9 400"),
        (0, "en", "¥0"),
        (-0.0, "en", "¥0"),
        (-0.01, "en", "¥0.0"),
        (math.nan, "en", "\u2013"),
    ],
)
def test_money(value, lang, said):
    assert money(value, "CNY", lang).replace(SPACE, " ") == said


def test_money_in_another_currency():
    assert money(1500, "SEK").replace(SPACE, " ") == "SEK 1.5 k"


def test_amounts_that_are_read_together_share_a_unit():
    assert [money(v, "CNY", "en", 1, like=2e6).replace(SPACE, " ") for v in (5e5, 2e6)] == ["¥0.5 M", "¥2.0 M"]


def test_numbers_never_have_a_negative_zero():
    assert number(-0.001, 2) == "0.00"
    assert number(-1234.5, 1) == f"{MINUS}1{SPACE}234.5"
    assert count(20_000) == f"20{SPACE}000"
    assert percent(0.361) == f"36{SPACE}%"
    assert percent(-0.0001) == f"0{SPACE}%"
    assert number(math.inf) == percent(math.nan) == "\u2013"


def test_languages():
    assert LANGUAGES == ("en", "zh")


def test_one_thing_and_several():
    assert "4 levels of" in text("cli.tournament.level_plan", "en", levels=4, path="a")
    assert "1 level of" in text("cli.tournament.level_plan", "en", levels=1, path="a")
    assert "mean of 1 run" in text("plot.mean_of", "en", runs=1) + "."
    assert "mean of 1 run" in text("plot.mean_of", "en", runs="1") + "."


CHINESE = "\u4e00-\u9fff"
WESTERN = re.compile(
    rf"[{CHINESE}][,;:!?](?!\w)|[{CHINESE}]\(|\)[{CHINESE}]|\([{CHINESE}]|[{CHINESE}]\)|[{CHINESE}] [{CHINESE}]"
    rf"|[}}\"'][:;] ?[{CHINESE}{{]"
)
ALLOWED = ("moves:", "? ", "[均值, ")
"""What is no mark between Chinese words: a file's own text, and the mark of a doubtful best reply."""


def test_chinese_has_chinese_marks():
    """No comma, colon or bracket of Latin script between Chinese characters."""
    chinese = {key: text(key, "zh") for key in keys("zh") if not key.startswith("web.")}
    allowed = {key for key, words in chinese.items() if any(mark in words for mark in ALLOWED)}
    assert {key: words for key, words in chinese.items() if WESTERN.search(words) and key not in allowed} == {}


def test_every_unit_has_a_chinese_name():
    from churnsim.config.messages import UNITS_ZH
    from churnsim.config.scenario import ScenarioRecord
    from churnsim.config.shape import kind_of_field  # noqa: F401 -- every record is imported with it
    from churnsim.declarations import AS_TRAIT, Record, declaration

    def records(kind):
        yield kind
        for one in kind.__subclasses__():
            yield from records(one)

    declared = (declaration(field) for kind in records(Record) for field in kind.model_fields.values())
    units = {about.unit for about in declared if about is not None and about.label} - {AS_TRAIT}
    assert ScenarioRecord in set(records(Record)) and len(units) > 20
    assert units <= set(UNITS_ZH)


def test_a_distribution_has_the_unit_of_its_trait():
    import churnsim as cs
    from churnsim.declarations import walk

    units = {path: about.unit for path, _, about in walk(cs.load("two_hotels")) if about is not None}
    assert units["customers.switching_cost.mean"] == "currency"
    assert "as the trait" not in units.values()
    with pytest.raises(cs.ScenarioError, match=r"at least 0 \(currency\), not -1"):
        cs.load("two_hotels").set({"customers.switching_cost.mean": -1})
