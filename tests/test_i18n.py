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
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys():
    assert keys("en") == keys("zh")


@pytest.mark.parametrize("key", keys("en"))
def test_both_languages_fill_in_the_same_values(key):
    english, chinese = text(key, "en"), text(key, "zh")
    assert english and chinese
    assert fields(english) == fields(chinese)


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


@pytest.mark.parametrize(
    ("value", "lang", "said"),
    [
        (3.1e6, "en", "¥3.1 M"),
        (3.1e6, "zh", "¥310 万"),
        (-356_000, "en", f"{MINUS}¥356 k"),
        (999_960, "en", "¥1.0 M"),
        (240_000_000, "zh", "¥2.4 亿"),
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
