"""Unpacking archives: whole files, nothing outside the folder, damaged ones refused."""

import bz2
import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from fairage._files import atomic_path, new_folder, sync_files
from fairage._partial_files import remove_abandoned
from fairage._work import progress_bar
from fairage.exceptions import DataError

_CHUNK = 2**18


@dataclass(frozen=True)
class _Member:
    """A regular file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError),
    NotImplementedError,  # of zipfile, for a version that is none
)


def unpack(archive: str | Path, folder: str | Path) -> int:
    """Unpack a zip or tar archive into a folder and return how many files it holds.

    Each file appears whole. One that is there with the same content is kept, so that an interrupted
    run can be given again. A compressed tar archive is read to its end, where its checksum is,
    before anything is written.

    Raises:
        DataError: It is no archive, it is damaged, encrypted or packed by a method that is not
            read, a member has a path that leads out of the folder, is there twice or is a link or
            device, or the disk has too little room.
    """
    archive, folder = Path(archive), new_folder(folder).resolve()
    try:
        with _members(archive) as members:
            if not members:
                raise _damaged(archive, "there is no file in it")
            targets = [_target(member.name, folder, archive) for member in members]
            _check_each_once(targets, folder, archive)
            _check_room(sum(member.size for member in members), folder, archive)
            remove_abandoned(targets)
            with progress_bar(f"unpacking {archive.name}", len(members)) as advance:
                for member, target in zip(members, targets, strict=True):
                    _write(member, target)
                    advance(1)
    except DataError:
        raise
    except (*_DAMAGED, ValueError) as error:  # ValueError: a tar header with a size beyond all
        raise _damaged(archive, str(error)) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _damaged(archive, str(error)) from error  # so gzip and bz2 say it
    sync_files(targets)
    return len(members)


def _damaged(archive: Path, reason: str) -> DataError:
    return DataError(
        f"expected a sound archive, got {str(archive)!r} ({reason}), delete it and download it "
        "again"
    )


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _check_count(archive, len(opened.infolist()))
            yield [_zip_member(opened, info) for info in opened.infolist() if not info.is_dir()]
    elif archive.is_file() and tarfile.is_tarfile(archive):
        with _decompressed(archive) as file, tarfile.open(fileobj=file, mode="r:") as opened_tar:
            yield [
                _tar_member(opened_tar, info)
                for info in _to_the_end(opened_tar, file, archive)
                if not info.isdir()
            ]
    else:
        raise DataError(
            f"expected a zip or tar archive (plain, gz, bz2 or xz), got {str(archive)!r}, delete "
            "it and download it again, or unpack it by hand"
        )


_COMPRESSIONS: dict[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
    b"]\0\0": lzma.LZMAFile,  # as lzma wrote them before xz
}
"""How a compressed file starts, and what reads it."""


def _decompressed(archive: Path) -> BufferedIOBase:
    with archive.open("rb") as file:
        start = file.read(8)
    for mark, opened in _COMPRESSIONS.items():
        if start.startswith(mark):
            return opened(archive)
    return archive.open("rb")


def _to_the_end(
    archive: tarfile.TarFile, file: BufferedIOBase, path: Path
) -> list[tarfile.TarInfo]:
    """Return the members of a tar archive of which nothing is missing.

    tarfile takes a header that is damaged, or a file that ends, for the end of the archive, and
    never reads the checksum behind it.
    """
    members = archive.getmembers()
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise _damaged(path, "it ends without its end mark")
    while file.read(_CHUNK):
        pass
    return members


_ZIP_END, _NO_COUNT = b"PK\x05\x06", 0xFFFF
_LONGEST_ZIP_END = 22 + 2**16


def _check_count(archive: Path, members: int) -> None:
    """Refuse a zip archive whose list has lost some of its files."""
    with archive.open("rb") as file:
        file.seek(max(0, archive.stat().st_size - _LONGEST_ZIP_END))
        end = file.read()
    (count,) = struct.unpack_from("<H", end, end.rindex(_ZIP_END) + 10)
    if count not in (members, _NO_COUNT):
        raise _damaged(archive, f"its list has {members} files instead of {count}")


_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _bad_member(info.filename, "a link or a device")
    if info.flag_bits & 1:
        raise DataError(
            f"expected an archive without a password, got {info.filename!r} in "
            f"{archive.filename!r} encrypted, unpack it by hand"
        )
    if info.compress_type not in _ZIP_METHODS:
        raise DataError(
            f"expected files packed by deflate, bzip2 or LZMA, got {info.filename!r} in "
            f"{archive.filename!r} packed by method {info.compress_type}, unpack it by hand"
        )
    return _Member(info.filename, info.file_size, lambda: archive.open(info))


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    if not info.isreg():
        raise _bad_member(info.name, "a link or a device")

    def opened() -> IO[bytes]:
        file = archive.extractfile(info)
        assert file is not None, "a regular member has content"
        return file

    return _Member(info.name, info.size, opened)


_LONGEST_NAME = 255  # bytes of a file's name, on all systems in use


def _target(name: str, folder: Path, archive: Path) -> Path:
    """Return where a member goes, below the folder in every case."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if "\0" in name or not _is_unicode(name):
        raise _bad_member(name, "a name that is no UTF-8 text")
    if any(len(part.encode()) > _LONGEST_NAME for part in parts.parts):
        raise _bad_member(name[:40], f"a name of more than {_LONGEST_NAME} bytes begins so")
    target = (folder / parts).resolve()
    leads_out = parts.is_absolute() or ".." in parts.parts or PureWindowsPath(name).drive
    if leads_out or not target.is_relative_to(folder) or target == folder:
        raise _bad_member(name, f"a path that leads out of the folder, in {archive.name}")
    return target


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_each_once(targets: Sequence[Path], folder: Path, archive: Path) -> None:
    """Refuse files of one name, or of names that are one for this disk."""
    same = str.casefold if _ignores_case(folder) else str
    names = [same(str(target)) for target in targets]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is None:
        return
    first, second = [
        target.relative_to(folder).as_posix()
        for target, name in zip(targets, names, strict=True)
        if name == twice
    ][:2]
    raise DataError(
        f"expected each file once in {archive.name}, got {first!r} and {second!r}, which are one "
        "file in this folder, unpack it by hand"
    )


def _ignores_case(folder: Path) -> bool:
    other = folder.with_name(folder.name.swapcase())
    return other.name != folder.name and other.exists() and other.samefile(folder)


def _bad_member(name: str, what: str) -> DataError:
    return DataError(
        f"expected an archive of plain files, got {name!r}: {what}, do not trust this archive"
    )


def _check_room(size: int, folder: Path, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"expected room for the {size / 2**30:.1f} GiB of {archive.name}, got "
            f"{free / 2**30:.1f} GiB in {str(folder)!r}, free some or give another folder"
        )


def _write(member: _Member, target: Path) -> None:
    if _holds(target, member):
        return
    with (
        atomic_path(target, sync=False) as temporary,
        member.open() as source,
        temporary.open("wb") as file,
    ):
        shutil.copyfileobj(source, file)


def _holds(target: Path, member: _Member) -> bool:
    """Whether the file is there with the member's content."""
    if not target.is_file() or target.stat().st_size != member.size:
        return False
    with member.open() as packed, target.open("rb") as there:
        while part := packed.read(_CHUNK):
            if there.read(len(part)) != part:
                return False
    return True
