"""What follows a training: the last layer refitted, estimates recalibrated; by validation alone."""

import numpy as np
import pytest
import torch

from fairage._registry import build
from fairage.exceptions import ConfigError, DataError
from fairage.models import AgeHead, Calibration
from fairage.objectives import OBJECTIVES, Targets
from fairage.training import AFTER, Rows, TrainingSettings, train_head
from fairage.training.postprocess import balancing_weights, fitted_line

HEADS = {"regression": "mse", "label-distribution": "dldl", "coral": "coral", "corn": "corn"}
every_step = pytest.mark.parametrize("step", sorted(AFTER))
every_head = pytest.mark.parametrize("name", sorted(HEADS))
SETTINGS = TrainingSettings(epochs=8, batch_size=32, learning_rate=5e-3)


def mae(head: AgeHead, rows: Rows) -> float:
    return float((head.ages(rows.embeddings) - rows.targets.ages).abs().mean())


@pytest.fixture
def trained(grouped, small_head):
    def train(name: str = "regression") -> AgeHead:
        head = small_head(name)
        objective = OBJECTIVES[HEADS[name]]()
        train_head(
            head, grouped(600, 1), grouped(300, 2), objective=objective, settings=SETTINGS, seed=0
        )
        return head

    return train


def applied(step: str, head: AgeHead, train: Rows, valid: Rows, name: str, **options) -> None:
    chosen = build("after", AFTER, step, options)
    chosen.apply(head, train, valid, objective=OBJECTIVES[HEADS[name]](), seed=0)


@every_step
@every_head
def test_ages_change_and_stay_finite_and_accurate(trained, grouped, step, name) -> None:
    head, rows = trained(name), grouped(400, 3)
    before, error = head.ages(rows.embeddings), mae(head, rows)
    applied(step, head, grouped(600, 1), grouped(300, 2), name)
    after = head.ages(rows.embeddings)
    assert not torch.equal(before, after)
    assert torch.isfinite(after).all()
    assert mae(head, rows) < error + 3


@every_step
def test_the_same_seed_gives_the_same_head(trained, grouped, step) -> None:
    found = []
    for _ in range(2):
        head = trained()
        applied(step, head, grouped(600, 1), grouped(300, 2), "regression")
        found.append(head.ages(grouped(400, 3).embeddings))
    assert torch.equal(*found)


@every_head
def test_only_the_last_layer_moves(trained, grouped, name) -> None:
    head = trained(name)
    before = head.copied_state()
    applied("last-layer", head, grouped(600, 1), grouped(300, 2), name)
    last = {f"layers.{len(head.layers) - 1}", f"layers.{len(head.layers) - 2}"}
    moved = {key for key, value in head.state_dict().items() if not torch.equal(value, before[key])}
    assert moved
    assert all(key.rsplit(".", 1)[0].removesuffix(".direction") in last for key in moved)


def test_a_strong_pull_leaves_the_layer_where_it_was(trained, grouped) -> None:
    head, rows = trained(), grouped(400, 3)
    before = head.ages(rows.embeddings)
    options = {"pull": 1e9, "learning_rate": 1e-6}
    applied("last-layer", head, grouped(600, 1), grouped(300, 2), "regression", **options)
    torch.testing.assert_close(head.ages(rows.embeddings), before, rtol=0, atol=0.05)


def test_refitting_on_balanced_rows_helps_the_rare_group(trained, grouped) -> None:
    def rare_error(head: AgeHead) -> float:
        rows = grouped(2000, 3)
        rare = rows.groups["gender"] == "m"
        errors = (head.ages(rows.embeddings) - rows.targets.ages).abs().numpy()
        return float(errors[rare].mean())

    head = trained()
    before = rare_error(head)
    options = {"weighting_options": {"attributes": ["gender"]}, "steps": 300, "pull": 0.0}
    applied("last-layer", head, grouped(600, 1), grouped(1000, 2), "regression", **options)
    assert rare_error(head) < before


@pytest.mark.parametrize("on", ["train", "valid"])
def test_the_rows_of_the_other_part_do_not_matter(trained, grouped, on: str) -> None:
    found = []
    for seed in (2, 9):
        head = trained()
        rows = {"train": grouped(600, 1), "valid": grouped(300, 2)}
        other = "valid" if on == "train" else "train"
        rows[other] = grouped(300, seed)
        applied("last-layer", head, rows["train"], rows["valid"], "regression", on=on)
        found.append(head.ages(grouped(400, 3).embeddings))
    assert torch.equal(*found)


@pytest.mark.parametrize("method", ["isotonic", "linear"])
def test_a_crooked_scale_is_put_straight(trained, grouped, method: str) -> None:
    head, valid = trained(), grouped(300, 2)
    crooked = Rows(valid.embeddings, valid.targets, valid.weights, valid.groups)
    crooked.targets.ages.mul_(0.5).add_(30)
    before = mae(head, crooked)
    options = {"method": method, "weighting": "none"}
    applied("recalibrate", head, grouped(600, 1), crooked, "regression", **options)
    assert mae(head, crooked) < before / 2


def test_a_line_bends_where_it_is_told_to(trained, grouped) -> None:
    errors = {}
    for knots in ((40,), (), (30, 50)):
        head, valid = trained(), grouped(300, 2)
        estimated = head.ages(valid.embeddings)
        ages = estimated + 2 * (estimated - 40).clamp(min=0)
        bent = Rows(valid.embeddings, Targets(ages), valid.weights, valid.groups)
        options = {"method": "linear", "knots": knots, "weighting": "none"}
        applied("recalibrate", head, valid, bent, "regression", **options)
        assert head.calibration is not None
        assert head.calibration.inputs == (0, *knots, 100)
        errors[knots] = mae(head, bent)
    assert errors.pop((40,)) < 1e-3
    assert min(errors.values()) > 0.01


def test_few_estimates_beyond_a_knot_bend_nothing() -> None:
    estimated = np.append(np.linspace(10, 39, 300), 40.01)
    ages = np.append(np.linspace(10, 39, 300), 60.0)
    line = fitted_line(estimated, ages, np.ones(301), knots=(40,))
    assert line.outputs[2] - line.outputs[1] == pytest.approx(60)
    assert line.outputs[2] < 105


def test_a_straight_line_is_that_of_least_squares(trained, grouped) -> None:
    head, valid = trained(), grouped(300, 2)
    estimated, ages = head.ages(valid.embeddings).numpy(), valid.targets.ages.numpy()
    balanced = balancing_weights(valid, "raking", {}).numpy()
    slope, start = np.polyfit(estimated, ages, 1, w=np.sqrt(balanced))
    applied("recalibrate", head, valid, valid, "regression", method="linear")
    found = head.ages(valid.embeddings).numpy()
    np.testing.assert_allclose(found, start + slope * estimated, atol=1e-3)


def test_beyond_the_estimates_the_line_goes_on_evenly(trained, grouped) -> None:
    head, valid = trained(), grouped(300, 2)
    assert head.ages(valid.embeddings).max() < 99
    applied("recalibrate", head, valid, valid, "regression", method="linear", knots=(99,))
    assert head.calibration is not None
    bend, end = head.calibration.outputs[-2:]
    assert end - bend == pytest.approx(1.0)


def test_isotonic_points_equal_scikit_learns(trained, grouped) -> None:
    from sklearn.isotonic import IsotonicRegression

    head, valid = trained(), grouped(300, 2)
    estimated = head.ages(valid.embeddings).double().numpy()
    applied("recalibrate", head, grouped(600, 1), valid, "regression")
    balanced = balancing_weights(valid, "raking", {}).double().numpy()
    expected = IsotonicRegression(out_of_bounds="clip").fit(
        estimated, valid.targets.ages.double().numpy(), balanced
    )
    inside = np.linspace(estimated.min(), estimated.max(), 500)
    assert head.calibration is not None
    found = head.calibration(torch.from_numpy(inside)).numpy()
    np.testing.assert_allclose(found, expected.predict(inside), atol=1e-6)


def test_estimates_that_are_all_alike_are_recalibrated_too(trained, grouped) -> None:
    head, valid = trained(), grouped(300, 2)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    for method in ("isotonic", "linear"):
        applied("recalibrate", head, valid, valid, "regression", method=method)
        assert torch.isfinite(head.ages(valid.embeddings)).all()


def test_recalibrating_twice_is_recalibrating_once(trained, grouped) -> None:
    head, valid = trained(), grouped(300, 2)
    applied("recalibrate", head, valid, valid, "regression")
    first = head.calibration
    applied("recalibrate", head, valid, valid, "regression")
    assert head.calibration == first
    applied("last-layer", head, valid, valid, "regression")
    assert head.calibration is None


def test_an_isotonic_calibration_never_turns_two_faces_around(trained, grouped) -> None:
    head, rows = trained(), grouped(400, 3)
    before = head.ages(rows.embeddings)
    applied("recalibrate", head, rows, grouped(300, 2), "regression")
    after = head.ages(rows.embeddings)[before.argsort()]
    assert (after.diff() >= -1e-4).all()


def test_a_calibration_that_is_not_rising_is_an_error() -> None:
    for inputs, outputs in (((1.0, 1.0), (1.0, 2.0)), ((1.0, 2.0), (2.0, 1.0)), ((), ())):
        with pytest.raises(DataError, match="expected as many corrected ages"):
            Calibration(inputs, outputs)
    with pytest.raises(DataError, match="expected as many corrected ages"):
        Calibration((1.0,), (float("nan"),))


def test_one_point_shifts_every_age_alike() -> None:
    assert Calibration((30.0,), (32.0,))(torch.tensor([1.0, 50.0])).tolist() == [3.0, 52.0]


@pytest.mark.parametrize(
    ("step", "options"),
    [
        ("last-layer", {"resamples": 0}),
        ("last-layer", {"steps": 0}),
        ("last-layer", {"learning_rate": 0}),
        ("last-layer", {"pull": -1}),
        ("last-layer", {"on": "test"}),
        ("last-layer", {"weighting": "rakin"}),
        ("recalibrate", {"method": "cubic"}),
        ("recalibrate", {"weighting_options": {"trm": 3}}),
        ("recalibrate", {"method": "linear", "knots": [50, 40]}),
        ("recalibrate", {"method": "linear", "knots": [100]}),
        ("recalibrate", {"method": "linear", "knots": [float("nan")]}),
        ("recalibrate", {"knots": [40]}),
    ],
)
def test_a_wrong_option_is_an_error(step: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        build("after", AFTER, step, options)
