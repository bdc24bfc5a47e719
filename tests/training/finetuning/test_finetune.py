"""Fine-tuning: it learns, keeps the best epoch, and leaves a backbone that embeds the same."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.exceptions import ConfigError, DataError
from fairage.models import AgeHead
from fairage.objectives import OBJECTIVES, Targets
from fairage.objectives.fairness import FAIRNESS
from fairage.training import Selection
from fairage.training.data import ImageRows
from fairage.training.finetuning import FineTuned, finetune
from fairage.training.training_settings import FineTuneSettings

FAST = FineTuneSettings(epochs=2, batch_size=8, learning_rate=1e-3)
CPU = EmbedOptions(backbones="unused", device="cpu", progress=False)
Job = Callable[..., FineTuned]


def state(tuned: FineTuned) -> dict[str, torch.Tensor]:
    return {**load_file(tuned.backbone_folder / "model.safetensors"), **tuned.head.state_dict()}


def same(one: FineTuned, other: FineTuned) -> bool:
    left, right = state(one), state(other)
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def test_pictures_are_learnt_and_training_everything_beats_the_head_alone(job: Job) -> None:
    settings = FineTuneSettings(epochs=16, batch_size=8, learning_rate=4e-3, patience=16)
    all_of_it = job(settings=settings)
    alone = job(folder="alone", settings=settings.changed(train="head"))
    losses = [epoch.train_loss for epoch in all_of_it.history.epochs]
    assert losses[-1] < losses[0] / 2
    assert losses[-1] < alone.history.epochs[-1].train_loss


def test_the_same_seed_gives_the_same_weights_and_memory_plays_no_part(job: Job) -> None:
    one, other = job(), job(folder="b", memory=0.0)
    assert same(one, other)
    assert one.history == other.history
    assert not same(one, job(folder="c", seed=1))


def test_a_batch_in_parts_takes_the_same_steps(job: Job, head_of: Callable[..., AgeHead]) -> None:
    heads = [head_of(16, dropout=0.0) for _ in range(2)]
    one = job(head=heads[0])
    other = job(folder="b", head=heads[1], settings=FAST.changed(accumulate=3))
    for name, value in state(one).items():
        torch.testing.assert_close(value, state(other)[name], rtol=0, atol=2e-4)


@pytest.mark.parametrize("rule", ["loss", "mae", "fair"])
def test_the_best_epoch_is_kept_and_patience_ends_the_training(
    rule: str, job: Job, picture_rows: Callable[[int, int], ImageRows]
) -> None:
    valid = picture_rows(12, 2)
    noise = replace(valid, targets=Targets(valid.targets.ages.flip(0)))
    settings = FineTuneSettings(epochs=12, batch_size=4, learning_rate=5e-3, patience=2)
    tuned = job(valid=noise, settings=settings, selection=Selection(rule=rule, min_rows=2))
    assert len(tuned.history.epochs) < 12
    assert tuned.history.best < len(tuned.history.epochs)
    assert tuned.history.epochs[0].valid_biases.keys() == {"gender"}


@pytest.mark.parametrize("name", ["gap", "adaptive", "group-dro"])
def test_fairness_terms_take_part(name: str, job: Job) -> None:
    assert name in FAIRNESS
    plain = job()
    fair = job(folder="fair", fairness=FAIRNESS[name](min_rows=2))
    assert not same(plain, fair)


def test_weights_averages_schedules_and_rates_take_part(job: Job) -> None:
    plain = job()
    changes = [
        {"ema": 0.9},
        {"schedule": "cosine", "warmup": 0.5},
        {"backbone_rate": 1e-5},
        {"layer_decay": 0.5},
        {"batch_norm": "adapt"},
        {"mirror": False},
        {"weight_decay": 0.1, "optimizer": "adamw"},
    ]
    for number, change in enumerate(changes):
        assert not same(plain, job(folder=str(number), settings=FAST.changed(**change))), change


def test_bf16_trains_and_keeps_weights_in_fp32(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    tuned = job("vit", settings=FAST.changed(precision="bf16"))
    assert {value.dtype for value in state(tuned).values()} == {torch.float32}
    assert not same(tuned, job("vit", folder="fp32"))


def test_embeddings_of_another_backbone_stand_beside(
    job: Job, picture_rows: Callable[[int, int], ImageRows], head_of: Callable[..., AgeHead]
) -> None:
    def beside(rows: ImageRows) -> ImageRows:
        return replace(rows, beside=torch.stack([rows.targets.ages] * 3, dim=1))

    train, valid = beside(picture_rows(24, 1)), beside(picture_rows(12, 2))
    settings = FineTuneSettings(epochs=8, batch_size=4, learning_rate=5e-3)
    tuned = job(head=head_of(19), train=train, valid=valid, settings=settings)
    assert tuned.description["dim"] == 16
    assert torch.allclose(tuned.head.mean[16:], train.targets.ages.mean())
    with pytest.raises(DataError, match="make it anew with dim 19"):
        job(folder="b", head=head_of(16), train=train, valid=valid)


def test_a_warm_head_keeps_its_standardisation(job: Job, head_of: Callable[..., AgeHead]) -> None:
    head = head_of(16)
    head.standardise_by(torch.randn(50, 16) * 3 + 1)
    mean = head.mean.clone()
    assert torch.equal(job(head=head, warm=True).head.mean, mean)
    assert not torch.equal(job(folder="cold", head=head_of(16)).head.mean, mean)


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_loss_that_is_no_number_is_an_error(
    part: str, job: Job, picture_rows: Callable[[int, int], ImageRows]
) -> None:
    rows = {"train": picture_rows(24, 1), "valid": picture_rows(12, 2)}
    rows[part].targets.ages[3] = math.nan
    with pytest.raises(ConfigError, match=r"finite loss, got nan in .*epoch 1.*learning rate"):
        job(**rows)


def test_what_cannot_be_fine_tuned_is_an_error(
    job: Job, picture_rows: Callable[[int, int], ImageRows], head_of: Callable[..., AgeHead]
) -> None:
    with pytest.raises(ConfigError, match="to fine-tune, got 'embedded'"):
        job(spec=BackboneSpec("embedded"))
    with pytest.raises(ConfigError, match="expected a head"):
        job(objective=OBJECTIVES["mse"]())
    with pytest.raises(DataError, match="dim 16"):
        job(head=head_of(20))
    empty = ImageRows((), Targets(torch.ones(0)), torch.ones(0))
    with pytest.raises(DataError, match="got 24 and 0"):
        finetune(
            head_of(16),
            BackboneSpec("any/name"),
            picture_rows(24, 1),
            empty,
            objective=OBJECTIVES["dldl"](),
            settings=FAST,
            seed=0,
            folder="unused",
        )


def test_an_objective_that_compares_rows_refuses_parts_of_one_row(
    job: Job, head_of: Callable[..., AgeHead]
) -> None:
    balanced = {"head": head_of(16, "regression"), "objective": OBJECTIVES["balanced-mse"]()}
    with pytest.raises(ConfigError, match=r"'balanced-mse', .* got 1, raise batch_size"):
        job(settings=FAST.changed(accumulate=8), **balanced)
    with pytest.raises(ConfigError, match=r"'balanced-mse', .* got 1, raise batch_size"):
        job(settings=FAST.changed(batch_size=100, accumulate=24), **balanced)  # of 24 rows
    tuned = job(settings=FAST.changed(epochs=1, batch_size=3, accumulate=2), **balanced)
    assert len(tuned.history.epochs) == 1


@pytest.mark.gpu
def test_a_gpu_trains_in_bf16_to_about_the_same_validation(job: Job) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    settings = FineTuneSettings(epochs=6, batch_size=8, learning_rate=3e-3, ema=0.9)
    cpu = job(settings=settings)
    gpu = job(folder="gpu", settings=settings, options=CPU.changed(device="cuda"))
    assert {value.device.type for value in state(gpu).values()} == {"cpu"}
    ends = [tuned.history.epochs[-1].valid_loss for tuned in (cpu, gpu)]
    assert ends[0] == pytest.approx(ends[1], rel=0.3)
