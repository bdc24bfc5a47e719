"""Running a torch module on batches of pixels, as fast as the machine allows."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fairage.embeddings.runtime import Runtime
from fairage.faces.preprocessing import Preprocessing

__all__ = ["TorchNetwork"]


class TorchNetwork:
    """A module with its preprocessing, called with batches of one fixed size.

    On a CPU in fp32 most is gained by channels-last memory and by compiling, which folds
    batch-norm into the convolutions and puts the weights into the order that the kernels want.
    Where compiling fails, the module runs as it is.

    Args:
        module: Takes a normalised batch `(n, 3, height, width)`, gives `(n, dim)`.
        preprocessing: The module's.
        runtime: Device, precision and the size of the job.
    """

    def __init__(self, module: nn.Module, preprocessing: Preprocessing, runtime: Runtime) -> None:
        module = module.eval().requires_grad_(requires_grad=False)
        self._module = module.to(runtime.device, runtime.dtype)
        self._module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        self._preprocessing = preprocessing
        self._runtime = runtime
        self._run: Callable[[Tensor], Tensor] | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return embeddings `(n, dim)` of resized pixels `(n, height, width, 3)`."""
        batch = torch.from_numpy(pixels).to(self._runtime.device)
        with torch.inference_mode():
            if self._run is None:
                self._run = self._fastest(batch)
            found: NDArray[np.float32] = self._run(batch).float().cpu().numpy()
        return found

    def _forward(self, pixels: Tensor) -> Tensor:
        values = self._preprocessing.normalised(pixels).to(self._runtime.dtype)
        embedding: Tensor = self._module(values)
        return embedding

    def _fastest(self, batch: Tensor) -> Callable[[Tensor], Tensor]:
        if not self._runtime.compiling_pays(self._flops(batch[:1])):
            return self._forward
        from torch._inductor import config as inductor_config  # a second, which training can save

        try:
            # As an option of torch.compile it would come too late: tracing already asks for it.
            with warnings.catch_warnings(), inductor_config.patch(freezing=True):
                warnings.simplefilter("ignore")
                compiled = torch.compile(self._forward, dynamic=False)
                compiled(batch)
        except RuntimeError:  # the compiler does not work, or not on this network
            return self._forward
        return compiled

    def _flops(self, pixels: Tensor) -> float:
        with FlopCounterMode(display=False) as counter:
            self._forward(pixels)
        return float(counter.get_total_flops())
