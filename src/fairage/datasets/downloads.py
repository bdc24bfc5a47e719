"""Downloading a data set: its archives, verified and unpacked, or where else to get it."""

import shutil
import stat
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from fairage._files import atomic_path, new_folder, sync_files, write_text
from fairage._work import progress_bar
from fairage.datasets.dataset import Archive, DataSet
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from requests import RequestException

_WAITS = (1.0, 2.0)
"""Seconds before the second attempt at an address, before the third, and so on."""
_TIMEOUT = 30.0
"""Seconds without a byte after which an attempt has failed."""
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 2**18


@dataclass(frozen=True)
class Download:
    """What a download brought.

    Args:
        folder: Where it is.
        archives: Names of the archives that were unpacked.
        files: How many files they hold.
        missing: Why optional archives are not there.
    """

    folder: Path
    archives: tuple[str, ...]
    files: int
    missing: tuple[str, ...]


def download(
    dataset: DataSet, folder: str | Path, *, check: bool = True, keep: bool = False
) -> Download:
    """Download and unpack a data set into a folder; given again, it gets what is missing.

    Args:
        dataset: Which one.
        folder: Where to.
        check: Whether the archives' checksums must be right.
        keep: Whether the archives stay after they were unpacked.

    Raises:
        DataError: It is not handed out by address, or a server cannot be reached.
    """
    if not dataset.archives:
        raise DataError(
            f"expected a data set with an address, got {dataset.name!r}, which has none, "
            f"{dataset.obtain}"
        )
    folder = Path(folder)
    done, missing, files = [], [], 0
    for archive in dataset.archives:
        try:
            files += _get(archive, folder, check, keep)
            done.append(archive.name)
        except DataError as error:
            if not archive.optional:
                raise
            missing.append(f"{archive.name}: {error}")
    return Download(folder, tuple(done), files, tuple(missing))


def _get(archive: Archive, folder: Path, check: bool, keep: bool) -> int:
    """Download, verify and unpack one archive, and return how many files it holds."""
    marker = folder / f".{archive.name}.unpacked"
    if marker.is_file():
        return int(marker.read_text("utf-8"))
    path = _fetch_any(archive, new_folder(folder), check)
    files = unpack(path, folder)
    write_text(marker, str(files))
    if not keep:
        path.unlink()
    return files


def _fetch_any(archive: Archive, folder: Path, check: bool) -> Path:
    """Return the archive from the first address that has it; the first failure is raised."""
    failure: DataError | None = None
    for url in archive.urls:
        try:
            return _fetch(url, archive, folder, archive.checksum if check else "")
        except DataError as error:
            failure = failure or error
    assert failure is not None, "an archive has at least one address"
    raise failure


def _fetch(url: str, archive: Archive, folder: Path, checksum: str) -> Path:
    """Return the archive's path; one that is there is kept, unless its checksum is wrong."""
    _require_pooch()
    import pooch
    from requests import RequestException

    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"expected an http(s) address, got {url!r}, correct it")
    waits = list(_WAITS)
    while True:
        try:
            with _transfer() as transfer:
                pooch.retrieve(url, checksum or None, archive.name, folder, downloader=transfer)
            return folder / archive.name
        except RequestException as error:
            if not waits or not _may_pass(error):
                raise _no_file(url, folder / archive.name, error) from error
        except ValueError as error:  # so pooch says that the checksum is wrong
            raise DataError(
                f"expected the known edition of {archive.name} at {url}, got another "
                f"({str(error).split('. ')[0]}), try again later, or accept it with --no-checksum"
            ) from error
        except OSError as error:
            raise DataError(
                f"expected to write {archive.name} in {str(folder)!r}, got {error.strerror}, free "
                "some room or give another folder"
            ) from error
        time.sleep(waits.pop(0))


@contextmanager
def _transfer() -> Iterator[Callable[..., None]]:
    """Yield what pooch downloads with; connections that it leaves open are closed."""
    import pooch

    with ExitStack() as opened:
        yield pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty(),
            chunk_size=_CHUNK,
            timeout=_TIMEOUT,
            hooks={"response": lambda response, **_: opened.enter_context(closing(response))},
        )


def _require_pooch() -> None:
    try:
        import pooch
        import tqdm  # noqa: F401  # pooch draws its progress bar with it
    except ImportError as error:
        raise MissingDependencyError.for_extra(error.name or "pooch", "download") from error
    pooch.get_logger().setLevel("WARNING")  # it tells of every file, and of hashes to write down


def _may_pass(error: "RequestException") -> bool:
    """Return whether another attempt may do better: no answer, or one that says so."""
    return error.response is None or error.response.status_code in _TRY_AGAIN


def _no_file(url: str, target: Path, error: "RequestException") -> DataError:
    if error.response is not None:
        return DataError(
            f"expected a file at {url}, got {error.response.status_code} "
            f"{error.response.reason}, see the data set's page: fairage data list"
        )
    cause: BaseException = error
    while cause.__context__ is not None:  # the outer ones have messages of several lines
        cause = cause.__context__
    return DataError(
        f"expected an answer from {urlsplit(url).netloc}, got {cause}, connect to the internet and "
        f"give the command again, or put the file of {url} at {str(target)!r} (another edition: "
        "with --no-checksum)"
    )


@dataclass(frozen=True)
class _Member:
    """A regular file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: str | Path, folder: str | Path) -> int:
    """Unpack a zip or tar archive into a folder and return how many files it holds.

    Each file appears whole. One that is there with the right size is kept, so that an interrupted
    run can be given again.

    Raises:
        DataError: It is no archive, it is damaged or encrypted, a member has a path that leads out
            of the folder or is a link or device, or the disk has too little room.
    """
    archive, folder = Path(archive), new_folder(folder).resolve()
    try:
        with _members(archive) as members:
            targets = [_target(member.name, folder, archive) for member in members]
            _check_room(sum(member.size for member in members), folder, archive)
            with progress_bar(f"unpacking {archive.name}", len(members)) as advance:
                for member, target in zip(members, targets, strict=True):
                    _write(member, target)
                    advance(1)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise DataError(
            f"expected a sound archive, got {str(archive)!r} ({error}), delete it and download "
            "it again"
        ) from error
    sync_files(targets)
    return len(members)


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield [_zip_member(opened, info) for info in opened.infolist() if not info.is_dir()]
    elif archive.is_file() and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            yield [
                _tar_member(opened_tar, info)
                for info in opened_tar.getmembers()
                if not info.isdir()
            ]
    else:
        raise DataError(
            f"expected a zip or tar archive, got {str(archive)!r}, delete it and download it again"
        )


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _bad_member(info.filename, "a link or a device")
    if info.flag_bits & 1:
        raise DataError(
            f"expected an archive without a password, got {info.filename!r} encrypted, unpack it "
            "by hand"
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


def _target(name: str, folder: Path, archive: Path) -> Path:
    """Return where a member goes, below the folder in every case."""
    parts = PurePosixPath(name.replace("\\", "/"))
    target = (folder / parts).resolve()
    leads_out = parts.is_absolute() or ".." in parts.parts or PureWindowsPath(name).drive
    if leads_out or not target.is_relative_to(folder) or target == folder:
        raise _bad_member(name, f"a path that leads out of the folder, in {archive.name}")
    return target


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
    if target.is_file() and target.stat().st_size == member.size:
        return
    with (
        atomic_path(target, sync=False) as temporary,
        member.open() as source,
        temporary.open("wb") as file,
    ):
        shutil.copyfileobj(source, file)
