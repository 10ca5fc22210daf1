"""Studies in the laboratory: what stores say, games, small sweeps; and reports of comparisons."""

from __future__ import annotations

import io
import json
import time
import warnings
from pathlib import Path

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from churnsim.studies.sensitivity import Analysis
from churnsim.studies.store import Store
from churnsim.studies.study import Study, load_study
from churnsim.studies.sweeping import sweep
from churnsim.web.analyses import analysis_of, game_of
from churnsim.web.app import Laboratory, application
from churnsim.web.asks import RefusalError
from churnsim.web.limits import Limits
from churnsim.web.reporting import Kept, key_of

HOME = "http://127.0.0.1"
SMALL = {"customers.count": 60, "burn_in": 2, "horizon": 6}
ISHIGAMI = {
    "function": "churnsim.studies.known_answers:ishigami",
    "set": {"noise": 1.86},
    "outcomes": ["noisy"],
    "factors": {name: {"uniform": [-3.14159265, 3.14159265]} for name in ("x1", "x2", "x3")}
    | {"idle": {"uniform": [0, 1]}},
}


def laboratory(folder: Path | None, **limits) -> Laboratory:
    return Laboratory(limits=Limits(rate=1e6, burst=1e6, **limits), studies=folder and str(folder))


@pytest.fixture
def client(tmp_path):
    lab = laboratory(tmp_path, levels=5, sweep_seeds=4, sweeps=3, sweep=100_000)
    with TestClient(application(lab), base_url=HOME, raise_server_exceptions=False) as one:
        one.lab = lab
        yield one


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for name, design, samples in (("sobol", "sobol", 64), ("morris", "morris", 10)):
        sweep(Study(name=name, design=design, samples=samples, replications=2, **ISHIGAMI), folder / name, 0, False)
    return folder


# ---------------------------------------------------------------------- what stores say


def test_indices_are_those_of_the_library_with_luck_beside_them(stores):
    found = analysis_of(stores / "sobol", "noisy")
    sobol, swings = found["methods"]
    assert (sobol["method"], swings["method"]) == ("sobol", "swings")
    with Store.open(stores / "sobol") as store:
        answer = Analysis(store).of("noisy")
    said = {(row["factor"], row["index"]): row for row in sobol["rows"]}
    for row in answer.frame().to_dict("records"):
        mine = said[row["factor"], row["index"]]
        assert (mine["value"], mine["low"], mine["high"]) == (row["value"], row["low"], row["high"])
        assert mine["inert"] == row["inert"]
    assert said["idle", "ST"]["inert"] and not said["x2", "ST"]["inert"]
    share, low, high = sobol["noise"]
    assert share == answer.noise_share and low < share < high
    assert set(sobol["notes"]) == {"en", "zh"}
    json.dumps(found, allow_nan=False)


def test_morris_has_its_plane(stores):
    (morris,) = analysis_of(stores / "morris", "noisy")["methods"]
    rows = {row["factor"]: row for row in morris["rows"]}
    assert set(rows["x1"]) >= {"mu_star", "low", "high", "sigma", "noise_floor", "inert"}
    assert rows["idle"]["inert"] and rows["x1"]["mu_star"] > rows["idle"]["mu_star"]


def test_the_page_gets_what_the_store_says(stores):
    with TestClient(application(laboratory(stores)), base_url=HOME) as client:
        assert [one["id"] for one in client.get("/api/sweeps").json()] == ["morris", "sobol"]
        table = client.get("/api/sweep", params={"id": "sobol"}).json()
        assert (table["kind"], table["design"], table["rows"], table["failed"]) == ("table", "sobol", 768, 0)
        answer = client.post("/api/sweep/analysis", json={"id": "sobol", "outcome": "noisy"})
        assert answer.json() == analysis_of(stores / "sobol", "noisy")
        assert client.post("/api/sweep/analysis", json={"id": "sobol", "outcome": "x"}).json()["error"] == "no_outcome"
        for name in ("nothing", "../sobol", "sobol/study.sqlite"):
            assert client.post("/api/sweep/analysis", json={"id": name, "outcome": "noisy"}).status_code == 404


def test_a_study_that_is_not_finished_says_so(tmp_path):
    study = Study(name="half", design="sobol", samples=16, replications=2, **ISHIGAMI)

    def stops(done, total):
        if done:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError):
        sweep(study, tmp_path / "half", 0, stops)
    (problem,) = analysis_of(tmp_path / "half", "noisy")["methods"]
    assert problem["method"] == "sobol" and set(problem["problem"]) == {"en", "zh"}


def test_factors_go_by_their_labels(tmp_path):
    study = Study(
        name="grid", scenario="two_hotels", arms={"case": {}}, set=SMALL,
        factors={"firms.eton.price": {"levels": [240, 300]}}, replications=2, outcomes=["share.eton"],
    )  # fmt: skip
    sweep(study, tmp_path / "grid", 0, False).close()
    with TestClient(application(laboratory(tmp_path)), base_url=HOME) as client:
        table = client.get("/api/sweep", params={"id": "grid"}).json()
    assert table["labels"] == {"firms.eton.price": {"en": "Eton: List price", "zh": "伊顿酒店：标价"}}
    assert table["units"] == {"firms.eton.price": "currency per stay"}
    assert (table["currency"], table["tick"], table["set"]) == ("CNY", "month", SMALL)
    assert table["firms"]["eton"]["en"] == "Eton" and table["scenario"] == "two_hotels"


def test_a_study_of_several_arms_is_told_arm_by_arm(tmp_path):
    said = {"scenario": "two_hotels", "set": SMALL, "design": "grid", "replications": 3}
    factors = {"firms.eton.price": {"levels": [225, 300]}, "firms.nanyuan.training": {"levels": [0, 10]}}
    arms = {"case": {}, "cheap": {"firms.nanyuan.price": 200}}
    outcomes = {"profit": "cumulative_profit.nanyuan@6", "lead": "share.nanyuan@6 - share.eton@6"}
    study = Study(name="arms", arms=arms, factors=factors, outcomes=outcomes, **said)
    sweep(study, tmp_path / "arms", 0, False)
    both = [analysis_of(tmp_path / "arms", "profit", arm) for arm in ("case", "cheap")]
    for arm, found in zip(("case", "cheap"), both, strict=True):
        (swings,) = found["methods"]
        assert (found["arms"], found["arm"]) == (["case", "cheap"], arm)
        assert (swings["runs"], swings["of"]) == (12, 12)  # 24 in all: 4 points, 3 seeds, 2 arms
        with Store.open(tmp_path / "arms") as store:
            frame = store.frame().query("arm == @arm")
        mean = frame.groupby("firms.eton.price")["profit"].mean()
        (row,) = [row for row in swings["rows"] if row["factor"] == "firms.eton.price"]
        assert [row["at_low"], row["at_high"]] == pytest.approx(mean.tolist())
    assert analysis_of(tmp_path / "arms", "profit")["arm"] == "case"
    with pytest.raises(RefusalError, match="no_arm"):
        analysis_of(tmp_path / "arms", "profit", "dear")
    with TestClient(application(laboratory(tmp_path)), base_url=HOME) as client:
        table = client.get("/api/sweep", params={"id": "arms"}).json()
        answer = client.post("/api/sweep/analysis", json={"id": "arms", "outcome": "lead", "arm": "cheap"}).json()
        assert client.post("/api/sweep/analysis", json={"id": "arms", "outcome": "lead", "arm": 1}).status_code == 404
    assert answer["arm"] == "cheap" and table["rows"] == 24
    # Play can open the case; what the study itself has made of it has no link, and no title of its own.
    assert table["opens"] == {"case": "case"} and set(table["arms"]) == {"case"}
    assert table["baseline"] == "case"  # which the page looks at first
    assert table["formulas"] == outcomes


def test_an_arm_of_the_scenario_opens_as_that_arm(tmp_path):
    factors = {"firms.eton.price": {"levels": [225, 300]}}
    said = {"set": SMALL, "design": "grid", "replications": 1, "outcomes": ["share.eton@6"], "factors": factors}
    sweep(Study(name="arm", scenario="two_hotels/both_passive", **said), tmp_path / "arm", 0, False)
    with TestClient(application(laboratory(tmp_path)), base_url=HOME) as client:
        table = client.get("/api/sweep", params={"id": "arm"}).json()
    assert table["opens"] == {"both_passive": "both_passive"}
    assert table["arms"]["both_passive"]["en"] == "Nobody does anything"


def test_a_part_of_a_designs_runs_is_said_to_be_one(stores):
    found = {one["method"]: one for one in analysis_of(stores / "sobol", "noisy")["methods"]}
    assert found["sobol"]["runs"] == found["sobol"]["of"]
    assert found["swings"]["runs"] < found["swings"]["of"] == found["sobol"]["of"]


# ---------------------------------------------------------------------- games


def game(**changes) -> dict:
    def cell(a, b):
        return {"firms": {"n": {"mean": a, "low": a - 1, "high": a + 1}, "e": {"mean": b, "low": b - 1, "high": b + 1}}}

    answer = {
        "study": "dilemma", "firms": ["n", "e"], "strategies": ["hold", "cut"], "payoff": "profit", "replications": 8,
        "symmetric": True, "payoffs": [[cell(3, 3), cell(0, 5)], [cell(5, 0), cell(1, 1)]],
        "equilibria": [
            {"strategies": {"n": {"cut": 1.0}, "e": {"cut": 1.0}}, "pure": True, "probability": 0.9, "regret": {}}
        ],
    }  # fmt: skip
    return {**answer, **changes}


def test_a_games_payoffs_are_told_firm_by_firm(tmp_path):
    file = tmp_path / "tournament.json"
    file.write_text(json.dumps(game()), encoding="utf-8")
    found = game_of(file)
    (level,) = found["levels"]
    assert [[cell[0] for cell in row] for row in level["payoffs"][0]] == [[3, 0], [5, 1]]
    assert [[cell[0] for cell in row] for row in level["payoffs"][1]] == [[3, 5], [0, 1]]
    assert level["equilibria"][0]["strategies"]["n"] == {"cut": 1.0}
    assert "names" not in found  # no runs beside it say what the firms are called
    (tmp_path / "prices").mkdir()
    file.rename(tmp_path / "prices" / "tournament.json")
    with TestClient(application(laboratory(tmp_path)), base_url=HOME) as client:
        assert client.get("/api/sweeps").json() == [{"id": "prices"}]
        assert client.get("/api/sweep", params={"id": "prices"}).json() == found
        assert client.post("/api/sweep/analysis", json={"id": "prices", "outcome": "x"}).status_code == 404


def test_a_games_firms_go_by_their_names(tmp_path):
    from churnsim.studies.tournament import Tournament, play

    strategies = {"passive": {"name": "passive"}, "undercut": {"name": "undercut"}}
    said = {"scenario": "two_hotels", "set": SMALL, "firms": ["nanyuan", "eton"], "payoff": "cumulative_profit"}
    play(Tournament(name="small", replications=2, strategies=strategies, **said), tmp_path, 0, lambda *_: None)
    (tmp_path / "tournament.json").write_text(json.dumps(game()), encoding="utf-8")
    found = game_of(tmp_path / "tournament.json")
    assert found["names"]["eton"] == {"en": "Eton", "zh": "伊顿酒店"} and found["currency"] == "CNY"


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps(game(firms=["a"])), json.dumps(game(payoffs=[[1]]))])
def test_what_is_no_game_is_refused(tmp_path, text):
    (tmp_path / "tournament.json").write_text(text, encoding="utf-8")
    with TestClient(application(laboratory(tmp_path)), base_url=HOME) as client:
        assert client.get("/api/sweep", params={"id": "."}).json()["error"] == "bad_study"


# ---------------------------------------------------------------------- small sweeps


def ask(**changes) -> dict:
    factors = {"firms.eton.price": [240, 300], "firms.nanyuan.training": [1, 4]}
    return {"scenario": "two_hotels", "set": SMALL, "factors": factors, "seeds": 2, **changes}


def ended(client, name: str) -> dict:
    for _ in range(600):
        about = client.get(f"/api/sweeps/{name}").json()
        if about["state"] != "running":
            return about
        time.sleep(0.05)
    raise AssertionError("the sweep does not end")


def test_a_small_sweep_is_a_study_like_any_other(client, tmp_path):
    started = client.post("/api/sweeps", json=ask()).json()
    about = ended(client, started["name"])
    assert (about["state"], about["done"], about["total"]) == ("done", 8, 8) and "key" not in about
    table = client.get("/api/sweep", params={"id": started["name"]}).json()
    assert table["rows"] == 8 and table["factors"]["firms.eton.price"] == [240] * 4 + [300] * 4
    # The command line finds the same study, and nothing left to do.
    file, out = tmp_path / f"{started['name']}.yaml", tmp_path / started["name"]
    assert started["command"] == f"churnsim sweep {file} --out {out}"
    again = sweep(load_study(file), out, 0, False)
    assert again.counts() == {"runs": 8, "done": 8, "failed": 0}
    plan = cs.load("two_hotels").set({**SMALL, "firms.eton.price": 300, "firms.nanyuan.training": 4})
    shares = cs.run(plan, [table["seed"][-1]], progress=False).ticks.query("tick == 6 and firm == 'eton'")["share"]
    assert table["outcomes"]["share.eton"][-1] == pytest.approx(shares.item(), rel=1e-12)


def test_a_named_scenario_is_named_and_another_is_written_beside_the_study(client, tmp_path):
    plain = client.post("/api/sweeps", json=ask(set={"customers.count": 300}, factors={"firms.eton.price": [240, 300]}))
    assert plain.json()["error"] == "sweep_size"  # 132 months of 300 customers, four times
    moved = client.post("/api/sweeps", json=ask(factors={"firms.eton.price": [240, 300]})).json()
    ended(client, moved["name"])
    assert (tmp_path / f"{moved['name']}.scenario.yaml").is_file()
    client.lab.small.limits = Limits()
    client.lab.limits = Limits(rate=1e6, burst=1e6)
    named = client.post(
        "/api/sweeps", json=ask(set={"customers.count": 40}, factors={"firms.eton.price": [240, 300]}, seeds=1)
    ).json()
    assert ended(client, named["name"])["state"] == "done"
    assert "scenario: two_hotels\n" in (tmp_path / f"{named['name']}.yaml").read_text(encoding="utf-8")
    assert not (tmp_path / f"{named['name']}.scenario.yaml").exists()


def test_a_sweep_is_stopped_by_whoever_started_it_and_keeps_what_is_done(client, monkeypatch):
    from churnsim.studies.dispatch import Here

    run = Here.run

    def slowly(self, queue):
        for answers in run(self, queue):
            for answer in answers:
                time.sleep(0.15)
                yield [answer]

    monkeypatch.setattr(Here, "run", slowly)
    started = client.post("/api/sweeps", json=ask(seeds=4)).json()
    name = started["name"]
    assert client.post("/api/sweeps", json=ask()).json()["error"] == "sweep_busy"
    assert client.post(f"/api/sweeps/{name}/stop", json={"key": "wrong"}).status_code == 403
    while not client.get(f"/api/sweeps/{name}").json()["done"]:
        time.sleep(0.02)
    assert client.post(f"/api/sweeps/{name}/stop", json={"key": started["key"]}).status_code == 200
    about = ended(client, name)
    assert about["state"] == "stopped" and 0 < about["done"] < about["total"]
    assert client.get("/api/sweep", params={"id": name}).json()["rows"] == about["done"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"factors": {}}, "factors"),
        ({"factors": {f"f{k}": [1, 2] for k in range(3)}}, "factors"),
        ({"factors": {"firms.eton.price": [240]}}, "levels"),
        ({"factors": {"firms.eton.price": list(range(240, 250))}}, "levels"),
        ({"factors": {"firms.eton.price": [240, None]}}, "values"),
        ({"factors": {"firms.eton.price": [240, "x" * 99]}}, "values"),
        ({"factors": {"firms.eton.pricee": [240, 300]}}, "problems"),
        ({"factors": {"firms.eton.price": [-3, 300]}}, "problems"),
        ({"factors": {"firms.eton.price": [240, 240]}}, "problems"),
        ({"factors": {"../../x": [1, 2]}}, "problems"),
        ({"seeds": 5}, "number"),
        ({"seeds": 0}, "number"),
        ({"set": {**SMALL, "customers.count": 5_000}}, "sweep_size"),
        ({"scenario": "nothing"}, "no_scenario"),
    ],
)
def test_a_sweep_that_is_not_granted_leaves_nothing_behind(client, tmp_path, change, key):
    answer = client.post("/api/sweeps", json=ask(**change))
    assert answer.json()["error"] == key and answer.json()["message"] and 400 <= answer.status_code < 500
    assert list(tmp_path.iterdir()) == []


def test_there_are_only_so_many_sweeps_and_none_without_a_folder(client, tmp_path):
    one = {"factors": {"firms.eton.price": [240, 300]}, "seeds": 1}
    for _ in range(3):
        ended(client, client.post("/api/sweeps", json=ask(**one)).json()["name"])
    assert client.post("/api/sweeps", json=ask(**one)).json()["error"] == "sweeps"
    with TestClient(application(laboratory(None)), base_url=HOME) as other:
        assert other.post("/api/sweeps", json=ask(**one)).json()["error"] == "no_folder"
    (tmp_path / "file").write_text("x")
    with TestClient(application(laboratory(tmp_path / "file")), base_url=HOME) as other:
        assert other.post("/api/sweeps", json=ask(**one)).json()["error"] == "no_folder"


# ---------------------------------------------------------------------- reports of comparisons

PLANS = [{"scenario": "two_hotels", "arm": arm, "set": SMALL} for arm in ("case", "both_passive")]
MOVED = {"scenario": "two_hotels", "set": SMALL, "moves": [{"tick": 3, "changes": {"firms.eton.price": 390}}]}


@pytest.mark.slow
def test_a_report_is_of_exactly_what_was_compared(client, monkeypatch):
    asked = {"plans": [*PLANS, MOVED], "seeds": 3}
    lines = client.post("/api/compare", json=asked).text.splitlines()
    outcome = json.loads(lines[-1])
    monkeypatch.setattr("churnsim.web.reporting.run", None)  # nothing is run again
    page = client.post("/api/compare/report", json={**asked, "kind": "html", "firm": "eton"})
    assert page.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert "My moves in Play" in page.text and "Nobody does anything" in page.text and "<svg" in page.text
    openpyxl = pytest.importorskip("openpyxl")
    book = client.post("/api/compare/report", json={**asked, "kind": "xlsx", "lang": "zh"})
    sheets = openpyxl.load_workbook(io.BytesIO(book.content))
    texts = [str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert any("我" in text for text in texts)
    written = [cell.value for sheet in sheets for row in sheet.iter_rows() for cell in row]
    share = outcome["values"]["share"][2][1][0]
    assert any(isinstance(value, float) and value == pytest.approx(share, rel=1e-9) for value in written)


def test_slides_open_and_other_kinds_are_refused(client):
    pptx = pytest.importorskip("pptx")
    asked = {"plans": PLANS, "seeds": 2}
    slides = client.post("/api/compare/report", json={**asked, "kind": "pptx"})
    assert len(pptx.Presentation(io.BytesIO(slides.content)).slides) >= 4
    assert client.post("/api/compare/report", json={**asked, "kind": "exe"}).json()["error"] == "kind"
    assert client.post("/api/compare/report", json={**asked, "kind": {}}).status_code == 422
    assert client.post("/api/compare/report", json={**asked, "kind": "html", "firm": "x"}).json()["error"] == "no_firm"


def test_a_reports_foreground_is_the_plan_that_was_chosen(client):
    arms = ("nanyuan_passive", "case", "both_passive")
    plans = [{"scenario": "two_hotels", "arm": arm, "set": SMALL} for arm in arms]
    asked = {"plans": plans, "seeds": 2, "kind": "html", "firm": "nanyuan"}
    usual, case, other = (
        client.post("/api/compare/report", json={**asked, **plan}).text for plan in ({}, {"plan": 1}, {"plan": 2})
    )
    assert usual == case != other
    for wrong in (0, 3, "case", 1.5, True):
        assert client.post("/api/compare/report", json={**asked, "plan": wrong}).json()["error"] == "number"


def test_what_the_server_lacks_is_named(client, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    answer = client.post("/api/compare/report", json={"plans": PLANS, "seeds": 2, "kind": "xlsx", "lang": "zh"})
    assert answer.status_code == 409 and "churnsim[office]" in answer.json()["message"]


def test_results_are_kept_as_far_as_there_is_room():
    plans = [cs.load("two_hotels").set(SMALL)]
    results = {seeds: cs.run(plans, range(seeds), progress=False) for seeds in (1, 2, 3)}
    kept = Kept(room=1)
    for seeds, result in results.items():
        kept.keep(key_of(plans, list(range(seeds))), result)
    assert kept.get(key_of(plans, [0])) is None and kept.get(key_of(plans, [0, 1, 2])) is results[3]


def test_a_scenario_file_is_the_run_of_the_page(client, tmp_path):
    answer = client.post("/api/scenario", json={**MOVED, "seed": 5})
    (tmp_path / "mine.yaml").write_text(answer.text, encoding="utf-8")
    again = cs.load(tmp_path / "mine.yaml")
    assert again.seed == 5 and [move.tick for move in again.moves][-1] == 3
    mine = cs.load("two_hotels").set(SMALL).move(3, {"firms.eton.price": 390})
    shares = [cs.run(plan, [5], progress=False).ticks["share"].tolist() for plan in (again, mine)]
    assert shares[0] == shares[1]
