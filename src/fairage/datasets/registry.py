"""The data sets by name, as commands say them."""

from fairage.datasets.appa_real import APPA_REAL
from fairage.datasets.dataset import DataSet
from fairage.datasets.fairface import FAIRFACE
from fairage.datasets.folder import FOLDER
from fairage.datasets.utkface import UTKFACE
from fairage.exceptions import ConfigError

DATASETS: dict[str, DataSet] = {
    dataset.name: dataset for dataset in (APPA_REAL, UTKFACE, FAIRFACE, FOLDER)
}


def find_dataset(name: str) -> DataSet:
    """Return the data set of this name.

    Examples:
        >>> find_dataset("utkface").ages
        ('real',)
        >>> find_dataset("utk-face")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: data set must be one of [...]; got 'utk-face'. Did you ...
    """
    if name not in DATASETS:
        raise ConfigError.unknown_name("data set", name, DATASETS)
    return DATASETS[name]
