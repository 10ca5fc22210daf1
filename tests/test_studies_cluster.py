"""Studies on a Dask cluster of worker processes: the same store as without."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest

from churnsim.studies.cluster import OtherModelError, run_batch
from churnsim.studies.errors import StoreError
from churnsim.studies.plan import Cell
from churnsim.studies.sweeping import job_of, sweep
from churnsim.studies.worker import write_job
from test_studies_faults import conserved, poison
from test_studies_sweep import digest, hotels, sums

distributed = pytest.importorskip("distributed")


def test_two_dask_workers_write_the_same_store(tmp_path):
    with sweep(sums(), tmp_path / "dask", dask=2) as store:
        assert digest(store) == digest(sweep(sums(), tmp_path / "here", jobs=0))


def test_a_worker_with_another_model_refuses():
    job = job_of(sums())
    answers, seconds = run_batch(write_job(job), [Cell(0, {"a": 1, "b": 10}, [(0, 1)])], 60)
    assert answers[0].status == "ok" and answers[0].environment and seconds > 0
    job.model = "0" * 32
    with pytest.raises(OtherModelError):
        run_batch(write_job(job), [], 60)


def test_no_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr("churnsim.studies.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(StoreError, match="no Dask scheduler answers"):
        sweep(sums(), tmp_path / "s", dask="tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_running_cluster_does_scenarios(tmp_path):
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        store = sweep(hotels(), tmp_path / "dask", dask=cluster.scheduler_address)
        assert digest(store) == digest(sweep(hotels(), tmp_path / "here", jobs=0))


@pytest.mark.slow
def test_a_run_that_kills_dask_workers_is_blamed_alone(tmp_path):
    store = sweep(poison(["fine", "raise", "exit"], replications=1), tmp_path / "s", dask=2)
    conserved(store, 6)
    assert Counter(store.frame()["status"].astype(str)) == {"ok": 2, "error": 2, "crashed": 2}


@pytest.mark.slow
def test_dask_workers_that_are_killed(tmp_path):
    slow = sums(function="study_functions:slow", factors={"a": {"integers": [1, 400]}}, replications=1)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:

        def kill():
            for _ in range(3):
                time.sleep(0.7)
                with suppress(OSError, AttributeError, IndexError):
                    os.kill(next(iter(cluster.workers.values())).process.pid, 9)

        killer = threading.Thread(target=kill)
        killer.start()
        store = sweep(slow, tmp_path / "t", dask=cluster.scheduler_address)
        killer.join()
    assert store.counts() == {"runs": 400, "done": 400, "failed": 0}
