"""Commands killed with SIGKILL: run again they lose nothing, differ in nothing, leave nothing.

Some file operations of each in every run of the tests, all of them with `FAIRAGE_FUZZ=1`.
"""

import json
import os
import subprocess
import sys

import pytest
from tests.fuzz.harness import SHARE
from tests.kills.scenarios import SCENARIOS

HALVES = ["embed", "run", "synthesize", "audit", "predict"], ["suite", "tune", "prepare", "unpack"]
WANTED = "all" if SHARE >= 1 else "2"


def test_every_scenario_is_killed() -> None:
    assert {name for half in HALVES for name in half} == set(SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize("names", HALVES, ids=" ".join)
def test_a_killed_command_is_given_again_as_if_nothing_had_been(names: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills.killing", *names, WANTED],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    print({each["name"]: (each["kills"], each["operations"]) for each in told})  # noqa: T201  # for who asks with -rP
    faults = [
        f"{each['name']}, {moment}: {'; '.join(what)}"
        for each in told
        for moment, what in each["faults"].items()
    ]
    assert not faults, f"{len(faults)} of {sum(e['kills'] for e in told)}:\n" + "\n".join(faults)
