"""The laboratory's server: what it answers, what it refuses, what visitors share, and that they never meet."""

from __future__ import annotations

import base64
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import churnsim as cs
from churnsim.causes import CAUSE_NAMES
from churnsim.config.loading import builtin_names
from churnsim.metrics import FIRM_MEASURES
from conftest import PACKAGE

pytest.importorskip("starlette", reason="the web extra is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from churnsim.web import server
from churnsim.web.app import Laboratory, application
from churnsim.web.asks import Ask, RefusalError
from churnsim.web.catalogue import levers, texts
from churnsim.web.guards import HEADERS, Buckets, is_loopback
from churnsim.web.limits import Limits
from churnsim.web.rooms import Poll, Rooms
from churnsim.web.runs import Pool, past_of
from churnsim.web.stories import story_of
from churnsim.web.sweeps import as_columns, is_study, read_table
from churnsim.web.watching import Watched, sample

SMALL = {"customers.count": 120, "burn_in": 3, "horizon": 10}
ASK = {"scenario": "two_hotels", "set": SMALL, "seed": 4}
HOME = "http://127.0.0.1"
WIDE = Limits(rate=1e6, burst=1e6)


def small(name: str = "two_hotels", **changes):
    return cs.load(name).set({**SMALL, **changes})


@pytest.fixture(scope="module")
def lab():
    laboratory = Laboratory(limits=WIDE)
    yield laboratory
    laboratory.close()


@pytest.fixture(scope="module")
def client(lab):
    with TestClient(application(lab), base_url=HOME, raise_server_exceptions=False) as one:
        yield one


def lines(answer) -> list[dict]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


# ---------------------------------------------------------------------- runs


def test_a_run_says_what_the_command_line_says(client):
    head, *frames = lines(client.post("/api/run", json=ASK))
    ticks = cs.run(small(), [4], progress=False).ticks
    assert [frame["t"] for frame in frames] == list(range(11))
    for frame in frames:
        rows = ticks[ticks["tick"] == frame["t"]]
        for name in FIRM_MEASURES:
            said = [None if value is None else value for value in frame["measures"][name]]
            assert said == [None if np.isnan(value) else value for value in rows[name]], name
    assert head["customers"] == 120 and [firm["id"] for firm in head["firms"]] == ["nanyuan", "eton"]


def test_a_run_without_a_burn_in_begins_with_who_is_with_whom(client):
    """Nothing has been bought or earned yet, and nothing of that kind is made up."""
    _, *frames = lines(client.post("/api/run", json={**ASK, "set": {**SMALL, "burn_in": 0}}))
    first, second = frames[0]["measures"], frames[1]["measures"]
    assert set(first) == {"customers", "customer_share"}
    counts = [int(count) for count in first["customers"]]
    assert counts == first["customers"] and sum(counts) <= 120
    assert first["customer_share"] == pytest.approx([count / 120 for count in counts])
    # Everybody who is with a firm in tick 1 was there before, or came.
    came = [second["customers"][j] + second["lost"][j] - second["joined"][j] for j in range(2)]
    assert came == counts


def test_causes_are_those_of_the_result(client):
    _, *frames = lines(client.post("/api/run", json=ASK))
    causes = cs.run(small(), [4], progress=False).causes
    for frame in frames[1:]:
        rows = causes[causes["tick"] == frame["t"]]
        for place, firm in enumerate(("nanyuan", "eton")):
            mine = rows[rows["firm"] == firm].set_index("cause")["primary"]
            assert frame["causes"][place] == [int(mine[name]) for name in CAUSE_NAMES]


def test_dots_are_the_customers_of_the_sample(client):
    head, *frames = lines(client.post("/api/run", json=ASK))
    markets = Watched([small()], [4])
    for frame in frames[1:]:
        markets.step_once()
        states = np.frombuffer(base64.b64decode(frame["dots"]), np.uint8)
        assert states.tolist() == markets.states(0).tolist()
        assert (states & 15).tolist() == markets.columns.provider[head["ids"]].tolist()


def test_departures_of_the_sample_are_explained_as_the_model_explains_them(client):
    _, *frames = lines(client.post("/api/run", json=ASK))
    kept = cs.run(small(), [4], progress=False, departures=True).departures
    options = ["outside", "nanyuan", "eton"]
    seen = 0
    for frame in frames[1:]:
        for dot, left, taken, cause, parts in frame["left"]:
            rows = kept[(kept["tick"] == frame["t"]) & (kept["customer"] == dot)]
            if not parts:
                continue  # nobody chose this one
            (row,) = rows.to_dict("records")
            assert (row["from"], row["to"], row["primary"]) == (options[left], options[taken], CAUSE_NAMES[cause])
            for place, share in parts:
                assert share == pytest.approx(row[CAUSE_NAMES[place]], abs=6e-4)
            seen += 1
    assert seen > 20


def test_a_sample_is_spread_over_all_customers():
    assert sample(50).tolist() == list(range(50))
    ids = sample(10_000)
    assert len(ids) == 600 and set(np.diff(ids)) == {16, 17}


def test_the_same_run_is_computed_once(lab, client):
    ask = {**ASK, "seed": 77}
    before = lab.pool.started
    answers = [client.post("/api/run", json=ask).text for _ in range(10)]
    assert len(set(answers)) == 1
    assert lab.pool.started == before + 1


def test_a_branch_shares_its_past_exactly(client):
    _, *base = lines(client.post("/api/run", json={**ASK, "seed": 11}))
    moves = [{"tick": 7, "changes": {"firms.eton.price": 150}}]
    _, *branch = lines(client.post("/api/run", json={**ASK, "seed": 11, "moves": moves}))
    assert branch[:7] == base[:7]
    assert branch[7:] != base[7:]
    fresh = cs.run(small().move(7, {"firms.eton.price": 150}), [11], progress=False).ticks
    last = fresh[fresh["tick"] == 10]
    assert branch[10]["measures"]["share"] == last["share"].tolist()


@pytest.mark.parametrize("name", ["two_hotels", "reminders"])
def test_a_future_from_a_snapshot_is_the_one_computed_from_the_start(name):
    plan = small(name)
    firm = next(iter(plan.firms))
    moved = plan.move(6, {f"firms.{firm}.price": 1.2 * plan.firms[firm].price})
    begun = Watched([plan], [3])
    for _ in range(4):
        begun.step_once()
    resumed, fresh = begun.branched(moved), Watched([moved], [3])
    while fresh.tick < 4:
        fresh.step_once()
    while fresh.tick < 10:
        resumed.step_once()
        fresh.step_once()
        assert resumed.frame(0) == fresh.frame(0)
    assert begun.tick == 4


def test_runs_of_a_batch_are_those_of_runs_alone():
    plans = [small(), small(**{"firms.eton.price": 280.0}), small()]
    together = Watched(plans, [1, 2, 3])
    alone = [Watched([plan], [seed]) for plan, seed in zip(plans, (1, 2, 3), strict=True)]
    for _ in range(5):
        together.step_once()
        for r, one in enumerate(alone):
            one.step_once()
            assert together.frame(r) == one.frame(0)


def test_what_lies_ahead_does_not_change_the_past():
    plan = small()
    later = plan.move(9, {"firms.eton.price": 200})
    assert past_of(plan, 1, 8) == past_of(later, 1, 8)
    assert past_of(plan, 1, 9) != past_of(later, 1, 9)
    assert past_of(plan, 1, 8) != past_of(plan, 2, 8)
    # What switches on dealings needs their arrays from the start.
    assert past_of(plan, 1, 8) != past_of(plan.move(9, {"mechanisms.reminders": True}), 1, 8)


def test_a_full_queue_is_refused_and_a_closed_pool_ends():
    pool = Pool(Limits(workers=0, waiting=2))
    for seed in range(2):
        pool.run(Ask(small(), seed))
    with pytest.raises(RefusalError) as refused:
        pool.run(Ask(small(), 9))
    assert refused.value.status == 429
    pool.run(Ask(small(), 1))  # what is there already costs nothing
    pool.close()


def test_what_is_not_shared_waits_in_a_queue_of_its_own():
    lab = Laboratory(limits=Limits(workers=1, waiting=0))
    with TestClient(application(lab), base_url=HOME) as client:
        for path, more in (("/api/story", {"dot": 1, "tick": 2}), ("/api/replay", {}), ("/api/lesson/table", {})):
            answer = client.post(path, json={**ASK, "lesson": "churn_rate", "seeds": 1, **more})
            assert (answer.status_code, answer.json()["error"]) == (429, "busy")


def test_a_run_that_nobody_waits_for_stops():
    pool = Pool(Limits(workers=1))
    ask = Ask(small(horizon=1000), 5)
    shared = pool.run(ask)
    shared.readers = 0
    for thread in pool._threads:
        pool.close()
        thread.join(30)
    assert len(shared.lines) < 900


def test_a_small_run_needs_not_wait_for_a_large_one(monkeypatch):
    """One thread, a run that takes its time, and another that comes after it: they take turns, and nothing is lost."""
    pool = Pool(Limits(workers=0))
    monkeypatch.setattr("churnsim.web.runs.TURN", 0.0)
    large, small_one = pool.run(Ask(small(horizon=300), 1)), None
    order = []
    step = Watched.step_once

    def noted(self):
        order.append(self.horizon)
        step(self)
        nonlocal small_one
        if len(order) == 40:
            small_one = pool.run(Ask(small(horizon=20), 2))
        if len(order) == 400:
            pool.close()

    monkeypatch.setattr(Watched, "step_once", noted)
    while pool._queue or pool._begun:
        with pool._changed:
            batch = pool._next()
        if not pool._advance(batch):
            pool._begun.append(batch)
    assert large.done and small_one.done
    assert order.index(20) == 40  # it began at once …
    assert max(at for at, horizon in enumerate(order) if horizon == 20) < 40 + 2 * 23 + 2  # … and took its turns
    assert [json.loads(line)["t"] for line in large.lines] == list(range(301))
    fresh = pool.run(Ask(small(horizon=300), 1))
    assert fresh is large


def test_only_so_many_customers_take_turns(monkeypatch):
    """What takes turns stays in memory: more of it waits until there is room, and the largest run is never stuck."""
    monkeypatch.setattr("churnsim.web.runs.ROWS_UNDER_WAY", 300)
    monkeypatch.setattr("churnsim.web.runs.BATCH", 1)
    pool = Pool(Limits(workers=0))
    for seed, customers in enumerate((500, 120, 120)):
        pool.run(Ask(small(**{"customers.count": customers}), seed))
    with pool._changed:
        first = pool._next()
        assert first.rows == 500 and pool._next() is None  # the large one alone; the others wait
        pool._begun.append(first)
        assert pool._next() is first and pool._queue


def test_a_failing_market_takes_no_other_with_it(monkeypatch):
    pool = Pool(Limits(workers=0))
    batch = [pool.run(Ask(small(), seed)) for seed in (1, 2)]
    step = Watched.step_once

    def fails(self):
        if 2 in self.run_seeds and self.tick >= 4:
            raise RuntimeError("no")
        step(self)

    monkeypatch.setattr(Watched, "step_once", fails)
    with pytest.raises(RuntimeError):
        pool._compute(batch)
    pool._fail(batch)
    assert [json.loads(line)["t"] for line in batch[0].lines] == list(range(11))
    assert json.loads(batch[1].lines[-1]) == {"k": "failed"}
    assert batch[0].done and batch[1].done


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "status", "key"),
    [
        ({"scenario": "no_such"}, 404, "no_scenario"),
        ({"scenario": "../../etc/passwd"}, 404, "no_scenario"),
        ({"scenario": "/etc/passwd.yaml"}, 404, "no_scenario"),
        ({"scenario": 3}, 422, "no_scenario"),
        ({"arm": "nobody"}, 422, "no_arm"),
        ({"seed": -1}, 422, "seed"),
        ({"seed": True}, 422, "seed"),
        ({"seed": 1e3}, 422, "seed"),
        ({"set": {"customers.count": 10**9}}, 422, "customers"),
        ({"set": {"horizon": 20_000}}, 422, "ticks"),
        ({"set": {"customers.count": 200_000, "horizon": 1_000}}, 422, "work"),
        ({"set": {"firms.eton.price": -5}}, 422, "problems"),
        ({"set": {"firms.eton.pricee": 5}}, 422, "problems"),
        ({"set": {"firms.eton.price": "__import__('os')"}}, 422, "problems"),
        ({"set": {"firms.eton.strategy": {"name": "passive"}}}, 422, "values"),
        ({"set": {"a" * 300: 1}}, 422, "values"),
        ({"set": []}, 422, "values"),
        ({"moves": {}}, 422, "moves"),
        ({"moves": [{"tick": 0, "changes": {}}]}, 422, "move_tick"),
        ({"moves": [{"tick": 5, "changes": {"customers.count": 5}}]}, 422, "problems"),
        ({"moves": [{"tick": 5, "changes": {"firms.eton.price": 1}}] * 300}, 422, "moves"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(client, change, status, key):
    answer = client.post("/api/run", json={**ASK, **change})
    assert (answer.status_code, answer.json()["error"]) == (status, key)
    assert answer.json()["message"]


def test_refusals_speak_the_visitors_language(client):
    said = client.post("/api/run", json={**ASK, "set": {"firms.eton.pricee": 5}, "lang": "zh"}).json()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said["message"])
    assert said["problems"][0]["path"] == "firms.eton.pricee" and said["problems"][0]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nul", b'{"a": NaN}', b"\xff", b"[" * 20_000])
def test_what_is_not_json_is_refused(client, body):
    answer = client.post("/api/run", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400


def test_other_kinds_sizes_and_places_are_refused(client):
    assert client.post("/api/run", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/api/run", json={"x": "y" * 70_000}).status_code == 413
    cross = {"content-type": "application/json", "sec-fetch-site": "cross-site"}
    assert client.post("/api/run", content="{}", headers=cross).status_code == 403
    assert client.get("/api/run").status_code == 405
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "localhost:8421"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2f..%2fscenario.py", "/static//etc/passwd",
        "/static/%00", "/static/js/%5c..%5cmain.js", "/nothing", "/api/scenario/..%2f..%2fetc", "/api/texts/fr",
        "/api/sweep?id=../../etc/passwd", "/api/sweeps/..%2fx",
        "/api/lessons/..%2fx", "/c/abc", "/api/rooms/999999999999", "/api/rooms/999999999999/sign.svg",
        "/api/rooms/1/lines",
    ],
)  # fmt: skip
def test_path_tricks_find_nothing(client, path):
    assert client.get(path).status_code == 404


def test_every_answer_carries_the_headers(client):
    wanted = {name.decode(): value.decode() for name, value in HEADERS}
    for answer in (client.get("/"), client.get("/nothing"), client.post("/api/run", json={}), client.get("/api/start")):
        assert wanted.items() <= dict(answer.headers).items()
    policy = wanted["content-security-policy"]
    assert "unsafe" not in policy and "http" not in policy.replace("'none'", "")


def test_static_files_are_revalidated(client):
    first = client.get("/static/js/main.js")
    assert first.status_code == 200 and first.headers["content-type"].startswith("text/javascript")
    again = client.get("/static/js/main.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_a_flood_from_one_address_is_slowed_down():
    buckets = Buckets(rate=2, burst=5)
    assert [buckets.take("a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert buckets.take("b", 0.0)
    assert [buckets.take("a", 1.0) for _ in range(3)] == [True, True, False]
    limits = Limits(rate=0.001, burst=3)
    with TestClient(application(Laboratory(limits=limits)), base_url=HOME) as client:
        codes = [client.post("/api/levers", json=ASK).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert client.get("/").status_code == 200


POSTS = ("/api/run", "/api/levers", "/api/story", "/api/replay", "/api/scenario", "/api/compare", "/api/compare/report",
         "/api/lesson/table", "/api/lesson/line", "/api/rooms", "/api/rooms/1234/vote", "/api/rooms/1234/stage",
         "/api/rooms/1234/ballots", "/api/rooms/1234/end", "/api/sweeps", "/api/sweeps/x/stop",
         "/api/sweep/analysis")  # fmt: skip
NAMES = st.sampled_from(
    ["scenario", "arm", "set", "moves", "seed", "plans", "seeds", "dot", "tick", "lesson", "experiment", "lang", "key",
     "voter", "option", "stage", "line", "kind", "firm", "factors", "id", "outcome"]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)
LIKELY = st.sampled_from(
    ["two_hotels", "case", "lesson:two_hotels", SMALL, [{"tick": 3, "changes": {"firms.eton.price": 1e300}}],
     "both_passive", {**SMALL, "firms.eton.strategy": "q_learning"}, [ASK, ASK], "zh", 2, "html", "eton", [0.5] * 13,
     {"firms.eton.price": [250, 300]}]
)  # fmt: skip
VALUES = LIKELY | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(POSTS), body=st.dictionaries(NAMES, VALUES, max_size=6))
def test_no_request_breaks_the_server(client, path, body):
    small_body = {**body, "set": SMALL} if body.get("scenario") and not isinstance(body.get("set"), dict) else body
    if isinstance(small_body.get("set"), dict) and small_body["set"]:
        small_body = {**small_body, "set": {**small_body["set"], **SMALL}}
    answer = client.post(path, json=small_body)
    assert answer.status_code < 500, answer.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.text(max_size=40))
def test_no_address_breaks_the_server(client, path):
    from urllib.parse import quote

    assert client.get("/" + quote(path, safe="/?%")).status_code < 500


# ---------------------------------------------------------------------- what is told of scenarios


def test_levers_come_from_the_declarations():
    plan = cs.load("two_hotels")
    found = {lever["path"]: lever for lever in levers(plan)}
    price = found["firms.eton.price"]
    assert (price["low"], price["high"], price["least"], price["unit"]) == (200, 400, 0, "currency per stay")
    assert price["label"] == {"en": "List price", "zh": "标价"} and price["main"]
    assert found["firms.eton.relationship"]["kind"] == "choice"
    assert "firms.eton.cash" not in found and "customers.count" not in found  # no move may change them
    assert found["firms.eton.strategy.depth"]["value"] == 0.25
    assert not found["firms.eton.card.points"]["works"]
    for path, lever in found.items():
        if lever["kind"] == "number" and lever["value"] is not None:
            assert lever["low"] <= lever["value"] <= lever["high"] and lever["step"] > 0, path


@pytest.mark.parametrize("money", ["hotels", "gyms"])
def test_every_lever_can_be_moved_in_play(money):
    plan = small() if money == "hotels" else gym()
    for lever in levers(plan):
        if lever["kind"] == "number" and lever["value"] is not None:
            values = [lever["low"]]
            if not lever["path"].endswith("_intensity"):  # two of these must not exceed 1 together
                values.append(lever["high"])
        elif lever["kind"] == "switch":
            values = [not lever["value"]]
        else:
            continue
        for value in values:
            if lever.get("start"):
                plan.set({lever["path"]: value})
            else:
                plan.move(5, {lever["path"]: value})


def gym():
    """A market in another money than the hotels': what it pays and charges is a seventh of theirs."""
    own = {"price": 45, "unit_cost": 8, "service": 12}
    return small(**{f"firms.{firm}.{name}": value for firm in ("nanyuan", "eton") for name, value in own.items()})


def test_levers_of_money_reach_around_a_scenarios_own_money():
    found = {lever["path"].removeprefix("firms.eton."): lever for lever in levers(gym())}
    price, service, training = (found[name] for name in ("price", "service", "training"))
    assert (price["low"], price["high"], price["step"], price["own"]) == (15, 135, 0.5, True)
    assert (service["low"], service["high"], service["step"]) == (4, 36, 0.1)
    # Nothing, as far as the plausible range in this money: 25 times 45 / 300.
    assert training["value"] == training["low"] == 0 and 3.75 <= training["high"] < 4
    assert not found["strategy.depth"]["own"] and found["strategy.depth"]["high"] < 1  # is no money


def test_a_value_at_an_end_of_its_plausible_range_has_room_on_both_sides():
    found = {lever["path"]: lever for lever in levers(small(**{"firms.eton.service": 40}))}
    eton, nanyuan = found["firms.eton.service"], found["firms.nanyuan.service"]
    assert (eton["low"], eton["high"], eton["own"]) == (12.5, 120, True)
    assert (nanyuan["low"], nanyuan["high"], nanyuan["own"]) == (40, 120, False)


@pytest.mark.parametrize("name", builtin_names())
def test_every_lever_has_room_within_its_hard_bounds(name):
    for lever in levers(cs.load(name)):
        if lever["kind"] == "number":
            low, high, value = lever["low"], lever["high"], lever["value"]
            assert low < high and 0 < lever["step"] <= high - low, lever["path"]
            assert value is None or low <= value <= high, lever["path"]
            assert lever["least"] is None or low >= lever["least"], lever["path"]
            assert lever["most"] is None or high <= lever["most"], lever["path"]


def test_pages_have_every_text_they_ask_for():
    import re

    table = texts("en")
    asked = set()
    for file in (PACKAGE / "web" / "static" / "js").glob("*.js"):
        source = file.read_text(encoding="utf-8")
        asked |= {f"web.{key}" for key in re.findall(r'\bw\(\s*"([a-z_.]+)"', source)}
        # Chinese stands in the texts; the units of large numbers are the one exception.
        spoken = re.sub(r"^const SCALES = .*$|/\[.*?\]/", "", source, flags=re.MULTILINE)
        assert not re.search("[\u4e00-\u9fff]", spoken), file.name
    assert len(asked) > 100
    assert asked - set(table) == set()


# ---------------------------------------------------------------------- one customer


def test_a_story_is_the_run_itself():
    plan = small()
    story = story_of(plan, 4, 30, 8)
    markets = Watched([plan], [4])
    for entry in story["diary"][1:]:
        markets.step_once()
        assert entry["tick"] == markets.tick
        assert entry["provider"] == markets.columns.provider[30]
        assert entry["satisfaction"] == pytest.approx(float(markets.columns.satisfaction[30]))


def test_a_decisive_cause_would_have_kept_the_customer():
    plan = small()
    parts = [
        (move, part)
        for dot in range(0, 120, 4)
        for move in story_of(plan, 4, dot, 10)["moves"]
        for part in move["parts"]
    ]
    assert any(part["decisive"] for _, part in parts)
    for move, part in parts:
        assert move["margin"] > 0
        if part["decisive"]:
            assert part["money"] > move["margin"]
        if part["cause"] != "variety":
            assert part["money"] > 0


# ---------------------------------------------------------------------- comparing


def test_a_comparison_is_that_of_the_library(client):
    plans = [{"scenario": "two_hotels", "set": SMALL}, {"scenario": "two_hotels", "arm": "both_passive", "set": SMALL}]
    *progress, outcome = lines(client.post("/api/compare", json={"plans": plans, "seeds": 4}))
    assert progress[-1] == {"k": "progress", "done": 8, "total": 8}
    case, passive = small().named("a"), cs.load("two_hotels").arm("both_passive").set(SMALL).named("b")
    result = cs.run([case, passive], range(1, 5), progress=False)
    gap = result.diff("a", "share", at=10)
    assert [row[0] for row in outcome["differences"]["share"][0]] == pytest.approx(gap["mean"].tolist())
    assert [row[1] for row in outcome["differences"]["share"][0]] == pytest.approx(gap["low"].tolist())
    money = outcome["money"][1][0]
    assert money["profit"] == pytest.approx(
        money["revenue"] - money["service_cost"] - money["relationship_cost"] - money["other_cost"]
    )
    left = result.causes[(result.causes["tick"] >= 1) & (result.causes["scenario"] == "a")]
    assert sum(map(sum, outcome["causes"][0])) == pytest.approx(left["primary"].sum() / 4)
    assert outcome["fans"]["share"]["ticks"] == list(range(11))
    for plan, (rest, *_) in enumerate(outcome["outside"]["share"]["values"]):
        assert rest > 0 and rest + sum(firm[0] for firm in outcome["values"]["share"][plan]) == pytest.approx(1)
    (rests,) = outcome["outside"]["share"]["differences"]
    assert rests[0] == pytest.approx(-sum(row[0] for row in outcome["differences"]["share"][0]))


def test_a_comparison_begins_with_whose_decision_it_is(client):
    """The page preselects what the command line's report is about, and says by which plan a firm earns most."""
    from churnsim.report import findings

    arms = ("nanyuan_passive", "case", "both_passive")
    plans = [small().arm(arm) for arm in arms]
    asked = {"plans": [{"scenario": "two_hotels", "arm": arm, "set": SMALL} for arm in arms], "seeds": 4}
    outcome = lines(client.post("/api/compare", json=asked))[-1]
    result = cs.run(plans, [1, 2, 3, 4], progress=False)
    decision = findings(result, baseline=plans[0].name).decision
    assert outcome["firms"][outcome["firm"]] == decision.firm == "nanyuan"
    assert arms[outcome["plan"]] == decision.main == "case"
    end = result.ticks.query("tick == 10").pivot_table(
        index=["firm", "seed"], columns="scenario", values="cumulative_profit", observed=True
    )
    for place, firm in enumerate(outcome["firms"]):
        best, table = outcome["best"][place], end.loc[firm][list(arms)]
        means = table.mean().to_numpy()
        first, second = np.argsort(-means)[:2]
        gaps = (table.iloc[:, first] - table.iloc[:, second]).to_numpy()
        mean, low, high, won, runs = best["gap"]
        assert (best["plan"], best["next"]) == (first, second) and best["reached"] == pytest.approx(means[first])
        assert mean == pytest.approx(gaps.mean()) and low <= mean <= high
        assert (won, runs) == ((gaps > 0).sum(), 4)
    single = lines(client.post("/api/compare", json={**asked, "plans": asked["plans"][:1]}))[-1]
    assert single["best"] == [None, None] and single["plan"] == 0


def test_where_money_is_not_known_plans_are_compared_by_the_share(client):
    about = client.get("/api/scenario/calibration_panel").json()
    assert {"profit", "cash", "cumulative_profit"} <= set(about["unknown"]) and "price" not in about["unknown"]
    assert about["case"]["zh"] == "偏好与记忆"
    plans = [{"scenario": "calibration_panel", "arm": arm, "set": {"customers.count": 60, "horizon": 8}}
             for arm in ("case", "tastes_only")]  # fmt: skip
    outcome = lines(client.post("/api/compare", json={"plans": plans, "seeds": 3}))[-1]
    assert (outcome["goal"], outcome["share"], outcome["money"]) == ("share", "share", None)
    assert not {"cumulative_profit"} & {*outcome["values"], *outcome["differences"], *outcome["fans"]}
    assert outcome["best"][0]["reached"] == max(plan[0][0] for plan in outcome["values"]["share"])


def test_what_cannot_be_compared_is_refused(client):
    unlike = [{"scenario": "two_hotels", "set": SMALL}, {"scenario": "symmetry", "set": SMALL}]
    assert client.post("/api/compare", json={"plans": unlike, "seeds": 2}).json()["error"] == "unlike"
    assert client.post("/api/compare", json={"plans": [], "seeds": 2}).status_code == 422
    assert client.post("/api/compare", json={"plans": [ASK] * 7, "seeds": 2}).status_code == 422
    assert client.post("/api/compare", json={"plans": [ASK], "seeds": 1000}).status_code == 422
    large = {"scenario": "two_hotels", "set": {"customers.count": 100_000}}
    assert client.post("/api/compare", json={"plans": [large], "seeds": 200}).json()["error"] == "comparison"


# ---------------------------------------------------------------------- lessons and rooms


def test_lessons_are_told_in_full(client):
    cards = client.get("/api/lessons").json()
    assert [card["number"] for card in cards] == sorted(card["number"] for card in cards)
    for card in cards[::5]:
        lesson = client.get(f"/api/lessons/{card['id']}").json()
        assert lesson["answer"] in {option["id"] for option in lesson["options"]}
        name = lesson["experiments"][0]["scenario"]
        assert client.get(f"/api/scenario/{name}").status_code == 200
    assert client.get("/api/scenario/lesson:nothing").status_code == 404
    assert client.get(f"/api/scenario/lesson:{cards[0]['id']}:99").status_code == 404


def test_a_lessons_table_is_worked_out_on_the_run_that_is_shown(client):
    table = client.post("/api/lesson/table", json={"lesson": "churn_rate"}).json()
    assert table["rows"] and all(set(row) >= {"label", "unit", "mean"} for row in table["rows"])
    assert client.post("/api/lesson/table", json={"lesson": "churn_rate", "seeds": 10_000}).status_code == 422


def test_a_class_votes_and_sees_itself_only_when_revealed(client):
    room = client.post("/api/rooms", json={"lesson": "two_hotels"}).json()
    at, key = f"/api/rooms/{room['code']}", {"x-room-key": room["key"]}
    options = [option["id"] for option in client.get("/api/lessons/two_hotels").json()["options"]]
    for student in range(9):
        vote = {"voter": f"student-{student}", "option": options[student % 2]}
        assert client.post(f"{at}/vote", json=vote).status_code == 200
    assert client.post(f"{at}/vote", json={"voter": "student-1", "option": options[2]}).status_code == 200
    assert "histogram" not in client.get(at).json() and client.get(at).json()["votes"] == 9
    assert client.get(at, headers=key).json()["histogram"] == {options[0]: 5, options[1]: 3, options[2]: 1}
    assert client.post(f"{at}/vote", json={"voter": "student-1", "option": "nonsense"}).status_code == 422
    assert client.post(f"{at}/stage", json={"key": "wrong", "stage": "revealed"}).status_code == 403
    assert client.post(f"{at}/stage", json={"key": room["key"], "stage": "closed"}).status_code == 200
    assert client.post(f"{at}/vote", json={"voter": "student-2", "option": options[0]}).status_code == 409
    client.post(f"{at}/stage", json={"key": room["key"], "stage": "revealed"})
    assert client.get(at).json()["histogram"][options[0]] == 5
    asked = client.get(f"/c/{room['code']}", follow_redirects=False)
    assert asked.headers["location"].endswith(f"room={room['code']}&lang=en")


def test_rooms_are_limited_and_forgotten():
    rooms = Rooms(Limits(rooms=2, votes=1))
    first = rooms.open("x", Poll(("a", "b")), now=0)["code"]
    rooms.open("x", Poll(("a", "b")), now=1)
    with pytest.raises(RefusalError):
        rooms.open("x", Poll(("a", "b")), now=2)
    rooms.vote(first, "somebody", "a")
    with pytest.raises(RefusalError) as full:
        rooms.vote(first, "somebody else", "a")
    assert full.value.status == 429
    rooms.open("x", Poll(("a", "b")), now=1e6)
    with pytest.raises(RefusalError):
        rooms.about(first)


# ---------------------------------------------------------------------- studies


def table(tmp_path: Path) -> Path:
    plan = cs.load("two_hotels").set({**SMALL, "firms.eton.strategy": "passive"})
    rows = ["key,row,replication,seed,scenario,firms.eton.price,share.eton@10"]
    for row, price in enumerate((240, 300)):
        ticks = cs.run(plan.set({"firms.eton.price": price}), [1, 2], progress=False).ticks
        last = ticks[(ticks["tick"] == 10) & (ticks["firm"] == "eton")]
        for replication, (seed, share) in enumerate(zip(last["seed"], last["share"], strict=True)):
            rows.append(f"{row}{replication},{row},{replication},{seed},two_hotels,{price},{share}")
    path = tmp_path / "study.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_studys_table_is_explored(tmp_path):
    path = table(tmp_path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with TestClient(application(Laboratory(studies=str(tmp_path))), base_url=HOME) as client:
        assert client.get("/api/sweeps").json() == [{"id": "study.csv"}]
        study = client.get("/api/sweep", params={"id": "study.csv"}).json()
        assert study["factors"] == {"firms.eton.price": [240, 240, 300, 300]}
        assert study["labels"]["firms.eton.price"]["zh"] == "伊顿酒店：标价"
        assert study["scenario"] == "two_hotels" and study["seed"] == [1, 2, 1, 2]
        # A cell opens its run: the same number comes out of Play.
        ask = {
            "scenario": "two_hotels",
            "seed": 2,
            "set": {**SMALL, "firms.eton.strategy": "passive", "firms.eton.price": 240},
        }
        *_, last = lines(client.post("/api/run", json=ask))
        assert last["measures"]["share"][1] == pytest.approx(study["outcomes"]["share.eton@10"][1], rel=1e-12)
    parquet = tmp_path / "study.parquet"
    read_table(path).to_parquet(parquet)
    assert as_columns(read_table(parquet)) == as_columns(read_table(path))
    assert not is_study(["seed", "replication", "firms.eton.price"])


# ---------------------------------------------------------------------- the command


class TestCommand:
    def test_a_replay_is_one_small_file(self, cli, tmp_path):
        answer = cli("replay", "two_hotels", "--seed", 3, "-o", "mine.html", "--json")
        assert answer.code == 0 and answer.json["bytes"] < 500_000
        page = (tmp_path / "mine.html").read_text(encoding="utf-8")
        body = page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
        assert "http" not in body.split("<script>")[0]
        assert (
            "<script src" not in page and "<link" not in page and "import " not in page.split('type="module">')[1][:200]
        )
        assert 'content="default-src' in page

    def test_a_replay_of_a_lesson_and_of_a_result(self, cli, tmp_path):
        assert cli("replay", "lesson:churn_rate", "-o", "lesson.html").code == 0
        cs.run(small().named("case"), [1], progress=False).save(tmp_path / "result")
        assert cli("replay", "result", "-o", "result.html", "--lang", "zh").code == 0
        assert "南苑" in (tmp_path / "result.html").read_text(encoding="utf-8")[:2000]

    def test_bad_input_is_refused_before_anything_runs(self, cli, tmp_path):
        assert cli("replay", "no_such").code == 2
        assert cli("replay", "two_hotels", "--arm", "nobody").code == 2
        (tmp_path / "file").write_text("x")
        assert cli("replay", "two_hotels", "-o", "file/x.html").code == 2
        assert cli("play", "no_such", "--no-browser").code == 2
        assert cli("play", "--host", "999.1.1.1", "--no-browser").code == 2

    def test_a_missing_extra_is_named(self, python):
        code = """
import sys
sys.modules["starlette"] = None
sys.argv = ["churnsim", "play", "--no-browser", "--lang", "en"]
sys.stderr = sys.stdout
from churnsim.cli import main
try: main()
except SystemExit as end: print("code", end.code)
"""
        said = python(code)
        assert "churnsim[web]" in said and "code 2" in said

    def test_the_address_is_this_machines_unless_told_otherwise(self):
        assert is_loopback("127.0.0.1") and is_loopback("localhost") and is_loopback("::1")
        assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.4")
        assert server.address_of("127.0.0.1", 80) == "http://127.0.0.1:80"
        sock = server.listening("127.0.0.1", 0, insist=True)
        port = sock.getsockname()[1]
        sock.listen()
        with pytest.raises(server.PortTakenError):
            server.listening("127.0.0.1", port, insist=True)
        other = server.listening("127.0.0.1", port, insist=False)
        assert other.getsockname()[1] != port
        other.close()
        sock.close()

    def test_scenarios_of_a_file_come_first(self, write):
        from churnsim.web.catalogue import Catalogue, opened

        path = write("extends: two_hotels\nid: mine\ntitle: Mine\n")
        catalogue = Catalogue(opened(str(path)))
        assert catalogue.scenario("mine").title["en"] == "Mine"
        assert catalogue.about("mine")["firms"][1]["id"] == "eton"
        with pytest.raises(RefusalError):
            catalogue.scenario(str(path))


def test_vendored_files_are_those_of_the_manifest():
    import hashlib

    vendor = PACKAGE / "web" / "static" / "vendor"
    manifest = json.loads((vendor / "MANIFEST.json").read_text())
    for package, about in manifest.items():
        assert (vendor / f"{package}.LICENSE").is_file()
        for name, digest in about["files"].items():
            assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest


def test_replays_join_every_module_they_need():
    import re

    from churnsim.web.replay import MODULES, joined

    known = set(MODULES)
    for place, name in enumerate(MODULES):
        source = (PACKAGE / "web" / "static" / "js" / f"{name}.js").read_text(encoding="utf-8")
        assert set(re.findall(r'from "\./(\w+)\.js"', source)) <= set(MODULES[:place]) & known
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", joined(), flags=re.MULTILINE)
    assert sorted(names) == sorted(set(names))


SERVER = """
import socket, sys, threading, time, uvicorn
from churnsim.web.app import Laboratory, application
from churnsim.web.limits import Limits

sock = socket.socket()
sock.bind(("127.0.0.1", 0))
lab = Laboratory(limits=Limits(rate=1e6, burst=1e6))
server = uvicorn.Server(uvicorn.Config(application(lab), log_level="error", timeout_graceful_shutdown=1))

def tell():
    for _ in sys.stdin:
        print(time.process_time(), lab.pool.started, flush=True)
    server.should_exit = True

print(sock.getsockname()[1], flush=True)
threading.Thread(target=tell, daemon=True).start()
server.run(sockets=[sock])
"""


@pytest.mark.slow
def test_thirty_students_press_play_at_once():
    """Thirty different seeds: first ticks within 3 s, everything within 30 s; thirty on one link cost one run.

    The clock is that of a machine with nothing else to do: the better of two tries counts, since that is seldom so.
    What the server computes does not depend on who else computes: that is looked at in every try.
    """
    import os
    import subprocess
    import sys
    import threading
    import time

    import httpx

    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    address = f"http://127.0.0.1:{process.stdout.readline().strip()}/api/run"
    client = httpx.Client(timeout=120, limits=httpx.Limits(max_connections=100))

    def used() -> tuple[float, int]:
        process.stdin.write("\n")
        process.stdin.flush()
        seconds, started = process.stdout.readline().split()
        return float(seconds), int(started)

    def ask(seed: int, **more) -> tuple[float, float, int]:
        begun, first, count = time.monotonic(), 0.0, 0
        body = {"scenario": "two_hotels", "seed": seed, "set": {"customers.count": 3000}, **more}
        with client.stream("POST", address, json=body) as answer:
            for chunk in answer.iter_raw():
                count += chunk.count(b"\n")
                if count >= 4 and not first:
                    first = time.monotonic() - begun
        return first, time.monotonic() - begun, count

    def together(seeds: list[int]) -> list[tuple[float, float, int]]:
        found: list[tuple[float, float, int]] = []
        students = [threading.Thread(target=lambda seed=seed: found.append(ask(seed))) for seed in seeds]
        for student in students:
            student.start()
        for student in students:
            student.join()
        assert len(found) == len(seeds) and all(count == 98 for _, _, count in found)
        return found

    try:
        together([999])  # whatever is compiled or loaded first
        tries = []
        for start in (0, 100):
            before, _ = used()
            tries.append(together(list(range(start, start + 30))))
            assert used()[0] - before < 12  # measured: 3.5 to 4.5
        assert min(max(first for first, _, _ in found) for found in tries) < 3
        assert min(max(whole for _, whole, _ in found) for found in tries) < 30
        _, started = used()
        together([500] * 30)
        assert used()[1] == started + 1
        moves = [[{"tick": 41, "changes": {"firms.eton.price": price}}] for price in (250, 260)]
        assert min(ask(500, moves=each)[0] for each in moves) < 0.5  # a slider that is moved
    finally:
        client.close()
        process.stdin.close()
        process.wait(20)
