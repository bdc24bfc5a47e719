"""The memory of a search: optuna's study in an SQLite file, which survives being killed."""

import errno
import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DatabaseError

from fairage._locks import locked_folder
from fairage._random import derive_seed
from fairage._text import short
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.tuning.trials import ScoredTrial

State = Literal["complete", "pruned", "failed"]

DATABASE, NAME = "tuning.db", "fairage tune"
FINGERPRINT, SCORED = "fingerprint", "scored"
STARTUP = 12
STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True)
class Outcome:
    """A trial that is over.

    Args:
        number: Its number, from 0; the trial 0 is the recipe as it came.
        state: Trained to its end, stopped before, or not to be trained.
        values: What was drawn.
        scored: Its numbers.
    """

    number: int
    state: State
    values: dict[str, Any]
    scored: ScoredTrial


Trial = optuna.trial.Trial


class StudyStore:
    """The trials of a search. What a killed process had begun is drawn again, the same.

    The random numbers of a trial depend on the seed and on how many trials there are before it,
    so that with one worker a search that was killed goes on as if it had not been.

    Args:
        study: Optuna's study.
        seed: Start of the random numbers.
    """

    def __init__(self, study: optuna.Study, seed: int) -> None:
        self.study, self.seed = study, seed

    def drop_begun(self) -> None:
        """Give up the trials that a killed process had begun; what was scored is kept."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if SCORED in trial.user_attrs:
                self._tell(trial.number, ScoredTrial(**trial.user_attrs[SCORED]))
            else:
                self.study.tell(trial.number, state=TrialState.FAIL)

    def begin(self) -> tuple[Trial, int]:
        """Return a new trial and its number."""
        number = sum(map(_counts, self.study.get_trials(deepcopy=False)))
        self.study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=STARTUP,
            multivariate=False,
            constant_liar=True,
            seed=derive_seed(self.seed, "trial", number) % 2**32,
        )
        return self.study.ask(), number

    def end(self, trial: Trial, scored: ScoredTrial) -> None:
        """Keep what became of a trial."""
        trial.set_user_attr(SCORED, asdict(scored))
        self._tell(trial.number, scored)

    def outcomes(self) -> list[Outcome]:
        """Return the trials that are over, in the order in which they began."""
        begun = [trial for trial in self.study.get_trials(deepcopy=False) if _counts(trial)]
        return [
            Outcome(
                number, STATES[trial.state], _values(trial), ScoredTrial(**trial.user_attrs[SCORED])
            )
            for number, trial in enumerate(begun)
            if trial.state in STATES
        ]

    def _tell(self, number: int, scored: ScoredTrial) -> None:
        if scored.reason:
            self.study.tell(number, state=TrialState.FAIL)
        elif scored.pruned:
            self.study.tell(number, state=TrialState.PRUNED)
        else:
            self.study.tell(number, [scored.mae, scored.average_bias or 0.0])


@contextmanager
def open_study(folder: Path, fingerprint: str, *, seed: int) -> Iterator[StudyStore]:
    """Yield the trials of the search in this folder, a new one where there is none.

    Raises:
        ConfigError: Another search has been made there, or a command is at work there.
        DataError: The file is damaged.
        OSError: The file cannot be written, as where the disk is full; the trials in it are kept.
    """
    logging.getLogger("optuna").setLevel(logging.WARNING)
    with locked_folder(folder):
        storage = None
        try:
            with _damage_told(folder / DATABASE, *_OF_CONTENTS):
                storage = optuna.storages.RDBStorage(
                    f"sqlite:///{DATABASE}",  # of an address `?`, `%` and `{` would be parts
                    engine_kwargs={"creator": partial(_connect, folder / DATABASE)},
                )
                study = optuna.create_study(
                    storage=storage,
                    study_name=NAME,
                    directions=["minimize", "minimize"],
                    load_if_exists=True,
                )
                _check(study, fingerprint, folder)
                store = StudyStore(study, seed)
                store.drop_begun()
                store.outcomes()  # whatever is damaged shows now
            with _damage_told(folder / DATABASE):
                yield store
        finally:
            if storage is not None:
                storage.engine.dispose()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, check_same_thread=False)


_REFUSED = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
}
"""What SQLite says where the system refuses, while the file itself is as it should be."""


def _not_kept(path: Path, error: Exception) -> OSError | DataError:
    """Return the error for trials that cannot be written, or read."""
    if isinstance(error, StorageInternalError):  # optuna's, of one of SQLAlchemy
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    reason = getattr(error, "orig", error)
    code = getattr(reason, "sqlite_errorcode", 0) & 0xFF  # the other bits are details of it
    if code in _REFUSED:
        return OSError(_REFUSED[code], f"{reason}; the trials in it are kept", str(path))
    return DataError(
        f"expected the trials of a search in {str(path)!r}, got a file that cannot be read "
        f"({short(str(reason), 200)}), remove it or give another --out"
    )


_OF_CONTENTS = (KeyError, TypeError, ValueError)
"""What optuna and we raise on a database whose rows say something else than was written."""


@contextmanager
def _damage_told(path: Path, *more: type[Exception]) -> Iterator[None]:
    errors: tuple[type[Exception], ...] = (DatabaseError, StorageInternalError, *more)
    try:
        yield
    except errors as error:
        raise _not_kept(path, error) from error


def _check(study: optuna.Study, fingerprint: str, folder: Path) -> None:
    known = study.user_attrs.get(FINGERPRINT)
    if known is None:
        study.set_user_attr(FINGERPRINT, fingerprint)
    elif known != fingerprint:
        raise ConfigError(
            f"expected in {str(folder)!r} a search of this recipe, space, seeds and these faces "
            "and backbones, got another one, give another --out or remove the folder"
        )


def _counts(trial: FrozenTrial) -> bool:
    """Whether it is at work or has an end; trials of killed processes have none."""
    return not trial.state.is_finished() or SCORED in trial.user_attrs


def _values(trial: FrozenTrial) -> dict[str, Any]:
    """Return what was drawn; choices are kept as JSON."""
    kinds: Mapping[str, Any] = trial.distributions
    return {
        name: json.loads(value) if isinstance(kinds[name], CategoricalDistribution) else value
        for name, value in trial.params.items()
    }
