"""Print the oldest version of each library that a bare installation allows, one a line."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join(each.replace(">=", "==") for each in project["dependencies"]))
