"""Tournaments and searches as studies: whatever happens to a run, a worker or the command, the answer is the same, and
what has been run is never run again.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from churnsim.strategies import REGISTRY
from churnsim.studies import watching
from churnsim.studies.errors import Interrupted, StoreError
from churnsim.studies.gaps import remaining
from churnsim.studies.missing import NoAnswerError
from churnsim.studies.optimisation import Optimisation
from churnsim.studies.optimise import optimise
from churnsim.studies.optimum import as_json
from churnsim.studies.pool import Pool
from churnsim.studies.reading import read_record
from churnsim.studies.store import Store
from churnsim.studies.study import Study
from churnsim.studies.sweeping import sweep
from churnsim.studies.tournament import Tournament, left_to_run, play
from churnsim.studies.work import Job
from test_studies_faults import TESTS, linux, marked, until

SMALL = {"customers.count": 60, "horizon": 8, "burn_in": 6}
GAME = {
    "name": "game", "scenario": "two_hotels", "set": SMALL, "firms": ["nanyuan", "eton"], "replications": 60,
    "strategies": {"passive": "passive", "cut": {"name": "price_cut", "depth": 0.2}, "service": "service_quality"},
}  # fmt: skip
SEARCH = {
    "name": "search", "scenario": "two_hotels", "set": SMALL, "firm": "nanyuan",
    "levers": {
        "firms.nanyuan.strategy.training": {"uniform": [0, 20]},
        "firms.nanyuan.strategy.level": {"levels": ["basic", "proactive"]},
        "price": {"uniform": [280, 320]}, "when": {"integers": [1, 6]},
    },
    "moves": [{"tick": "$when", "firms.nanyuan.price": "$price"}],
    "maximise": ["cumulative_profit.nanyuan"],
    "futures": {"firms.eton.strategy.depth": {"uniform": [0, 0.3]}},
    "search": {"population": 6, "generations": 4, "futures": 6, "finalists": 2, "fresh": 12},
}  # fmt: skip


def game(**changes):
    return Tournament(**{**GAME, **changes})


def search(**changes):
    return Optimisation(**{**SEARCH, **changes})


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Fewer resamples than people get, for time."""
    monkeypatch.setattr("churnsim.studies.game_sampling.RESAMPLES", 20)


@pytest.fixture(scope="module")
def undisturbed():
    """Payoffs of the game, played in this process."""
    (found,) = play(game(), jobs=0)
    return found.samples


@pytest.fixture(scope="module")
def found():
    """The answer of the search, in this process."""
    return json.dumps(as_json(optimise(search(), jobs=0)))


@pytest.fixture
def own():
    """Strategies of one's own, known to this process inside the test alone."""
    import study_strategies

    REGISTRY.update(study_strategies.KINDS)
    yield study_strategies
    for name in study_strategies.KINDS:
        REGISTRY.pop(name, None)


def rows(folder: Path) -> dict[bytes, tuple]:
    """Everything that is stored of every run, by key."""
    with Store.open(folder) as store:
        query = "SELECT key, number, ok, y, seconds, attempts, environment FROM run"
        return {key: tuple(row) for key, *row in store.connection.execute(query)}


class TestWhatARunIs:
    def test_it_does_not_depend_on_how_it_is_written(self):
        written = {"name": "price_cut", "depth": 0.2, "start": 1}
        plain = game(strategies={"cut": {"name": "price_cut", "depth": 0.2}, "none": "passive"})
        other = game(strategies={"other": written, "nothing": {"name": "passive"}})
        assert [setup.text for setup, _ in plain.tasks()] == [setup.text for setup, _ in other.tasks()]

    def test_a_level_that_the_market_has_anyway_is_the_market(self):
        levels = game(vary={"customers.switching_cost.mean": [110, 20]})
        market = levels.market.customers.switching_cost.mean
        assert market == 110
        assert {s.text for s, _ in game().tasks()} < {s.text for s, _ in levels.tasks()}

    def test_the_store_makes_the_same_scenarios(self):
        asked = game(set={**SMALL, "firms.eton.price": 310}, vary={"customers.switching_cost.mean": [20, 110]})
        job = Job(asked.study.arm_names, tuple(asked.study.bases.values()), asked.study.kept, "")
        for level, choice in ((20, (0, 1)), (110, (2, 2))):
            setup = asked.setup(level, choice)
            (made,) = [job.bases[0].set(setup.changes)]
            assert made.key == asked.cell(level, choice).key

    def test_a_plan_with_its_moves(self, tmp_path):
        asked = search()
        optimise(asked, tmp_path, jobs=0)
        with Store.open(tmp_path) as store:
            frame = store.frame()
            planned = frame[frame["arm"] == "plan"].iloc[0]
            (move,) = json.loads(planned["moves"])
            made = store.scenario(planned.name)
            assert [(m.tick, dict(m.changes)) for m in made.moves] == [
                (move["tick"], {"firms.nanyuan.price": move["firms.nanyuan.price"]})
            ]
            assert made.firms["nanyuan"].strategy.training == planned["firms.nanyuan.strategy.training"]
            idle = frame[frame["arm"] == "nothing"]
            assert store.scenario(idle.index[0]).firms["nanyuan"].strategy.name == "passive"
            assert len(idle) == 6 + 12 and idle["moves"].isna().all()


class TestNothingTwice:
    def test_a_strategy_more(self, tmp_path):
        first = game(replications=4)
        play(first, tmp_path, jobs=0)
        before = rows(tmp_path)
        more = game(replications=4, strategies={"undercut": "undercut", **first.strategies})
        assert left_to_run(more, tmp_path) == 4 * 4
        (grown,) = play(more, tmp_path, jobs=0)
        after = rows(tmp_path)
        assert len(after) == 10 * 4 and {key: after[key] for key in before} == before
        (fresh,) = play(more, jobs=0)
        np.testing.assert_array_equal(grown.samples, fresh.samples)

    def test_a_generation_more(self, tmp_path):
        optimise(search(), tmp_path, jobs=0)
        before = rows(tmp_path)
        longer = search(search={**SEARCH["search"], "generations": 5})
        again = optimise(longer, tmp_path, jobs=0)
        after = rows(tmp_path)
        assert {key: after[key] for key in before} == before and again.runs == len(after) - len(before) > 0
        assert json.dumps(as_json(again)) == json.dumps(as_json(optimise(longer, jobs=0)))

    def test_another_payoff_is_another_study(self, tmp_path, cli, write):
        play(game(replications=2), tmp_path / "kept", jobs=0)
        write(json.dumps({**GAME, "payoff": "share"}), "game.yaml")
        answer = cli("tournament", "game.yaml", "--out", "kept", "--jobs", "0")
        assert answer.code == 2 and "another study" in answer.err
        with pytest.raises(StoreError, match="another study"):
            optimise(search(), tmp_path / "kept", jobs=0)

    def test_own_strategies(self, tmp_path, own, monkeypatch):
        first = game(replications=2)
        play(first, tmp_path, jobs=0)
        more = game(replications=2, strategies={**first.strategies, "own": "own_steady"})
        assert left_to_run(more, tmp_path) == 4 * 2, "what the package does is not run again"
        play(more, tmp_path, jobs=2)
        assert left_to_run(more, tmp_path) == 0
        monkeypatch.setattr("churnsim.studies.keys.meaning", lambda source: "another one")
        changed = Tournament(**more.model_dump(exclude={"title", "question"}))
        assert left_to_run(changed, tmp_path) == 4 * 2, "what one's own module does is, once it means something else"


class TestAnyWorkers:
    def test_two_workers(self, tmp_path, undisturbed):
        (found,) = play(game(), tmp_path, jobs=2)
        np.testing.assert_array_equal(found.samples, undisturbed)

    @pytest.mark.slow
    def test_two_workers_search(self, found):
        assert json.dumps(as_json(optimise(search(), jobs=2))) == found

    @pytest.mark.slow
    def test_dask_workers(self, tmp_path):
        pytest.importorskip("distributed")
        few = game(replications=10)
        (here,), (there,) = play(few, jobs=0), play(few, tmp_path / "game", dask=2)
        np.testing.assert_array_equal(there.samples, here.samples)
        short = search(search={**SEARCH["search"], "generations": 2})
        answers = [as_json(optimise(short, jobs=0)), as_json(optimise(short, tmp_path / "search", dask=2))]
        assert json.dumps(answers[0]) == json.dumps(answers[1])

    def test_a_full_disk(self, cli, write, monkeypatch):
        write(json.dumps({**GAME, "replications": 2}), "game.yaml")
        monkeypatch.setattr("churnsim.studies.campaign.SPARE", 2**60)
        answer = cli("tournament", "game.yaml", "--jobs", "0")
        assert answer.code == 75 and "too little room" in answer.err

    def test_one_way(self, cli, write):
        write(json.dumps(GAME), "game.yaml")
        assert cli("tournament", "game.yaml", "--jobs", "1", "--dask-local", "2").code == 2


# ---------------------------------------------------------------------- kills and interrupts

SCRIPT = """
import json, sys
sys.path.append({tests!r})
from churnsim.studies import game_sampling
game_sampling.RESAMPLES = 20
from pathlib import Path
from churnsim.studies.{module} import {record}
from churnsim.studies.{runner} import {function}
asked = {record}(**json.loads({data!r}))
{function}(asked, Path({out!r}), jobs=2, progress=lambda done, total: print(done, flush=True))
print("END")
"""


def start(kind: str, out: Path, mark: str) -> subprocess.Popen:
    """Start a tournament or a search in a process of its own."""
    about = {
        "game": {"module": "tournament", "record": "Tournament", "runner": "tournament", "function": "play"},
        "search": {"module": "optimisation", "record": "Optimisation", "runner": "optimise", "function": "optimise"},
    }[kind]
    data = json.dumps({"game": GAME, "search": SEARCH}[kind])
    code = SCRIPT.format(tests=str(TESTS), data=data, out=str(out), **about)
    env = {**os.environ, "STUDY_MARK": mark, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )


@linux
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["game", "search"])
def test_the_parent_is_killed(tmp_path, kind, undisturbed, found):
    kept = 0
    for runs in (40, 110):
        mark = uuid.uuid4().hex
        process = start(kind, tmp_path, mark)
        until(process, runs)
        process.kill()
        process.wait()
        end = time.monotonic() + 20
        while marked(mark) and time.monotonic() < end:
            time.sleep(0.1)
        assert marked(mark) == [], "no orphans"
        with Store.open(tmp_path) as store:
            done = store.counts()["done"]
        assert done >= kept
        kept = done
    before = rows(tmp_path)
    if kind == "game":
        (again,) = play(game(), tmp_path, jobs=2)
        np.testing.assert_array_equal(again.samples, undisturbed)
        assert len(rows(tmp_path)) == 6 * 60
    else:
        assert json.dumps(as_json(optimise(search(), tmp_path, jobs=2))) == found
    after = rows(tmp_path)
    assert 0 < kept < len(after) and {key: after[key] for key in before} == before


@linux
@pytest.mark.slow
def test_workers_are_killed(tmp_path, monkeypatch, undisturbed, found):
    pools: list[Pool] = []
    begin, over = Pool.__init__, threading.Event()

    def noted(self, *given):
        begin(self, *given)
        pools.append(self)

    def kill():
        kills = 0
        while kills < 6 and not over.wait(0.15):
            with suppress(IndexError, OSError, RuntimeError):
                worker = random.Random(kills).choice([worker for worker in pools[-1].processes if worker.busy])
                os.kill(worker.process.pid, signal.SIGKILL)
                kills += 1

    monkeypatch.setattr(Pool, "__init__", noted)
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        (played,) = play(game(), tmp_path / "game", jobs=2)
        answer = optimise(search(), tmp_path / "search", jobs=2)
    finally:
        over.set()
        killer.join()
    assert sum(pool.restarts for pool in pools) > 0
    np.testing.assert_array_equal(played.samples, undisturbed)
    assert json.dumps(as_json(answer)) == found and answer.failures is None


def test_it_stops_when_asked_and_goes_on(tmp_path, undisturbed):
    def stop(done, total):
        if 0 < done < total:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        play(game(), tmp_path, jobs=0, progress=stop)
    kept = len(rows(tmp_path))
    assert 0 < kept < 360 and left_to_run(game(), tmp_path) == 360 - kept
    (again,) = play(game(), tmp_path, jobs=0)
    np.testing.assert_array_equal(again.samples, undisturbed)


def test_a_damaged_store_gives_its_whole_runs(tmp_path):
    asked = game(replications=8)
    (whole,) = play(asked, tmp_path, jobs=0)
    kept = rows(tmp_path)
    with sqlite3.connect(tmp_path / "study.sqlite") as connection:
        connection.execute("UPDATE run SET y = ? WHERE number = 5", (b"\x00" * 16,))
        connection.execute("UPDATE setup SET text = 'nothing' WHERE id = 2")
    connection.close()
    told = []
    (again,) = play(asked, tmp_path, jobs=0, notice=lambda code, details: told.append((code, details["rows"])))
    assert told == [("salvaged", 47)]
    np.testing.assert_array_equal(again.samples, whole.samples)
    assert {key: row[2] for key, row in rows(tmp_path).items()} == {key: row[2] for key, row in kept.items()}


# ---------------------------------------------------------------------- runs that fail


class TestFailures:
    def test_what_a_game_loses(self):
        choices = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
        failed = np.zeros((6, 10), bool)
        failed[1, 3] = True  # one of 30 runs of strategies 0 and 1
        kept, whole = remaining(failed, choices, 3)
        assert kept == [0, 1, 2] and np.flatnonzero(~whole).tolist() == [3]
        failed[2] = failed[4] = failed[5] = True  # strategy 2 fails whatever the other does
        kept, whole = remaining(failed, choices, 3)
        assert kept == [0, 1] and np.flatnonzero(~whole).tolist() == [3]
        with pytest.raises(NoAnswerError, match="no game"):
            remaining(np.ones((6, 10), bool), choices, 3)

    def test_a_poison_strategy_is_left_out(self, tmp_path, own, undisturbed):
        asked = game(strategies={"bad": "own_poison", **GAME["strategies"]})
        (played,) = play(asked, tmp_path, jobs=0)
        assert played.labels == ("passive", "cut", "service") and played.losses.strategies == ("bad",)
        np.testing.assert_array_equal(played.samples, undisturbed)
        failures = played.losses.failures
        assert len(failures) == 4 * 60 and set(failures["status"]) == {"error"}
        assert failures["message"].str.contains("poison").all()
        assert failures["firms.nanyuan.strategy"].eq("own_poison").all()
        assert left_to_run(asked, tmp_path) == 0, "an error is not tried again: it would be the same"

    @linux
    @pytest.mark.slow
    @pytest.mark.parametrize(("do", "status"), [("exit", "crashed"), ("hang", "timeout")])
    def test_a_strategy_that_takes_its_worker_along(self, tmp_path, own, do, status):
        bad = {"name": "own_poison", "do": do}
        good = {"passive": "passive", "cut": GAME["strategies"]["cut"]}
        asked = game(replications=2, strategies={"bad": bad, **good})
        # Long enough for a worker on a busy machine to load what it needs.
        (played,) = play(asked, tmp_path, jobs=2, timeout=15 if do == "hang" else None)
        assert played.losses.strategies == ("bad",) and set(played.losses.failures["status"]) == {status}
        (clean,) = play(game(replications=2, strategies=good), jobs=0)
        np.testing.assert_array_equal(played.samples, clean.samples)

    def test_the_command_says_what_failed(self, cli, write, own):
        few = {**GAME, "replications": 2}
        write(json.dumps({**few, "strategies": {"bad": "own_poison", **GAME["strategies"]}}), "g.yaml")
        answer = cli("tournament", "g.yaml", "--jobs", "0", "--json")
        assert answer.code == 3
        assert answer.json["left_out"] == {"strategies": ["bad"], "replications": 0}
        assert answer.json["strategies"] == ["passive", "cut", "service"]
        assert "ValueError: poison" in answer.err.replace("\n", " ") and "churnsim results rerun" in answer.err
        words = cli("tournament", "g.yaml", "--jobs", "0", "--lang", "zh")
        assert words.code == 3 and "bad" in words.out
        write(json.dumps({**few, "strategies": ["own_poison", "passive"]}), "g.yaml")
        answer = cli("tournament", "g.yaml", "--jobs", "0")
        assert answer.code == 3 and "there is no game" in answer.err and "poison" in answer.err

    def test_a_plan_that_fails_is_refused(self, own):
        levels = [{"name": "own_poison"}, {"name": "passive"}, {"name": "relationship_investment"}]
        asked = search(levers={"firms.nanyuan.strategy": {"levels": levels}}, moves=[])
        answer = optimise(asked, jobs=0)
        assert answer.best.plan["firms.nanyuan.strategy"]["name"] != "own_poison"
        assert set(answer.failures["arm"]) == {"plan"} and answer.lost == 0
        only = search(levers={"firms.nanyuan.strategy": {"levels": levels[:1]}}, moves=[])
        with pytest.raises(NoAnswerError, match="no plan can be measured") as caught:
            optimise(only, jobs=0)
        assert len(caught.value.failures) > 0


class TestGlobalRandomness:
    def test_other_threads_are_not_held_against_a_run(self):
        over = threading.Event()

        def draw():
            while not over.is_set():
                random.random()
                np.random.random()  # noqa: NPY002  as Dask's threads may

        thread = threading.Thread(target=draw)
        thread.start()

        def run():
            time.sleep(0.05)
            return np.random.default_rng(1).normal(size=3)

        try:
            given = watching.independent(run, lambda values: values)
        finally:
            over.set()
            thread.join()
        np.testing.assert_array_equal(given, run())

    @pytest.mark.parametrize(
        "run",
        [
            lambda: np.array([random.random()]),
            lambda: np.random.random(2),  # noqa: NPY002
            lambda: (np.random.seed(1), np.random.random(2))[1],  # noqa: NPY002
            lambda: (random.seed(1), np.array([random.random()]))[1],
        ],
    )
    def test_drawing_and_seeding_are(self, run):
        before = random.getstate()
        with pytest.raises(watching.GlobalRandomnessError):
            watching.independent(run, lambda values: values)
        assert random.getstate() == before


def test_runs_that_depend_on_their_surroundings_are_not_mixed(tmp_path, monkeypatch):
    study = Study(function="study_functions:surroundings", factors={"x": {"levels": [1, 2]}}, outcomes=["y"])
    monkeypatch.setenv("STUDY_VALUE", "1")
    sweep(study, tmp_path, jobs=0)
    before = rows(tmp_path)
    more = study.with_(replications=2)
    monkeypatch.setenv("STUDY_VALUE", "2")
    with pytest.raises(StoreError, match="variable of the environment"):
        sweep(more, tmp_path, jobs=0)
    assert rows(tmp_path) == before, "nothing was mixed"
    monkeypatch.setenv("STUDY_VALUE", "1")
    told = []
    with sweep(more, tmp_path, jobs=0, progress=lambda done, total: told.append((done, total))) as store:
        assert store.counts() == {"runs": 4, "done": 4, "failed": 0}
    assert told[0] == (2, 4) and told[-1] == (4, 4)
    assert before.items() <= rows(tmp_path).items()


# ---------------------------------------------------------------------- the same tools


def test_results_know_these_stores(cli, write):
    write(json.dumps({**GAME, "replications": 2}), "game.yaml")
    out = cli("tournament", "game.yaml", "--jobs", "0", "--json").json["out"]
    (listed,) = cli("results", "list", "--json").json["stores"]
    assert (listed["study"], listed["done"], listed["failed"], listed["out"]) == ("game", 12, 0, out)
    shown = cli("results", "show", out, "--json").json
    assert set(shown["outcomes"]["case"]) == {"cumulative_profit.nanyuan", "cumulative_profit.eton"}
    assert cli("results", "show", out).code == 0
    assert cli("results", "export", out, "--csv", "runs.csv", "--json").json["rows"] == 12
    assert cli("results", "rerun", out, "3", "--json").json["same"] is True
    assert cli("results", "gc").code == 0
    for command in (("compare", out), ("sensitivity", out), ("results", "merge", out, "--out", "m")):
        answer = cli(*command)
        assert answer.code == 2 and "churnsim tournament" in answer.err


@pytest.mark.parametrize("record", ["sweep", "tournament", "optimise"])
def test_broken_yaml_has_its_line(cli, write, record):
    write("scenario: two_hotels\noutcomes: [share.eton\nset: {a: 1}\n", "broken.yaml")
    answer = cli(record, "broken.yaml")
    assert answer.code == 2 and "2 | outcomes: [share.eton" in answer.err and "line 3 does not belong" in answer.err


def test_files_of_other_commands_say_which(cli):
    assert "churnsim tournament" in cli("optimise", "tournament_two_hotels").err
    assert "churnsim optimise" in cli("tournament", "optimise_nanyuan").err
    assert "churnsim sweep" in cli("tournament", "elite_size").err


@pytest.mark.parametrize("path", ["firms.eton.strategy.depth", "horizon"])
def test_what_a_tournament_cannot_vary(write, path):
    write(json.dumps({**GAME, "vary": {path: [0.1, 0.2]}}), "game.yaml")
    with pytest.raises(ValueError, match=r"strategies are what a tournament varies|same length"):
        read_record(write("", "x").parent / "game.yaml", Tournament)
