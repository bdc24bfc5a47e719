"""Downloading a data set: its archives, verified and unpacked, or where else to get it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fairage.datasets.archives import unpack
from fairage.datasets.dataset import Archive, DataSet
from fairage.datasets.transfer import Patience, fetch, verify
from fairage.exceptions import DataError

__all__ = ["Download", "download"]


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
    dataset: DataSet,
    folder: str | Path,
    *,
    check: bool = True,
    keep: bool = False,
    patience: Patience | None = None,
) -> Download:
    """Download and unpack a data set into a folder; given again, it goes on where it stopped.

    Args:
        dataset: Which one.
        folder: Where to.
        check: Whether the archives' checksums must be right.
        keep: Whether the archives stay after they were unpacked.
        patience: How long a server is waited for.

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
            files += _get(archive, folder, check, keep, patience)
            done.append(archive.name)
        except DataError as error:
            if not archive.optional:
                raise
            missing.append(f"{archive.name}: {error}")
    return Download(folder, tuple(done), files, tuple(missing))


def _get(archive: Archive, folder: Path, check: bool, keep: bool, patience: Patience | None) -> int:
    """Download, verify and unpack one archive, and return how many files it holds."""
    marker = folder / f".{archive.name}.unpacked"
    if marker.is_file():
        return int(marker.read_text("utf-8"))
    path = _fetch_any(archive.urls, folder / archive.name, patience)
    if check and archive.checksum:
        verify(path, archive.checksum)
    files = unpack(path, folder)
    marker.write_text(str(files), encoding="utf-8")
    if not keep:
        path.unlink()
    return files


def _fetch_any(urls: Iterable[str], target: Path, patience: Patience | None) -> Path:
    """Return the file from the first address that has it; the first failure is raised."""
    failure: DataError | None = None
    for url in urls:
        try:
            return fetch(url, target, patience=patience)
        except DataError as error:
            failure = failure or error
    assert failure is not None, "an archive has at least one address"
    raise failure
