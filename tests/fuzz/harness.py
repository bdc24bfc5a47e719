"""Damaged inputs, read one after another in a child process that a crash, a hang or memory ends.

One case alone, with its traceback: `python -m tests.fuzz.harness PART READER SEED`.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.fuzz.mutations import MUTATIONS, ONCE, Change
from tests.fuzz.readers import READERS, Reader

from fairage.exceptions import FairageError

INPUTS = 20_000
SHARE = float(os.environ.get("FAIRAGE_FUZZ") or 0.1)
"""The part of all inputs that is read."""
SECONDS, MEMORY = 10, 2**30
COMMAND = sys.executable, "-m", "tests.fuzz.harness"
LONGEST = 2_000
"""Characters of a message."""
_DEATHS = 25  # of children of one part; then it is given up


def inputs_per_reader(share: float = SHARE) -> int:
    """Return how many inputs each reader gets."""
    return max(len(MUTATIONS) + 1, round(INPUTS * share / sum(map(len, READERS.values()))))


def mutation_of(reader: Reader, seed: int) -> tuple[str, Change]:
    """Return the mutation of this seed: each in turn, those of the format twice as often."""
    once = [(name, MUTATIONS[name]) for name in ONCE]
    if seed < len(once):
        return once[seed]
    often = [(name, change) for name, change in MUTATIONS.items() if name not in ONCE]
    often += [*reader.odd.items(), *reader.odd.items()]
    return often[seed % len(often)]


def damaged(reader: Reader, name: str, seed: int, sound: bytes) -> tuple[str, bytes]:
    """Return the mutation's name and the damaged bytes."""
    mutation, change = mutation_of(reader, seed)
    return mutation, change(sound, np.random.default_rng([seed, zlib.crc32(name.encode())]))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a case; it is a failure where it is none of the three that may be."""

    reader: str
    seed: int
    mutation: str
    kind: str
    detail: str = ""

    @property
    def is_failure(self) -> bool:
        return self.kind.removesuffix(", printed") not in ("same", "told", "other value")


def run_part(part: str, per_reader: int) -> list[Outcome]:
    """Read the inputs of a part in children, a new one after each that died."""
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        log, noise = Path(scratch) / "log", Path(scratch) / "noise"
        for _ in range(_DEATHS):
            with noise.open("w+b") as stderr:
                child = subprocess.run(
                    [*COMMAND, "--part", part, str(per_reader), str(len(outcomes)), str(log)],
                    check=False,
                    env={**os.environ, "TMPDIR": scratch, "OMP_NUM_THREADS": "1"},
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                )
            lines = log.read_text().splitlines() if log.is_file() else []
            begun = [Outcome(*json.loads(line)) for line in lines]
            last = {(each.reader, each.seed): each for each in begun}
            outcomes = list(last.values())
            if child.returncode == 0:
                return outcomes
            if not outcomes or outcomes[-1].kind != "begun":
                why = noise.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the child of {part!r} failed by itself: {why}")
            ended = f"ended by {_signal(child.returncode)}"
            outcomes[-1] = dataclasses.replace(outcomes[-1], kind=ended)
            log.write_text("".join(map(_line, outcomes)))
    return outcomes


def _signal(code: int) -> str:
    return "a hang" if code == -signal.SIGALRM else f"code {code}"


def _line(outcome: Outcome) -> str:
    return json.dumps(dataclasses.astuple(outcome)) + "\n"


def read_all(part: str, per_reader: int, skip: int, log: Path) -> None:
    """Read the inputs of a part but for the first, and write down what becomes of each."""
    cases = [(name, seed) for name in READERS[part] for seed in range(per_reader)]
    with log.open("a") as file:
        for name, seed in cases[skip:]:
            reader = READERS[part][name]
            sound = (sound_input(part, name) / reader.file).read_bytes()
            expected(part, name)
            heard()  # what making it has printed
            mutation, data = damaged(reader, name, seed, sound)
            file.write(_line(Outcome(name, seed, mutation, "begun")))
            file.flush()
            with limits():
                kind, detail = outcome_of(part, name, mutation, data)
            if noise := heard():
                kind, detail = with_noise(kind, noise)
            file.write(_line(Outcome(name, seed, mutation, kind, detail)))


def outcome_of(part: str, name: str, mutation: str, data: bytes) -> tuple[str, str]:
    """Return which kind of end a damaged input has, and more words on it."""
    reader = READERS[part][name]
    try:
        value = read_damaged(part, name, data)
    except (FairageError, OSError) as error:
        return _told(str(error), reader)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return type(error).__name__, f"{str(error)[:300]} ({where.filename}:{where.lineno})"
    if value == expected(part, name):
        return "same", ""
    whole = mutation in ("other kind", "resealed header")
    allowed = reader.seal == "none" or (reader.seal == "file" and whole)
    return ("other value", "") if allowed else ("wrong value", "")


def _told(message: str, reader: Reader) -> tuple[str, str]:
    if len(message) > LONGEST:
        return "long message", message[:300]
    names = (Path(reader.file).name, Path(reader.file).parts[0], "fuzz-case")
    return ("told" if any(n in message for n in names) else "no file named", message[:300])


def read_damaged(part: str, name: str, data: bytes) -> str:
    """Return the digest of what is read where the file holds this data."""
    reader = READERS[part][name]
    folder = Path(tempfile.gettempdir()) / f"fuzz-case-{os.getpid()}"
    shutil.copytree(sound_input(part, name), folder)
    try:
        (folder / reader.file).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return digest(reader.read(folder))
    finally:
        shutil.rmtree(folder)


@cache
def sound_input(part: str, name: str) -> Path:
    """Return the folder of a reader's sound input."""
    return _made(READERS[part][name].make)


@cache
def _made(make: Any) -> Path:
    folder = Path(tempfile.mkdtemp())
    make(folder)
    return folder


@cache
def expected(part: str, name: str) -> str:
    """Return the digest of what is read of the sound input."""
    reader = READERS[part][name]
    return read_damaged(part, name, (sound_input(part, name) / reader.file).read_bytes())


def digest(value: object) -> str:
    """Return a hash of what a reader gave back, whatever it is."""
    return hashlib.sha256("".join(_parts(value)).encode(errors="surrogatepass")).hexdigest()


def _parts(value: Any) -> Iterator[str]:
    if hasattr(value, "schema") and hasattr(value, "rows"):  # a frame
        yield f"{value.schema}{value.rows()}"
    elif hasattr(value, "detach"):  # a tensor
        yield from _parts(value.detach().numpy())
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}{value.tobytes().hex()}"
    elif dataclasses.is_dataclass(value):
        yield type(value).__name__
        yield from _parts(vars(value))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f"{key!r}:"
            yield from _parts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from (*_parts(each), ",")
    else:
        yield repr(value)


def with_noise(kind: str, noise: str) -> tuple[str, str]:
    """Return what to say where a library printed past Python, which nothing can take back.

    It may where our error comes all the same; of damaged scans of a JPEG it is the only word.
    """
    words = noise.strip()
    if kind == "told" and words.startswith(PRINTED):
        return "told, printed", words
    if words.startswith(SCANS):
        return f"{kind}, printed", words
    return "noise", words


SCANS = "Corrupt JPEG data", "Inconsistent progression sequence", "Invalid SOS parameters"
PRINTED = *SCANS, "libpng ", "[ERROR:", "ZIPDecode:", "thread '"
"""How lines of libjpeg, libpng, OpenCV, libtiff and of panics in polars begin."""


def heard() -> str:
    """Return what has been printed since the last call: what C prints, nobody can catch."""
    sys.stderr.flush()
    text = os.pread(2, 300, 0).decode(errors="replace")
    os.ftruncate(2, 0)
    os.lseek(2, 0, os.SEEK_SET)
    return text


@contextlib.contextmanager
def limits() -> Iterator[None]:
    """End the process where the block takes too long; let it have so much more memory."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)


def main(arguments: list[str]) -> None:
    """Read a part as a child does, or one case in the open."""
    if arguments[0] == "--part":
        part, per_reader, skip, log = arguments[1:]
        read_all(part, int(per_reader), int(skip), Path(log))
        return
    part, name, seed = arguments
    sound = (sound_input(part, name) / READERS[part][name].file).read_bytes()
    mutation, data = damaged(READERS[part][name], name, int(seed), sound)
    same = expected(part, name)
    sys.stdout.write(f"{mutation}: {data[:300]!r} ({len(data)} bytes for {len(sound)})\n")
    sys.stdout.write("same\n" if read_damaged(part, name, data) == same else "another value\n")


def table_of(outcomes: list[Outcome]) -> str:
    """Return how many inputs of each reader came to which end."""
    counts = Counter((each.reader, each.kind) for each in outcomes)
    return "\n".join(f"{reader:32} {kind:24} {n:6}" for (reader, kind), n in counts.items())


if __name__ == "__main__":
    main(sys.argv[1:])
