"""APPA-REAL by name: which of its three layouts a folder has."""

from pathlib import Path

from fairage.datasets.appa_real.npy_kit import is_npy_kit, prepare_npy_kit
from fairage.datasets.appa_real.release import (
    is_bundle,
    is_release,
    prepare_bundle,
    prepare_release,
)
from fairage.datasets.dataset import (
    APPARENT,
    ETHNICITY,
    EXPRESSION,
    GENDER,
    REAL,
    Archive,
    DataSet,
    Options,
    Prepared,
    source_folder,
)
from fairage.exceptions import ConfigError, DataError
from fairage.tables import SPLITS

_LAYOUTS = (
    (is_bundle, prepare_bundle),
    (is_npy_kit, prepare_npy_kit),
    (is_release, prepare_release),
)
_RELEASE_FOLDER = "appa-real-release"


def _prepare(folder: Path, options: Options) -> Prepared:
    base = source_folder(folder)
    for place in (base, base / _RELEASE_FOLDER):
        for has_layout, read in _LAYOUTS:
            if has_layout(place):
                if options.values and read is not prepare_npy_kit:
                    raise ConfigError(
                        "expected --value for the .npy kit only, got it for a layout whose values "
                        "are words, leave it out"
                    )
                return read(place, options)
    raise DataError(
        "expected APPA-REAL as labels_metadata_train.csv with train_data/ (challenge), "
        "data_train.npy (kit) or gt_avg_train.csv with train/ (official release), got none of "
        f"them in {str(folder)!r}, check the path"
    )


APPA_REAL = DataSet(
    name="appa-real",
    title="Crops with about 34 votes on the apparent age each, and the real age",
    faces=7_591,
    prepare=_prepare,
    ages=(APPARENT, REAL),
    attributes=(GENDER, ETHNICITY, EXPRESSION),
    splits=SPLITS,
    uses=frozenset({"age", "values"}),
    terms="research only, as ChaLearn's page of the data set says",
    source="https://chalearnlap.cvc.uab.cat/dataset/26/description/",
    obtain="the challenge's bundle and kit come from its organisers; the official release is "
    "what is downloaded",
    archives=(
        Archive(
            name="appa-real-release.zip",
            urls=(
                "https://data.chalearnlap.cvc.uab.cat/AppaRealAge/appa-real-release.zip",
                "http://158.109.8.102/AppaRealAge/appa-real-release.zip",
            ),
            checksum="md5:2701c6ec291b242e6b4f8a0a56087a43",
        ),
        Archive(
            name="allcategories_trainvalidtest_split.zip",
            urls=(
                "http://sergioescalera.com/wp-content/uploads/2018/06/"
                "allcategories_trainvalidtest_split.zip",
            ),
            optional=True,
        ),
    ),
)
