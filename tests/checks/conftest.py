"""Files named check_*.py are tests too: what every member of a dict of names must pass."""

from pathlib import Path

import pytest


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if file_path.name.startswith("check_"):
        module: pytest.Module = pytest.Module.from_parent(parent, path=file_path)
        return module
    return None
