"""Where parameters' numbers come from, in the reader's language: phrases are translated, citations stay."""

from __future__ import annotations

import re
from functools import lru_cache

from churnsim.i18n.texts import keys, text

PHRASES = "provenance.phrase."
"""Key of the phrases that parameters' sources are made of; those are written in English."""

MARKS = {"; ": "；", ": ": "：", ", ": "，"}
"""Marks between phrases, and what stands for them beside Chinese ones."""

HAN = r"[\u3400-\u9fff（）]"
BESIDE = re.compile(rf"(?<={HAN})(?:; |: |, )|(?:; |: |, )(?={HAN})")
BRACKETS = re.compile(r" ?\(([^()]*[\u3400-\u9fff][^()]*)\)")


def source_told(source: str, lang: str) -> str:
    """Return the source of a parameter in a language: all of it is made of phrases, but for names and years."""
    return source if lang == "en" else _translated(source)


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """Return the Chinese of every phrase."""
    return {text(key, "en"): text(key, "zh") for key in keys("en") if key.startswith(PHRASES)}


@lru_cache(maxsize=1)
def _phrases() -> re.Pattern[str]:
    """Return what finds a phrase, the longest first; none is part of a longer word, as "rare" is of "rarely"."""
    longest = sorted(_table(), key=len, reverse=True)
    return re.compile("|".join(rf"(?<![A-Za-z.]){re.escape(one)}(?![a-z])" for one in longest))


@lru_cache(maxsize=1024)
def _translated(source: str) -> str:
    """Return a source with what is found of it in Chinese, and Chinese marks beside that."""
    written = _phrases().sub(lambda match: _table()[match[0]], source)
    if written == source:
        return source
    return BESIDE.sub(lambda match: MARKS[match[0]], BRACKETS.sub(r"（\1）", written)).replace(" （", "（")
