"""What goes wrong in long studies, done on purpose: whatever a run, a worker, the disk or the user does, nothing
finished is lost, nothing is counted twice, and no wrong number comes out.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import study_functions
from churnsim.studies import database, writing
from churnsim.studies.errors import DiskFullError, StoreError
from churnsim.studies.lock import Lock
from churnsim.studies.plan import Cell
from churnsim.studies.pool import Pool
from churnsim.studies.store import Store
from churnsim.studies.study import Study
from churnsim.studies.sweeping import job_of, sweep
from churnsim.studies.work import do
from test_studies_sweep import digest, sums

TESTS = Path(__file__).parent
posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def poison(words, **more: object) -> Study:
    """A study in which some points misbehave."""
    about = {
        "name": "poison",
        "function": "study_functions:misbehaving",
        "factors": {"do": {"levels": list(words)}, "x": {"levels": [1, 2]}},
        "replications": 3,
        "outcomes": ["y"],
    }
    return Study(**{**about, **more})


def conserved(store: Store, planned: int) -> None:
    """Every planned run has ended in exactly one state."""
    frame = store.frame()
    assert len(frame) == planned and frame.index.is_unique
    counts = store.counts()
    assert counts["done"] + counts["failed"] == counts["runs"] == planned
    assert (frame["status"] != "ok").sum() == counts["failed"] == len(store.failures())


# ---------------------------------------------------------------------- poison runs

EXPECTED = {
    "raise": "error", "exit": "crashed", "kill": "crashed", "segfault": "crashed", "loop": "timeout",
    "memory": "memory", "unpicklable_error": "error", "unpicklable_answer": "error", "sys_exit": "error",
    "print": "ok", "nan": "not_finite", "inf": "not_finite", "missing": "error", "text": "error", "many": "error",
    "seed_numpy": "random", "draw_random": "random",
}  # fmt: skip


@linux
@pytest.mark.slow
def test_every_poison_hurts_only_itself(tmp_path):
    store = sweep(poison(["fine", *study_functions.WORDS]), tmp_path / "s", jobs=2, timeout=5)
    conserved(store, 18 * 6)
    found = store.frame().groupby("do", observed=True)["status"].agg(lambda column: set(map(str, column)))
    assert found.to_dict() == {"fine": {"ok"}} | {word: {status} for word, status in EXPECTED.items()}


@linux
def test_a_few_poisons_hurt_only_themselves(tmp_path):
    study = poison(["fine", "raise", "exit", "unpicklable_error", "nan", "draw_random"], replications=1)
    study = study.with_(factors={"do": study.factors["do"], "x": {"integers": [1, 5]}})
    store = sweep(study, tmp_path / "s", jobs=2)
    conserved(store, 30)
    assert Counter(store.frame()["status"].astype(str)) == {
        "ok": 5, "error": 10, "crashed": 5, "not_finite": 5, "random": 5,
    }  # fmt: skip
    failures = store.failures()
    assert set(failures.loc[failures["do"] == "exit", "message"]) == {"the worker process ended: exit code 7"}
    assert (failures.loc[failures["do"] == "exit", "attempts"] == 4).all()
    assert failures.loc[failures["do"] == "nan", "message"].unique().tolist() == ["y = nan"]
    assert failures["details"].str.contains("in misbehaving").any(), "with the place in the source"
    stored = store.connection.execute("SELECT count(*) FROM cause").fetchone()[0]
    assert stored < 10, "the text of a cause is kept once"


@linux
def test_a_run_without_end_is_ended_alone(tmp_path):
    start = time.monotonic()
    store = sweep(poison(["fine", "loop"], replications=1), tmp_path / "s", jobs=2, timeout=0.5)
    conserved(store, 4)
    frame = store.frame()
    assert frame.groupby("do", observed=True)["status"].agg(set).to_dict() == {"fine": {"ok"}, "loop": {"timeout"}}
    assert time.monotonic() - start < 30


@linux
def test_a_run_that_wants_all_memory_fails_alone(tmp_path):
    store = sweep(poison(["fine", "memory"], replications=1), tmp_path / "s", jobs=2)
    assert store.frame().groupby("do", observed=True)["status"].agg(set).to_dict() == {
        "fine": {"ok"},
        "memory": {"memory"},
    }


def test_machine_failures_are_tried_again_and_others_are_not(tmp_path):
    study = poison(["fine", "exit", "raise"], replications=1)
    first = sweep(study, tmp_path / "s", jobs=1)
    assert first.counts() == {"runs": 6, "done": 2, "failed": 4}
    writer = writing.Writer(tmp_path / "s", first.plan, model=first.meta["model"])
    assert np.bincount(writer.states, minlength=3).tolist() == [2, 2, 2], "what ended its worker is to be done again"
    writer.close()


def test_a_scenario_that_is_none_fails_alone(tmp_path):
    study = Study(
        scenario="two_hotels",
        set={"customers.count": 40, "horizon": 4, "burn_in": 0},
        factors={"firms.eton.strategy.restore": {"levels": [2, 3]}},
        outcomes=["share.eton"],
    )
    path = "firms.eton.strategy.restore"
    answers = [
        a for some in do(job_of(study), [Cell(0, {path: 1}, [(0, 1)]), Cell(0, {path: 3}, [(1, 1)])]) for a in some
    ]
    assert {answer.number: answer.status for answer in answers} == {0: "invalid", 1: "ok"}
    assert "must come after start" in next(answer.message for answer in answers if answer.number == 0)


# ---------------------------------------------------------------------- workers that are killed


@linux
def test_workers_are_killed_all_the_time(tmp_path, monkeypatch):
    _killed(tmp_path, monkeypatch, most=4, every=0.2, runs=200)


@linux
@pytest.mark.slow
def test_workers_are_killed_for_half_a_minute(tmp_path, monkeypatch):
    _killed(tmp_path, monkeypatch, most=150, every=0.2, runs=4000)


def _killed(tmp_path, monkeypatch, *, most, every, runs):
    """Kill a worker again and again while a study runs: nobody is blamed, nothing is lost."""
    pools: list[Pool] = []
    begin = Pool.__init__

    def noted(self, *given):
        begin(self, *given)
        pools.append(self)

    monkeypatch.setattr(Pool, "__init__", noted)
    study = sums(function="study_functions:slow", factors={"a": {"integers": [1, runs]}}, replications=1)
    clean = sweep(study.with_(function="study_functions:sums"), tmp_path / "clean", jobs=0)
    kills, over = 0, threading.Event()

    def kill():
        nonlocal kills
        while kills < most and not over.wait(every):
            with suppress(IndexError, OSError):
                worker = random.Random(kills).choice([worker for worker in pools[0].processes if worker.busy])
                os.kill(worker.process.pid, signal.SIGKILL)
                kills += 1

    killer = threading.Thread(target=kill)
    killer.start()
    store = sweep(study, tmp_path / "s", jobs=2)
    over.set()
    killer.join()
    assert kills > 0 and pools[0].restarts > 0
    assert store.counts() == {"runs": runs, "done": runs, "failed": 0}, "nobody is blamed"
    columns = ["row", "seed", "total", "first"]
    assert store.frame()[columns].equals(clean.frame()[columns])


# ---------------------------------------------------------------------- a parent that is killed


SCRIPT = """
import sys; sys.path.append({tests!r})
from churnsim.studies.study import Study
from churnsim.studies.sweeping import job_of, sweep
from churnsim.studies.work import do
study = Study(**{study})
store = sweep(study, out={out!r}, jobs=2, progress=lambda done, total: print(done, flush=True), timeout={timeout})
print("END", store.counts()["failed"])
"""

LONG = {
    "name": "long", "function": "study_functions:slow", "factors": {"a": {"integers": [1, 300]}}, "replications": 2,
    "outcomes": ["total", "first"],
}  # fmt: skip
SHORT = {**LONG, "name": "short", "factors": {"a": {"integers": [1, 20]}}}


def start(out: Path, study: dict, mark: str = "", timeout: float | None = None) -> subprocess.Popen:
    """Start a sweep in a process of its own."""
    code = SCRIPT.format(tests=str(TESTS), study=study, out=str(out), timeout=timeout)
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    env = {**os.environ, "STUDY_MARK": mark, "PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )


def marked(mark: str) -> list[int]:
    """Processes that carry a mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                f"STUDY_MARK={mark}".encode() in (folder / "environ").read_bytes()
                and b") Z" not in (folder / "stat").read_bytes()
            ):
                found.append(int(folder.name))
    return found


def until(process: subprocess.Popen, runs: int) -> int:
    """Wait until so many runs are done; return how many."""
    done = 0
    for line in process.stdout:
        if line.startswith("END"):
            break
        done = int(line)
        if done >= runs:
            break
    return done


@linux
def test_the_parent_is_killed(tmp_path):
    _parent_killed(tmp_path, kills=1)


@linux
@pytest.mark.slow
def test_the_parent_is_killed_twenty_times(tmp_path):
    _parent_killed(tmp_path, kills=20)


def _parent_killed(tmp_path, *, kills):
    """Kill the parent at random moments and go on: the same store, no orphans, little done twice."""
    clean = sweep(Study(**LONG), tmp_path / "clean", jobs=0)
    out, rng = tmp_path / "s", random.Random(5)
    for kill in range(kills):
        mark = uuid.uuid4().hex
        process = start(out, LONG, mark)
        until(process, 20 + kill * 580 // kills)
        time.sleep(rng.uniform(0, 0.4))
        process.kill()
        process.wait()
        end = time.monotonic() + 4
        while marked(mark) and time.monotonic() < end:
            time.sleep(0.1)
        assert marked(mark) == [], "no orphans"
    with Store.open(out) as store:
        committed = store.counts()["done"]
    seen: list[int] = []
    store = sweep(Study(**LONG), out, jobs=2, progress=lambda done, total: seen.append(done))
    assert seen[0] == committed > 0, "what was committed is not done again"
    assert digest(store) == digest(clean)


# ---------------------------------------------------------------------- interrupts


def stopped_after(seconds: float, folder: Path, numbers: list[int]) -> threading.Thread:
    """Send signals to this process some time after a store has appeared."""

    def send():
        while not (folder / "study.sqlite").exists():
            time.sleep(0.02)
        time.sleep(0.5)
        for number in numbers:
            os.kill(os.getpid(), number)
            time.sleep(seconds)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_once_to_stop_it_finishes_what_is_under_way(cli, write, tmp_path, number):
    study = write(json.dumps({**SHORT, "replications": 500}), "long.yaml")
    thread = stopped_after(0, tmp_path / "s", [number])
    answer = cli("sweep", study, "--out", "s", "--jobs", 2)
    thread.join()
    assert answer.code == 130 and "the same command goes on" in answer.err
    with Store.open(tmp_path / "s") as store:
        assert store.counts()["done"] == len(store.frame()) < 10_000
    rest = sweep(Study(**SHORT), tmp_path / "s", jobs=2).frame().query("replication <= 2")
    assert rest.equals(sweep(Study(**SHORT), tmp_path / "t", jobs=0).frame())


@posix
def test_asked_twice_it_stops_at_once(cli, write, tmp_path):
    study = write(json.dumps({**poison(["loop"]).definition(), "replications": 1}), "loop.yaml")
    thread = stopped_after(0.8, tmp_path / "s", [signal.SIGINT, signal.SIGINT])
    begun = time.monotonic()
    answer = cli("sweep", study, "--out", "s", "--jobs", 1)
    thread.join()
    assert answer.code == 130 and time.monotonic() - begun < 20
    assert Store.open(tmp_path / "s").counts()["done"] == 0


@posix
@pytest.mark.slow
def test_control_c_reaches_workers_too_and_does_them_no_harm(tmp_path):
    path = os.pathsep.join(map(os.path.abspath, [*sys.path, TESTS]))
    (tmp_path / "long.yaml").write_text(json.dumps(LONG))
    process = subprocess.Popen(
        [sys.executable, "-c", "from churnsim.cli import main; main()", "sweep", "long.yaml", "--out", "s"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": path, "CHURN_LANG": "en"},
    )  # fmt: skip
    for line in process.stderr:
        if re.search(r" [1-9]\d? %", line):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on" in error
    with Store.open(tmp_path / "s") as store:
        assert 0 < store.counts()["done"] < 600
    assert digest(sweep(Study(**LONG), tmp_path / "s", jobs=2)) == digest(sweep(Study(**LONG), tmp_path / "t", jobs=0))


# ---------------------------------------------------------------------- clocks


@linux
@pytest.mark.slow
def test_a_stopped_parent_blames_nobody(tmp_path):
    process = start(tmp_path / "s", LONG, timeout=1)
    until(process, 50)
    process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    process.send_signal(signal.SIGCONT)
    rest, _ = process.communicate(timeout=120)
    assert "END 0" in rest


@linux
def test_a_stopped_worker_is_not_blamed(tmp_path):
    file, over = tmp_path / "pid", threading.Event()
    study = sums(function="study_functions:stopping", factors={"file": {"levels": [str(file)]}}, replications=1)

    def wake():
        while not (file.exists() and file.read_text()) and not over.wait(0.05):
            pass
        time.sleep(1.5)
        if file.exists():
            os.kill(int(file.read_text()), signal.SIGCONT)

    waker = threading.Thread(target=wake)
    waker.start()
    try:
        store = sweep(study, tmp_path / "s", jobs=1, timeout=0.5)
    finally:
        over.set()
        waker.join()
    assert store.counts() == {"runs": 1, "done": 1, "failed": 0}


# ---------------------------------------------------------------------- the disk


def test_a_full_disk_keeps_what_was_committed(tmp_path, monkeypatch):
    store = sweep(sums(replications=200), tmp_path / "clean", jobs=0)
    clean = digest(store)
    room = store.connection.execute("PRAGMA page_count").fetchone()[0] - 8
    connect = database.connect

    def small(file, *, write):
        connection = connect(file, write=write)
        connection.execute(f"PRAGMA max_page_count = {room}")
        return connection

    monkeypatch.setattr(writing, "connect", small)
    monkeypatch.setattr(writing, "COMMIT_ROWS", 100)
    with pytest.raises(DiskFullError, match="MB more are needed"):
        sweep(sums(replications=200), tmp_path / "s", jobs=0)
    monkeypatch.setattr(writing, "connect", connect)
    with Store.open(tmp_path / "s") as store:
        assert 100 <= store.counts()["done"] < 2000
    assert digest(sweep(sums(replications=200), tmp_path / "s", jobs=0)) == clean


@linux
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_of_four_megabytes(cli, write, tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", small], check=False).returncode:
        pytest.skip("cannot mount here")
    try:
        monkeypatch.setattr(writing, "SPARE", 0)
        (small / "filler").write_bytes(b"x" * 19 * 2**20)
        study = write("function: study_functions:sums\nfactors: {a: {integers: [1, 4000]}}\nreplications: 5\n"
                      "outcomes: [total, first]\n", "full.yaml")  # fmt: skip
        assert cli("sweep", study, "--out", small / "s", "--jobs", 0).code == 75, "too little room: nothing is begun"
        monkeypatch.setattr("churnsim.studies.campaign.Campaign._check_room", lambda *given: None)
        begun = time.monotonic()
        answer = cli("sweep", study, "--out", small / "s", "--jobs", 0)
        assert answer.code == 75 and "more are needed" in answer.err and time.monotonic() - begun < 20
        (small / "filler").unlink()
        assert cli("sweep", study, "--out", small / "s", "--jobs", 0).code == 0
        assert cli("sweep", study, "--out", tmp_path / "t", "--jobs", 0).code == 0
        assert digest(Store.open(small / "s")) == digest(Store.open(tmp_path / "t"))
    finally:
        subprocess.run(["umount", small], check=False)


def test_too_little_room_is_noticed_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "SPARE", 10**18)
    monkeypatch.setattr("churnsim.studies.campaign.SPARE", 10**18)
    with pytest.raises(DiskFullError, match="too little room"):
        sweep(sums(), tmp_path / "s", jobs=0)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write to"):
        sweep(sums(), tmp_path / "file" / "s", jobs=0)


def test_a_network_file_system_gets_a_plain_journal(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:20 / / rw - ext4 /dev/sda rw\n"
        f"30 22 0:31 / {tmp_path.as_posix()} rw shared:1 - nfs4 server:/home rw\n"
        f"31 30 0:32 / {tmp_path.as_posix()}/local\\040disk rw - tmpfs tmpfs rw\n"
    )
    assert database.file_system(tmp_path / "results", mounts) == "nfs4"
    assert database.file_system(Path("/usr"), mounts) == "ext4"
    (tmp_path / "local disk").mkdir()
    assert database.file_system(tmp_path / "local disk" / "s", mounts) == "tmpfs"
    monkeypatch.setattr(database, "file_system", lambda folder: "nfs4")
    connection = database.connect(tmp_path / "a.sqlite", write=True)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_two_parents(tmp_path):
    sweep(sums(), tmp_path / "s", jobs=0)
    lock = Lock(tmp_path / "s")
    lock.take()
    try:
        with pytest.raises(StoreError, match=f"another sweep is writing.*process {os.getpid()}"):
            sweep(sums(replications=9), tmp_path / "s", jobs=0)
    finally:
        lock.release()
    (tmp_path / "s" / "study.lock").write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "yesterday"}))
    with pytest.raises(StoreError, match=r"another machine.*delete .*study\.lock"):
        sweep(sums(replications=9), tmp_path / "s", jobs=0)
    (tmp_path / "s" / "study.lock").write_text("")  # what a killed process of this machine may leave
    assert sweep(sums(replications=9), tmp_path / "s", jobs=0).counts()["done"] == 90
    assert not (tmp_path / "s" / "study.lock").exists()


def big(tmp_path: Path) -> tuple[Path, str]:
    """A store of many pages, and its digest."""
    store = sweep(sums(replications=400), tmp_path / "s", jobs=0)
    return store.file, digest(store)


def test_a_flipped_bit_is_noticed_and_mended(tmp_path):
    file, clean = big(tmp_path)
    data = bytearray(file.read_bytes())
    y = sqlite3.connect(file).execute("SELECT y FROM run WHERE number = 2345").fetchone()[0]
    place = data.index(y)
    data[place + 3] ^= 1
    file.write_bytes(data)
    with Store.open(tmp_path / "s") as store, pytest.raises(StoreError, match=r"damaged.*checksum of run"):
        store.frame()
    notes: list = []
    store = sweep(sums(replications=400), tmp_path / "s", jobs=0, notice=lambda *note: notes.append(note))
    assert digest(store) == clean
    assert notes[0][0] == "salvaged" and notes[0][1]["rows"] == 3999 and notes[0][1]["file"].exists()


@pytest.mark.parametrize("damage", ["cut", "page", "head", "log"])
def test_a_damaged_file_is_noticed_and_mended(tmp_path, damage):
    file, clean = big(tmp_path)
    size = file.stat().st_size
    if damage == "cut":
        os.truncate(file, size // 2 // 4096 * 4096 + 100)
    elif damage == "log":
        Path(f"{file}-wal").write_bytes(random.Random(1).randbytes(5000))
    else:
        with file.open("r+b") as stream:
            stream.seek(0 if damage == "head" else size // 2 // 4096 * 4096)
            stream.write(random.Random(1).randbytes(4096))
    if damage != "log":  # a log that is none is not read by SQLite: nothing is missing
        with pytest.raises(StoreError, match="damaged"), Store.open(tmp_path / "s") as store:
            store.frame()
    store = sweep(sums(replications=400), tmp_path / "s", jobs=0, notice=lambda *note: None)
    assert digest(store) == clean


def test_a_run_that_gives_other_numbers_is_noticed(tmp_path):
    store = sweep(sums(), tmp_path / "s", jobs=0)
    writer = writing.Writer(tmp_path / "s", store.plan, model=store.meta["model"])
    row = store.connection.execute("SELECT key, y FROM run WHERE number = 3").fetchone()
    answer = writing.Answer(3, "ok", row[0], row[1])
    writer.add([answer])
    writer.add([answer._replace(number=4, values=row[1])])
    writer.close()
    failures = Store.open(tmp_path / "s").failures()
    assert failures.index.tolist() == [4] and failures["status"].tolist() == ["not_repeatable"]


# ---------------------------------------------------------------------- size


@linux
@pytest.mark.slow
def test_a_million_runs(tmp_path):
    code = SCRIPT.format(tests=str(TESTS), study={
        "function": "study_functions:nothing", "outcomes": ["y"], "replications": 10, "design": "grid",
        "factors": {"x": {"integers": [1, 1000]}, "z": {"integers": [1, 100]}},
    }, out=str(tmp_path / "s"), timeout=None)  # fmt: skip
    code = code.replace("progress=lambda done, total: print(done, flush=True)", "progress=False") + (
        "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["END", "0"]
    assert int(done.stdout.split()[2]) < 500, "MB of the parent"
    assert time.monotonic() - begun < 600
    assert len(list((tmp_path / "s").iterdir())) == 1
