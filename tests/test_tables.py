"""Tables of the command line: as wide as they need, and no number is ever broken or cut."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from churnsim.cli.session import Session
from churnsim.cli.tables import fitted, wrapped

ENGLISH = (
    ("strategy", "mean (95 % interval)", "better in", "share"),
    ("relationship investment over a long time", "−¥1 234.5 k (−1 300.1 – −1 100.9)", "12 of 30", "36 %  (35–37)"),
    ("price cut", "¥3.1 M (2.9–3.3)", "30 of 30", "5 %"),
)
CHINESE = (
    ("策略", "均值（95 % 区间）", "更好的次数", "占有率"),
    ("长期关系投资与服务质量投入并重的策略", "−¥123.45 万（−130.01 至 −110.09）", "30 次中 12 次", "36 %（35 至 37）"),
    ("降价", "¥310 万（290 至 330）", "30 次中 30 次", "5 %"),
)
NUMBER = re.compile(r"[−¥\d][\d.,\N{NO-BREAK SPACE}]*\d(?:\N{NO-BREAK SPACE}[%kMB万亿])?|\d")
WIDTHS = (16, 24, 30, 40, 60, 80, 120)


def table_of(rows):
    heads, *body = [[re.sub(r"(?<=\d) (?=[\d%kMB万])", "\N{NO-BREAK SPACE}", cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in body:
        table.add_row(*row)
    return table, body


def printed(table, width):
    console = Console(width=width, file=io.StringIO(), no_color=True, highlight=False)
    for part in fitted(table, console):
        console.print(part, no_wrap=True, overflow="ignore", crop=False)
    return console.file.getvalue()


@pytest.mark.parametrize("rows", [ENGLISH, CHINESE], ids=["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_is_broken(rows, width):
    table, body = table_of(rows)
    said = printed(table, width)
    assert "…" not in said
    for row in body:
        for cell in row:
            for number in NUMBER.findall(cell):
                assert number in said, (width, number)


@pytest.mark.parametrize("rows", [ENGLISH, CHINESE], ids=["en", "zh"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_lines_fit(rows, width):
    assert max(cell_len(line.rstrip()) for line in printed(table_of(rows)[0], width).splitlines()) <= width


def test_words_give_way_before_numbers():
    said = printed(table_of(ENGLISH)[0], 76)
    assert "(−1\N{NO-BREAK SPACE}300.1 – −1\N{NO-BREAK SPACE}100.9)" in said  # numbers on one line, the name on two
    assert "relationship investment over a long time" not in said


def test_rows_become_lists_where_numbers_have_no_room():
    said = printed(table_of(ENGLISH)[0], 24).splitlines()
    assert said[0] == "relationship investment" and said[1] == "over a long time"
    assert "  better in: 12 of 30" in said


def test_wrapping():
    assert wrapped("一二三，四五六", 6) == ["一二", "三，四", "五六"] or wrapped("一二三，四五六", 6)[1][0] != "，"
    assert wrapped("a 12\N{NO-BREAK SPACE}345 b", 4) == ["a", "12\N{NO-BREAK SPACE}345", "b"]
    assert wrapped("第12个月", 4)[0].startswith("第12")
    assert wrapped("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrapped("甲乙（丙丁）戊", 6) == ["甲乙", "（丙", "丁）戊"]
    assert wrapped("甲乙丙，RFM 法", 8) == ["甲乙丙，", "RFM 法"]
    assert wrapped("about 20 % of it", 8) == ["about", "20 % of", "it"]


def test_a_pipe_has_all_the_room(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("x")
    table.add_row("word " * 100)
    shown = Session().console()
    assert not shown.is_terminal
    assert fitted(table, shown) == [table]
