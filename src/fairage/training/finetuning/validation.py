"""What validation says after an epoch: loss, error and biases, on the pictures as they are."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from fairage.auditing.scoring import group_biases, known_biases, label_groups
from fairage.exceptions import ConfigError
from fairage.faces import Preprocessing
from fairage.models import AgeHead
from fairage.objectives import Objective
from fairage.training.fairness import ActiveFairness
from fairage.training.finetuning.network import FineTuneNetwork
from fairage.training.finetuning.pictures import Pictures
from fairage.training.finetuning.rows import ImageRows
from fairage.training.finetuning.showing import prepared
from fairage.training.selection import Epoch

__all__ = ["check_finite", "embed_pictures", "judge"]


@torch.no_grad()
def embed_pictures(
    network: FineTuneNetwork,
    pictures: Pictures,
    *,
    flip: bool,
    batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Return embeddings `(n, dim)` in fp32 on the CPU, as `embed` will give them later.

    Args:
        network: Its backbone is used as in evaluation.
        pictures: Of all rows.
        flip: Average with the embedding of the mirror image.
        batch_size: Pictures at a time.
        advance: Told how many have been embedded.
    """
    network.eval()
    device = next(network.parameters()).device
    preprocessing: Preprocessing = pictures.reader.preprocessing
    found: list[Tensor] = []
    for rows, pixels in pictures.batches(torch.arange(len(pictures)), batch_size):
        values = prepared(pixels, preprocessing, device)
        embedding = network.embed(values)
        if flip:
            embedding = (embedding + network.embed(values.flip(3))) * 0.5
        found.append(embedding.cpu())
        advance(len(rows))
    return torch.cat(found)


@torch.no_grad()
def judge(
    head: AgeHead,
    embeddings: Tensor,
    rows: ImageRows,
    objective: Objective,
    fairness: ActiveFairness | None,
    *,
    min_rows: int,
) -> Epoch:
    """Return an epoch with its validation alone: its number 0, its training loss 0.

    Args:
        head: The head, in evaluation.
        embeddings: Shape `(n, dim)`, what stands beside them included, on the head's device.
        rows: The validation rows.
        objective: The loss.
        fairness: A term that learns from the validation errors.
        min_rows: Rows from which a group takes part in the biases.
    """
    outputs = head(embeddings).float().cpu()
    loss = float(objective(outputs, rows.targets, rows.weights))
    errors = (head.kind.decode(outputs) - rows.targets.ages).abs()
    if fairness is not None and math.isfinite(loss):
        fairness.penalty.after_epoch(errors, fairness.valid)
    groups = {name: label_groups(labels) for name, labels in rows.groups.items()}
    members = group_biases(errors.numpy().astype(np.float64), groups, min_rows=min_rows)
    return Epoch(0, 0.0, loss, float(errors.mean()), known_biases(members))


def check_finite(loss: float, where: str) -> None:
    """Refuse a loss that is no finite number."""
    if not math.isfinite(loss):
        raise ConfigError(
            f"expected a finite loss, got {loss} in {where}, lower learning_rate, backbone_rate, "
            "the weights or the strength of the fairness term, or set precision to 'fp32'"
        )
