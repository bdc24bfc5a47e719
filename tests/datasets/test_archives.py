"""Unpacking: whole files, nothing outside the folder, hostile archives refused."""

import io
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairage.datasets.archives import unpack
from fairage.exceptions import DataError

FILES = {"faces/a.jpg": b"first" * 1000, "faces/deep/b.jpg": b"second", "labels.csv": b""}


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("faces/", b"")
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], compression: str = "gz") -> Path:
    with tarfile.open(path, f"w:{compression}") as archive:
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
    (out / "faces" / "deep" / "b.jpg").write_bytes(b"SECOND")
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
    monkeypatch.setattr("fairage.datasets.archives.shutil.disk_usage", lambda _: little)
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


SMALL = {"a.bin": bytes(range(256)) * 40, "b.csv": b"image,age\n" * 500}


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_archive_that_ends_early_anywhere_leaves_nothing(
    compression: str, tmp_path: Path
) -> None:
    whole = tarred(tmp_path / "a.tar", SMALL, compression).read_bytes()
    end = len(whole) - (2 * 512 + 8192 if not compression else 1)
    for length in [*range(0, end, max(1, end // 40)), end]:
        (tmp_path / "a.tar").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"zip or tar|sound archive"):
            unpack(tmp_path / "a.tar", tmp_path / "out")
        assert held(tmp_path / "out") == {}


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_flipped_byte_anywhere_in_a_compressed_tar_never_gives_other_files(
    compression: str, tmp_path: Path
) -> None:
    whole = tarred(tmp_path / "a.tar", SMALL, compression).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        data = bytearray(whole)
        data[at] ^= 0x10
        (tmp_path / "a.tar").write_bytes(data)
        try:
            unpack(tmp_path / "a.tar", tmp_path / "out")
        except DataError:
            assert held(tmp_path / "out") == {}
        else:  # a byte that says nothing of the content, such as the time in a gzip header
            assert held(tmp_path / "out") == SMALL
            shutil.rmtree(tmp_path / "out")


def test_a_damaged_header_does_not_end_a_tar_archive_early(tmp_path: Path) -> None:
    data = bytearray(tarred(tmp_path / "a.tar", SMALL, "").read_bytes())
    data[data.index(b"b.csv") + 1] ^= 1
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(DataError, match="end mark"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert held(tmp_path / "out") == {}


def test_a_zip_archive_whose_list_lost_files_or_all_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", FILES).read_bytes())
    at = data.rindex(b"PK\x05\x06") + 10
    data[at] += 1
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DataError, match="its list has 4 files instead of 5"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    with pytest.raises(DataError, match="there is no file in it"):
        unpack(zipped(tmp_path / "b.zip", {}), tmp_path / "out")
    assert held(tmp_path / "out") == {}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_of_zip_are_read(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    assert unpack(tmp_path / "a.zip", tmp_path / "out") == 3
    assert held(tmp_path / "out") == FILES


def test_a_method_that_is_not_read_is_named(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "a.zip", {"a": b"x"}).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.rindex(mark) + offset] = 9  # deflate64
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DataError, match="method 9"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_compression_that_is_not_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    with pytest.raises(DataError, match="gz, bz2 or xz"):
        unpack(tmp_path / "a.tar.zst", tmp_path / "out")


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for data in (b"one", b"two"):
            info = tarfile.TarInfo("a.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with pytest.raises(DataError, match="each file once"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert held(tmp_path / "out") == {}


def test_names_that_differ_in_case_alone_are_refused_where_the_disk_takes_them_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.txt": b"one", "A.txt": b"two"})
    monkeypatch.setattr("fairage.datasets.archives._ignores_case", lambda _: True)
    with pytest.raises(DataError, match=r"'a\.txt' and 'A\.txt'"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr("fairage.datasets.archives._ignores_case", lambda _: False)
    assert unpack(archive, tmp_path / "out") == 2
    assert held(tmp_path / "out") == {"a.txt": b"one", "A.txt": b"two"}


def test_a_long_name_is_unpacked_and_a_longer_one_refused(tmp_path: Path) -> None:
    long = {"n" * 240 + ".jpg": b"long"}
    assert unpack(tarred(tmp_path / "a.tar", long), tmp_path / "out") == 1
    assert held(tmp_path / "out") == long
    with pytest.raises(DataError, match="more than 255 bytes"):
        unpack(tarred(tmp_path / "b.tar", {"é" * 130: b"x"}), tmp_path / "out")


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("x\udce9.jpg"))
    with pytest.raises(DataError, match="no UTF-8") as raised:
        unpack(tmp_path / "a.tar", tmp_path / "out")
    assert str(raised.value).isprintable()
