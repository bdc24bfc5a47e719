"""Unpacking: whole files, nothing outside the folder, hostile archives refused."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairage.datasets.downloads import unpack
from fairage.exceptions import DataError

FILES = {"faces/a.jpg": b"first" * 1000, "faces/deep/b.jpg": b"second", "labels.csv": b""}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("faces/", b"")
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(("pack", "name"), [(zipped, "a.zip"), (tarred, "a.tar.gz")])
def test_all_files_arrive_and_again_is_no_work(pack, name: str, tmp_path: Path) -> None:
    archive, out = pack(tmp_path / name, FILES), tmp_path / "out"
    assert unpack(archive, out) == 3
    assert held(out) == FILES
    before = (out / "labels.csv").stat().st_mtime_ns
    (out / "faces" / "a.jpg").write_bytes(b"half")
    assert unpack(archive, out) == 3
    assert held(out) == FILES
    assert (out / "labels.csv").stat().st_mtime_ns == before


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "faces/../../evil.txt", "..\\evil.txt", "C:\\evil.txt"]
)
def test_a_path_that_leads_out_is_refused(pack, name: str, tmp_path: Path) -> None:
    archive = pack(tmp_path / "inner.archive", {"good.txt": b"good", name: b"evil"})
    with pytest.raises(DataError, match="leads out of the folder"):
        unpack(archive, tmp_path / "out")
    assert held(tmp_path / "out") == {}
    assert not (tmp_path / "evil.txt").exists()


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        member = tarfile.TarInfo("thing")
        member.type, member.linkname = kind, "/etc/passwd"
        with tarfile.open(tmp_path / "a.tar", "w") as tar:
            tar.addfile(member)
        with pytest.raises(DataError, match="a link or a device"):
            unpack(tmp_path / "a.tar", tmp_path / "out")
    assert held(tmp_path / "out") == {}


def test_a_link_in_the_folder_does_not_lead_a_file_out(tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "faces").symlink_to(outside)
    with pytest.raises(DataError, match="leads out"):
        unpack(zipped(tmp_path / "a.zip", {"faces/a.jpg": b"x"}), out)
    assert held(outside) == {}


def test_damaged_archives_say_so(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", FILES)
    data = bytearray(archive.read_bytes())
    data[data.index(b"faces/a.jpg") + len("faces/a.jpg") + 4] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(DataError, match="delete it and download"):
        unpack(archive, tmp_path / "out")
    tar = tarred(tmp_path / "a.tar.gz", {"a": b"x" * 5000})
    tar.write_bytes(tar.read_bytes()[:-40])
    with pytest.raises(DataError, match="delete it and download"):
        unpack(tar, tmp_path / "out")
    (tmp_path / "page.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match="zip or tar archive"):
        unpack(tmp_path / "page.zip", tmp_path / "out")
    with pytest.raises(DataError, match="zip or tar archive"):
        unpack(tmp_path / "none.zip", tmp_path / "out")


def test_files_larger_than_the_disk_are_refused_before_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "bomb.zip", {"zeros": b"\0" * 3000})
    little = SimpleNamespace(free=2999)
    monkeypatch.setattr("fairage.datasets.downloads.shutil.disk_usage", lambda _: little)
    with pytest.raises(DataError, match="expected room"):
        unpack(archive, tmp_path / "out")
    assert held(tmp_path / "out") == {}


def test_a_password_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a": b"x"})
    data = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(mark) + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match="without a password"):
        unpack(archive, tmp_path / "out")
