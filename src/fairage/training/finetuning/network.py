"""A backbone with a head behind it, as one network that can be trained."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fairage.embeddings import BackboneSpec
from fairage.embeddings.backbones import Backbone, find_backbone
from fairage.embeddings.transformers_backbone import PooledModel, download, load_pooled
from fairage.exceptions import ConfigError
from fairage.models import AgeHead

__all__ = ["FineTuneNetwork", "Source", "find_source"]


class Source(NamedTuple):
    """Where a backbone comes from.

    Args:
        backbone: What `find_backbone` found.
        folder: The folder with its configuration and weights.
    """

    backbone: Backbone
    folder: Path


def find_source(spec: BackboneSpec) -> Source:
    """Return the backbone of a spec, if it is one that can be fine-tuned.

    Raises:
        ConfigError: It is not in the layout of transformers.
        DataError: Its files are not there or not as they should be.
    """
    backbone = find_backbone(spec.name)
    if backbone.kind != "transformers":
        raise ConfigError(
            "expected a backbone in the layout of transformers (config.json and "
            f"model.safetensors) to fine-tune, got {spec.name!r} of kind {backbone.kind!r}, whose "
            "weights are fixed, choose another, or put its embeddings beside those of another"
        )
    path = Path(spec.name).expanduser()
    return Source(backbone, path if path.is_dir() else download(spec.name))


class FineTuneNetwork(nn.Module):
    """The backbone's embedding, what stands beside it, and the head on both; all in fp32.

    Args:
        backbone: Gives one embedding a picture.
        head: Made for the width of the embeddings side by side.
    """

    def __init__(self, backbone: PooledModel, head: AgeHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    @classmethod
    def load(cls, source: Source, head: AgeHead, device: torch.device) -> "FineTuneNetwork":
        """Return the network with the weights of the source, channels last, on this device."""
        network = cls(load_pooled(source.folder), head).to(device)
        network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        return network

    @torch.no_grad()
    def width(self, height: int, width: int) -> int:
        """Return how many numbers the backbone gives for a picture of this height and width."""
        self.eval()
        device = next(self.parameters()).device
        return self.embed(torch.zeros(1, 3, height, width, device=device)).shape[1]

    def embed(self, values: Tensor, *, bf16: bool = False) -> Tensor:
        """Return embeddings `(batch, dim)`, fp32, of normalised pictures."""
        with torch.autocast(values.device.type, dtype=torch.bfloat16, enabled=bf16):
            found: Tensor = self.backbone(values)
        return found.float()

    def forward(
        self, values: Tensor, beside: Tensor | None = None, *, bf16: bool = False
    ) -> Tensor:
        """Return the head's raw outputs `(batch, k)`.

        Args:
            values: Normalised pictures `(batch, 3, height, width)`.
            beside: Embeddings `(batch, dim)` of other backbones.
            bf16: Run the backbone in bf16.
        """
        embeddings = self.embed(values, bf16=bf16)
        if beside is not None:
            embeddings = torch.cat([embeddings, beside], dim=1)
        outputs: Tensor = self.head(embeddings)
        return outputs
