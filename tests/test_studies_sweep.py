"""Sweeps and stores: same numbers however they are run, nothing done twice, everything recoverable."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import churnsim as cs
from churnsim.studies import keys, reuse, writing
from churnsim.studies.errors import StoreError, StudyError
from churnsim.studies.merging import merge
from churnsim.studies.outcomes import read_outcome
from churnsim.studies.store import Store
from churnsim.studies.study import Study
from churnsim.studies.sweeping import job_of, sweep

SMALL = {"customers.count": 60, "horizon": 6, "burn_in": 2}


def hotels(**more: object) -> Study:
    """A small study of the hotels."""
    about = {
        "name": "hotels",
        "scenario": "two_hotels",
        "arms": ["case", "both_passive"],
        "set": SMALL,
        "factors": {"customers.attachment.value": {"levels": [50, 150]}, "firms.eton.price": {"levels": [280, 300]}},
        "replications": 3,
        "outcomes": ["share.eton", "sum(profit.nanyuan@1-6)"],
    }
    return Study(**{**about, **more})


def sums(**more: object) -> Study:
    """A study of a function."""
    about = {
        "name": "sums",
        "function": "study_functions:sums",
        "factors": {"a": {"integers": [1, 5]}, "b": {"levels": [10, 20]}},
        "replications": 4,
        "outcomes": ["total", "first"],
    }
    return Study(**{**about, **more})


def digest(store: Store) -> str:
    """Hash of every run's number, key and outcomes."""
    total = hashlib.sha256()
    for numbers, rows in store.rows():
        for number, row in zip(numbers, rows, strict=True):
            total.update(b"%d %d " % (number, row[0]) + row[1] + row[2])
    return total.hexdigest()


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Store:
    """The hotels, run in this process."""
    return sweep(hotels(), tmp_path_factory.mktemp("reference") / "store", jobs=0)


# ---------------------------------------------------------------------- the same numbers


def test_a_sweep_gives_the_numbers_of_single_runs(reference):
    frame = reference.frame()
    assert len(frame) == 24 and (frame["status"] == "ok").all()
    row = frame[(frame["arm"] == "both_passive") & (frame["row"] == 2) & (frame["replication"] == 3)].iloc[0]
    case = cs.load("two_hotels").set(SMALL).arm("both_passive")
    case = case.set(
        {"customers.attachment.value": row["customers.attachment.value"], "firms.eton.price": row["firms.eton.price"]}
    )
    alone = cs.run(case, [row["seed"]], progress=False)
    eton = alone.ticks.query("firm == 'eton' and tick == 6")["share"].item()
    nanyuan = alone.ticks.query("firm == 'nanyuan' and tick >= 1")["profit"].sum()
    assert (row["share.eton"], row["sum(profit.nanyuan@1-6)"]) == (eton, pytest.approx(nanyuan, rel=1e-12))


def test_workers_and_batches_change_nothing(reference, tmp_path, monkeypatch):
    for jobs, first in ((1, 7), (2, 1), (2, 256)):
        monkeypatch.setattr("churnsim.studies.dispatch.FIRST_BATCH", first)
        monkeypatch.setattr("churnsim.studies.work.MARKETS_AT_ONCE", first)
        with sweep(hotels(), tmp_path / f"{jobs}-{first}", jobs=jobs) as store:
            assert digest(store) == digest(reference)


def test_shards_merge_into_the_same_store(reference, tmp_path):
    parts = [sweep(hotels(), tmp_path / f"part{part}", jobs=0, shard=(part, 3)) for part in (1, 2, 3)]
    assert [store.counts()["runs"] for store in parts] == [9, 9, 6]
    whole = merge([tmp_path / f"part{part}" for part in (1, 2, 3, 2)], tmp_path / "whole")
    assert digest(whole) == digest(reference)
    assert whole.counts() == {"runs": 24, "done": 24, "failed": 0}
    other = sweep(sums(), tmp_path / "other", jobs=0)
    with pytest.raises(StoreError, match="not a part"):
        merge([whole.folder, other.folder], tmp_path / "never")


def test_the_frame_is_tidy(reference):
    frame = reference.frame()
    assert list(frame.columns) == [
        "run", "row", "arm", "replication", "seed", "customers.attachment.value", "firms.eton.price", "share.eton",
        "sum(profit.nanyuan@1-6)", "status",
    ]  # fmt: skip
    assert frame.equals(frame.sort_values(["row", "arm", "replication"], kind="stable"))
    assert frame["run"].is_unique and (frame["seed"] == frame["replication"]).all()
    assert reference.design[["row", "block", "column"]].shape == (4, 3)


def test_everything_is_recoverable_from_the_file_alone(reference, tmp_path):
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    shutil.copy(reference.file, copy)
    assert sorted(path.name for path in reference.folder.iterdir()) == ["study.sqlite"], "one file"
    with Store.open(copy) as store:
        assert store.study.key == hotels().key and _kept(store) == job_of(hotels()).kept
        frame = store.frame()
        number, row = frame.index[7], frame.iloc[7]
        scenario = store.scenario(number)
        assert scenario.firms["eton"].price == row["firms.eton.price"]
        key = keys.run_key(scenario.key, int(row["seed"]), _kept(store), store.meta["model"])
        assert key.hex() == row["run"]
        assert store.about["churnsim"] == cs.__version__ and store.about["packages"]["numba"]


def _kept(store: Store) -> str:
    return job_of(store.study).kept


# ---------------------------------------------------------------------- nothing twice


def calls(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A study whose function notes every call."""
    monkeypatch.setenv("STUDY_CALLS", str(tmp_path / "calls"))
    return lambda **more: sums(function="study_functions:counted", **more)


def test_finished_runs_are_not_repeated_and_more_replications_are_added(counted, tmp_path):
    out = tmp_path / "store"
    first = digest(sweep(counted(), out, jobs=0))
    assert len(calls(tmp_path / "calls")) == 40
    assert digest(sweep(counted(), out, jobs=0)) == first
    assert len(calls(tmp_path / "calls")) == 40, "nothing was done again"
    more = sweep(counted(replications=6), out, jobs=0)
    assert len(calls(tmp_path / "calls")) == 60 + 1, "only what is new, and one to see that it fits what there is"
    assert more.counts() == {"runs": 60, "done": 60, "failed": 0}
    fewer = sweep(counted(replications=4), out, jobs=0)
    assert fewer.counts()["runs"] == 40 and len(calls(tmp_path / "calls")) == 60 + 1


def test_runs_of_another_store_are_taken_over(counted, tmp_path):
    sweep(counted(), tmp_path / "old", jobs=0)
    bigger = counted(factors={"a": {"integers": [0, 6]}, "b": {"levels": [10, 20]}}, reuse=str(tmp_path / "old"))
    with sweep(bigger, tmp_path / "new", jobs=0) as store:
        assert store.counts() == {"runs": 56, "done": 56, "failed": 0}
        assert len(calls(tmp_path / "calls")) == 40 + 1 + 16
    clean = sweep(bigger.with_(reuse=()), tmp_path / "clean", jobs=0)
    assert digest(clean) == digest(Store.open(tmp_path / "new"))


@pytest.mark.parametrize("seed", [0, 2**62])
def test_any_seed_is_honoured(seed, tmp_path):
    frame = sweep(sums(first_seed=seed), tmp_path / "s", jobs=0).frame()
    noise = np.random.default_rng(seed).normal()
    first = frame[frame["replication"] == 1]
    assert (first["seed"] == seed).all()
    assert np.allclose(first["total"] - first["a"] - first["b"], noise)


def test_another_study_in_the_folder_is_left_alone(tmp_path):
    before = digest(sweep(sums(), tmp_path / "s", jobs=0))
    with pytest.raises(StoreError, match="holds another study"):
        sweep(hotels(), tmp_path / "s", jobs=0)
    assert digest(Store.open(tmp_path / "s")) == before


# ---------------------------------------------------------------------- model and environment


def test_comments_mean_nothing_and_constants_do():
    source = 'A = 1\n"""Why."""\ndef f(x):\n    """Say."""\n    return x + A\n'
    assert keys.meaning(source) == keys.meaning(source.replace("Why", "Because").replace("A = 1", "A = 1  # one"))
    assert keys.meaning(source) != keys.meaning(source.replace("A = 1", "A = 2"))


def test_a_changed_model_is_run_again_and_the_old_runs_are_kept(counted, tmp_path, monkeypatch):
    sweep(counted(), tmp_path / "s", jobs=0)
    monkeypatch.setattr("churnsim.studies.sweeping.model_hash", lambda *given: "f" * 32)
    notes = []
    store = sweep(counted(), tmp_path / "s", jobs=0, notice=lambda code, details: notes.append((code, details)))
    assert [code for code, _ in notes] == ["other_model"] and len(calls(tmp_path / "calls")) == 80
    assert len(Store.open(notes[0][1]["file"]).frame()) == 40
    assert (Store.open(notes[0][1]["file"]).frame()["run"].to_numpy() != store.frame()["run"].to_numpy()).all()


def test_environments_mix_only_where_they_give_the_same_numbers(tmp_path, monkeypatch):
    sweep(sums(replications=2), tmp_path / "s", jobs=0)
    other = {**keys.environment(), "cpu": "another"}
    for module in (writing, reuse):
        monkeypatch.setattr(module, "environment", lambda: other)
    both = sweep(sums(replications=3), tmp_path / "s", jobs=0)
    assert both.counts()["done"] == 30, "the same numbers: they may be mixed"
    connection = sqlite3.connect(tmp_path / "s" / "study.sqlite")
    connection.execute("DELETE FROM event")
    number, key, y = connection.execute("SELECT number, key, y FROM run WHERE environment = 1 LIMIT 1").fetchone()
    wrong = (np.frombuffer(y) + 1e-9).tobytes()
    connection.execute(
        "UPDATE run SET y = ?, crc = ? WHERE number = ?", (wrong, writing.checksum(number, key, wrong), number)
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"another environment.*cpu .* -> another"):
        sweep(sums(replications=4), tmp_path / "s", jobs=0)


# ---------------------------------------------------------------------- outcomes and stopping


def test_replications_stop_when_the_mean_is_known(tmp_path):
    rule = {"min": 30, "max": 200, "half_width": 0.4, "outcome": "total"}
    study = sums(factors={"a": {"levels": [1, 2]}}, replications=rule)
    store = sweep(study, tmp_path / "s", jobs=0)
    runs = store.frame().groupby("row").size()
    assert runs.between(40, 150).all(), "more than the pilot and its look ahead, fewer than the most"
    assert store.counts()["runs"] == runs.sum()
    assert digest(sweep(study, tmp_path / "t", jobs=2)) == digest(store)


def test_the_long_run_is_a_mean_after_settling_or_nothing(tmp_path):
    study = Study(
        scenario="two_hotels/both_passive",
        set={"customers.count": 100, "horizon": 60, "burn_in": 12},
        replications=6,
        outcomes=["long_run(share.eton)", "share.eton"],
    )
    store = sweep(study, tmp_path / "s", jobs=0)
    frame = store.frame()
    settled = frame["long_run(share.eton).steady"].all()
    assert frame["long_run(share.eton)"].notna().all() == settled
    if settled:
        cut = int(frame["long_run(share.eton).warm_up"].iloc[0])
        first = frame.index[0]
        course = store.named_values(
            store.connection.execute("SELECT y FROM run WHERE number = ?", (int(first),)).fetchone()[0]
        )
        assert frame["long_run(share.eton)"].iloc[0] == pytest.approx(np.mean(course["long_run(share.eton)"][cut:]))


def test_an_outcome_without_a_window_is_at_the_horizon():
    assert [term.last for term in read_outcome("share.eton", 6).terms] == [6]


# ---------------------------------------------------------------------- the command line


FILE = """
name: tiny
scenario: two_hotels
set: {customers.count: 60, horizon: 6, burn_in: 2}
factors:
  firms.eton.price: {levels: [280, 300]}
replications: 2
outcomes: [share.eton]
"""


def test_sweep_and_results_on_the_command_line(cli, write, tmp_path):
    study = write(FILE, "tiny.yaml")
    dry = cli("sweep", study, "--dry-run", "--json", "--quiet")
    assert dry.code == 0 and dry.json["runs"] == 4 and dry.json["first"]["firms.eton.price"] == 280
    assert dry.json["seconds"] > 0 and not (tmp_path / "results").exists(), "nothing is written"
    answer = cli("sweep", study, "--jobs", "0", "--json", "--quiet")
    assert answer.code == 0
    assert {name: answer.json[name] for name in ("runs", "done", "failed")} == {"runs": 4, "done": 4, "failed": 0}
    out = answer.json["out"]
    assert cli("results", "list", "--json").json["stores"][0]["study"] == "tiny"
    shown = cli("results", "show", out, "--json").json
    assert shown["outcomes"]["case"]["share.eton"]["runs"] == 4
    assert "share.eton" in cli("results", "show", out).out
    assert cli("results", "export", out, "--csv", "a.csv", "--parquet", "a.parquet").code == 0
    csv, parquet = pd.read_csv("a.csv"), pd.read_parquet("a.parquet")
    assert len(csv) == 4 and list(csv.columns) == list(parquet.columns)
    assert csv["share.eton"].tolist() == parquet["share.eton"].tolist(), "every digit is there"
    again = cli("results", "rerun", out, 3)
    assert again.code == 0 and "bit for bit" in again.out
    assert cli("results", "rerun", out, 99).code == 2
    assert cli("results", "export", out).code == 2
    assert cli("results", "show", "nowhere").code == 2
    assert cli("sweep", study, "--shard", "3/2").code == 2
    assert cli("sweep", "no_such_study").code == 2
    for part in (1, 2):
        assert cli("sweep", study, "--jobs", "0", "--shard", f"{part}/2", "-q").code == 0
    merged = cli("results", "merge", *sorted(Path("results").glob("tiny-*-part-*")), "--out", "whole", "--json", "-q")
    assert merged.json["done"] == 4
    assert pd.DataFrame(Store.open("whole").frame()).equals(Store.open(out).frame())


def test_a_finished_study_with_failures_exits_with_3(cli, write):
    study = write(
        "function: study_functions:misbehaving\nfactors: {do: {levels: [fine, raise]}}\nreplications: 2\n"
        "outcomes: [y]\n",
        "poison.yaml",
    )
    answer = cli("sweep", study, "--jobs", "0", "--json")
    assert answer.code == 3 and answer.json["failed"] == 2 and answer.json["done"] == 2
    assert "ValueError: poison" in answer.err and "churnsim results rerun" in answer.err
    failed = Store.open(answer.json["out"]).failures()
    words = failed["command"].iloc[0].split()
    repeated = cli(*words[1:])
    assert repeated.code == 1 and "ValueError: poison" in repeated.out and "in misbehaving" in repeated.out
    assert cli("results", "show", answer.json["out"]).code == 0


def test_what_was_put_aside_can_be_deleted(cli, tmp_path):
    folder = tmp_path / "results" / "s"
    folder.mkdir(parents=True)
    for name in ("study.sqlite", "study-abc.sqlite", "study.damaged-1.sqlite"):
        (folder / name).write_bytes(b"x")
    assert cli("results", "gc", "--json").json["deleted"] is False and len(list(folder.iterdir())) == 3
    assert cli("results", "gc", "--yes").code == 0
    assert [path.name for path in folder.iterdir()] == ["study.sqlite"]


def test_python_needs_few_words(tmp_path):
    code = (
        "import sys; sys.path.append(r'{tests}')\n"
        "import churnsim as cs\n"
        "study = cs.Study(function='study_functions:sums', factors={{'a': cs.Factor(uniform=(0, 1))}}, design='lhs',\n"
        "                 samples=5, outcomes=['total'])\n"
        "store = cs.sweep(study, out=r'{out}', jobs=2)\n"  # no guard for __main__ is needed
        "print(len(cs.open_store(store.folder).frame()))\n"
    ).format(tests=Path(__file__).parent, out=tmp_path / "s")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "5", done.stderr


def test_strategies_of_the_program_itself_need_a_module(tmp_path, monkeypatch):
    study = hotels()
    assert job_of(study).modules == ()
    monkeypatch.setattr(type(study.bases["case"].firms["eton"].strategy), "__module__", "__main__")
    with pytest.raises(StoreError, match="module of its own"):
        sweep(study, tmp_path, jobs=1)


def test_errors_of_python_studies_are_told_without_a_file():
    with pytest.raises(StudyError, match="did you mean share"):
        sweep(hotels(outcomes=["shar.eton"]))
