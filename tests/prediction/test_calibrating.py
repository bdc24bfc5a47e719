"""Calibrating a model on faces of one's own, and the bundle that comes of it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from tests.prediction.graph_bundles import write_graph_bundle
from tests.prediction.stand_ins import model, picture

import fairage
from fairage._model_card import age_sentences
from fairage.exceptions import ConfigError, DataError
from fairage.prediction.age_map import AgeMap, mapped_out_of_fold
from fairage.prediction.calibrating import calibrate
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.tables import Faces

ROWS = 240


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Crops of which the stand-in says red / 2.5; the truth is 5 years more, give or take 3."""
    folder, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    reds = rng.integers(20, 200, ROWS)
    for row, red in enumerate(reds):
        data = cv2.imencode(".png", picture(red=int(red))[..., ::-1])[1]
        (folder / f"{row}.png").write_bytes(data.tobytes())
    ages = (reds / 2.5 + 5 + rng.uniform(-3, 3, ROWS)).clip(0)
    frame = pl.DataFrame(
        {
            "image": [f"{row}.png" for row in range(ROWS)],
            "age": ages,
            "real_age": ages + 10,
            "split": ["valid" if row % 2 else "test" for row in range(ROWS)],
            "gender": rng.choice(["female", "male"], ROWS),
        }
    )
    return Faces(frame, folder)


def test_intervals_hold_what_they_promise_on_other_faces(faces: Faces) -> None:
    done = calibrate(model(), faces, split="valid", crops=True)
    assert len(done.rows) == ROWS // 2
    test = faces.split("test")
    estimates = done.model.predict(test, crops=True)
    held = [
        each.low <= age <= each.high
        for each, age in zip(estimates, test.ages, strict=True)
        if each.low is not None and each.high is not None
    ]
    assert len(held) == ROWS // 2
    assert 0.8 <= np.mean(held) <= 0.99
    widths = [each.high - each.low for each in estimates if each.high and each.low]
    assert np.median(widths) < 8
    assert done.model.config["intervals"]["n"] == ROWS // 2


def test_another_age_moves_intervals_and_is_named(faces: Faces) -> None:
    plain = calibrate(model(), faces, crops=True).model
    real = calibrate(model(), faces, age="real_age", crops=True).model
    red = picture(red=100)
    (one,), (other,) = plain.predict(red, crops=True), real.predict(red, crops=True)
    assert one.age == other.age
    assert one.low is not None
    assert other.low is not None
    assert other.low - one.low == pytest.approx(10, abs=1)
    assert (plain.target, real.target) == ("apparent", "apparent")
    assert "an age of which nobody said" in age_sentences(plain.config)[1]
    assert age_sentences(real.config)[1:] == ["Intervals and answers are about real age."]
    mapped = calibrate(model(), faces, age="real_age", map_ages=True, crops=True).model
    assert mapped.target == "real"
    assert mapped.config["target"] == "apparent"  # the network's own
    assert calibrate(mapped, faces, age="real_age", crops=True).model.target == "apparent"


def test_what_was_measured_of_other_intervals_or_ages_goes(faces: Faces) -> None:
    audit = {"faces": "others", "overall": {"mae": {"value": 3.0}}, "groups": {}, "coverage": {}}
    about = {"audits": [audit], "decisions": [{}], "training": {"scores": {"mae": 4.0}, "seed": 1}}
    old = replace(model(), config={**model().config, **about})
    anew = calibrate(old, faces, crops=True).model.config
    assert anew["audits"] == [{key: audit[key] for key in ("faces", "overall", "groups")}]
    assert "decisions" not in anew
    assert anew["training"] == about["training"]
    mapped = calibrate(old, faces, map_ages=True, crops=True).model.config
    assert not {"audits", "decisions"} & set(mapped)
    assert mapped["training"] == {"seed": 1}


def test_three_persons_are_too_few_however_many_faces_they_have(faces: Faces) -> None:
    person = pl.Series("identity", [f"p{row % 3}" for row in range(faces.frame.height)])
    few = Faces(faces.frame.with_columns(person), faces.root)
    with pytest.raises(DataError, match=r"at least 20 faces \(or persons\)"):
        calibrate(model(), few, crops=True)


def test_the_map_corrects_what_leans_to_one_side(faces: Faces) -> None:
    done = calibrate(model(), faces, map_ages=True, crops=True)
    (estimate,) = done.model.predict(picture(red=100), crops=True)
    assert estimate.age == pytest.approx(45, abs=1)
    assert done.model.config["intervals"]["cross"] is True
    again = calibrate(done.model, faces, crops=True)
    assert again.model.age_map == AgeMap()


def test_what_it_takes_is_said(faces: Faces) -> None:
    text = " ".join(calibrate(model(), faces, crops=True).sentences())
    assert "Calibrated on 240 faces" in text
    assert "takes 300 faces under 18" in text


def test_faces_without_an_estimate_are_counted_and_too_few_are_refused(faces: Faces) -> None:
    with pytest.raises(DataError, match=r"at least 20 faces .* got fewer among 240 \(no face was"):
        calibrate(model(), faces)
    with pytest.raises(DataError, match="'apparent_age'"):
        calibrate(model(), faces, age="apparent_age", crops=True)
    with pytest.raises(ConfigError, match="age must be one of"):
        calibrate(model(), faces, age="image", crops=True)


def test_a_map_is_fitted_without_the_face_that_it_corrects() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 70, 100)
    rows = CalibrationRows(truth / 2, truth, truth)
    assert mapped_out_of_fold(rows) == pytest.approx(truth)
    odd = CalibrationRows(truth / 2, np.where(np.arange(100) == 7, 110.0, truth), truth.clip(110))
    assert mapped_out_of_fold(odd)[7] != pytest.approx(AgeMap.fit(odd)(odd.predictions)[7])


def test_a_calibrated_bundle_is_saved_and_loaded(faces: Faces, tmp_path: Path) -> None:
    bundle = write_graph_bundle(tmp_path / "plain")
    own = fairage.load(bundle)
    assert own.predict(picture(red=100), crops=True)[0].level is None
    own.calibrate(faces, map_ages=True, crops=True).save(tmp_path / "mine")
    mine = fairage.load(tmp_path / "mine")
    (one,) = mine.predict(picture(red=100), crops=True)
    assert one.level == 0.9
    assert one.age == pytest.approx(45, abs=1)
    assert fairage.load(bundle).intervals is None
    assert "calibrated on 240 faces" in (tmp_path / "mine" / "README.md").read_text()
