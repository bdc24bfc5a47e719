"""Downloading a data set from a server on this machine that breaks off, refuses and lies."""

import dataclasses
import errno
import hashlib
import io
import logging
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from fairage.datasets import DATASETS, Archive, DataSet, download, find_dataset
from fairage.datasets.downloads import Download
from fairage.exceptions import ConfigError, DataError, MissingDependencyError

pytestmark = pytest.mark.timeout(60)

NOBODY = "http://127.0.0.1:9/faces.zip"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"faces/{name}.jpg", data)
    return out.getvalue()


FACES = zipped(a=bytes(range(256)) * 2000)


@dataclass
class Site:
    """What the server holds and does, and the paths that it was asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=lambda: {"/faces.zip": FACES})
    statuses: list[int] = field(default_factory=list)
    breaks: int = 0
    requests: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]  # the server carries it
        site.requests.append(self.path)
        body = site.files.get(self.path)
        if site.statuses or body is None:
            self.send_error(site.statuses.pop(0) if site.statuses else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        site.breaks -= 1
        self.wfile.write(body[:1000] if site.breaks >= 0 else body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr("fairage.datasets.downloads._WAITS", (0.0, 0.0))
    monkeypatch.setattr("fairage.datasets.downloads._TIMEOUT", 5.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    server.site = site  # type: ignore[attr-defined]  # the server carries it
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "new" / "out"


def dataset(*archives: Archive) -> DataSet:
    return dataclasses.replace(DATASETS["appa-real"], archives=archives)


def get(out: Path, *urls: str, checksum: str = "", **options: bool) -> Download:
    return download(dataset(Archive("faces.zip", urls, checksum)), out, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256", "sha512"])
def test_an_archive_is_verified_unpacked_and_removed(site: Site, out: Path, kind: str) -> None:
    checksum = f"{kind}:{hashlib.new(kind, FACES).hexdigest().upper()}"
    result = get(out, f"{site.address}/faces.zip", checksum=checksum)
    assert result == Download(out, ("faces.zip",), 1, ())
    assert (out / "faces" / "a.jpg").read_bytes() == bytes(range(256)) * 2000
    assert names(out) == [".faces.zip.unpacked", "a.jpg"]


def test_given_again_it_does_not_download_what_is_complete(site: Site, out: Path) -> None:
    url = f"{site.address}/faces.zip"
    assert get(out, url) == get(out, url)
    assert site.requests == ["/faces.zip"]


@pytest.mark.parametrize("check", [True, False])
def test_an_archive_put_there_by_hand_is_not_downloaded(out: Path, check: bool) -> None:
    out.mkdir(parents=True)
    (out / "faces.zip").write_bytes(FACES)
    checksum = f"md5:{hashlib.md5(FACES).hexdigest() if check else '00'}"
    assert get(out, NOBODY, checksum=checksum, check=check).files == 1


def test_an_archive_that_lies_there_with_a_wrong_checksum_is_replaced(
    site: Site, out: Path
) -> None:
    out.mkdir(parents=True)
    (out / "faces.zip").write_bytes(FACES[:1000])
    checksum = f"sha256:{hashlib.sha256(FACES).hexdigest()}"
    assert get(out, f"{site.address}/faces.zip", checksum=checksum, keep=True).files == 1
    assert (out / "faces.zip").read_bytes() == FACES


def test_what_a_killed_download_left_is_removed_and_nothing_else(site: Site, out: Path) -> None:
    (out / ".arriving").mkdir(parents=True)
    (out / ".arriving" / "tmp0a1b2c3d").write_bytes(b"half")
    (out / "tmp0a1b2c3d").write_bytes(b"somebody's own")
    get(out, f"{site.address}/faces.zip")
    assert names(out) == [".faces.zip.unpacked", "a.jpg", "tmp0a1b2c3d"]
    assert not (out / ".arriving").exists()
    with pytest.raises(DataError):
        get(out / "other", f"{site.address}/none.zip")
    assert names(out / "other") == []


def test_the_next_address_is_tried_where_one_fails(site: Site, out: Path) -> None:
    site.files["/other.zip"] = zipped(b=b"another edition")
    checksum = f"md5:{hashlib.md5(FACES).hexdigest()}"
    urls = [f"{site.address}/{name}.zip" for name in ("none", "other", "faces")]
    assert get(out, NOBODY, *urls, checksum=checksum).files == 1
    assert names(out) == [".faces.zip.unpacked", "a.jpg"]
    assert site.requests == ["/none.zip", "/other.zip", "/faces.zip"]


def test_a_wrong_checksum_stops_unless_accepted(site: Site, out: Path) -> None:
    url = f"{site.address}/faces.zip"
    with pytest.raises(DataError, match=r"expected md5:00 but got \w{32}.*--no-checksum"):
        get(out, url, checksum="md5:00")
    assert names(out) == []
    assert get(out, url, checksum="md5:00", check=False, keep=True).files == 1
    assert (out / "faces.zip").read_bytes() == FACES


def test_a_server_that_breaks_off_is_asked_again(site: Site, out: Path) -> None:
    site.breaks = 2
    assert get(out, f"{site.address}/faces.zip").files == 1
    assert len(site.requests) == 3


def test_a_server_that_keeps_breaking_off_is_given_up_and_leaves_nothing(
    site: Site, out: Path
) -> None:
    site.breaks = 100
    with pytest.raises(DataError, match="got IncompleteRead"):
        get(out, f"{site.address}/faces.zip")
    assert len(site.requests) == 3
    assert names(out) == []


def test_a_busy_server_is_asked_again(site: Site, out: Path) -> None:
    site.statuses = [503, 429]
    assert get(out, f"{site.address}/faces.zip").files == 1
    assert len(site.requests) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(site: Site, out: Path, status: int) -> None:
    site.statuses = [status]
    with pytest.raises(DataError, match=f"expected a file at .*, got {status} .*fairage data list"):
        get(out, f"{site.address}/faces.zip")
    assert len(site.requests) == 1


def test_offline_says_what_to_do_in_one_line(site: Site, out: Path) -> None:
    with pytest.raises(DataError) as caught:
        get(out, NOBODY)
    message = str(caught.value)
    assert "from 127.0.0.1:9, got [Errno" in message
    assert "connect to the internet" in message
    assert f"put the file of {NOBODY} at '{out / 'faces.zip'}'" in message
    assert "\n" not in message


def test_a_full_disk_is_named(site: Site, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    with pytest.raises(DataError, match="got No space left on device, free some room"):
        get(out, f"{site.address}/faces.zip")
    assert names(out) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "faces.zip"])
def test_only_http_is_fetched(url: str, out: Path) -> None:
    with pytest.raises(DataError, match="expected an http"):
        get(out, url)


def test_an_optional_archive_may_be_missing(site: Site, out: Path) -> None:
    first = Archive("faces.zip", (f"{site.address}/faces.zip",))
    second = Archive("more.zip", (f"{site.address}/more.zip",), optional=True)
    (missing,) = download(dataset(first, second), out).missing
    assert missing.startswith("more.zip: ")
    assert "404" in missing
    with pytest.raises(DataError, match="404"):
        download(dataset(first, dataclasses.replace(second, optional=False)), out)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(
    site: Site, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    get(out, f"{site.address}/faces.zip")
    printed = capsys.readouterr()
    assert ("100%" in printed.err) is terminal
    assert terminal or printed.err == ""
    assert printed.out == ""


def test_pooch_says_nothing_of_its_own(site: Site, out: Path) -> None:
    pooch.get_logger().setLevel(logging.INFO)
    get(out, f"{site.address}/faces.zip")
    assert not pooch.get_logger().isEnabledFor(logging.INFO)


@pytest.mark.parametrize("package", ["pooch", "tqdm"])
def test_a_missing_package_is_named(out: Path, monkeypatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"'{package}'.*fairage\[download\]"):
        get(out, NOBODY)


def test_a_data_set_without_an_address_says_where_to_ask(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="susanqq"):
        download(DATASETS["utkface"], tmp_path)
    with pytest.raises(DataError, match="joojs/fairface"):
        download(DATASETS["fairface"], tmp_path)


def test_an_unknown_name_has_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'appa-real'"):
        find_dataset("apparel")
