"""How many faces a second `synthesize` draws, encodes and writes; the aim is 300 on two cores.

Run: python benchmarks/synthesize.py [--faces 3000] [--workers 2] [--rounds 20]

The first rate is by the clock, with the start of the processes and all imports. Other work on the
machine only ever slows it down; so one core's best of several rounds of 100 faces stands beside
it, in processor time.
"""

import argparse
import tempfile
import time
from pathlib import Path

from fairage.synthetic import synthesize

ROUND = 100


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clock = time.perf_counter()
        synthesize(Path(folder) / "faces", n=options.faces, workers=options.workers)
        clock = time.perf_counter() - clock
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.jpg")) / options.faces
    text = f"{options.faces:,} faces, {options.workers} processes"
    print(f"{text}: {options.faces / clock:.0f} a second by the clock")
    best = best_round(options.rounds)
    print(f"best {ROUND} faces: {1000 * best:.2f} ms of one core a face, {1 / best:.0f} a second")
    print(f"size of a picture: {size / 1024:.1f} KB")


def best_round(rounds: int) -> float:
    """Return the processor seconds a face of the fastest round in this process."""
    seconds = []
    for seed in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            synthesize(Path(folder) / "faces", n=ROUND, seed=seed)
            seconds.append(time.process_time() - started)
    return min(seconds) / ROUND


if __name__ == "__main__":
    main()
