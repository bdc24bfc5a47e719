"""A parser that checks a page, and a real browser that opens it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

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
    _places: list[tuple[str, dict[str, str | None], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self._places.append((tag, values, "svg" in self._open))
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
        if self._open and self._open[-1] not in ("style", "title"):
            self.text += data

    @property
    def drawn(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags within drawings, each with the names of its attributes."""
        return [(tag, tuple(attributes)) for tag, attributes, inside in self._places if inside]

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags outside of drawings, each with the names of its attributes."""
        return [(tag, tuple(attributes)) for tag, attributes, inside in self._places if not inside]

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


def parsed(html: str) -> Page:
    """Parse HTML whose tags must match."""
    page = Page()
    page.feed(html)
    page.close()
    assert not page.errors
    assert not page._open
    return page


@pytest.fixture
def parse() -> Callable[[str], Page]:
    """Parse a page and hold it against what every page promises."""

    def parse_page(html: str) -> Page:
        page = parsed(html)
        assert page.loads == ["data:,"], "a page loads nothing"
        assert "@import" not in html
        assert len(page.ids) == len(set(page.ids)), "ids are unique"
        assert {reference[1:] for reference in page.references} <= set(page.ids)
        for tag, attributes in page.tags:
            if tag == "svg" and "aria-hidden" not in attributes:
                assert attributes["role"] == "img"
                assert attributes["aria-label"]
            if tag == "th":
                assert attributes["scope"]
        tables = [tag for tag, _ in page.tags if tag == "table"]
        captions = [tag for tag, _ in page.tags if tag == "caption"]
        assert len(captions) == len(tables), "every table has a caption"
        return page

    return parse_page


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
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        for width, scheme in ((390, "light"), (1280, "light"), (1280, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            page = context.new_page()
            events: list[str] = []
            page.on("console", lambda message, events=events: events.append(message.text))
            page.on("pageerror", lambda error, events=events: events.append(str(error)))
            page.on("dialog", lambda dialog, events=events: events.append(dialog.message))
            page.on("request", lambda request, events=events: events.append(request.url))
            page.goto(path.as_uri())
            assert events == [path.as_uri()], "no message and no request but for the page itself"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            figures = page.locator("svg.drawing:visible")
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
