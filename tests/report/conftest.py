"""Suites small enough to look at, a parser that checks a page, and a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Browser, sync_playwright

from fairage.report import Reference, SuiteRuns, VersionRuns

CLIPPED = """() => [...document.querySelectorAll("svg.drawing text")].filter(text => {
  const box = text.getBoundingClientRect(), room = text.ownerSVGElement.getBoundingClientRect();
  return box.width && (box.left < room.left - 2 || box.right > room.right + 2
    || box.top < room.top - 2 || box.bottom > room.bottom + 2);
}).map(text => text.textContent)"""
VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Page(HTMLParser):
    """Everything of a page that tests look at; `errors` lists tags that do not match."""

    ids: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if values.get("id"):
            self.ids.append(str(values["id"]))
        for name in ("href", "src", "data", "srcset", "poster", "action"):
            if values.get(name):
                target = str(values[name])
                (self.references if target.startswith("#") else self.loads).append(target)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.text += data

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


@pytest.fixture
def parse() -> Callable[[str], Page]:
    """Parse a page and hold it against what every report promises."""

    def parsed(html: str) -> Page:
        page = Page()
        page.feed(html)
        page.close()
        assert not page.errors
        assert not page._open
        assert page.loads == ["data:,"], "a report loads nothing"
        assert "@import" not in html
        assert len(page.ids) == len(set(page.ids)), "ids are unique"
        assert {reference[1:] for reference in page.references} <= set(page.ids)
        for tag, attributes in page.tags:
            if tag == "svg":
                assert attributes["role"] == "img"
                assert attributes["aria-label"]
            if tag == "th":
                assert attributes["scope"]
        return page

    return parsed


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window; without one, tests are skipped, but never in CI."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        reason = "expected chromium on the PATH, got none, install it: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture
def look(browser: Browser, tmp_path: Path) -> Callable[[str], None]:
    """Open a page on a phone and on a desk, light and dark: nothing may go wrong."""

    def opened(html: str) -> None:
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        for width, scheme in ((390, "light"), (1280, "light"), (1280, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            page = context.new_page()
            told: list[str] = []
            page.on("console", lambda message, told=told: told.append(message.text))
            page.on("pageerror", lambda error, told=told: told.append(str(error)))
            page.on("request", lambda request, told=told: told.append(request.url))
            page.goto(path.as_uri())
            assert told == [path.as_uri()], "no message and no request but for the page itself"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            figures = page.locator("svg.drawing:visible")
            assert figures.count() > 0
            for i in range(figures.count()):
                box = figures.nth(i).bounding_box()
                assert box is not None
                assert box["width"] > 200
                assert box["x"] + box["width"] <= width
            assert page.evaluate(CLIPPED) == []
            context.close()
        _print(browser, path)

    return opened


def _print(browser: Browser, path: Path) -> None:
    """Print the page: it must fit the paper, and figures for wide pages are shown."""
    page = browser.new_page(viewport={"width": 680, "height": 900})
    page.goto(path.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


@pytest.fixture
def suite() -> Callable[..., SuiteRuns]:
    """Make a suite: `errors[version][group]` is how far off each group of gender is, in years."""

    def made(
        errors: dict[str, dict[str, float]],
        *,
        n: int = 200,
        seeds: int = 2,
        jitter: float = 0.0,
        published: dict[str, dict[str, float]] | None = None,
        **options: object,
    ) -> SuiteRuns:
        versions = tuple(
            VersionRuns(
                experiment="0" if name == "baseline" else "1",
                version=name,
                title=name,
                description=f"What {name} is.",
                published=(published or {}).get(name),
                predictions=tuple(_predictions(told, n, seed, jitter) for seed in range(seeds)),
            )
            for name, told in errors.items()
        )
        return SuiteRuns("A suite", versions, {"Faces": f"test {n}"}, **options)  # type: ignore[arg-type]  # options by name

    return made


@pytest.fixture
def published_suite(suite: Callable[..., SuiteRuns]) -> SuiteRuns:
    """Two versions with published peers, a reference and a note."""
    told = {"gender_bias": 0.2, "age_bias": 3.1, "average_bias": 0.9, "mae": 4.8}
    return suite(
        {"baseline": {"female": 3.0, "male": 5.0}, "loss 2b": {"female": 3.5, "male": 4.0}},
        jitter=0.1,
        published={"baseline": told, "loss 2b": told | {"average_bias": 0.6, "mae": 9.9}},
        references=(Reference("FaRL", 3.433, 0.763),),
        study=(Reference("baseline", 4.8, 0.9), Reference("loss 2b", 9.9, 0.6)),
        notes=("loss 9 was left out.",),
    )


def _predictions(errors: dict[str, float], n: int, seed: int, jitter: float) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    gender = np.array(list(errors))[np.arange(n) % len(errors)]
    ages = np.linspace(10, 75, n).round(1)
    off = (
        np.array([errors[name] for name in gender]) + jitter * rng.uniform(-1, 1, n) + seed * jitter
    )
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(n)],
            "age": ages,
            "prediction": ages + off,
            "gender": gender,
            "seed": np.full(n, seed),
        }
    )
