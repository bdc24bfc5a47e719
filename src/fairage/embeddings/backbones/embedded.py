"""The backbone `embedded`: a small net that comes with the package, for the demo and tests.

It has seen drawn faces only (`scripts/train_embedded.py`) and is not fit for photographs.
"""

from importlib.resources import files

from torch import Tensor, nn
from torch.nn import functional as F

from fairage.exceptions import DataError
from fairage.faces.preprocessing import Preprocessing

WEIGHTS = "embedded.safetensors"
EMBEDDED_PREPROCESSING = Preprocessing(
    height=112, width=112, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
)


class EmbeddedNet(nn.Module):
    """A residual net of 36 million multiplications an image; 192 numbers come out.

    Args:
        dim: Length of the embedding.

    Examples:
        >>> import torch
        >>> EmbeddedNet().eval()(torch.zeros(2, 3, 112, 112)).shape
        torch.Size([2, 192])
    """

    def __init__(self, dim: int = 192) -> None:
        super().__init__()
        self.stem = _convolution(3, 16, stride=2)
        self.stages = nn.Sequential(
            _convolution(16, 32, stride=2),
            _Residual(32),
            _convolution(32, 64, stride=2),
            _Residual(64),
            _convolution(64, 128, stride=2),
            _Residual(128),
        )
        self.last = _convolution(128, dim, kernel=1)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return embeddings `(batch, dim)` of a normalised batch `(batch, 3, 112, 112)`."""
        features: Tensor = self.last(self.stages(self.stem(pixel_values)))
        return features.mean(dim=(2, 3))


class _Residual(nn.Module):
    """One convolution that adds to what comes in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(features + self.norm(self.convolution(features)))


def _convolution(entering: int, leaving: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(leaving),
        nn.ReLU(),
    )


def load_embedded() -> nn.Module:
    """Return the packaged net in evaluation mode, float32 on the CPU.

    It is fit for the demo and for tests: it tells ages of the faces that
    `fairage data synthesize` draws, and nothing of real ones.

    Raises:
        DataError: Its file is not in the package.

    Examples:
        >>> load_embedded().training
        False
    """
    from safetensors.torch import load

    path = files("fairage.embeddings.backbones") / WEIGHTS
    if not path.is_file():
        raise DataError(
            f"expected the file {WEIGHTS} in the package, got none, install fairage again"
        )
    net = EmbeddedNet()
    net.load_state_dict({name: value.float() for name, value in load(path.read_bytes()).items()})
    return net.eval()
