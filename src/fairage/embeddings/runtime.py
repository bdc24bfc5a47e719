"""What networks run on: device, precision, batch size, and whether compiling them pays."""

import os
import platform
import shutil
import time
import warnings
from dataclasses import dataclass
from functools import cache

import torch

from fairage.exceptions import ConfigError

PRECISIONS = ("auto", "fp32", "bf16")
_COMPILE_FROM_FLOPS = 5e12
"""Below so many operations, compiling takes longer than it saves (measured on two cores)."""
_IMAGES_A_THREAD = {"fp32": 8, "bf16": 16}
"""Larger batches are slower on a processor: what layers hand to one another leaves its caches."""
_LARGEST_BATCH = 64
_BF16_PAYS_FROM = 1.25
"""A processor that gains less in matrix products loses it again in the other layers."""
_TRIALS, _TRIAL_SIDE = 6, 768


@dataclass(frozen=True)
class Runtime:
    """How networks are run.

    Args:
        device: Name of a torch device.
        precision: `fp32` or `bf16`.
        batch_size: Images a batch; every batch has this many, the last one is padded.
        images: How many images the whole job has, for deciding what pays.
    """

    device: str
    precision: str
    batch_size: int
    images: int

    @property
    def dtype(self) -> torch.dtype:
        """The type of weights and activations."""
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def compiling_pays(self, flops: float) -> bool:
        """Return whether to compile a network that needs this many operations an image.

        The answer depends on the size of the whole table, not on what the store lacks of it: a
        run that was interrupted goes on with the very network it began with.
        """
        return flops * self.images >= _COMPILE_FROM_FLOPS and has_compiler(self.device)


def choose_runtime(device: str, precision: str, *, batch_size: int | None, images: int) -> Runtime:
    """Return the runtime for what the user asked for; `auto` takes what the machine is good at.

    The same holds for a batch size of None. Small jobs get small batches, so that little is padded.

    Raises:
        ConfigError: The device is not there, or a name or number makes no sense.

    Examples:
        >>> choose_runtime("cpu", "fp32", batch_size=64, images=10)
        Runtime(device='cpu', precision='fp32', batch_size=16, images=10)
    """
    if precision not in PRECISIONS:
        raise ConfigError.unknown_name("precision", precision, PRECISIONS)
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"expected a batch size of 1 or more, got {batch_size}, raise it")
    device = _device(device)
    if precision == "auto":
        precision = "bf16" if _is_fast_in_bf16(device) else "fp32"
    elif precision == "bf16":
        warn_of_slow_bf16(device)
    if batch_size is None:
        batch_size = _LARGEST_BATCH
        if device.startswith("cpu"):
            batch_size = min(batch_size, _IMAGES_A_THREAD[precision] * torch.get_num_threads())
    fitting = 1 << max(0, images - 1).bit_length()
    return Runtime(device, precision, min(batch_size, fitting), images)


def has_compiler(device: str) -> bool:
    """Return whether torch.compile finds what it needs: on a CPU, a C++ compiler."""
    if not device.startswith("cpu"):
        return True
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ([named] if named else ["g++", "clang++"]))


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"expected a device such as cpu, cuda or cuda:1, got {name!r} ({reason}), "
            "choose another or auto"
        ) from error
    return name


def _is_fast_in_bf16(device: str) -> bool:
    """Return whether bf16 pays; a processor may have instructions for it that are slow ones."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    if not device.startswith("cpu"):
        return False
    if torch.cpu._is_amx_tile_supported():
        return True
    return bool(torch.cpu._is_avx512_bf16_supported()) and bf16_speed_up() >= _BF16_PAYS_FROM


def warn_of_slow_bf16(device: str) -> None:
    """Warn where bf16 was asked for and the processor cannot compute in it.

    Of other processors than x86, torch does not tell.
    """
    if not device.startswith("cpu") or platform.machine().lower() not in ("x86_64", "amd64"):
        return
    if not (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()):
        warnings.warn(
            "this processor has no instructions for bf16: networks will run many times slower than "
            "with the precision fp32 or auto",
            stacklevel=3,
        )


@cache
def bf16_speed_up() -> float:
    """Return how many times faster this processor multiplies matrices in bf16 than in fp32."""
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    for _ in range(_TRIALS):
        for dtype in best:
            matrix = torch.ones(_TRIAL_SIDE, _TRIAL_SIDE, dtype=dtype)
            started = time.thread_time()
            torch.mm(matrix, matrix)
            best[dtype] = min(best[dtype], time.thread_time() - started)
    return best[torch.float32] / best[torch.bfloat16]
