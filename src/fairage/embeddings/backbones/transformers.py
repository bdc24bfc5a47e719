"""Backbones in the layout of transformers: a folder, or a name on the Hugging Face hub."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fairage._files import file_hash, hash_of, read_json
from fairage._text import reason_of, short
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import DataError, MissingDependencyError
from fairage.faces.preprocessing import NESTED, Preprocessing

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
_WEIGHTS = "model*.safetensors"
_FILES = [CONFIG, PROCESSOR, NESTED, _WEIGHTS, "model.safetensors.index.json"]
CLASS_TOKENS = ("cls_token", "class_embedding")
"""How the names of class tokens end, in ONNX files too."""
# Models that leave out most patches, drawn at random in every pass, in evaluation too.
_MASKING = ("vit_mae",)
_OF_IMAGES = ("vision_model", "image_model")  # the part of a model of words and images
_LAYERS, _MOST_LAYERS = re.compile("layer|depth|block"), 1000
_SAME = 0.99  # cosine of two embeddings of one picture; bf16 reaches .999, other random masks .91


class PooledModel(nn.Module):
    """A vision model of transformers that gives one vector an image.

    The model's own pooled output where it has a trained one; else of a map `(n, c, h, w)` the
    mean over all places, of tokens `(n, t, c)` the class token, or their mean where there is none.
    A model that masks patches at random sees all of them, in order.

    Args:
        model: The model.
        trust_pooler: Whether its pooler's weights, if it has any, were in the file.
    """

    def __init__(self, model: nn.Module, *, trust_pooler: bool = True) -> None:
        super().__init__()
        self.model = model
        self.trust_pooler = trust_pooler
        self.has_class_token = any(
            name.endswith(CLASS_TOKENS)
            for name, _ in (*model.named_parameters(), *model.named_buffers())
        )
        self.patches = _unmask(model)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return embeddings `(n, dim)` of a normalised batch `(n, 3, height, width)`."""
        more = {}
        if self.patches:
            order = torch.arange(self.patches, device=pixel_values.device)
            more = {"noise": order.expand(pixel_values.shape[0], -1)}
        outputs = self.model(pixel_values=pixel_values, **more)
        pooled: Tensor | None = getattr(outputs, "pooler_output", None)
        if pooled is not None and self.trust_pooler:
            return pooled.flatten(1)
        hidden: Tensor = outputs.last_hidden_state
        if hidden.ndim == 4:
            return hidden.mean(dim=(2, 3))
        return hidden[:, 0] if self.has_class_token else hidden.mean(dim=1)


def _unmask(model: nn.Module) -> int:
    """Have a model that masks patches keep all of them; return their number, else 0."""
    config: Any = getattr(model, "config", None)
    if getattr(config, "model_type", None) not in _MASKING:
        return 0
    config.mask_ratio = 0.0
    return int((config.image_size // config.patch_size) ** 2)


def load_pooled(folder: Path) -> PooledModel:
    """Return the model of a folder with `config.json` and `model.safetensors`.

    Raises:
        DataError: It cannot be loaded, or weights that count are not in the file.
    """
    try:
        from huggingface_hub.errors import StrictDataclassError
        from transformers import AutoModel
        from transformers.utils import logging
    except ImportError as error:
        raise MissingDependencyError.for_extra("transformers", "train") from error
    _check_layers(folder, _config(folder))
    bars, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity(logging.CRITICAL)  # what it says of errors is in the one line below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, on layers that have no weights
            model, info = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype="float32",
                output_loading_info=True,
            )
    except SafetensorError as error:
        raise DataError(
            f"expected whole weights in {str(folder)!r}, got a file that cannot be read "
            f"({reason_of(error)}), copy or download it again (git lfs pull, where it is a pointer)"
        ) from error
    except (*_MISREAD, StrictDataclassError) as error:
        raise _not_loadable(folder, " ".join(map(reason_of, _with_cause(error)))) from error
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
    return _pooled(folder, model, info)


@torch.no_grad()
def check_alone(model: PooledModel, height: int, width: int) -> None:
    """Refuse a model whose embedding of a picture hangs on more than the picture.

    Raises:
        DataError: It wants words as well, draws random numbers, mixes the pictures of a batch, or
            gives no vector.
    """
    kind = type(model.model).__name__
    at = next(model.parameters()).device
    noise = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0)).to(at)
    model.eval()
    try:
        alone, beside = model(noise[:1])[0], model(noise)[0]
    except torch.OutOfMemoryError:
        raise
    except _MISREAD as error:
        raise DataError(
            f"expected a model that makes embeddings of images {height} x {width} alone, got "
            f"{kind} ({reason_of(error)}), choose another backbone"
        ) from error
    if not torch.cosine_similarity(alone.flatten(), beside.flatten(), dim=0) >= _SAME:
        raise DataError(
            f"expected a model that gives a picture one embedding, whatever stands beside it, got "
            f"{kind}, which gives it two, choose another backbone"
        )


# What networks raise that are built after a configuration whose values have the wrong kind.
_MISREAD = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


def _with_cause(error: BaseException) -> list[BaseException]:
    return [error] if error.__cause__ is None else [error, error.__cause__]


def download(name: str) -> Path:
    """Return the folder of a hub model, downloaded unless it is in the hub's cache.

    Raises:
        DataError: It is neither in the cache nor to be had.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise MissingDependencyError.for_extra("huggingface-hub", "train") from error
    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise DataError(
            f"expected a model {name!r} on the Hugging Face hub or in its cache, got none "
            f"({reason_of(error)}), go online once, or copy {CONFIG}, model.safetensors and "
            f"{PROCESSOR} into a folder and give that folder"
        ) from error


def fingerprint(folder: Path) -> str:
    """Return a hash of a folder's configuration and weights, whatever its name.

    Raises:
        DataError: A file is missing.
    """
    weights = sorted(folder.glob(_WEIGHTS))
    if not (folder / CONFIG).is_file() or not weights:
        raise DataError(
            f"expected {CONFIG} and model.safetensors in {str(folder)!r}, got "
            f"{sorted(path.name for path in folder.iterdir())}, save the model there with "
            "save_pretrained"
        )
    digest = file_hash([folder / CONFIG, *weights])
    # Stores may hold embeddings of masked images under the plain hash.
    return hash_of("unmasked", digest) if _model_type(folder) in _MASKING else digest


def _pooled(folder: Path, model: nn.Module, info: dict[str, Any]) -> PooledModel:
    """Take the image part of the model; refuse it where weights would be random numbers."""
    model, prefix = image_part(model)
    missing = [name for name in info["missing_keys"] if name.startswith(prefix)]
    of_pooler = [name for name in missing if "pooler" in name]
    if len(missing) > len(of_pooler):
        absent = sorted(set(missing) - set(of_pooler))[:3]
        raise _not_loadable(folder, f"weights missing: {', '.join(absent)}")
    config: Any = getattr(model, "config", None)
    if config is not None:
        config.return_dict = True  # a file may say otherwise; outputs are read by their names
    return PooledModel(model, trust_pooler=not of_pooler)


def image_part(model: nn.Module) -> tuple[nn.Module, str]:
    """Return the part for images of a model of words and images, and the prefix of its weights."""
    for name in _OF_IMAGES:
        part = getattr(model, name, None)
        if isinstance(part, nn.Module):
            return part, f"{name}."
    return model, ""


def _not_loadable(folder: Path, reason: str) -> DataError:
    return DataError(
        f"expected a vision model that transformers can load, got {str(folder)!r} of type "
        f"{_model_type(folder)!r} ({reason}), save it again or choose another"
    )


def _check_layers(folder: Path, config: object) -> None:
    """Refuse layers by the thousand: building them would take hours before an error came."""
    if not isinstance(config, dict):
        return
    for key, value in config.items():
        _check_layers(folder, value)
        numbers = value if isinstance(value, list) else [value]
        if _LAYERS.search(key) and any(isinstance(n, int) and n > _MOST_LAYERS for n in numbers):
            raise _not_loadable(folder, f"{key} is {short(value)}")


def _config(folder: Path) -> object:
    """Return what the configuration holds, None where it cannot be read."""
    try:
        return read_json(folder / CONFIG)
    except (OSError, ValueError):
        return None


def _model_type(folder: Path) -> str | None:
    config = _config(folder)
    model_type = config.get("model_type") if isinstance(config, dict) else None
    return model_type if isinstance(model_type, str) else None


class TorchNetwork:
    """A module with its preprocessing, called with batches of one fixed size.

    On a CPU in fp32 most is gained by channels-last memory and by compiling, which folds
    batch-norm into the convolutions and puts the weights into the order that the kernels want.
    Where compiling fails, the module runs as it is.

    Args:
        module: Takes a normalised batch `(n, 3, height, width)`, gives `(n, dim)`.
        preprocessing: The module's.
        runtime: Device, precision and the size of the job.

    Attributes:
        module: The module, in evaluation mode.
    """

    def __init__(self, module: nn.Module, preprocessing: Preprocessing, runtime: Runtime) -> None:
        module = module.eval().requires_grad_(requires_grad=False)
        self.module = module.to(runtime.device, runtime.dtype)
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        self._preprocessing = preprocessing
        self._runtime = runtime
        self._run: Callable[[Tensor], Tensor] | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return embeddings `(n, dim)` of resized pixels `(n, height, width, 3)`."""
        batch = torch.from_numpy(pixels).to(self._runtime.device)
        with torch.inference_mode():
            if self._run is None:
                self._run = self._fastest(batch)
            embeddings: NDArray[np.float32] = self._run(batch).float().cpu().numpy()
        return embeddings

    def _forward(self, pixels: Tensor) -> Tensor:
        values = self._preprocessing.normalised(pixels).to(self._runtime.dtype)
        embedding: Tensor = self.module(values)
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
