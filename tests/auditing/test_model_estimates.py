"""Any model on a faces table: what it is given, what it may return, and the audit of it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

import fairage
from fairage.auditing import estimate
from fairage.exceptions import ConfigError, DataError
from fairage.faces_file import read_faces
from fairage.tables import Faces

N = 60


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty plain pictures whose red is the age, one that is missing and one that is none."""
    folder = tmp_path_factory.mktemp("faces")
    ages = [10 + i for i in range(N)]
    for i, age in enumerate(ages):
        pixels = np.zeros((12, 10, 3), dtype=np.uint8)
        pixels[..., 2] = age  # OpenCV writes blue first
        assert cv2.imwrite(str(folder / f"{i:02d}.png"), pixels)
    (folder / "07.png").unlink()
    (folder / "08.png").write_bytes(b"no picture")
    pl.DataFrame(
        {
            "image": [f"{i:02d}.png" for i in range(N)],
            "age": [float(age) for age in ages],
            "split": ["train", "test"] * (N // 2),
            "gender": ["f", "f", "m"] * (N // 3),
        }
    ).write_parquet(folder / "faces.parquet")
    return folder / "faces.parquet"


def red(pictures: list[np.ndarray]) -> list[float]:
    """Say the red of each picture, and two years more."""
    return [float(picture[0, 0, 0]) + 2 for picture in pictures]


def test_a_function_sees_pictures_and_is_audited(faces: Path) -> None:
    result = fairage.audit(faces=faces, model=red)
    assert result.overall["mean_error"].value == pytest.approx(2.0)
    assert result.overall["mae"].n == N - 2
    assert result.failures.overall.n == N
    reasons = result.failures.reasons
    assert reasons["expected an image file, got none, check the path"] == 1
    assert sum(reasons.values()) == 2
    assert result.failures["gender"]["f"].value == pytest.approx(1 / 40)
    assert result.name == "faces.parquet"
    assert set(result.groups) == {"gender", "age_group"}


def test_it_is_given_rgb_bytes_in_the_order_of_the_table_and_batches(faces: Path) -> None:
    seen: list[list[int]] = []

    def model(pictures: list[np.ndarray]) -> list[float]:
        assert all(each.dtype == np.uint8 and each.shape == (12, 10, 3) for each in pictures)
        seen.append([int(each[0, 0, 0]) for each in pictures])
        return red(pictures)

    frame = estimate(faces, model, batch_size=7, workers=3)
    expected = [age for i, age in enumerate(range(10, 10 + N)) if i not in (7, 8)]
    assert [age for batch in seen for age in batch] == expected
    assert {len(batch) for batch in seen[:-1]} == {7}
    assert frame["prediction"].to_list()[:9] == [12.0, 13, 14, 15, 16, 17, 18, None, None]
    assert frame.columns == ["image", "age", "split", "gender", "prediction", "reason"]


def test_few_large_pictures_are_held_at_once(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairage.auditing.model_estimates.MOST_PIXELS", 3 * 12 * 10)
    sizes = []

    def model(pictures: list[np.ndarray]) -> list[float]:
        sizes.append(len(pictures))
        return red(pictures)

    estimate(faces, model)
    assert set(sizes[:-1]) == {3}


def test_reading_ends_where_the_model_raises(faces: Path) -> None:
    class OwnError(Exception):
        pass

    def model(pictures: list[np.ndarray]) -> list[float]:
        raise OwnError("mine")

    with pytest.raises(OwnError, match="mine") as raised:
        fairage.audit(faces=faces, model=model)
    assert raised.traceback[-1].name == "model"
    threads = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("fairage-read") for name in threads)


Convert = Callable[[list[float]], Any]
RETURNS: dict[str, Convert] = {
    "list": list,
    "tuple": tuple,
    "generator": lambda ages: (age for age in ages),
    "float32": lambda ages: np.array(ages, dtype=np.float32),
    "whole numbers": lambda ages: np.array(ages).astype(np.int64),
    "column": lambda ages: np.array(ages)[:, None],
    "polars": pl.Series,
    "numpy numbers": lambda ages: [np.float32(age) for age in ages],
    "arrays of one": lambda ages: [np.array([age]) for age in ages],
}


@pytest.mark.parametrize("name", RETURNS)
def test_ages_may_come_in_any_sequence(name: str, faces: Path) -> None:
    frame = estimate(faces, lambda pictures: RETURNS[name](red(pictures)))
    known = frame.drop_nulls("prediction")
    assert known["prediction"].to_list() == (known["age"] + 2).to_list()
    assert known.height == N - 2


def test_tensors_of_torch_are_ages_too(faces: Path) -> None:
    torch = pytest.importorskip("torch")
    for convert in (
        lambda ages: torch.tensor(ages, requires_grad=True),
        lambda ages: torch.tensor(ages, dtype=torch.bfloat16)[:, None],
        lambda ages: [torch.tensor(age) for age in ages],
    ):
        frame = estimate(faces, lambda pictures, convert=convert: convert(red(pictures)))
        known = frame.drop_nulls("prediction")
        assert known["prediction"].to_list() == (known["age"] + 2).to_list()


def test_what_is_no_estimate_is_a_failure(faces: Path) -> None:
    def unsure(pictures: list[np.ndarray]) -> list[float | None]:
        return [[None, float("nan"), age][i % 3] for i, age in enumerate(red(pictures))]

    result = fairage.audit(faces=faces, model=unsure)
    assert result.failures.overall.value > 0.5
    assert result.failures.reasons["missing"] > 30
    masked = estimate(faces, lambda p: np.ma.masked_less(np.array(red(p)), 40))
    assert masked["prediction"].min() == 40


WRONG = [
    (lambda pictures: red(pictures)[1:], "expected 32 ages, one a picture, from the model, got 31"),
    (lambda pictures: [str(age) for age in red(pictures)], "got '12.0' (str), return a number"),
    (lambda pictures: "thirty", "expected a sequence of ages from the model, got 'thirty' (str)"),
    (lambda pictures: 30.0, "expected a sequence of ages from the model, got 30 (float)"),
    (lambda pictures: None, "expected a sequence of ages from the model, got None (NoneType)"),
    (lambda pictures: {"age": red(pictures)}, "expected a sequence of ages from the model"),
    (lambda pictures: np.ones((len(pictures), 2)), "got an array of the shape (32, 2)"),
    (lambda pictures: np.ones(()), "got an array of the shape ()"),
    (lambda pictures: [True] * len(pictures), "got True (bool)"),
    (lambda pictures: [1j] * len(pictures), "got 1j (complex)"),
    (lambda pictures: np.array(["a"] * len(pictures)), "got 'a' (str)"),
]


@pytest.mark.parametrize(("model", "message"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_age_is_a_clear_error(
    model: Callable[[list[np.ndarray]], Any], message: str, faces: Path
) -> None:
    with pytest.raises(DataError) as raised:
        estimate(faces, model)
    assert message in str(raised.value)


@dataclass
class Estimated:
    """What a model with `predict` says of one face."""

    image: str
    age: float | None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    reason: str = ""


class Bundle:
    """Takes paths, as `fairage.load()` does, and says the number in each picture's name."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def predict(self, images: Sequence[str], **options: Any) -> list[Estimated]:
        self.calls.append({"images": list(images), **options})
        found = []
        for image in images:
            number = int(Path(image).stem)
            if number == 5:
                found.append(Estimated(image, None, reason="no face found"))
                continue
            age = 10.0 + number
            high = None if number == 6 else age + 5
            found.append(Estimated(image, age, age - 5, high, 0.9))
            found.append(Estimated(image, 99.0, 90.0, 100.0, 0.9))  # a smaller face
        return found


def test_an_object_with_predict_is_given_paths(faces: Path) -> None:
    bundle = Bundle()
    result = fairage.audit(faces=faces, model=bundle)
    assert [Path(image).is_absolute() for image in bundle.calls[0]["images"]] == [True] * N
    assert result.overall["mae"].value == 0.0
    assert result.failures.reasons == {"no face found": 1}
    coverage = result.coverage
    assert coverage is not None
    assert (coverage.level, coverage.overall.covered.value) == (0.9, 1.0)
    assert coverage.overall.open_ends == 1


def test_paths_come_in_batches_and_each_once(faces: Path) -> None:
    own = read_faces(faces)
    twice = Faces(pl.concat([own.frame, own.frame]), own.root)
    bundle = Bundle()
    frame = estimate(twice, bundle, batch_size=2 * N, crops=True)
    assert [len(call["images"]) for call in bundle.calls] == [N]
    assert bundle.calls[0]["crops"] is True
    assert frame["prediction"][:N].to_list() == frame["prediction"][N:].to_list()
    estimate(own, bundle, batch_size=25)
    assert [len(call["images"]) for call in bundle.calls[1:]] == [25, 25, 10]


def test_predict_may_return_plain_numbers(faces: Path) -> None:
    class Plain:
        def predict(self, images: list[str]) -> np.ndarray:
            return np.arange(len(images), dtype=np.float32)

    assert estimate(faces, Plain())["prediction"].to_list() == list(range(N))


def test_predict_must_speak_of_every_picture(faces: Path) -> None:
    class Silent(Bundle):
        def predict(self, images: Sequence[str], **options: Any) -> list[Estimated]:
            return [each for each in super().predict(images) if "09" not in each.image]

    with pytest.raises(DataError, match=r"expected an estimate of every picture .*09"):
        estimate(faces, Silent())


def test_views_are_cut_before_the_function_sees_them(faces: Path) -> None:
    shapes = set()

    def model(pictures: list[np.ndarray]) -> list[float]:
        shapes.update(each.shape for each in pictures)
        return red(pictures)

    estimate(faces, model, view="crop:0.5")
    assert shapes == {(6, 5, 3)}
    with pytest.raises(ConfigError, match="expected a view"):
        estimate(faces, model, view="cropped")
    with pytest.raises(ConfigError, match="expected the view 'whole' for a model with predict"):
        estimate(faces, Bundle(), view="crop:0.5")


def test_a_picture_without_a_face_has_no_aligned_view(
    faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fairage.faces import FaceDetector
    from fairage.faces.views import TEMPLATE

    class Finder(FaceDetector):
        def check(self) -> None:
            pass

        def landmarks(self, image: np.ndarray) -> np.ndarray | None:
            odd = int(image[0, 0, 0]) % 2
            return TEMPLATE.astype(np.float32) / 10 if odd else None

    shapes = set()

    def model(pictures: list[np.ndarray]) -> list[float]:
        shapes.update(each.shape for each in pictures)
        return [30.0] * len(pictures)

    finder = Finder(Path("none.onnx"))
    frame = estimate(faces, model, view="aligned:1.2", side=64, detector=finder)
    assert shapes == {(64, 64, 3)}
    reasons = dict(frame["reason"].value_counts().iter_rows())
    assert reasons["no face found"] == 29
    assert frame["prediction"].null_count() == 31


def test_one_split_or_all_of_them_with_a_note(faces: Path) -> None:
    result = fairage.audit(faces=faces, model=red)
    assert any("splits test and train are audited together" in note.text for note in result.notes)
    one = fairage.audit(faces=faces, model=red, split="test")
    assert one.rows.rows == N // 2
    assert not any("splits" in note.text for note in one.notes)
    with pytest.raises(DataError, match="expected rows with split 'valid'"):
        fairage.audit(faces=faces, model=red, split="valid")


def test_estimates_are_kept_and_audited_alike(faces: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "predictions.parquet"
    result = fairage.audit(faces=faces, model=Bundle(), estimates=path)
    again = fairage.audit(path)
    assert result.to_dict()["models"] == again.to_dict()["models"]
    calls: list[int] = []
    with pytest.raises(DataError, match="expected a file name ending in"):
        fairage.audit(faces=faces, model=calls.append, estimates=tmp_path / "a.txt")
    assert not calls, "it is checked before the model works"


def test_age_groups_travel_with_the_faces(faces: Path) -> None:
    own = read_faces(faces).regrouped(fairage.AgeGroups.from_edges([0, 18, 40]))
    result = fairage.audit(faces=own, model=red)
    assert list(result.groups["age_group"]) == ["0-18", "18-40", "40+"]


def test_estimates_stand_in_place_of_columns_of_these_names(faces: Path) -> None:
    own = read_faces(faces).frame.with_columns(prediction=pl.lit(1.0), reason=pl.lit("old"))
    root = faces.parent
    frame = estimate(Faces(own, root), red)
    assert frame["prediction"][0] == 12.0
    assert frame["reason"][0] is None


def test_wrong_combinations_are_clear_errors(faces: Path) -> None:
    table = {"age": [1.0], "prediction": [2.0]}
    for options, message in (
        ({"table": table, "faces": faces, "model": red}, "or faces, got both"),
        ({"table": [1.0], "y_pred": [1.0], "faces": faces, "model": red}, "or faces, got both"),
        ({"faces": faces}, "expected a model beside faces, got none"),
        ({}, "expected a table of estimates, or faces and a model, got neither"),
        ({"table": table, "model": red}, "expected faces beside the model <function red"),
        ({"table": table, "split": "test"}, "expected faces beside split, got none"),
        ({"table": table, "view": "crop:0.5"}, "expected faces beside view, got none"),
        ({"faces": faces, "model": "bundle"}, "load it: fairage.load('bundle')"),
        ({"faces": faces, "model": 3}, "expected a model: an object with predict or a function"),
        ({"faces": faces, "model": red, "crops": True}, "leave out crops"),
        ({"faces": 3, "model": red}, "expected a faces table"),
    ):
        with pytest.raises(ConfigError) as raised:
            fairage.audit(**options)
        assert message in str(raised.value), message
    with pytest.raises(ConfigError, match="expected a batch_size of 1 or more"):
        estimate(faces, red, batch_size=0)


def test_a_model_without_any_estimate_cannot_be_audited(faces: Path) -> None:
    with pytest.raises(
        DataError, match=r"faces\.parquet: .* expected estimates in years, got none"
    ):
        fairage.audit(faces=faces, model=lambda pictures: [None] * len(pictures))
