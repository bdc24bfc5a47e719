"""Data sets: adapters that write faces tables, splits, checks, downloads."""

from fairage.datasets.checks import check_images
from fairage.datasets.dataset import Archive, DataSet, Options, Prepared, Skipped
from fairage.datasets.description import describe_faces
from fairage.datasets.downloads import download
from fairage.datasets.preparation import Outcome, SplitOptions, prepare_faces
from fairage.datasets.registry import DATASETS, find_dataset
from fairage.datasets.splits import Shares, split_faces

__all__ = [
    "DATASETS",
    "Archive",
    "DataSet",
    "Options",
    "Outcome",
    "Prepared",
    "Shares",
    "Skipped",
    "SplitOptions",
    "check_images",
    "describe_faces",
    "download",
    "find_dataset",
    "prepare_faces",
    "split_faces",
]
