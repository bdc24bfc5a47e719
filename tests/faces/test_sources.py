"""Bytes from files and over HTTP, with limits."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fairage import _images
from fairage.exceptions import DataError
from fairage.faces import read_image_bytes


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/image":
            self._answer(200, b"pixels")
        elif self.path == "/large":
            self._answer(200, b"x" * 5000)
        elif self.path == "/short":
            self._answer(200, b"half", length=8)
        elif self.path == "/to-file":
            self._answer(302, b"", Location="file:///etc/passwd")
        elif self.path == "/moved":
            self._answer(302, b"", Location="/image")
        else:
            self._answer(404, b"none")

    def _answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Pages) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"pixels")
    assert read_image_bytes(str(tmp_path / "a")) == b"pixels"


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none at"):
        read_image_bytes(str(tmp_path / "missing"))
    with pytest.raises(DataError, match="folder or device"):
        read_image_bytes(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="folder or device"):
        read_image_bytes(str(tmp_path / "pipe"))
    with pytest.raises(DataError, match="expected a readable file"):
        read_image_bytes("nul\0byte")


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "MAX_BYTES", 100)
    (tmp_path / "a").write_bytes(b"x" * 101)
    with pytest.raises(DataError, match="MiB"):
        read_image_bytes(str(tmp_path / "a"))


@pytest.mark.parametrize("page", ["image", "moved"])
def test_a_url_is_fetched(server: str, page: str) -> None:
    assert read_image_bytes(f"{server}/{page}") == b"pixels"


@pytest.mark.parametrize(
    ("page", "reason"), [("none", "404"), ("short", "8"), ("to-file", "expected an image at")]
)
def test_a_bad_page_is_refused(server: str, page: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_image_bytes(f"{server}/{page}")


def test_a_large_page_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "MAX_BYTES", 100)
    with pytest.raises(DataError, match="MiB"):
        read_image_bytes(f"{server}/large")


def test_other_schemes_are_refused() -> None:
    with pytest.raises(DataError, match="http"):
        read_image_bytes("file:///etc/passwd")
    with pytest.raises(DataError, match="http"):
        read_image_bytes("s3://bucket/a.jpg")


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:9/none.jpg", "http://[::1", "http://", "https://a b/", "http://a..b/"),
        *("http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://\u202e/", "http:///a.jpg"),
    ],
)
def test_nobody_listening_and_malformed_addresses_are_errors(url: str) -> None:
    with pytest.raises(DataError, match="check the address"):
        read_image_bytes(url)
