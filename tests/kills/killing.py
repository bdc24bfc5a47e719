"""A warm process that forks commands, kills each at a file operation or a moment, and looks.

`python -m tests.kills.killing run suite 3` kills two commands at three operations each, `all` in
the place of the number at every operation and at ten moments, `at:5` before the sixth operation.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tests.kills.scenarios import SCENARIOS, Scenario, contents, kept, make_inputs

from fairage.cli.app import app
from fairage.datasets.archives import unpack
from fairage.embeddings import batcher
from fairage.experiments import recipe_files

Operation = str
"""The event, and the path in the trial's folder."""


def run_command(scenario: Scenario, inputs: Path, out: Path, temporary: Path) -> None:
    """Run the command in this process."""
    tempfile.tempdir = str(temporary)
    batcher.FLUSH_SECONDS = 0.0
    recipe_files.FOLDER = inputs / "recipes"
    torch.set_num_threads(1)
    arguments = [str(each) for each in scenario.arguments(inputs, out)]
    if arguments[0] == "unpack":
        unpack(*arguments[1:])
        return
    code = app(arguments, standalone_mode=False)
    if code:
        os._exit(code)


def in_child(action: Callable[[], None], *, quiet: Path, kill_after: float | None = None) -> int:
    """Do it in a forked process; return its wait status."""
    child = os.fork()
    if child == 0:
        with quiet.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "sqlite3.connect")


def watch_operations(below: Path, act: Callable[[Operation], object]) -> None:
    """Call a function before every operation that changes files below a folder."""
    real = os.fsync

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            writes = isinstance(args[2], int) and args[2] & _WRITING
            if not writes:
                return
        elif event not in _EVENTS:
            return
        if isinstance(args[0], str | bytes | os.PathLike):
            path = os.fsdecode(os.fspath(args[0]))
            if path.startswith(str(below)):
                act(f"{event} {Path(path).relative_to(below)}")

    def fsync(handle: int) -> None:
        act("fsync")
        real(handle)

    os.fsync = fsync
    sys.addaudithook(hook)


class Trial:
    """A folder of its own for one command, killed or not."""

    def __init__(self, name: str, inputs: Path, folder: Path) -> None:
        self.scenario, self.inputs, self.folder = SCENARIOS[name], inputs, folder
        self.out, self.temporary = folder / "out", folder / "tmp"
        for path in (self.out, self.temporary):
            path.mkdir(parents=True)
        self.quiet = folder / "printed"

    def run(self, act: Callable[[Operation], object] | None = None, **more: float) -> int:
        def action() -> None:
            if act is not None:
                watch_operations(self.folder, act)
            run_command(self.scenario, self.inputs, self.out, self.temporary)

        return in_child(action, quiet=self.quiet, **more)

    def operations(self) -> list[Operation]:
        """Run the command undisturbed; return its operations."""
        log = self.folder / "operations"
        handle = os.open(log, os.O_WRONLY | os.O_CREAT)
        status = self.run(lambda operation: os.write(handle, f"{operation}\n".encode()))
        os.close(handle)
        assert status == 0, self.quiet.read_text()
        return log.read_text().splitlines()

    def kill_before(self, number: int) -> None:
        left = [number]

        def act(_: Operation) -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        self.run(act)

    def faults_of_rerun(self, whole: "Trial", expected: dict[str, object]) -> list[str]:
        """Run the command again, to its end; return what is wrong beside a whole run."""
        before = kept(self.scenario, self.out)
        if self.run() != 0:
            return [f"the second run failed: {self.quiet.read_text()[-300:]}"]
        lost = before - kept(self.scenario, self.out)
        faults = [f"lost or done again: {sorted(lost)[:3]}"] if lost else []
        got = contents(self.out)
        different = [name for name in expected if name in got and got[name] != expected[name]]
        faults += [f"missing: {name}" for name in sorted(expected.keys() - got.keys())]
        faults += [f"left over: {name}" for name in sorted(got.keys() - expected.keys())]
        faults += [f"different: {name}" for name in different]
        left = sorted(_names(self.temporary) - _names(whole.temporary))
        return faults + [f"left over in the temporary folder: {name}" for name in left]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@dataclass(frozen=True)
class Killed:
    """What became of a command that was killed again and again.

    Args:
        kills: How often.
        operations: File operations of an undisturbed run.
        faults: What was wrong after the second run, by the moment of the kill.
    """

    kills: int
    operations: int
    faults: dict[str, list[str]]


def kill_often(name: str, wanted: str, scratch: Path) -> Killed:
    """Kill a command at the wanted moments, each time in a folder of its own."""
    inputs = _inputs(scratch)
    whole = Trial(name, inputs, scratch / f"{name}-whole")
    started = time.monotonic()
    operations = whole.operations()
    seconds = time.monotonic() - started
    expected, faults, kills = contents(whole.out), {}, 0
    for kills, moment in enumerate(_moments(name, wanted, len(operations)), start=1):
        trial = Trial(name, inputs, scratch / f"{name}-{kills}")
        if isinstance(moment, float):
            label = f"after {moment:.3f} of its time"
            trial.run(kill_after=moment * seconds)
        else:
            label = f"before operation {moment}: {operations[moment]}"
            trial.kill_before(moment)
        if found := trial.faults_of_rerun(whole, expected):
            faults[label] = found
        shutil.rmtree(trial.folder)
    return Killed(kills, len(operations), faults)


def _moments(name: str, wanted: str, operations: int) -> list[int | float]:
    """Return numbers of operations, and shares of the time that an undisturbed run takes."""
    if wanted.startswith("at:"):
        return [int(wanted[3:])]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if wanted == "all":
        return [*range(operations), *rng.uniform(0, 1.2, 10).tolist()]
    return rng.choice(operations, int(wanted), replace=False).tolist()


def _inputs(scratch: Path) -> Path:
    """Return the folder of the inputs, with the embeddings in a store."""
    inputs = scratch / "inputs"
    if not inputs.is_dir():
        inputs.mkdir()
        status = in_child(lambda: make_inputs(inputs), quiet=scratch / "printed")
        assert status == 0, (scratch / "printed").read_text()
        warm = Trial("run", inputs, scratch / "warm")
        assert warm.run() == 0, warm.quiet.read_text()
    return inputs


def main(arguments: list[str]) -> None:
    """Print, as JSON, what became of each named scenario; the last argument says how many kills."""
    *names, wanted = arguments
    with tempfile.TemporaryDirectory(prefix="kills-") as scratch:
        for name in names or SCENARIOS:
            killed = kill_often(name, wanted, Path(scratch))
            sys.stdout.write(json.dumps({"name": name, **vars(killed)}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
