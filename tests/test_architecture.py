"""Imports point down only, siblings do not import each other, light parts stay light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fairage

SOURCE = Path(__file__).parents[1] / "src" / "fairage"
LAYERS = [
    {"cli"},
    {"experiments"},
    {"reports", "prediction", "training"},
    {"auditing", "embeddings", "models"},
    {"synthetic"},
    {"datasets", "faces", "weighting", "objectives"},
    {
        "faces_file",
        "tables",
        "_table",
        "_table_formats",
        "_table_frames",
        "_tables_io",
        "_bundle_files",
        "_card_results",
        "_demographics",
        "_files",
        "_partial_files",
        "_graph_words",
        "_image_containers",
        "_images",
        "_jpeg",
        "_locks",
        "_model_card",
        "_onnxruntime",
        "_random",
        "_text",
        "_votes",
        "_registry",
        "_settings",
        "_work",
        "age_groups",
        "exceptions",
    },
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
BASE = len(LAYERS) - 1
LIGHT = (
    "auditing", "weighting", "datasets", "synthetic", "tables.py", "exceptions.py", "_registry.py",
    "__init__.py", "_tables_io.py", "_table.py", "_table_frames.py", "_table_formats",
)  # fmt: skip
# A result saves itself and shows itself in a notebook: the one import that points up.
UPWARDS = {("auditing/result.py", "reports"), ("auditing/comparison_result.py", "reports")}
HEAVY = ("torch", "torchvision", "timm", "transformers", "cv2", "matplotlib", "fastapi")


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import on line {node.lineno}"
            assert node.module is not None
            if node.module == "fairage":
                yield from (f"fairage.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    part = part_of(path)
    if part in ("__init__", "__main__"):
        return
    for name in imports(path):
        if not name.startswith("fairage."):
            continue
        other = name.split(".")[1]
        if other == part or (str(path.relative_to(SOURCE)), other) in UPWARDS:
            continue
        assert LEVEL[other] > LEVEL[part] or (LEVEL[other] == LEVEL[part] == BASE), (
            f"{path.relative_to(SOURCE)} imports {name}: imports point down only"
        )


def test_every_part_has_a_layer() -> None:
    assert {part_of(path) for path in modules()} - {"__init__", "__main__"} <= set(LEVEL)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_torchvision_and_timm_are_never_imported(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"torchvision", "timm", "lightning", "albumentations"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_light_parts_import_nothing_heavy_at_the_top(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    if relative.parts[0] not in LIGHT:
        return
    roots = {name.split(".")[0] for name in imports(path, top_level_only=True)}
    assert not roots & set(HEAVY)


def test_importing_fairage_does_not_import_torch() -> None:
    code = "import sys, fairage, fairage.cli.app; print([m for m in %r if m in sys.modules])"
    command = [sys.executable, "-c", code % (HEAVY,)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_called_like_an_exported_function() -> None:
    """A module called `audit` would hide the function of that name once it is imported."""
    exported = {name for name in fairage.__all__ if callable(getattr(fairage, name))}
    functions = {name for name in exported if name.islower()}
    parts = {part.stem for part in SOURCE.iterdir()}
    assert not functions & parts


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """Return the modules that a module imports as it is loaded, parent packages too."""
    loaded: set[str] = set()

    def walk(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                loaded.update(names & known or {node.module})
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            elif not isinstance(node, ast.FunctionDef):
                walk([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)])

    walk(ast.parse(path.read_text(encoding="utf-8")).body)
    parents = {name.rpartition(".")[0] for name in loaded}
    own = module_name(path)
    return {name for name in loaded | parents if name in known and not own.startswith(name)}


def module_name(path: Path) -> str:
    parts = ("fairage", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_there_is_no_import_circle() -> None:
    paths = {module_name(path): path for path in modules()}
    left = {name: imported_modules(path, set(paths)) for name, path in paths.items()}
    while left:
        free = [name for name, imported in left.items() if not imported & set(left)]
        assert free, f"an import circle among {sorted(left)}"
        for name in free:
            del left[name]


def test_file_names_are_unique_across_folders() -> None:
    names = [path.name for path in modules() if path.parent.name != "cli"]
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= {"__init__.py", "registry.py"}
