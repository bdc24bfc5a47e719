"""The documentation tells of every command and name, and its links and modules are there."""

import importlib.util
import re
from pathlib import Path

import pytest
import typer.main

from fairage.cli.app import app
from fairage.objectives import OBJECTIVES
from fairage.weighting import WEIGHTINGS

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands(group: object, name: str = "fairage") -> list[str]:
    found = []
    for sub, command in group.commands.items():
        full = f"{name} {sub}"
        found += commands(command, full) if hasattr(command, "commands") else [full]
    return found


@pytest.mark.parametrize("command", commands(typer.main.get_command(app)))
def test_every_command_is_documented(command: str) -> None:
    assert command in TEXT, f"no page shows {command!r}"


@pytest.mark.parametrize("name", sorted(WEIGHTINGS))
def test_every_weighting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/methods/weightings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_every_objective_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/methods/objectives.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)\s#]*)(?:#([^)\s]+))?[^)]*\)", prose):
        if "://" in target:
            continue
        linked = page.parent / target if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked), f"{page.name} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page can be linked by."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^a-z0-9_\s-]", "", title.lower()).strip() for title in titles)
    return {re.sub(r"[-\s]+", "-", title) for title in plain}


def test_every_module_of_the_reference_is_there() -> None:
    text = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    for name in re.findall(r"^::: (\S+)$", text, re.MULTILINE):
        assert importlib.util.find_spec(name), f"the reference names {name}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in navigation, f"{page.name} is not in the nav"
