"""A model written as a bundle, with the calibration that it has now."""

import shutil
from pathlib import Path

from fairage._bundle_files import CARD, CONFIG, bundle_files, write_bundle_config
from fairage._files import atomic_folder
from fairage._graph_words import GRAPH
from fairage._model_card import model_card
from fairage.exceptions import ConfigError
from fairage.prediction.graph_tables import TABLES, write_tables
from fairage.prediction.loading import CALIBRATION
from fairage.prediction.model import LEVEL, Model

_MADE_ANEW = (CONFIG, CARD, CALIBRATION, TABLES)


def save_model(model: Model, folder: Path) -> None:
    """Write the model into a folder, which appears whole or not at all.

    Raises:
        ConfigError: The model was not loaded from a folder.
    """
    if model.folder is None:
        raise ConfigError("expected a model that fairage.load returned, got one without a folder")
    with atomic_folder(folder) as partial:
        for name in bundle_files(model.config):
            if name not in _MADE_ANEW:
                target = partial / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(model.folder / name, target)
        if model.intervals is not None:
            model.intervals.rows.write(partial / CALIBRATION)
        if (partial / GRAPH).is_file():
            write_model_tables(model, partial)
        (partial / CARD).write_text(model_card(model.config), encoding="utf-8")
        write_bundle_config(model.config, partial)


def write_model_tables(model: Model, folder: Path) -> None:
    """Write what a graph reads of a model's calibration into its folder, and which age it is."""
    table = None if model.intervals is None else model.intervals.table(LEVEL)
    write_tables(folder, table, model.age_map, target=model.target)
