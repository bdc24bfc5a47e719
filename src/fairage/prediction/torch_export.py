"""A bundle of `fairage run` as one ONNX graph, from pixels to ages."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from onnx import compose
from torch import Tensor, nn

from fairage._text import reason_of
from fairage.embeddings.backbones.onnx import OnnxNetwork
from fairage.embeddings.backbones.registry import Network
from fairage.exceptions import DataError
from fairage.faces.preprocessing import Preprocessing
from fairage.models import AgeHead, Calibration, spreads_of
from fairage.models.heads import possible_ages
from fairage.prediction.face_input import FaceInput, distinct_inputs
from fairage.prediction.graph import EMBEDDING, NETWORK_AGE, SPREAD
from fairage.prediction.graph_intervals import add_tables
from fairage.prediction.graph_joining import (
    BACKBONE,
    IR_VERSION,
    OPSET,
    joined,
    read_guest,
    tidy,
)
from fairage.prediction.torch_network import TorchNetwork

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_SCOPE = "backbones."
_OUTPUTS = {f"output/{name}": name for name in (NETWORK_AGE, SPREAD, EMBEDDING)}
"""What outputs are called while torch exports, whose own names inside must be others."""
_BATCH = 2
_TYPES = {np.float32: torch.float32, np.float16: torch.float16, np.uint8: torch.uint8}


def graph_of(network: TorchNetwork) -> "ModelProto":
    """Return the graph of a bundle; its tables are empty.

    Args:
        network: The bundle in fp32 on the processor.

    Raises:
        DataError: A backbone takes a fixed number of pictures, or cannot be exported.
    """
    inputs, places = distinct_inputs(network.inputs)
    about = network.bundle.backbones
    parts = [
        _part(each, place, inputs[place], about[number], network.inputs[number].preprocessing)
        for number, (each, place) in enumerate(zip(network.networks, places, strict=True))
    ]
    files = [part.network for part in parts if isinstance(part.network, OnnxNetwork)]
    guests = [read_guest(each.model.path, each.input_name, each.model.output) for each in files]
    opset = max([OPSET, *(guest.opset for guest in guests)])
    names = [str(each["name"]) for each in about]
    model = _exported(ExportedModel(parts, network.bundle.head), inputs, opset, names)
    for number, node in enumerate(model.graph.node):
        node.name = f"{_owner(node)}/{node.op_type}_{number}"
    model = joined(model, guests)
    add_tables(model)
    tidy(model)
    model.ir_version = max([IR_VERSION, *(guest.model.ir_version for guest in guests)])
    return model


def _owner(node: "NodeProto") -> str:
    """Return whether a node belongs to a backbone, as the exporter notes, or to the rest."""
    scopes = "".join(each.value for each in node.metadata_props if "name_scopes" in each.key)
    return BACKBONE if _SCOPE in scopes else "head"


@dataclass(frozen=True)
class Part:
    """A backbone in a graph.

    Args:
        network: What runs it.
        place: Number of its input.
        preprocessing: How it wants its pixels normalised.
        flip: Whether it sees the mirrored pictures too.
        features: What an ONNX file gives for one picture, `(1, ...)`; None for other backbones.
    """

    network: Network
    place: int
    preprocessing: Preprocessing
    flip: bool
    features: Tensor | None = None

    def features_like(self, pictures: int) -> Tensor:
        """Return zeros of the kind that the file gives for so many pictures."""
        assert self.features is not None, "other backbones are part of the module"
        return self.features.new_zeros(pictures * (1 + self.flip), *self.features.shape[1:])


def _part(
    network: Network,
    place: int,
    view: FaceInput,
    about: dict[str, Any],
    preprocessing: Preprocessing,
) -> Part:
    if not isinstance(network, OnnxNetwork):
        return Part(network, place, preprocessing, about["flip"])
    if network.batch is not None:
        raise DataError(
            f"expected backbones that take any number of pictures at once, got "
            f"{str(network.model.path)!r}, which takes {network.batch}, export that file again "
            "with a batch of any size"
        )
    sides = view.preprocessing.height, view.preprocessing.width
    features = network.features(np.zeros((1, *sides, 3), dtype=np.uint8))
    return Part(network, place, preprocessing, about["flip"], torch.from_numpy(features))


class ExportedModel(nn.Module):
    """All of a bundle that is not in ONNX files: normalisation, mirroring, backbones and head.

    Args:
        parts: Its backbones.
        head: Its head.
    """

    def __init__(self, parts: Sequence[Part], head: AgeHead) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.backbones = nn.ModuleList(map(_module, parts))
        self.head = head

    def forward(self, pixels: list[Tensor], features: list[Tensor]) -> tuple[Tensor, ...]:
        """Return ages, spreads `(n,)`, embeddings `(n, dim)`, and what ONNX files are to be given.

        Args:
            pixels: For each input uint8 `(n, height, width, 3)`.
            features: What each ONNX file gives for that, twice as many with mirrored pictures.
        """
        given: list[Tensor] = []
        embeddings = []
        for part, backbone in zip(self.parts, self.backbones, strict=True):
            values = _normalised(part, pixels[part.place])
            if isinstance(part.network, OnnxNetwork):
                from_file = features[len(given)].float()
                embedding = part.network.pooling(tuple(from_file.shape[1:]))(from_file)
                given.append(_as_the_file_wants(part.network, values))
            else:
                embedding = backbone(values)
            if part.flip:
                embedding = embedding.reshape(2, -1, embedding.shape[1]).mean(dim=0)
            embeddings.append(embedding)
        embedding = torch.cat(embeddings, dim=1)
        return *self._estimate(embedding), embedding, *given

    def _estimate(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `Bundle.estimate` does; an embedding that is not finite has no age."""
        head = self.head
        standardised = head.standardised(embedding)
        outputs = head.from_standardised(standardised)
        ages = head.kind.decode(outputs)
        if head.calibration is not None:
            ages = _corrected(head.calibration, ages)
        is_finite = torch.isfinite(embedding).all(dim=1)
        spreads = spreads_of(head, standardised, outputs)
        return torch.where(is_finite, possible_ages(ages), torch.nan), spreads


def _module(part: Part) -> nn.Module:
    if isinstance(part.network, OnnxNetwork):
        return nn.Identity()
    module: nn.Module = part.network.module  # type: ignore[attr-defined]  # of a TorchNetwork
    return module


def _normalised(part: Part, pixels: Tensor) -> Tensor:
    values = part.preprocessing.normalised(pixels).contiguous()  # else ONNX gets it by indices
    return torch.cat([values, values.flip(3)]) if part.flip else values


def _as_the_file_wants(network: OnnxNetwork, values: Tensor) -> Tensor:
    if network.channels_last:
        values = values.permute(0, 2, 3, 1)
    return values.to(_TYPES[network.input_type]).contiguous()


def _corrected(calibration: Calibration, ages: Tensor) -> Tensor:
    """Return what a calibration makes of ages, as a sum of its pieces, which every runtime has."""
    inputs = torch.tensor(calibration.inputs, dtype=torch.float64)
    outputs = torch.tensor(calibration.outputs, dtype=torch.float64)
    exact = ages.double()
    inside = exact.clamp(calibration.inputs[0], calibration.inputs[-1])
    corrected = outputs[0] + exact - inside
    if len(inputs) > 1:
        widths = inputs.diff()
        covered = torch.minimum((inside[:, None] - inputs[:-1]).clamp(min=0.0), widths)
        corrected = corrected + (covered * (outputs.diff() / widths)).sum(dim=1)
    return corrected.float()


def _exported(
    model: ExportedModel, inputs: Sequence[FaceInput], opset: int, names: list[str]
) -> "ModelProto":
    """Return the graph of a module for any number of pictures."""
    files = [part for part in model.parts if isinstance(part.network, OnnxNetwork)]
    pixels = [_example(each) for each in inputs]
    features = [part.features_like(_BATCH) for part in files]
    n = torch.export.Dim("n")
    sizes = ([{0: n}] * len(pixels), [{0: 2 * n if part.flip else n} for part in files])
    numbers = range(len(files))
    try:
        with _in_silence():
            program = torch.onnx.export(
                model.eval().to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]  # not in its stubs
                (pixels, features),
                dynamo=True,
                opset_version=opset,
                dynamic_shapes=sizes,
                input_names=[*(each.name for each in inputs), *(f"features{k}" for k in numbers)],
                output_names=[*_OUTPUTS, *(f"pixels{k}" for k in numbers)],
                custom_translation_table={torch.ops.aten.cumprod.default: _product_so_far()},
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise DataError(
            f"expected backbones that torch can export to ONNX for any number of pictures, got "
            f"{names} ({reason_of(error.__cause__ or error)}), train the head on other backbones"
        ) from error
    assert program is not None, "torch returns a program where it is given no file"
    return _with_own_names(cast("ModelProto", program.model_proto))


def _with_own_names(model: "ModelProto") -> "ModelProto":
    """Return a graph whose outputs have their names, and whose values have others."""
    model = compose.add_prefix(model, "torch/", rename_inputs=False, rename_outputs=False)
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [_OUTPUTS.get(name, name) for name in names]
    for output in model.graph.output:
        output.name = _OUTPUTS.get(output.name, output.name)
    return model


def _example(each: FaceInput) -> Tensor:
    sides = each.preprocessing.height, each.preprocessing.width
    return torch.zeros(_BATCH, *sides, 3, dtype=torch.uint8)


def _product_so_far() -> Any:  # noqa: ANN401  # a function of onnxscript
    """Return what stands for `cumprod`, which ONNX lacks; its numbers are probabilities here."""
    import onnxscript

    op: Any = onnxscript.opset18

    def cumprod(values: Any, dim: int, dtype: int | None = None) -> Any:  # noqa: ANN401  # the same
        return op.Exp(op.CumSum(op.Log(values), op.Constant(value_int=dim)))

    return cumprod


@contextmanager
def _in_silence() -> Iterator[None]:
    """Keep to itself what exporters say of packages that are not installed, and of themselves."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
