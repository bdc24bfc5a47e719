"""Model bundles on the Hugging Face hub: fetched by their name, pushed in one commit."""

import glob
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fairage._bundle_files import (
    CARD,
    CONFIG,
    FILES,
    HUB,
    read_bundle_config,
    read_sealed_config,
)
from fairage._files import changed_files, given_path, read_json
from fairage._text import reason_of, short
from fairage.exceptions import ConfigError, DataError, FairageError, MissingDependencyError
from fairage.prediction.hub_contents import (
    check_kinds,
    contents_of,
    read_audit,
    warn_of_others,
    without_places,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo
    from huggingface_hub.errors import HfHubHTTPError

_NAME = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:@((?!.*\.\.)[\w.][\w./-]*))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TIMEOUT = 10.0


def fetch(source: str) -> Path:
    """Return the folder of a bundle on the hub, in the cache of huggingface_hub.

    What is there already is not downloaded again. Only the files that the bundle lists are
    downloaded, all of one commit, whose hash is the folder's name; no code and no pickle is among
    them. The card, which may be edited on the hub, is left there. Where the hub does not answer,
    the copy in the cache is used, and a warning says so.

    Args:
        source: `hub:ORG/NAME`, or `hub:ORG/NAME@REVISION` with a branch, a tag or a commit.

    Raises:
        ConfigError: It is no such name.
        DataError: There is no such repository or revision, none that may be read, no network and
            no copy, or what is there is no bundle or a damaged one.
        MissingDependencyError: huggingface_hub is not installed.
    """
    repo, revision = _parsed(source)
    api = _api()
    from huggingface_hub import snapshot_download

    with _hub_errors(source):
        silence = _silence(api, repo, revision)
        download = partial(snapshot_download, repo, local_files_only=silence is not None)
        first = Path(download(revision=revision, allow_patterns=CONFIG))
        hashes = _listed_hashes(first / CONFIG, source)
        patterns = [glob.escape(name) for name in (CONFIG, *hashes)]
        folder = Path(download(revision=first.name, allow_patterns=patterns))
    if changed := changed_files(folder, hashes):
        raise DataError(
            f"expected {source!r} as it was pushed, got other or missing {short(changed, 200)}, "
            f"delete {str(folder.parents[1])!r} and run it again; if that changes nothing, the "
            "files on the hub are damaged"
        )
    if silence is not None:
        warnings.warn(
            f"the hub did not answer ({silence}): {source} is the copy in the cache, of commit "
            f"{folder.name}",
            stacklevel=2,
        )
    return folder


def push(
    folder: str | Path,
    name: str,
    *,
    private: bool = False,
    message: str | None = None,
    revision: str | None = None,
    audits: Sequence[str | Path] = (),
) -> str:
    """Push a bundle to the hub in one commit, and return the commit's address.

    The repository is made if it is not there. Large files are uploaded first, and the commit
    shows all of the bundle at once or nothing; a push that was interrupted may be repeated, and
    uploads what is not there yet. The card is written anew, with its metadata. Files of an earlier
    bundle that are not part of this one are removed; all else in the repository stays. Files in
    the folder that are not part of the bundle stay at home, and a warning names them.

    Args:
        folder: The bundle, as `fairage run` and `fairage export` write them.
        name: `hub:ORG/NAME`.
        private: Make the repository private. One that is there must be private already.
        message: Of the commit.
        revision: Branch that is there; the main one if unset.
        audits: What `fairage audit` wrote of this model, `audit.json` or its folder, one for each
            set of faces: the card gets their results by group, in place of those in the bundle.

    Raises:
        ConfigError: It is no such name, an audit is of several models, or the repository holds
            something else, or is public.
        DataError: The folder is no bundle, or a damaged one; or the hub refuses it.
        MissingDependencyError: huggingface_hub is not installed.
    """
    repo, branch = _parsed(name)
    if branch is not None:
        raise ConfigError(
            f"expected {HUB}ORG/NAME to push to, got {name!r}, give the branch as revision "
            "(--revision)"
        )
    folder = given_path(folder)
    config = without_places(read_bundle_config(folder))
    if audits:
        config["audits"] = [read_audit(given_path(path)) for path in audits]
    api = _api()
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    contents = contents_of(folder, config, repo)
    warn_of_others(folder, set(contents))
    with _hub_errors(name):
        api.create_repo(repo, private=private or None, exist_ok=True)
        head = api.model_info(repo, revision=revision, timeout=_TIMEOUT)
        _check_private(head, name, private=private)
        obsolete = _obsolete(api, head, name) - set(contents)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "It seems that you are about to commit a data file")
            commit = api.create_commit(
                repo,
                [
                    *(CommitOperationAdd(path, content) for path, content in contents.items()),
                    *(CommitOperationDelete(path, is_folder=False) for path in sorted(obsolete)),
                ],
                commit_message=message or f"Bundle of fairage {version('fairage')}",
                revision=revision,
                parent_commit=head.sha,
            )
    return str(commit.commit_url)


def _parsed(source: str) -> tuple[str, str | None]:
    """Return ORG/NAME and the revision.

    Examples:
        >>> _parsed("hub:me/ages@v1")
        ('me/ages', 'v1')
    """
    match = _NAME.fullmatch(source)
    if match is None:
        raise ConfigError(
            f"expected {HUB}ORG/NAME or {HUB}ORG/NAME@REVISION, got {short(source, 80)}, correct it"
        )
    return match[1], match[2]


def _api() -> "HfApi":
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"expected the package 'huggingface-hub' for {HUB}, got none installed, run: pip "
            "install huggingface-hub, or pip install 'fairage[train]'"
        ) from error
    return HfApi(library_name="fairage", library_version=version("fairage"))


@contextmanager
def _hub_errors(source: str) -> Iterator[None]:
    """Say in one line of ours what the hub refused, or why it was not reached."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        yield
    except FairageError:
        raise
    except HFValidationError as error:
        raise ConfigError(
            f"expected {HUB}ORG/NAME, got {source!r} ({reason_of(error)}), correct it"
        ) from error
    except HfHubHTTPError as error:
        raise _refused(source, error) from error
    except _no_answer() as error:
        raise DataError(
            f"expected an answer of the hub for {source!r}, got none ({reason_of(error)}), go "
            "online and run it again"
        ) from error
    except LocalEntryNotFoundError as error:
        raise DataError(
            f"expected {source!r} on the hub or whole in its cache, got no answer and no whole "
            "copy, go online once (HF_HUB_OFFLINE unset), or give the folder of a bundle"
        ) from error
    except (RuntimeError, ValueError) as error:  # of uploads, and of answers that are none
        raise DataError(
            f"expected the hub to take and answer what concerns {source!r}, got "
            f"{reason_of(error.__cause__ or error)}, run it again: what is there already is not "
            "sent again"
        ) from error


def _no_answer() -> tuple[type[Exception], ...]:
    """Return the errors that say that the hub was not reached."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # from httpx, httpx2

    return (HTTPError, ConnectionError, TimeoutError)


def _refused(source: str, error: "HfHubHTTPError") -> DataError:
    """Return the error for an answer of the hub that refuses."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        expected, do = "leave to use", "ask for it on the repository's page, then: hf auth login"
    elif isinstance(error, RevisionNotFoundError):
        expected, do = "a revision that is there in", "give a branch, a tag or a commit"
    elif isinstance(error, RepositoryNotFoundError) or status in (401, 403):
        expected = "a repository that is there, and that you may use so, as"
        do = "correct the name, or log in with a token that may: hf auth login, or set HF_TOKEN"
    elif status in (409, 412):
        expected, do = "nobody else to change", "run it again"
    else:
        expected, do = "the hub to do what concerns", "run it again later"
    reason = next(iter((error.server_message or "").splitlines()), "") or reason_of(error)
    return DataError(f"expected {expected} {source!r}, got {status} ({reason}), {do}")


def _silence(api: "HfApi", repo: str, revision: str | None) -> str | None:
    """Return why the hub does not answer; None where it does, or is asked for a commit alone.

    A commit never changes: whether it comes from the hub or the cache is all the same.
    """
    from huggingface_hub.errors import HfHubHTTPError

    if revision is not None and _COMMIT.fullmatch(revision):
        return None
    try:
        api.model_info(repo, revision=revision, timeout=_TIMEOUT)
    except HfHubHTTPError as error:
        if error.response.status_code < 500:
            raise
        return reason_of(error, 100)
    except _no_answer() as error:
        return reason_of(error, 100)
    return None


def _listed_hashes(path: Path, source: str) -> dict[str, str]:
    """Return the SHA-256 of the files that a bundle on the hub lists, but for its card."""
    if not _is_bundle(path):
        raise DataError(
            f"expected a bundle that fairage pushed in {source!r}, got a repository without the "
            f"{CONFIG} of one, give another name"
        )
    files = read_sealed_config(path)[FILES]
    check_kinds(files, source)
    return {name: digest for name, digest in files.items() if name != CARD}


def _is_bundle(path: Path) -> bool:
    """Whether this is the config of a bundle, of whatever format."""
    try:
        config = read_json(path)
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(config, dict) and "format" in config and isinstance(config.get(FILES), dict)


def _check_private(head: "ModelInfo", name: str, *, private: bool) -> None:
    if private and not head.private:
        raise ConfigError(
            f"expected a private repository {name!r}, got a public one, make it private on its "
            "page, or push without private (--private)"
        )


def _obsolete(api: "HfApi", head: "ModelInfo", name: str) -> set[str]:
    """Return the files of the bundle that is there now."""
    there = {each.rfilename for each in head.siblings or ()}
    if CONFIG not in there:
        return set()
    path = Path(api.hf_hub_download(head.id, CONFIG, revision=head.sha))
    if not _is_bundle(path):
        raise ConfigError(
            f"expected a new repository or one that holds a bundle as {name!r}, got one with "
            f"another {CONFIG}, give another name"
        )
    return there & set(read_json(path)[FILES])
