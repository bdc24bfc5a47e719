"""Put what scripts/measure_boxed.py measured into the card of the model in the box.

Usage: python scripts/boxed_card.py MEASURES.json [--model src/fairage/prediction/boxed]
"""

import argparse
import json
from pathlib import Path

from fairage._bundle_files import BOXED, BOXED_NAME, CARD, read_bundle_config, write_bundle_config
from fairage._card_results import card_audit
from fairage._files import write_text
from fairage._model_card import model_card

FACES = {
    (
        "fairface",
        "crops",
    ): "FairFace, validation part, crops (errors take the middle of ranges)",
    ("appa-real", "age, photographs"): "APPA-REAL, test, apparent age",
    ("appa-real", "real_age, photographs"): "APPA-REAL, test, real age",
    ("utkface", "age, photographs"): "UTKFace",
}


def main() -> None:
    """Read the measures, write the config and the card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measures", type=Path)
    parser.add_argument("--model", type=Path, default=BOXED)
    given = parser.parse_args()
    measures = json.loads(given.measures.read_text(encoding="utf-8"))
    config = read_bundle_config(given.model)
    config["audits"] = []
    for (name, way), faces in FACES.items():
        scores = measures[name][way]
        config["audits"].append(card_audit(scores.get("audit", scores), faces))
    config["decisions"] = measures["decisions"]
    write_text(given.model / CARD, model_card(config, BOXED_NAME))
    write_bundle_config(config, given.model)


if __name__ == "__main__":
    main()
