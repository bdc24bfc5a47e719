"""Downloads from a server on this machine that breaks off, restarts and lies."""

import errno
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fairage.datasets.transfer import Patience, fetch, verify
from fairage.exceptions import DataError

HASTY = Patience(attempts=3, wait=0.0, timeout=2.0)
BODY = bytes(range(256)) * 2000


@dataclass
class Site:
    """What the server does, and what it was asked."""

    body: bytes = BODY
    edition: str = '"one"'
    ranges: bool = True
    break_after: int = 0
    breaks: int = 0
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]  # the server carries it
        asked = self.headers.get("Range", "")
        site.asked.append(asked)
        if site.statuses:
            self.send_error(site.statuses.pop(0))
            return
        current = self.headers.get("If-Range", site.edition) == site.edition
        start = int(asked[6:-1]) if asked and site.ranges and current else 0
        if start >= len(site.body) and start:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            end, total = len(site.body) - 1, len(site.body)
            self.send_header("Content-Range", f"bytes {start}-{end}/{total}")
        if site.edition:
            self.send_header("ETag", site.edition)
        self.send_header("Content-Length", str(len(site.body) - start))
        self.end_headers()
        part = site.body[start:]
        if site.breaks:
            site.breaks -= 1
            part = part[: site.break_after]
        self.wfile.write(part)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(address=f"http://127.0.0.1:{server.server_port}/faces.zip")
    server.site = site  # type: ignore[attr-defined]  # the server carries it
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "faces.zip"


def test_a_whole_file_arrives_and_nothing_else(site: Site, target: Path) -> None:
    assert fetch(site.address, target, patience=HASTY) == target
    assert target.read_bytes() == BODY
    assert [path.name for path in target.parent.iterdir()] == ["faces.zip"]


def test_a_file_that_is_there_is_not_fetched_again(site: Site, target: Path) -> None:
    fetch(site.address, target, patience=HASTY)
    fetch(site.address, target, patience=HASTY)
    assert len(site.asked) == 1


@pytest.mark.parametrize("edition", ['"one"', ""])
def test_a_connection_that_breaks_off_goes_on_where_it_stopped(
    site: Site, target: Path, edition: str
) -> None:
    site.edition, site.break_after, site.breaks = edition, 100_000, 4
    fetch(site.address, target, patience=HASTY)
    assert target.read_bytes() == BODY
    assert site.asked == ["", *(f"bytes={n}00000-" for n in (1, 2, 3, 4))]


def test_a_later_call_goes_on_where_an_earlier_one_stopped(site: Site, target: Path) -> None:
    site.break_after, site.breaks = 70_000, 1
    with pytest.raises(DataError, match="70000 bytes are kept"):
        fetch(site.address, target, patience=Patience(attempts=1, wait=0))
    assert not target.exists()
    fetch(site.address, target, patience=HASTY)
    assert site.asked[-1] == "bytes=70000-"
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("edition", ['"two"', ""])
def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(
    site: Site, target: Path, edition: str
) -> None:
    site.break_after, site.breaks = 70_000, 1
    with pytest.raises(DataError):
        fetch(site.address, target, patience=Patience(attempts=1, wait=0))
    site.body, site.edition = BODY[::-1] + b"longer", edition
    fetch(site.address, target, patience=HASTY)
    assert target.read_bytes() == BODY[::-1] + b"longer"


def test_a_server_without_ranges_starts_anew(site: Site, target: Path) -> None:
    site.ranges, site.break_after, site.breaks = False, 70_000, 2
    fetch(site.address, target, patience=HASTY)
    assert target.read_bytes() == BODY


def test_a_part_that_is_too_long_is_thrown_away(site: Site, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("faces.zip.part").write_bytes(BODY * 2)
    fetch(site.address, target, patience=HASTY)
    assert target.read_bytes() == BODY


def test_no_progress_ends_after_a_few_attempts(site: Site, target: Path) -> None:
    site.ranges, site.break_after, site.breaks = False, 50, 100
    with pytest.raises(DataError, match="broke off after 50 of 512000 bytes"):
        fetch(site.address, target, patience=HASTY)
    assert len(site.asked) == 3


def test_a_busy_server_is_asked_again(site: Site, target: Path) -> None:
    site.statuses = [503, 429]
    fetch(site.address, target, patience=HASTY)
    assert len(site.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(site: Site, target: Path, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(DataError, match=f"got {status}"):
        fetch(site.address, target, patience=HASTY)
    assert len(site.asked) == 1


def test_offline_says_what_to_do_in_one_line(target: Path) -> None:
    with pytest.raises(DataError) as caught:
        fetch("http://127.0.0.1:9/faces.zip", target, patience=HASTY)
    text = str(caught.value)
    assert "connect to the internet" in text
    assert f"put the file of http://127.0.0.1:9/faces.zip at '{target}'" in text
    assert "\n" not in text


def test_a_full_disk_is_told_as_such(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match="No space left on device, free some room"):
        fetch(site.address, target, patience=HASTY)
    assert len(site.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "faces.zip"])
def test_only_http_is_fetched(url: str, target: Path) -> None:
    with pytest.raises(DataError, match="http"):
        fetch(url, target, patience=HASTY)


def test_checksums(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"faces")
    for kind in ("md5", "sha1", "sha256", "sha512"):
        verify(path, f"{kind}:{hashlib.new(kind, b'faces').hexdigest()}")
        with pytest.raises(DataError, match="--no-checksum"):
            verify(path, f"{kind}:00")
