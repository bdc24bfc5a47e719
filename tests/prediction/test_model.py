"""A model: pictures in, one estimate a face out, or the reason why there is none."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from tests.prediction.stand_ins import BrightNetwork, model, picture

from fairage.exceptions import ConfigError, DataError
from fairage.faces.views import Framing
from fairage.prediction.age_map import AgeMap
from fairage.tables import Faces


def write(path: Path, pixels: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
    return path


def test_every_face_and_every_picture_without_one_has_an_estimate(tmp_path: Path) -> None:
    write(tmp_path / "a.png", picture((10, 10), (60, 20), red=50))
    write(tmp_path / "b.png", picture())
    (tmp_path / "c.png").write_bytes(b"no picture")
    estimates = model().predict(tmp_path)
    kept = [(Path(each.image).name, each.face, each.age is None) for each in estimates]
    assert kept == [
        ("a.png", 0, False), ("a.png", 1, False), ("b.png", 0, True), ("c.png", 0, True)
    ]  # fmt: skip
    assert estimates[0].age == pytest.approx(20, abs=1)
    assert estimates[0].box == (10, 10, 40, 40)
    assert estimates[2].reason == "no face was found"
    assert "got other data" in estimates[3].reason
    assert np.isnan(estimates.ages).tolist() == [False, False, True, True]


def test_faces_below_the_limits_are_left_out_with_the_number() -> None:
    shown = picture((10, 10))
    (unsure,) = model().predict(shown, least_score=0.95)
    assert unsure.age is None
    assert unsure.reason == "a face of score 0.9 is below 0.95"
    (small,) = model().predict(shown, least_distance=17)
    assert "16 px apart, less than 17" in small.reason


def test_crops_are_not_looked_at_where_the_view_needs_no_landmarks() -> None:
    own = model()
    (estimate,) = own.predict(picture(red=150), crops=True)
    assert own.detector.looks == 0  # type: ignore[attr-defined]  # a stand-in
    assert estimate.age == pytest.approx(60)
    assert estimate.box is None


def test_a_view_without_landmarks_takes_the_framing_of_the_training() -> None:
    with pytest.raises(ConfigError, match="--crops"):
        model(BrightNetwork(photograph="whole")).predict(picture((10, 10)))
    image = picture(red=0)
    image[20:60, 40:80, 0] = 200
    image[20, 40] = (0, 255, 0)
    framed = model(BrightNetwork(photograph="whole"), framing=Framing(0.5, 0.5, 0.5))
    (estimate,) = framed.predict(image)
    assert estimate.age == pytest.approx(200 / 2.5 / 4, abs=2)


def test_batches_and_order_do_not_change_what_is_said() -> None:
    network = BrightNetwork()
    pictures = [picture(*[(10, 10)] * (red % 2), red=red) for red in range(40, 80)]
    estimates = model(network).predict(pictures, batch_size=7, workers=3)
    assert [each.image for each in estimates] == [f"image {n}" for n in range(1, 41)]
    ages = [each.age for each in estimates if each.age is not None]
    assert ages == sorted(ages)
    assert len(ages) == 20
    assert max(network.batches) <= 7


def test_intervals_and_chances_come_from_the_calibration() -> None:
    (estimate,) = model(calibrated=True).predict(picture(red=100), crops=True)
    assert estimate.low is not None
    assert estimate.high is not None
    assert 34 < estimate.low < 37
    assert 43 < estimate.high < 46
    assert estimate.level == 0.9
    chances = [estimate.p_over(age) for age in (30, 40, 50)]
    assert chances[0] > 0.95
    assert chances[2] < 0.05
    (plain,) = model().predict(picture(), crops=True)
    assert (plain.low, plain.level, plain.p_over(30)) == (None, None, None)


class UnsureNetwork(BrightNetwork):
    """Holds ages three times as far apart possible."""

    def estimate(
        self, pixels: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ages, spreads = super().estimate(pixels)
        return ages, 3 * spreads


def test_where_a_model_is_less_sure_intervals_are_wider() -> None:
    red = picture(red=100)
    (sure,) = model(calibrated=True).predict(red, crops=True)
    unsure = model(UnsureNetwork(), calibrated=True).predict(red, crops=True)
    assert unsure[0].age == sure.age
    assert unsure[0].low is not None
    assert sure.low is not None
    assert 40 - unsure[0].low == pytest.approx(3 * (40 - sure.low), abs=2)
    assert unsure.to_frame()["spread"].to_list() == [3.0]


def test_over_answers_or_refers() -> None:
    shown = [picture(red=red) for red in (10, 50, 200)] + [np.zeros((9, 9, 3), dtype=np.uint8)]
    own = model(calibrated=True)
    answers = own.over(18, shown, wrong_yes=0.05, wrong_no=0.05, crops=True)
    assert answers == ["no", "refer", "yes", "no"]
    assert own.over(18, shown[2], wrong_yes=0.001, crops=True) == ["refer"]
    assert own.over(18, picture(), wrong_yes=0.05) == ["refer"]
    with pytest.raises(ConfigError, match="calibrate"):
        model().over(18, shown)


def test_the_map_of_ages_corrects_estimates_and_what_follows() -> None:
    own = model(calibrated=True, age_map=AgeMap(10, 0.5))
    (estimate,) = own.predict(picture(red=100), crops=True)
    assert estimate.age == pytest.approx(30)
    assert estimate.low is not None
    assert estimate.low < 30


def test_the_table_has_the_truth_and_attributes_where_the_faces_had_them(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write(tmp_path / name, picture((10, 10), (60, 10)))
    frame = pl.DataFrame({"image": ["b.png", "a.png"], "age": [7.0, 8.0], "gender": ["m", "f"]})
    table = model(calibrated=True).predict(Faces(frame, tmp_path)).to_frame(p_over=[18])
    assert table["image"].to_list() == ["b.png", "b.png", "a.png", "a.png"]
    assert table["age"].to_list() == [7.0, 7.0, 8.0, 8.0]
    assert table["gender"].to_list() == ["m", "m", "f", "f"]
    assert table["p_over_18"].null_count() == 0
    alone = model().predict(tmp_path).to_frame(p_over=[18])
    assert not {"age", "gender"} & set(alone.columns)
    assert alone["p_over_18"].null_count() == 4


def test_embed_gives_the_largest_face_of_each_picture() -> None:
    own = model()
    assert own.embed([picture((10, 10), (60, 10))] * 3).shape == (3, 3)
    with pytest.raises(DataError, match="expected a face in 'image 2'"):
        own.embed([picture((10, 10)), picture()])


def test_on_error_raise_names_the_picture() -> None:
    with pytest.raises(DataError, match="expected a face in 'image 1', got none: no face"):
        model().predict(picture(), on_error="raise")


@pytest.mark.parametrize("level", [0, 1, 90])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        model().predict(picture(), level=level)


def test_show_draws_every_picture_that_can_be_read() -> None:
    shown = model(calibrated=True).predict([picture((10, 10)), picture()]).show()
    assert [image.size for image in shown] == [(120, 80), (120, 80)]
    assert np.asarray(shown[0]).std() > np.asarray(picture()).std()
