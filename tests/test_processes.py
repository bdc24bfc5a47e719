"""Worker processes end with their parent, and begin nothing more once the block is left."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

WAIT = 60.0
PIECES = 20
SCRIPT = """
import fcntl, os, sys, time
from pathlib import Path
from fairage._work import process_pool

folder = Path(sys.argv[1])
held = []

def prepare():
    file = (folder / f"worker-{os.getpid()}").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    held.append(file)
    print(os.getpid(), file=file, flush=True)

def work(number):
    (folder / f"begun-{number}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)

"""
STAYS = """
if __name__ == "__main__":
    with process_pool(2, prepare) as pool:
        for number in range(2):
            pool.submit(work, number)
        time.sleep(600)
"""
INTERRUPTED = """
if __name__ == "__main__":
    try:
        with process_pool(2, prepare) as pool:
            futures = [pool.submit(work, number) for number in range(8)]
            futures[0].result()
    except KeyboardInterrupt:
        print("stopped")
"""
LEAVES = f"""
if __name__ == "__main__":
    with process_pool(1, prepare) as pool:
        futures = [pool.submit(work, number) for number in range({PIECES})]
        while not (folder / "begun-0").exists():
            time.sleep(0.01)
        futures[-1].add_done_callback(lambda _: (folder / "go").touch())
    print(sum(future.cancelled() for future in futures))
"""


def until(condition: Callable[[], bool]) -> bool:
    """Wait, but not for ever; return whether it has come true."""
    deadline = time.monotonic() + WAIT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def workers(folder: Path) -> list[Path]:
    """The files that workers have locked and filled."""
    return [path for path in folder.glob("worker-*") if path.read_text()]


def ended(worker: Path) -> bool:
    """Whether the worker's lock is gone, as it is when its process is."""
    with worker.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where workers leave their traces; those that a failing test leaves over are ended."""
    yield tmp_path
    for worker in workers(tmp_path):
        if not ended(worker):
            with suppress(ProcessLookupError):
                os.kill(int(worker.read_text()), signal.SIGKILL)


def command(folder: Path, script: str) -> list[str]:
    path = folder / "script.py"
    path.write_text(SCRIPT + script)
    return [sys.executable, str(path), str(folder)]


@pytest.mark.parametrize("busy", [True, False])
def test_workers_end_when_their_parent_is_killed(folder: Path, busy: bool) -> None:
    with subprocess.Popen(command(folder, STAYS), stderr=subprocess.DEVNULL) as parent:
        try:
            assert until(lambda: len(workers(folder)) == len(list(folder.glob("begun-*"))) == 2)
            if not busy:
                (folder / "go").touch()
                time.sleep(0.2)
            assert not any(ended(worker) for worker in workers(folder))
        finally:
            parent.kill()
        assert parent.wait(WAIT) == -signal.SIGKILL
    assert until(lambda: all(ended(worker) for worker in workers(folder)))


def test_work_that_waits_when_the_block_ends_never_runs(folder: Path) -> None:
    done = subprocess.run(
        command(folder, LEAVES), capture_output=True, text=True, timeout=WAIT, check=True
    )
    cancelled, begun = int(done.stdout), len(list(folder.glob("begun-*")))
    assert begun + cancelled == PIECES
    assert begun <= 4  # one at work, and the two or three that the pool has handed over already
    assert all(ended(worker) for worker in workers(folder))


@pytest.mark.parametrize("to_all", [True, False])
def test_an_interrupted_parent_and_its_busy_workers_end_at_once(folder: Path, to_all: bool) -> None:
    script = command(folder, INTERRUPTED)
    with subprocess.Popen(
        script,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert until(lambda: len(list(folder.glob("begun-*"))) == 2)
        sent = time.monotonic()
        if to_all:  # as Ctrl-C in a terminal does
            os.killpg(parent.pid, signal.SIGINT)
        else:
            parent.send_signal(signal.SIGINT)
        said, complaints = parent.communicate(timeout=WAIT)
        took = time.monotonic() - sent
    assert (said, complaints) == ("stopped\n", "")
    assert took < 3
    assert until(lambda: all(ended(worker) for worker in workers(folder)))
    assert len(list(folder.glob("begun-*"))) == 2
