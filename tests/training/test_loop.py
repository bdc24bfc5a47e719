"""Training: what a seed settles, when it stops, what it keeps, what weights do."""

import math
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from fairage._random import torch_seed
from fairage.exceptions import ConfigError, DataError
from fairage.models import AgeHead, make_head
from fairage.objectives import OBJECTIVES, Objective, OutputKind, Targets
from fairage.objectives.regression import BalancedMSE, MeanSquaredError
from fairage.training import History, Rows, TrainingSettings, train_head

DIM = 6
FAST = TrainingSettings(epochs=8, batch_size=32, learning_rate=1e-2)
SMALL = {"hidden": [16], "dropout": 0.1}


def toy(rows: int, seed: int, noise: float = 2.0) -> Rows:
    """Ages that a head can learn: 40 years and 15 for each unit of the first number."""
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(rows, DIM, generator=generator)
    ages = 40 + 15 * embeddings[:, 0] + noise * torch.randn(rows, generator=generator)
    return Rows(embeddings, Targets(ages.clamp(0, 100)), torch.ones(rows))


def new_head(name: str = "regression", **options: object) -> AgeHead:
    with torch_seed(0, "head"):
        return make_head(name, DIM, {**SMALL, **options})


def trained(
    train: Rows,
    valid: Rows,
    *,
    settings: TrainingSettings = FAST,
    seed: int = 0,
    objective: Objective | None = None,
    name: str = "regression",
    **options: object,
) -> tuple[AgeHead, History]:
    head = new_head(name, **options)
    chosen = objective or MeanSquaredError()
    return head, train_head(head, train, valid, objective=chosen, settings=settings, seed=seed)


def same_weights(one: AgeHead, other: AgeHead) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def mae(head: AgeHead, rows: Rows) -> float:
    return float((head.ages(rows.embeddings) - rows.targets.ages).abs().mean())


HEAD_FOR = {"distribution": "label-distribution", "coral": "coral", "corn": "corn"}


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_a_fitting_head_learns_a_toy_problem_with_every_objective(objective: str) -> None:
    train, valid = toy(400, 1), toy(200, 2)
    settings = TrainingSettings(epochs=40, learning_rate=1e-2, patience=40)
    chosen = OBJECTIVES[objective]()
    head, history = trained(
        train,
        valid,
        settings=settings,
        objective=chosen,
        name=HEAD_FOR.get(chosen.fits, "regression"),
        dropout=0.0,
    )
    spread = float((valid.targets.ages - valid.targets.ages.mean()).abs().mean())
    assert mae(head, valid) < spread / 3
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


def test_the_same_seed_gives_the_same_weights_bit_by_bit() -> None:
    (one, first), (other, second) = (trained(toy(150, 1), toy(60, 2), seed=4) for _ in range(2))
    assert same_weights(one, other)
    assert first == second


def test_another_seed_gives_other_weights() -> None:
    (one, _), (other, _) = (trained(toy(150, 1), toy(60, 2), seed=seed) for seed in (4, 5))
    assert not same_weights(one, other)


def test_what_was_drawn_before_does_not_matter_and_nothing_is_seeded_for_others() -> None:
    one, _ = trained(toy(150, 1), toy(60, 2))
    torch.rand(17)
    state = torch.get_rng_state()
    other, _ = trained(toy(150, 1), toy(60, 2))
    assert same_weights(one, other)
    assert torch.equal(state, torch.get_rng_state())


def overfitting(patience: int, epochs: int = 60) -> tuple[AgeHead, History, Rows]:
    """Few rows of pure noise: the validation loss soon rises."""
    train, valid = toy(40, 1, noise=30), toy(80, 2, noise=30)
    settings = TrainingSettings(epochs=epochs, batch_size=8, learning_rate=1e-2, patience=patience)
    head, history = trained(train, valid, settings=settings, dropout=0.0, hidden=[64])
    return head, history, valid


@pytest.mark.parametrize("patience", [1, 5])
def test_training_stops_after_so_many_epochs_without_a_better_one(patience: int) -> None:
    _, history, _ = overfitting(patience)
    assert len(history.epochs) == history.best + 1 + patience < 60


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    head, history, valid = overfitting(patience=5)
    losses = [epoch.valid_loss for epoch in history.epochs]
    assert history.best == losses.index(min(losses))
    assert losses[-1] > losses[history.best]
    kept = MeanSquaredError()(head(valid.embeddings), valid.targets, valid.weights)
    assert kept.item() == losses[history.best]
    assert mae(head, valid) == pytest.approx(history.epochs[history.best].valid_mae, rel=1e-6)


def test_the_best_epochs_weights_are_those_of_a_training_that_ends_there() -> None:
    head, history, _ = overfitting(patience=5)
    shorter, _, _ = overfitting(patience=5, epochs=history.best + 1)
    assert same_weights(head, shorter)


def test_dropout_rests_while_validating() -> None:
    valid = toy(40, 2)
    settings = TrainingSettings(epochs=1)
    head, history = trained(toy(80, 1), valid, settings=settings, dropout=0.5)
    expected = MeanSquaredError()(head(valid.embeddings), valid.targets, valid.weights)
    assert history.epochs[0].valid_loss == expected.item()


def test_no_more_epochs_than_settled_and_numbered_from_one() -> None:
    _, history = trained(toy(80, 1), toy(40, 2), settings=TrainingSettings(epochs=3))
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3]


def test_the_head_is_left_ready_to_estimate() -> None:
    head, _ = trained(toy(80, 1), toy(40, 2))
    assert not head.training
    assert torch.equal(head(toy(9, 3).embeddings), head(toy(9, 3).embeddings))


def test_embeddings_are_standardised_by_the_training_rows_alone() -> None:
    train, valid = toy(80, 1), toy(40, 2)
    far = Rows(100 + 7 * valid.embeddings, valid.targets, valid.weights)
    head, _ = trained(train, far)
    torch.testing.assert_close(head.mean, train.embeddings.mean(0))
    torch.testing.assert_close(head.scale, train.embeddings.std(0, correction=0))


def test_the_unit_of_the_embeddings_does_not_matter() -> None:
    def shifted(rows: Rows) -> Rows:
        return Rows(300 + 50 * rows.embeddings, rows.targets, rows.weights)

    train, valid = toy(150, 1), toy(60, 2)
    head, _ = trained(train, valid)
    other, _ = trained(shifted(train), shifted(valid))
    ages, others = head.ages(valid.embeddings), other.ages(shifted(valid).embeddings)
    torch.testing.assert_close(ages, others, rtol=0, atol=0.1)


def test_the_rows_that_are_handed_in_stay_as_they_were() -> None:
    train, valid = toy(80, 1), toy(40, 2)
    before = [rows.embeddings.clone() for rows in (train, valid)]
    trained(train, valid)
    assert torch.equal(train.embeddings, before[0])
    assert torch.equal(valid.embeddings, before[1])


def two_groups(weight: float) -> tuple[Rows, Tensor]:
    """Faces that no embedding tells apart: nine in ten are 20 years old, one in ten is 60."""
    rare = torch.arange(300) % 10 == 0
    embeddings = torch.randn(300, DIM, generator=torch.Generator().manual_seed(5))
    ages = torch.where(rare, 60.0, 20.0)
    weights = torch.where(rare, weight, 1.0)
    return Rows(embeddings, Targets(ages), weights / weights.mean()), rare


def rare_error(weight: float) -> float:
    rows, rare = two_groups(weight)
    settings = TrainingSettings(epochs=30, learning_rate=1e-2, patience=30)
    head, _ = trained(rows, rows, settings=settings)
    return float((head.ages(rows.embeddings) - rows.targets.ages).abs()[rare].mean())


def test_a_heavily_weighted_groups_error_falls() -> None:
    even, balanced, heavy = (rare_error(weight) for weight in (1, 9, 200))
    assert heavy < balanced < even
    assert even > 20
    assert heavy < 10


def test_weights_move_the_estimate_to_the_weighted_mean_age() -> None:
    rows, _ = two_groups(9.0)
    settings = TrainingSettings(epochs=30, learning_rate=1e-2, patience=30)
    head, _ = trained(rows, rows, settings=settings, hidden=[], dropout=0.0)
    assert float(head.ages(rows.embeddings).mean()) == pytest.approx(40, abs=3)


class Recorder:
    """The squared error, noting what it is divided by and how many rows it got."""

    fits: ClassVar[OutputKind] = "number"
    unit: ClassVar[float] = 100.0

    def __init__(self) -> None:
        self.seen: list[tuple[int, float | None]] = []

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        self.seen.append((len(targets), total))
        return MeanSquaredError()(outputs, targets, weights, total)


def test_training_divides_a_batch_by_its_rows_and_validation_by_its_weights() -> None:
    recorder = Recorder()
    settings = TrainingSettings(epochs=1, batch_size=32)
    trained(toy(70, 1), toy(40, 2), settings=settings, objective=recorder)
    assert recorder.seen == [(32, 32), (32, 32), (6, 6), (40, None)]


def test_the_logged_training_loss_is_the_weighted_mean_over_all_rows() -> None:
    train, valid = toy(70, 1), toy(40, 2)
    heavy = Rows(train.embeddings, train.targets, torch.linspace(0.5, 1.5, 70))
    still = TrainingSettings(epochs=1, batch_size=32, learning_rate=1e-30)
    head, history = trained(heavy, valid, settings=still, dropout=0.0)
    expected = MeanSquaredError()(head(heavy.embeddings), heavy.targets, heavy.weights)
    assert history.epochs[0].train_loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("part", ["train", "valid"])
@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_an_error_that_says_what_to_do(part: str, wrong: float) -> None:
    rows = {"train": toy(80, 1), "valid": toy(40, 2)}
    rows[part].targets.ages[3] = wrong
    with pytest.raises(ConfigError, match=r"expected a finite loss, .*lower the learning rate"):
        trained(rows["train"], rows["valid"])


@pytest.mark.parametrize(("n_train", "n_valid"), [(0, 5), (5, 0)])
def test_no_rows_are_an_error(n_train: int, n_valid: int) -> None:
    with pytest.raises(DataError, match=f"got {n_train} and {n_valid}"):
        trained(toy(n_train, 1), toy(n_valid, 2))


def test_one_row_of_each_is_enough() -> None:
    head, history = trained(toy(1, 1), toy(1, 2))
    assert math.isfinite(history.epochs[-1].valid_loss)
    assert torch.isfinite(head.ages(toy(1, 2).embeddings)).all()


def test_a_batch_may_be_larger_than_any_memory() -> None:
    heads = [
        trained(toy(50, 1), toy(20, 2), settings=TrainingSettings(epochs=2, batch_size=size))[0]
        for size in (50, 10**12)
    ]
    assert same_weights(*heads)


@pytest.mark.parametrize(("rows", "batch_size"), [(1, 32), (50, 1)])
def test_an_objective_that_compares_rows_refuses_batches_of_one(rows: int, batch_size: int) -> None:
    """Its loss would always be 0, and the head stay as it was drawn."""
    settings = TrainingSettings(epochs=1, batch_size=batch_size)
    with pytest.raises(ConfigError, match=r"'balanced-mse', .* got 1, raise batch_size"):
        trained(toy(rows, 1), toy(20, 2), settings=settings, objective=BalancedMSE())


@pytest.mark.parametrize(
    ("part", "wrong"),
    [("train", math.nan), ("train", 1e38), ("valid", math.nan), ("valid", math.inf)],
)
def test_embeddings_that_are_no_numbers_are_told_as_such(part: str, wrong: float) -> None:
    rows = {"train": toy(80, 1), "valid": toy(40, 2)}
    rows[part].embeddings[:2, 0] = wrong
    rows[part].embeddings[2:4, 0] = -wrong
    with pytest.raises(DataError, match="expected embeddings that are finite"):
        trained(rows["train"], rows["valid"])


def test_weight_decay_shrinks_the_weights() -> None:
    still = {"epochs": 20, "learning_rate": 1e-2, "patience": 20}
    norms = [
        sum(
            parameter.square().sum().item()
            for parameter in trained(
                toy(80, 1),
                toy(40, 2),
                settings=TrainingSettings(**still, weight_decay=decay),
            )[0].parameters()
        )
        for decay in (0.0, 0.1)
    ]
    assert norms[1] < norms[0] / 2


def test_the_defaults_are_the_kits_first_stage() -> None:
    assert TrainingSettings() == TrainingSettings(
        epochs=50, batch_size=32, learning_rate=1e-4, patience=5, weight_decay=0
    )


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: 0} for name in ("epochs", "batch_size", "patience", "learning_rate")),
        *({name: -1} for name in ("weight_decay", "warmup", "ema", "learning_rate")),
        *({name: float("nan")} for name in ("weight_decay", "warmup", "ema", "learning_rate")),
        *({name: float("inf")} for name in ("weight_decay", "warmup", "learning_rate", "epochs")),
        *({"ema": 1.0}, {"optimizer": "sgd"}, {"schedule": "cosin"}),
    ],
)
def test_settings_out_of_bounds_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


def test_training_mixes_where_it_is_told_to_and_a_seed_settles_it() -> None:
    train, valid = toy(400, 0), toy(200, 1)
    settings = FAST.changed(epochs=20, mixup=1.0, mixup_years=3.0)
    first, history = trained(train, valid, settings=settings)
    assert mae(first, valid) < 3
    assert same_weights(first, trained(train, valid, settings=settings)[0])
    assert not same_weights(first, trained(train, valid, settings=settings.changed(mixup=0))[0])
    assert len(history.epochs) == len(trained(train, valid, settings=settings)[1].epochs)


def test_mixing_keeps_a_head_from_learning_noise_by_heart() -> None:
    train, valid = toy(60, 0, noise=12.0), toy(2000, 1, noise=0.0)
    settings = TrainingSettings(epochs=150, batch_size=60, learning_rate=1e-2, patience=150)
    errors = {}
    for mixup in (0.0, 2.0):
        told = settings.changed(mixup=mixup, mixup_years=10.0)
        head, _ = trained(train, train, settings=told, hidden=[64], dropout=0.0)
        errors[mixup] = mae(head, train), mae(head, valid)
    assert errors[2.0][0] > errors[0.0][0]
    assert errors[2.0][1] < errors[0.0][1]
