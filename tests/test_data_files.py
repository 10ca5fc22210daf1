"""Bad and odd data files: what `fit` and `predict` say of them, how briefly, and what they take without a word."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from calibration_data import panel_table, purchase_log, retention_table
from churnsim.calibration.errors import DataError
from churnsim.calibration.files import open_fitted
from churnsim.calibration.fitted import tell
from churnsim.calibration.formats import in_order, read_events, read_marketing, read_panel, read_retention

RETENTION = "segment,period,at_risk,lost\n"
PANEL = "hh,occ,choice,price_a,price_b"
READ = {"retention": read_retention, "panel": read_panel, "events": read_events}


def said_of(kind: str, path) -> list[str]:
    """Return the lines that are said of a bad file."""
    with pytest.raises(DataError) as error:
        READ[kind](path)
    return str(error.value).splitlines()


@pytest.fixture
def file(tmp_path):
    """Write a data file and return its path."""

    def call(content: str | bytes, name: str = "data.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return call


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("retention", RETENTION + "a,1,100%,13\n", ":2: column 'at_risk' must be a plain number (without thousands"),
        ("retention", RETENTION + 'a,1,"1,000",13\n', ":2: column 'at_risk' must be a plain number"),
        ("retention", RETENTION.replace(",", ";") + "a;1;10.000;13\n", ":2: column 'at_risk': is '10.000' a number wi"),
        ("panel", f"{PANEL}\n1,1.5,a,1,2\n", ":2: column 'occ' must be a whole number, not 1.5"),
        ("panel", f"{PANEL},disp_a,disp_b\n1,1,a,1,2,2,0\n", ":2: column 'disp_a' must be from 0 to 1, not 2"),
        ("panel", f"{PANEL},feat_a,feat_b\n1,1,a,1,2,0,-1\n", ":2: column 'feat_b' must be from 0 to 1, not -1"),
        ("panel", f"{PANEL}\n1,1e30,a,1,2\n", ":2: column 'occ' must be from 0 to 1 000 000 000 000, not 1e30"),
        ("panel", f"{PANEL}\n1,1,a,1,2e8\n", ":2: column 'price_b' must be from 0 to 10 000 000, not 2e8"),
        ("panel", f"{PANEL}\nNA,1,a,1,2\n", ":2: column 'hh' must say who it is, not 'NA'"),
        ("events", "id,day\n#N/A,1\n", ":2: column 'id' must say who it is, not '#N/A'"),
        ("events", "id;day;spend\na;1;1,234\na;4;300\n", ":2: column 'spend': is '1,234' a number with thousands or w"),
        ("events", "id,day\na,1\na,2\na,1700000000\n", ":4: '1700000000' is far from the other days, which together"),
        ("events", "id,day\na,31/12/1997\n", ":2: a day is a number or a date like 1997-01-31, not '31/12/1997'"),
    ],
)
def test_values_that_cannot_be_meant_are_refused_in_one_line(file, kind, text, said):
    told = said_of(kind, file(text))
    assert len(told) == 1
    assert said in told[0]


@pytest.mark.parametrize(
    ("kind", "text", "said", "hint"),
    [
        ("events", "id,day,spend\na,1,\na,2,3\n", ":2: column 'spend' is empty", "leave out the column (no forecast"),
        (
            "events",
            "id,day,spend\na,1,-4\na,2,3\n",
            ":2: column 'spend' must be from 0 to 1 0",
            "leave out rows of returns",
        ),
        (
            "retention",
            RETENTION + "a,1997,100,13\n",
            ":2: column 'period' must be from 0 to 366, not 1997",
            "1, 2, 3 ...",
        ),
        ("retention", RETENTION + "a,2024-01,100,13\n", ":2: column 'period' must be a plain number", "1, 2, 3 ..."),
        ("panel", f"{PANEL}\n1,1,a,1,\n", ":2: column 'price_b' is empty", "where one was not on offer, write its"),
        ("panel", f"{PANEL}\n1,1,a,NA,2\n", ":2: column 'price_a' must be a number", "where one was not on offer, wri"),
        ("panel", f"{PANEL}\n1,2024-03-31,a,1,2\n", ":2: column 'occ' must be a plain", "write a date as 20240331"),
    ],
)
def test_what_to_do_about_what_is_often_missing_is_told_once(file, kind, text, said, hint):
    told = said_of(kind, file(text))
    assert len(told) == 2
    assert said in told[0] and hint in told[1]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("retention", "", "data.csv: the file is empty; it must begin with a line of column names"),
        ("retention", "\n \n", "data.csv: the file is empty"),
        ("retention", RETENTION + "a,1,10,1,5\na,2,9,1\n", "data.csv:2: 5 fields, but the header has 4. Between"),
        ("retention", RETENTION + "1,a,1,10,1\n2,a,2,9,1\n", "data.csv:1: the header has 4 names, but every row has"),
        ("events", "Orders\n\nid,day\na,1\n", "data.csv:1: the header has 1 name, but every row has more fields (li"),
        ("retention", RETENTION + "\na,1,10\n", "data.csv:3: 3 fields, but the header has 4"),
        (
            "retention",
            RETENTION + 'a,1,10,1\n"a,2,9,1\na,3,8,1\n',
            "data.csv:3: the row that begins here cannot be read",
        ),
        ("retention", RETENTION.encode() + b"a,1,10,1\nCaf\xe9,1,10,1\n", "data.csv:3: the text is not in UTF-8"),
        ("retention", (RETENTION + "a,1,10,1\n").encode("utf-16"), "data.csv:1: the text is not in UTF-8"),
        (
            "retention",
            RETENTION.replace(",", "|") + "a|1|10|1\n",
            "only one column found ('segment|period|at_risk|lost')",
        ),
        ("retention", b"PK\x03\x04sheet", "this is an Excel workbook (or a zip archive), not a CSV file"),
        ("retention", b"\xd0\xcf\x11\xe0sheet", "this is an Excel workbook"),
        ("events", b"PAR1data", "this is a Parquet file, not a CSV file"),
        ("events", gzip.compress(b"id,day\na,1\n", mtime=0), "this is a compressed file; its name must end in .gz"),
    ],
)
def test_files_that_are_no_tables_are_told_in_our_own_words(file, kind, content, said):
    told = said_of(kind, file(content))
    assert len(told) == 1
    assert said in told[0]


def test_paths_that_are_no_files_are_told_in_our_own_words(file, tmp_path):
    file(RETENTION + "a,1,10,1\n", "customers.csv")
    assert said_of("retention", tmp_path / "customer.csv")[0].endswith("no such file; is 'customers.csv' meant?")
    assert "is a folder" in said_of("retention", tmp_path)[0]
    assert "this is no .gz file, or a broken one" in said_of("retention", file("id,day\n", "log.csv.gz"))[0]
    with pytest.raises(DataError, match="is a folder"):
        cs.fit("calibration_retention", tmp_path / "customers.csv", "retention", out=_made(tmp_path / "out.yaml"))


def _made(folder):
    """Make a folder where a file is expected."""
    folder.mkdir()
    return folder


# ---------------------------------------------------------------------- one cause, few lines


def test_a_mistake_of_every_row_is_told_in_a_few_lines(file):
    rows = "".join(f"1,{k},a,x,-1\n" for k in range(1, 60))
    told = said_of("panel", file(f"{PANEL}\n{rows}"))
    assert len(told) == 10  # of both prices four lines, and how many more there are
    assert told[4] == told[9] == "... and 55 more like them"
    assert [line.rpartition("data.csv:")[2][:2] for line in told[:4]] == ["2:", "3:", "4:", "5:"]


def test_where_most_days_are_dates_only_the_others_are_wrong(file):
    dates = "".join(f"c{k},1997-01-{k:02d}\n" for k in range(1, 29))
    for bad in ("31/01/1997", "5", "1997-02-30", "soon"):
        told = said_of("events", file(f"id,day\n{dates}x,{bad}\n"))
        assert len(told) == 1
        assert f":30: the days of this file are dates; this one must be a date like 1997-01-31, not '{bad}'" in told[0]
    compact = dates.replace("-", "")
    assert len(said_of("events", file(f"id,day\n{compact}x,1997013\n"))) == 1
    numbers = "".join(f"c{k},{k}\n" for k in range(28))
    assert len(said_of("events", file(f"id,day\n{numbers}x,1997-01-31\n"))) == 1


def test_a_price_that_is_missing_for_a_brand_is_told_once(file):
    rows = "".join(f"{k},1,{'abc'[k % 3]},1,2,0,0,0\n" for k in range(60))
    told = said_of("panel", file(f"{PANEL},disp_a,disp_b,disp_c\n{rows}"))
    assert len(told) == 1
    assert "column 'disp_c' belongs to no brand: there is no column price_c" in told[0]
    bare = "".join(f"{k},1,{'abc'[k % 3]},1,2\n" for k in range(60))
    told = said_of("panel", file(f"{PANEL}\n{bare}"))
    assert len(told) == 1
    assert "brand 'c' (20 rows from here on) has no column price_c; there are prices of a, b" in told[0]


def test_columns_given_as_choices_are_told_once_for_each(file):
    rows = "".join(f"{k},1,price_{'ab'[k % 2]},1,2\n" for k in range(60))
    told = said_of("panel", file(f"{PANEL}\n{rows}"))
    assert len(told) == 2
    assert "choice 'price_a' (30 rows from here on) is the name of a column; write the brand, 'a'" in told[0]


def test_a_brand_is_suggested_where_it_may_be_meant_and_not_where_a_price_is_missing(file):
    head = "hh,occ,choice,price_heinz28,price_heinz32\n"
    rows = "".join(f"{k},1,heinz{'28' if k % 2 else '32'},1,2\n" for k in range(30))
    assert "is 'heinz28' meant?" in said_of("panel", file(f"{head}{rows}x,1,henz28,1,2\n"))[0]
    assert "is 'heinz32' meant?" in said_of("panel", file(f"{head}{rows}x,1,HEINZ32,1,2\n"))[0]
    many = "".join(f"{k},2,heinz41,1,2\n" for k in range(30))
    assert "there are prices of heinz28, heinz32" in said_of("panel", file(f"{head}{rows}{many}"))[0]


def test_more_lost_than_at_risk_is_not_held_against_the_next_period(file):
    told = said_of("retention", file(RETENTION + "a,1,100,120\na,2,90,10\na,3,80,3\n"))
    assert len(told) == 1
    assert ":2: more customers lost (120) than at risk (100)" in told[0]


def test_cohorts_under_one_name_are_told_as_that_and_nothing_that_follows_from_it(file):
    cohorts = "a,1,100,10\na,2,90,10\n" + "a,1,300,10\na,2,290,10\n"
    told = said_of("retention", file(RETENTION + cohorts))
    assert len(told) == 2
    assert ":4: segment a, period 1 stands here a second time (first in line 2); each cohort needs a seg" in told[0]


def test_a_name_nearly_like_one_of_other_programs_is_suggested(file):
    told = said_of("panel", file("hh,occassion,choice,price_a,price_b\n1,1,a,1,2\n"))
    assert told == [line for line in told if "column 'occ' is missing; is 'occassion' meant?" in line] != []


def test_a_column_in_use_is_never_suggested_for_another(file):
    assert "meant" not in said_of("panel", file("hh,choice,price_a,price_b,price_oc\n1,a,1,2,3\n"))[0]
    with pytest.raises(DataError) as error:
        read_marketing(file("hh,occ,price_beta\n1,9,2\n"), ("beta", "zeta"), (), {})
    assert "column 'price_zeta' is missing (found" in str(error.value)
    # One column is not suggested for two.
    told = said_of("events", file("ids,other\na,1\n"))
    assert sum("'ids'" in line for line in told) == 1


# ---------------------------------------------------------------------- what is taken


def test_odd_files_that_say_what_is_meant_are_read(file):
    plain = read_retention(file(RETENTION + "a,1,100,13\na,2,87,5\n"))[0]
    for content in (
        "\ufeff" + RETENTION.replace("\n", "\r\n") + "a,1,100,13\r\na,2,87,5\r\n",
        (RETENTION + "a,1,100,13\na,2,87,5\n").replace("\n", "\r"),
        " segment , period , at_risk , lost ,,\n a , 1 , 100 , 13 ,,\n,,,,,\n a , 2 , 87 , 5 ,,\n",
        "segment,period,at_risk,lost,\na,1,100,13,seen\na,2,87,5\n",
        '"segment", "period", "at_risk", "lost", "note"\n"a", 1, 100, 13, "two\nlines"\n"a", 2, 87, 5, ""\n',
        RETENTION + "a,1,100.0,12.9999999999\na,2,87.0,5.0\n",
    ):
        segment = read_retention(file(content))[0]
        np.testing.assert_array_equal(segment.at_risk, plain.at_risk)
        np.testing.assert_array_equal(segment.lost, plain.lost)
    packed = file(gzip.compress((RETENTION + "a,1,100,13\na,2,87,5\n").encode()), "data.csv.gz")
    np.testing.assert_array_equal(read_retention(packed)[0].lost, plain.lost)


def test_a_display_may_be_true_or_false(file):
    written = file(f"{PANEL},disp_a,disp_b\n1,1,a,1,2,True,FALSE\n1,2,b,1,2,false,true\n")
    assert read_panel(written).display.tolist() == [[1, 0], [0, 1]]


def test_part_of_a_display_counts_as_part(file):
    panel = read_panel(file(f"{PANEL},disp_a,disp_b\n1,1,a,1,2,0.25,1\n"))
    assert (panel.display.tolist(), panel.shown) == ([[0.25, 1.0]], ("disp",))


def test_who_is_a_number_in_one_place_and_a_fraction_in_another_is_the_same(file):
    assert read_panel(file(f"{PANEL}\n7.0,1,a,1,2\n8.0,1,a,1,2\n")).households == ("7", "8")
    frame = pd.DataFrame({"id": [7.0, 7.0, 8.0], "day": pd.to_datetime(["1997-01-01", "1997-01-03", "1997-01-02"])})
    log = read_events(frame)
    assert (log.ids, log.day.tolist()) == (("7", "8"), [0, 2, 1])
    shown = pd.DataFrame({"hh": [1], "occ": [1], "choice": "a", "price_a": 1, "price_b": 2, "disp_a": True, "disp_b": False})  # fmt: skip # noqa: E501
    assert read_panel(shown).display.tolist() == [[1.0, 0.0]]


def test_a_row_of_a_frame_is_named_as_pandas_names_it():
    table = pd.DataFrame({"segment": "a", "period": [1, 2], "at_risk": [10, 9], "lost": [1.0, np.nan]}, index=[7, 9])
    assert said_of("retention", table) == ["DataFrame.loc[9]: column 'lost' is empty"]


# ---------------------------------------------------------------------- order


def test_names_are_in_an_order_of_their_own():
    assert in_order(["c10", "c2", "b", "10", "9", "c2"]) == ("9", "10", "b", "c2", "c10")


def test_the_order_of_rows_of_a_log_changes_nothing(tmp_path):
    purchase_log(tmp_path / "e.csv", 60, 70, 1, spend=True)
    log = pd.read_csv(tmp_path / "e.csv")
    # Three purchases on one day, whose sum has another last digit in another order.
    log = pd.concat([log, log.iloc[:3].assign(spend=[0.1, 0.2, 0.3], id="c0", day=5)], ignore_index=True)
    one = cs.fit("calibration_events", log, "events")
    for seed in (1, 2):
        other = cs.fit("calibration_events", log.sample(frac=1, random_state=seed), "events")
        pd.testing.assert_frame_equal(one.posterior, other.posterior, check_exact=True)
        pd.testing.assert_frame_equal(one.states, other.states, check_exact=True)
        assert one.scenario == other.scenario


def test_the_order_of_rows_of_a_panel_changes_neither_fit_nor_forecast(tmp_path):
    table = panel_table(tmp_path / "p.csv", 12, 6, 2, 1)
    early, late = table[table["occ"] <= 4], table[table["occ"] > 4]
    late = pd.concat([late, late[late["hh"] == "h3"].assign(hh="new")])
    one = cs.fit("calibration_panel", early, "panel")
    other = cs.fit("calibration_panel", early.sample(frac=1, random_state=1), "panel")
    pd.testing.assert_frame_equal(one.posterior, other.posterior, check_exact=True)
    pd.testing.assert_frame_equal(one.states, other.states, check_exact=True)
    answers = [
        cs.predict(fitted, marketing=rows, replications=3)
        for fitted, rows in ((one, late), (other, late.sample(frac=1, random_state=2)))
    ]
    assert json.dumps(answers[0]) == json.dumps(answers[1])


def test_the_first_segment_of_a_file_is_the_scenario_itself(file):
    """The order of segments is information; that of their periods is none."""
    rows = ["b,2,90,3", "a,1,50,9", "b,1,100,10", "a,2,41,5"]
    segments = read_retention(file(RETENTION + "\n".join(rows) + "\n"))
    assert [(one.name, one.lost.tolist()) for one in segments] == [("b", [10, 3]), ("a", [9, 5])]


# ---------------------------------------------------------------------- forecasts


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a calibrated panel with displays, and one retention table, in a folder."""
    folder = tmp_path_factory.mktemp("fitted")
    table = panel_table(folder / "all.csv", 20, 6, 2, 1, shown=True)
    table[table["occ"] <= 4].to_csv(folder / "p.csv", index=False)
    table[table["occ"] > 4].to_csv(folder / "later.csv", index=False)
    cs.fit("calibration_panel", folder / "p.csv", "panel", out=folder / "p.yaml")
    retention_table(folder / "r.csv", 0.7, 1.2, 5, 500, 1)
    cs.fit("calibration_retention", folder / "r.csv", "retention", out=folder / "r.yaml")
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.rename(columns={"disp_b1": "dsp_b1"}), "column 'disp_b1' is missing; is 'dsp_b1' meant?"),
        (
            lambda rows: rows.assign(price_own=1),
            "column 'price_own' belongs to no brand of the panel that was fitted (b",
        ),
        (lambda rows: rows.rename(columns={"price_b1": "price_b"}), "column 'price_b1' is missing; is 'price_b' meant"),
    ],
)
def test_a_marketing_file_must_be_about_the_brands_of_the_panel(made, change, said):
    with pytest.raises(DataError) as error:
        cs.predict(made / "p.yaml", marketing=change(pd.read_csv(made / "all.csv").query("occ > 4")), replications=2)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) <= 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda rows: rows.assign(occ=rows["occ"] - 2),
            "40 occasions lie within what the panel that was fitted holds already (first DataFrame.loc[4]: hh h0, ",
        ),
        (
            lambda rows: rows.drop(columns="disp_b1"),
            "There are no columns disp_b1, which the panel that was fitted had",
        ),
        (
            lambda rows: rows.drop(columns=["disp_b0", "disp_b1"]),
            "There are no columns disp_b0, disp_b1, which the panel that was fitted had",
        ),
        (lambda rows: rows.assign(feat_b0=0), "There are no columns feat_b1, while other brands have them"),
        (lambda rows: rows, None),
    ],
)
def test_what_a_marketing_file_may_not_mean_is_told_beside_its_forecast(made, change, said):
    rows = change(pd.read_csv(made / "all.csv").query("occ > 4"))
    warnings = cs.predict(made / "p.yaml", marketing=rows, replications=2)["warnings"]
    assert len(warnings) == (said is not None)
    assert said is None or warnings[0].startswith(said)


def test_a_display_that_no_file_tells_of_is_none(made, tmp_path, cli, monkeypatch):
    """Without the column as with one of zeros; the command says so in the language asked for."""
    monkeypatch.chdir(made)
    later = pd.read_csv("later.csv")
    bare, zeros = later.drop(columns="disp_b1"), later.assign(disp_b1=0)
    first, second = (cs.predict("p.yaml", marketing=rows, replications=5) for rows in (bare, zeros))
    assert first["shares"] == second["shares"] != cs.predict("p.yaml", marketing=later, replications=5)["shares"]
    bare.to_csv(tmp_path / "bare.csv", index=False)
    words = ("--marketing", tmp_path / "bare.csv", "--replications", 2, "--lang", "zh", "--json")
    answer = cli("predict", "p.yaml", *words)
    assert "缺少列 disp_b1" in answer.err and answer.json["warnings"][0].startswith("缺少列 disp_b1")


def test_fractions_of_customers_are_taken_and_told(file):
    """A table in per cent forecasts what it says, less surely than one of as many customers as there were."""
    cells = [(100, 13.1), (86.9, 12.6), (74.3, 9.0), (65.3, 6.0)]

    def made_of(times: int):
        """Fit the table with so many customers for each per cent."""
        rows = "".join(f"a,{t + 1},{times * n:g},{times * lost:g}\n" for t, (n, lost) in enumerate(cells))
        return cs.fit("calibration_retention", file(RETENTION + rows), "retention")

    shares, counts = made_of(1), made_of(1000)
    assert [one["key"] for one in shares.warned].count("fractions") == 1
    assert "fractions" not in [one["key"] for one in counts.warned]
    ahead = [cs.predict(one, periods=8)["segments"]["a"] for one in (shares, counts)]
    wide, narrow = (one["high"][7] - one["low"][7] for one in ahead)
    assert wide > narrow > 0


def test_a_forecast_of_any_kind_is_written_as_a_table(made, tmp_path, cli):
    """What the table holds is what the answer says."""
    target = tmp_path / "left.csv"
    answer = cli("predict", made / "r.yaml", "--periods", 6, "--out", target, "--json").json
    table = pd.read_csv(target)
    assert list(table) == ["segment", "period", "S", "low", "high"] and len(table) == 6
    (told,) = answer["segments"].values()
    np.testing.assert_allclose(table[["S", "low", "high"]].T, [told["S"], told["low"], told["high"]])
    purchase_log(tmp_path / "log.csv", 40, 100, 1)
    cs.fit("calibration_events", tmp_path / "log.csv", "events", out=tmp_path / "log.yaml")
    answer = cs.predict(tmp_path / "log.yaml", weeks=40, out=target)
    table = pd.read_csv(target)
    assert list(table) == ["week", "cumulative_repeats", "low", "high"] and table["week"].tolist() == list(range(1, 41))
    np.testing.assert_allclose(table["cumulative_repeats"], answer["cumulative_repeats"])


def test_how_many_households_go_on_and_how_many_are_new_is_told(made, cli, monkeypatch):
    monkeypatch.chdir(made)
    later = pd.read_csv("later.csv")
    later.assign(hh=later["hh"].where(later["hh"] != "h3", "h33")).to_csv("new.csv", index=False)
    answer = cli("predict", "p.yaml", "--marketing", "new.csv", "--replications", 2, "--json")
    assert answer.json["households"] == {"known": 19, "new": 1}
    assert "19 households go on from the data, 1 is not in it and drawn from the population" in answer.err
    assert "drawn from" not in cli("predict", "p.yaml", "--marketing", "later.csv", "--replications", 2).err


def test_what_a_forecast_would_not_look_at_is_refused(made, cli, monkeypatch):
    monkeypatch.chdir(made)
    for words in (("--weeks", 3), ("--replications", 5), ("--marketing", "later.csv")):
        answer = cli("predict", "r.yaml", "--periods", 3, *words)
        assert answer.code == 2
        assert f"{words[0]} is for" in answer.err


def test_arguments_are_named_as_they_are_where_they_were_given(made, cli, monkeypatch):
    monkeypatch.chdir(made)
    assert "needs --periods" in cli("predict", "r.yaml").err
    assert "--periods is 0; whole numbers from 1 to 366" in cli("predict", "r.yaml", "--periods", 0).err
    for arguments, said in (
        ({}, "needs periods"),
        ({"periods": 0}, "periods is 0; whole numbers from 1 to 366"),
        ({"periods": 2.5}, "periods is 2.5; whole"),
    ):
        with pytest.raises(DataError, match=said) as error:
            cs.predict("r.yaml", **arguments)
        assert "--periods" not in str(error.value)
        assert "--out" not in str(error.value)


def test_files_are_checked_before_anything_heavy_is_imported(tmp_path, made, python):
    (tmp_path / "bad.csv").write_text(RETENTION + "a,1,10,x\n")
    for call in (
        f"cs.fit('calibration_retention', {str(tmp_path / 'bad.csv')!r}, 'retention')",
        f"cs.predict({str(made / 'p.yaml')!r}, marketing={str(tmp_path / 'bad.csv')!r})",
    ):
        code = f"import sys\nimport churnsim as cs\ntry:\n    {call}\nexcept cs.DataError:\n    print('refused')\n"
        code += "print(sorted({'scipy', 'numba'} & set(sys.modules)))"
        assert python(code).split("\n")[:2] == ["refused", "[]"]


# ---------------------------------------------------------------------- units, segments, words


def test_tick_and_currency_are_those_of_the_scenario_that_was_given(tmp_path, cli):
    (tmp_path / "mine.yaml").write_text("id: mine\nextends: calibration_retention\ntick: month\ncurrency: EUR\n")
    tables = [retention_table(tmp_path / "r.csv", 0.7, 1.2, 5, 500, k, segment=name) for k, name in enumerate("xy")]
    pd.concat(tables).to_csv(tmp_path / "r.csv", index=False)
    answer = cli("fit", "mine.yaml", "--data", "r.csv", "--format", "retention", "--out", "f.yaml")
    assert answer.code == 0, answer.err
    scenario = open_fitted(tmp_path / "f.yaml").scenario
    assert (scenario.tick, scenario.currency) == ("month", "EUR")
    assert "a period is a month, money is in EUR, both as mine says" in answer.err
    assert "f.design.csv holds the draws of the first segment, x, only" in answer.err
    retention_table(tmp_path / "one.csv", 0.7, 1.2, 5, 500, 1)
    one = cli("fit", "calibration_retention", "--data", "one.csv", "--format", "retention", "--out", "o.yaml")
    assert "a period is a year, money is in CNY, both as calibration_retention says" in one.err
    assert "first segment" not in one.err


def test_firms_that_are_not_called_as_their_brands_are_explained(tmp_path, cli):
    table = panel_table(tmp_path / "p.csv", 8, 4, 2, 3)
    words = ("fit", "calibration_panel", "--data", "p.csv", "--format", "panel", "--out")
    assert "names  " not in cli(*words, "plain.yaml").err
    table = table.rename(columns={"price_b1": "price_可口可乐"}).replace({"choice": {"b1": "可口可乐"}})
    table.to_csv(tmp_path / "p.csv", index=False)
    assert "names  brand: 可口可乐\n" in cli(*words, "named.yaml").err


def test_prices_of_nothing_are_told(tmp_path):
    table = panel_table(tmp_path / "p.csv", 6, 3, 2, 3)
    table.loc[2, "price_b1"] = 0.0
    fitted = cs.fit("calibration_panel", table, "panel")
    assert {"key": "free", "count": 1} in fitted.warned
    assert "1 price is 0 and taken as free." in fitted.told("en")[[one["key"] for one in fitted.warned].index("free")]


@pytest.mark.parametrize(
    ("warning", "said"),
    [
        ({"key": "few_customers", "count": 1}, "Only 1 customer:"),
        ({"key": "few_households", "count": 1}, "Only 1 household:"),
        ({"key": "few_repeats", "count": 1}, "Only 1 repeat purchase;"),
        ({"key": "few_lost", "segment": "a", "lost": "1"}, "lost 1 customer in all"),
        ({"key": "few_periods", "segment": "a", "periods": 1}, "has 1 period;"),
        ({"key": "merged", "count": 1}, "1 purchase was counted"),
        ({"key": "merged", "count": 2}, "2 purchases were counted"),
    ],
)
def test_one_thing_is_told_as_one(warning, said):
    assert said in tell(warning, "en")
