"""Downloading a data set: its archives, verified and unpacked, or where else to get it."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fairage._files import new_folder, write_text
from fairage._locks import LOCK, locked_folder
from fairage.datasets.archives import unpack
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
_ARRIVING = ".arriving"


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
    if marker.is_file() and (files := marker.read_text("utf-8", "replace")).isdecimal():
        return int(files)
    path = _fetch_any(archive, new_folder(folder), check)
    count = unpack(path, folder)
    write_text(marker, str(count))
    if not keep:
        path.unlink()
    return count


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
            with _arriving(folder / archive.name) as inside, _transfer() as transfer:
                pooch.retrieve(url, checksum or None, archive.name, inside, downloader=transfer)
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
def _arriving(target: Path) -> Iterator[Path]:
    """Yield a folder for the file, where pooch may leave half ones; at the end it is in its place.

    What killed commands left in it is removed.

    Raises:
        ConfigError: Another command downloads into the same folder.
    """
    inside = target.with_name(_ARRIVING)
    with locked_folder(inside):
        for path in inside.iterdir():
            if path.name not in (LOCK, target.name):
                path.unlink()
        if target.is_file():
            target.replace(inside / target.name)
        try:
            yield inside
        finally:
            if (inside / target.name).is_file():
                (inside / target.name).replace(target)
            shutil.rmtree(inside, ignore_errors=True)


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
