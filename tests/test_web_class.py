"""Classes in the laboratory: their lines, their votes, the sign at the door, and that nothing of them is kept."""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as ElementTree

import pytest

import churnsim as cs

pytest.importorskip("starlette", reason="the web extra is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from churnsim.lessons import lesson_ids, load_lesson
from churnsim.metrics import FIRM_MEASURES
from churnsim.web.app import Laboratory, application
from churnsim.web.asks import RefusalError
from churnsim.web.classroom import drawable, sign
from churnsim.web.limits import Limits
from churnsim.web.rooms import Poll, Rooms

HOME = "http://127.0.0.1"
POLL = Poll(("a", "b"), points=3, low=0.0, high=1.0)


@pytest.fixture(scope="module")
def client():
    lab = Laboratory(limits=Limits(rate=1e6, burst=1e6), address="http://192.168.7.20:8421")
    with TestClient(application(lab, local=False), base_url=HOME, raise_server_exceptions=False) as one:
        one.lab = lab
        yield one
    lab.close()


def test_lines_name_what_the_lessons_have():
    drawn = 0
    for name in lesson_ids():
        lesson = load_lesson(name)
        line = drawable(lesson)
        if line is None:
            continue
        drawn += 1
        plan = lesson.main.plan
        assert line["measure"] in FIRM_MEASURES and line["firm"] in plan.firms and line["arm"] in plan.arm_names
        assert (
            line["knots"][0] == (0 if plan.burn_in else 1)
            and line["knots"][-1] == plan.horizon
            and len(line["knots"]) <= 13
        )
        assert (line["arm_title"] is None) == (line["arm"] == "case")
    assert drawn >= 8


def test_the_line_is_the_run_that_the_class_sees(client):
    line = client.get("/api/lessons/churn_rate").json()["line"]
    course = client.post("/api/lesson/line", json={"lesson": "churn_rate"}).json()
    experiment = load_lesson("churn_rate").main
    ticks = cs.run(experiment.plan.arm(line["arm"]), [experiment.seed], progress=False).ticks
    rows = ticks[(ticks["firm"] == line["firm"]) & (ticks["tick"] >= 0)]
    assert course["ticks"] == list(range(line["knots"][0], line["knots"][-1] + 1))
    assert course["values"] == rows[line["measure"]].tolist()
    assert all(line["low"] <= value <= line["high"] for value in course["values"])
    assert client.post("/api/lesson/line", json={"lesson": "value_matrix"}).json()["error"] == "no_line"
    assert client.post("/api/lesson/line", json={}).status_code == 404


def test_a_class_costs_one_computation(client):
    before = client.lab.once.made
    for _ in range(5):
        assert client.post("/api/lesson/line", json={"lesson": "two_hotels"}).status_code == 200
        assert client.post("/api/lesson/table", json={"lesson": "churn_rate", "seeds": 2}).status_code == 200
    assert client.lab.once.made == before + 2


def test_a_failure_is_not_remembered(client, monkeypatch):
    async def fails(*given):
        raise RefusalError(429, "busy")

    with monkeypatch.context() as patch:
        patch.setattr(client.lab, "computed", fails)
        assert client.post("/api/lesson/table", json={"lesson": "churn_rate", "seeds": 3}).status_code == 429
    assert client.post("/api/lesson/table", json={"lesson": "churn_rate", "seeds": 3}).status_code == 200


def test_a_class_draws_and_sees_its_lines_only_when_revealed(client):
    room = client.post("/api/rooms", json={"lesson": "two_hotels"}).json()
    at, key = f"/api/rooms/{room['code']}", {"x-room-key": room["key"]}
    points = len(client.get("/api/lessons/two_hotels").json()["line"]["knots"])
    lines = [[0.3] * points, [0.1 * k % 0.6 for k in range(points)]]
    for student, line in enumerate(lines):
        assert client.post(f"{at}/vote", json={"voter": f"student-{student}", "line": line}).status_code == 200
    assert client.post(f"{at}/vote", json={"voter": "student-0", "option": "turns"}).status_code == 200
    about = client.get(at).json()
    assert (about["votes"], about["lines"]) == (1, 2) and "address" not in about
    assert client.get(f"{at}/lines").json()["error"] == "not_teacher"
    assert client.get(f"{at}/lines", headers=key).json()["lines"][0] == lines[0]
    client.post(f"{at}/stage", json={"key": room["key"], "stage": "revealed"})
    assert client.get(f"{at}/lines").json()["lines"][1] == pytest.approx(lines[1], rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("line", [[0.1], [0.1, 0.2, 2.0], [0.1, 0.2, "x"], [0.1, 0.2, True], {}, "abc", [0.1] * 4])
def test_what_is_no_line_of_the_lesson_is_refused(line):
    rooms = Rooms(Limits())
    code = rooms.open("x", POLL)["code"]
    with pytest.raises(RefusalError) as refused:
        rooms.vote(code, "somebody", line=line)
    assert refused.value.status == 422
    with pytest.raises(RefusalError):
        rooms.vote(rooms.open("x", Poll(("a",)))["code"], "somebody", line=[])


def test_the_teacher_keeps_the_ballots_and_nobody_else(client):
    room = client.post("/api/rooms", json={"lesson": "churn_rate"}).json()
    at = f"/api/rooms/{room['code']}"
    options = [option["id"] for option in client.get("/api/lessons/churn_rate").json()["options"]]
    for student in range(4):
        client.post(f"{at}/vote", json={"voter": f"student-{student}", "option": options[student % 2]})
    assert client.post(f"{at}/ballots", json={"key": "wrong"}).status_code == 403
    assert client.post(f"{at}/ballots", json={}).status_code == 403
    ballots = client.post(f"{at}/ballots", json={"key": room["key"]}).json()["ballots"]
    assert [one["option"] for one in ballots] == [options[k % 2] for k in range(4)]
    assert all(set(one) == {"option", "line", "seconds"} for one in ballots)  # and not who
    assert client.post(f"{at}/end", json={"key": "wrong"}).status_code == 403
    assert client.post(f"{at}/end", json={"key": room["key"]}).status_code == 200
    assert client.get(at, headers={"x-room-key": room["key"]}).json()["stage"] == "ended"
    assert client.get(f"{at}/lines").status_code == client.get(f"{at}/sign.svg").status_code == 404
    assert client.post(f"{at}/ballots", json={"key": room["key"]}).status_code == 404
    assert not any(str(option) in repr(vars(client.lab.rooms)) for option in options)


def test_the_sign_leads_to_the_room(client):
    room = client.post("/api/rooms", json={"lesson": "churn_rate"}).json()
    at = f"/api/rooms/{room['code']}"
    about = client.get(at, headers={"x-room-key": room["key"]}).json()
    assert about["address"] == f"http://192.168.7.20:8421/c/{room['code']}" and not about["local"]
    answer = client.get(f"{at}/sign.svg")
    assert answer.headers["content-type"] == "image/svg+xml" and answer.content == sign(about["address"])
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
    assert client.get("/api/rooms/999/sign.svg").status_code == 404


@pytest.mark.parametrize("own", ["zh-CN,zh;q=0.9,en;q=0.8", "EN-gb", " en"])
def test_a_phone_in_english_or_chinese_keeps_its_language(client, own):
    code = client.post("/api/rooms", json={"lesson": "churn_rate", "lang": "zh"}).json()["code"]
    asked = client.get(f"/c/{code}", headers={"accept-language": own}, follow_redirects=False)
    assert asked.headers["location"] == f"/#p=lessons&room={code}"


@pytest.mark.parametrize("own", ["", "de-DE,en;q=0.8", "*"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_other_phones_get_their_teachers_language(client, lang, own):
    code = client.post("/api/rooms", json={"lesson": "churn_rate", "lang": lang}).json()["code"]
    headers = {"accept-language": own}
    asked = client.get(f"/c/{code}", headers=headers, follow_redirects=False)
    assert asked.headers["location"] == f"/#p=lessons&room={code}&lang={lang}"
    # A class that is not there has none.
    gone = client.get("/c/999", headers=headers, follow_redirects=False)
    assert gone.headers["location"] == "/#p=lessons&room=999"


def test_the_sign_says_its_address():
    """The modules of the picture are those of the code that the library makes of the address."""
    import re

    import segno

    address = "http://192.168.7.20:8421/c/4821"
    drawn = sign(address).decode()
    code = segno.make(address, error="m", micro=False)
    size = len(code.matrix)
    assert f'viewBox="0 0 {size + 8} {size + 8}"' in drawn
    path = re.search(r'class="qrline" stroke="#000" d="([^"]+)"', drawn).group(1)
    grid = [[0] * size for _ in range(size)]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmhv])([^Mmhv]*)", path):
        values = [float(value) for value in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for step in range(int(values[0])):
                grid[int(y - 0.5) - 4][int(x) + step - 4] = 1
            x += values[0]
    assert grid == [list(row) for row in code.matrix]
