"""Kernels are compiled by several processes, each a share of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from churnsim.engine.kernel import DEALINGS, LONGEST

RUN = """
import json
from numba.core.dispatcher import Dispatcher
compiled, compile = [], Dispatcher.compile
def noted(self, sig):
    before = sum(self.stats.cache_misses.values())
    answer = compile(self, sig)
    compiled.extend([self.__name__] * (sum(self.stats.cache_misses.values()) > before))
    return answer
Dispatcher.compile = noted
import churnsim as cs
for name in ("two_hotels", "reminders"):
    cs.run(cs.load(name).set({"customers.count": 20, "horizon": 2, "burn_in": 1}), seeds=[1])
print(json.dumps(compiled))
"""


@pytest.mark.parametrize("deals", [False, True])
def test_kernels_that_take_long_are_found_without_running_them(python, deals):
    found = set(
        python(
            f"from churnsim.compiling import note_calls\nprint(*(name for name, _ in note_calls(deals={deals})))"
        ).split()
    )
    assert {name.split(".")[1] for name in LONGEST} <= found
    assert ({name.split(".")[1] for name in DEALINGS} <= found) == deals


@pytest.mark.slow
def test_what_is_shared_out_is_what_a_run_needs(tmp_path):
    place = {**os.environ, "CHURNSIM_CACHE_DIR": str(tmp_path)}
    code = "from churnsim.compiling import prepare\nprepare(deals=True)"
    subprocess.run([sys.executable, "-c", code], env=place, check=True)
    done = subprocess.run([sys.executable, "-c", RUN], env=place, check=True, capture_output=True, text=True)
    # Small kernels may be called in another way by what else a process does.
    assert not {name.split(".")[1] for name in (*LONGEST, *DEALINGS)} & set(json.loads(done.stdout.splitlines()[-1]))
