"""How many processors and how much memory there are, inside containers too."""

import os
from pathlib import Path

import pytest

from fairage._work import usable_memory, usable_processors, worker_processes


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 processors, of which this process may use eight."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def system(root: Path, cgroup: str, **files: str) -> Path:
    """Write what Linux shows of a process's cgroup; in names, `__` is a slash, `_dot_` a dot."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_processors(tmp_path) == 8
    assert usable_memory(tmp_path) is None
    assert worker_processes(tmp_path) == 8


@pytest.mark.parametrize(
    ("limit", "processors"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("9900000 100000", 8),
        ("nonsense", 8),
    ],
)
def test_a_container_of_version_2_has_its_share(
    limit: str, processors: int, tmp_path: Path
) -> None:
    root = system(tmp_path, "0::/\n", cpu_dot_max=limit)
    assert usable_processors(root) == processors


def test_the_tightest_of_the_cgroups_above_counts(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "0::/user/job\n",
        user__job__cpu_dot_max="400000 100000",
        user__cpu_dot_max="300000 100000",
        user__job__memory_dot_max="max",
        user__memory_dot_max=str(5 * 2**30),
    )
    assert usable_processors(root) == 3
    assert usable_memory(root) == 5 * 2**30


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize("path", ["docker__abc__", ""])
def test_a_container_of_version_1_has_its_share(mount: str, path: str, tmp_path: Path) -> None:
    folder = f"{mount}__{path}"
    root = system(
        tmp_path,
        "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n",
        **{
            f"{folder}cpu_dot_cfs_quota_us": "250000",
            f"{folder}cpu_dot_cfs_period_us": "100000",
            "memory__memory_dot_limit_in_bytes": str(2 * 2**30),
        },
    )
    assert usable_processors(root) == 3
    assert usable_memory(root) == 2 * 2**30
    assert worker_processes(root) == 2


def test_no_limit_of_version_1_is_no_limit(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        "4:cpu:/\n3:memory:/\n",
        cpu__cpu_dot_cfs_quota_us="-1",
        cpu__cpu_dot_cfs_period_us="100000",
        memory__memory_dot_limit_in_bytes="9223372036854771712",
    )
    assert usable_processors(root) == 8
    assert usable_memory(root) is None


def test_a_system_without_affinity_has_all_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_processors(tmp_path) == 64


def test_little_memory_still_allows_one_worker(tmp_path: Path) -> None:
    assert worker_processes(system(tmp_path, "0::/\n", memory_dot_max="1000")) == 1
