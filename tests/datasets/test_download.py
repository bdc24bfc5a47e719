"""Downloading a data set: archives verified, unpacked, optional ones missing, no address."""

import dataclasses
import functools
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fairage.datasets import DATASETS, Archive, download, find_dataset
from fairage.datasets.transfer import Patience
from fairage.exceptions import ConfigError, DataError

HASTY = Patience(attempts=1, wait=0.0, timeout=2.0)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with one archive, and the address that it is served at."""
    folder = tmp_path / "www"
    folder.mkdir()
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        archive.writestr("faces/a.jpg", b"face")
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def dataset(*archives: Archive):
    return dataclasses.replace(DATASETS["appa-real"], archives=archives)


def test_an_archive_is_verified_unpacked_and_removed(served, tmp_path: Path) -> None:
    folder, address = served
    checksum = hashlib.sha256((folder / "faces.zip").read_bytes()).hexdigest()
    urls = ("http://127.0.0.1:9/faces.zip", f"{address}/faces.zip")
    archive = Archive("faces.zip", urls, f"sha256:{checksum}")
    found = download(dataset(archive), tmp_path / "out", patience=HASTY)
    assert (found.archives, found.files, found.missing) == (("faces.zip",), 1, ())
    assert (tmp_path / "out" / "faces" / "a.jpg").read_bytes() == b"face"
    assert not (tmp_path / "out" / "faces.zip").exists()
    (folder / "faces.zip").unlink()
    assert download(dataset(archive), tmp_path / "out", patience=HASTY).files == 1


def test_a_wrong_checksum_stops_unless_accepted(served, tmp_path: Path) -> None:
    archive = Archive("faces.zip", (f"{served[1]}/faces.zip",), "md5:00")
    with pytest.raises(DataError, match="expected md5 00"):
        download(dataset(archive), tmp_path / "out", patience=HASTY)
    assert not (tmp_path / "out" / "faces").exists()
    found = download(dataset(archive), tmp_path / "out", check=False, keep=True, patience=HASTY)
    assert found.files == 1
    assert (tmp_path / "out" / "faces.zip").exists()


def test_an_optional_archive_may_be_missing(served, tmp_path: Path) -> None:
    first = Archive("faces.zip", (f"{served[1]}/faces.zip",))
    second = Archive("more.zip", (f"{served[1]}/more.zip",), optional=True)
    found = download(dataset(first, second), tmp_path / "out", patience=HASTY)
    assert len(found.missing) == 1
    assert "404" in found.missing[0]
    needed = dataclasses.replace(second, optional=False)
    with pytest.raises(DataError, match="404"):
        download(dataset(needed), tmp_path / "out", patience=HASTY)


def test_a_data_set_without_an_address_says_where_to_ask(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="susanqq"):
        download(DATASETS["utkface"], tmp_path)
    with pytest.raises(DataError, match="joojs/fairface"):
        download(DATASETS["fairface"], tmp_path)


def test_an_unknown_name_has_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'appa-real'"):
        find_dataset("apparel")
