"""ONNX files: what is fed, which output counts, how it is pooled, and what is refused."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fairage.embeddings.backbones.onnx import OnnxNetwork, map_is_channels_last
from fairage.embeddings.backbones.registry import Backbone, find_backbone
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import ConfigError, DataError

CPU = Runtime("cpu", "fp32", batch_size=4, images=4)
SIDE = 8
Shape = Sequence[int | str]
Write = Callable[..., Path]
NCHW: Shape = ["n", 3, SIDE, SIDE]
NHWC: Shape = ["n", SIDE, SIDE, 3]


def node(kind: str, entering: str, leaving: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, entering.split(), leaving.split(), **attributes)


POOL = [node("ReduceMean", "x", "y", axes=[2, 3], keepdims=0)]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a graph from `x` to its outputs, with what a processor says."""

    def save(
        nodes: Sequence[onnx.NodeProto],
        shape: Shape = NCHW,
        *,
        outputs: dict[str, Shape | None] | None = None,
        weights: dict[str, np.ndarray] | None = None,
        kind: int = TensorProto.FLOAT,
        kind_out: int = TensorProto.FLOAT,
        **processor: Any,
    ) -> Path:
        graph = helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("x", kind, shape)],
            [
                helper.make_tensor_value_info(name, kind_out, given)
                for name, given in (outputs or {"y": None}).items()
            ],
            [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
        )
        opsets = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "m.onnx")
        config = {"size": SIDE, "do_rescale": False, "do_normalize": False, **processor}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
        return tmp_path / "m.onnx"

    return save


def pixels(n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)


def found(name: object) -> Backbone:
    return find_backbone(str(name))


def embedded(name: object, n: int = 4) -> np.ndarray:
    return found(name).load(CPU)(pixels(n))


MEANS = pixels().astype(np.float32).mean(axis=(1, 2))
HALVED = node("AveragePool", "x", "y", kernel_shape=[2, 2], strides=[2, 2])


@pytest.mark.parametrize(
    "shape", [NCHW, ["n", "c", "h", "w"], [1, 3, SIDE, SIDE], [3, 3, "h", "w"]]
)
def test_channels_first_in_and_a_map_out(write: Write, shape: Shape) -> None:
    np.testing.assert_allclose(embedded(write([HALVED], shape)), MEANS, rtol=1e-5)


def test_channels_last_in_and_a_map_with_channels_first_out(write: Write) -> None:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("AveragePool", "t", "y", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    np.testing.assert_allclose(embedded(write(nodes, NHWC)), MEANS, rtol=1e-5)


def test_channels_last_in_and_out(write: Write) -> None:
    np.testing.assert_allclose(embedded(write([node("Relu", "x", "y")], NHWC)), MEANS, rtol=1e-5)


def test_an_input_without_declared_channels_is_tried_both_ways(write: Write) -> None:
    kernel = {"k": np.ones((1, 1, 3, 2), dtype=np.float32)}
    nodes = [
        node("Transpose", "k", "kernel", perm=[3, 2, 0, 1]),
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t kernel", "m"),
        node("ReduceMean", "m", "y", axes=[2, 3], keepdims=0),
    ]
    path = write(nodes, ["n", "a", "b", "c"], weights=kernel)
    np.testing.assert_allclose(embedded(path)[:, 0], MEANS.sum(axis=1), rtol=1e-4)


def test_an_input_that_works_both_ways_is_refused(write: Write) -> None:
    path = write([node("Flatten", "x", "y")], ["n", "a", "b", "c"])
    with pytest.raises(DataError, match="told where the channels are"):
        found(path).load(CPU)


@pytest.mark.parametrize(
    ("shape", "sides", "last"),
    [
        ((512, 7, 7), (224, 224), False),
        ((7, 7, 512), (224, 224), True),
        ((1, 1, 512), (224, 224), True),
        ((512, 1, 1), (96, 112), False),
        ((8, 7, 7), (224, 224), False),
        ((64, 6, 12), (96, 192), False),
        ((6, 12, 64), (96, 192), True),
        ((7, 7, 7), (224, 224), None),
        ((8, 7, 6), (224, 224), None),
    ],
)
def test_where_the_channels_of_a_map_are(
    shape: tuple[int, ...], sides: tuple[int, int], last: bool | None
) -> None:
    assert map_is_channels_last(shape, sides) is last


def test_a_map_that_can_be_read_both_ways_is_refused(write: Write) -> None:
    kernel = {"k": np.ones((4, 3, 2, 2), dtype=np.float32)}
    path = write([node("Conv", "x k", "y", strides=[2, 2])], weights=kernel)
    with pytest.raises(DataError, match=r"\(4, 4, 4\).* cannot be told how to pool it"):
        found(path).load(CPU)


def tokens(extra: int, name: str = "other") -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Return a graph with 16 tokens of 12 numbers and `extra` ones before them, which hold 7."""
    weights = {
        "shape": np.array([0, 12, 16]),
        name: np.full((1, extra, 12), 7, dtype=np.float32),
        "one": np.ones(1, dtype=np.int64),
        "rest": np.array([extra, 12]),
    }
    nodes = [
        node("SpaceToDepth", "x", "places", blocksize=2),
        node("Reshape", "places shape", "flat"),
        node("Transpose", "flat", "patches", perm=[0, 2, 1]),
        node("Shape", "x", "sizes"),
        node("Slice", "sizes zero one", "n"),
        node("Concat", "n rest", "wide", axis=0),
        node("Expand", f"{name} wide", "before"),
        node("Concat", "before patches" if extra else "patches", "y", axis=1),
    ]
    weights["zero"] = np.zeros(1, dtype=np.int64)
    return nodes, weights


@pytest.mark.parametrize(
    ("extra", "name"), [(1, "other"), (1, "vit.cls_token"), (5, "embeddings.cls_token")]
)
def test_the_class_token_counts(write: Write, extra: int, name: str) -> None:
    nodes, weights = tokens(extra, name)
    np.testing.assert_array_equal(embedded(write(nodes, weights=weights)), 7)


def test_tokens_of_a_grid_are_averaged(write: Write) -> None:
    nodes, weights = tokens(0)
    values = embedded(write(nodes, weights=weights))
    np.testing.assert_allclose(values.reshape(4, 4, 3).mean(axis=1), MEANS, rtol=1e-5)


def test_tokens_of_which_the_class_token_is_not_known_are_refused(write: Write) -> None:
    nodes, weights = tokens(5)
    with pytest.raises(DataError, match=r"\(21, 12\).* cannot be told how to pool it"):
        found(write(nodes, weights=weights)).load(CPU)


TWO = [
    node("ReduceMean", "x", "mean", axes=[2, 3], keepdims=0),
    node("ReduceMax", "x", "most", axes=[2, 3], keepdims=0),
]
OUTPUTS: dict[str, Shape | None] = {"mean": ["n", 3], "most": ["n", 3]}


def test_one_of_several_outputs_has_to_be_chosen(write: Write) -> None:
    path = write(TWO, outputs=OUTPUTS)
    with pytest.raises(ConfigError, match=r"'mean' \(n, 3\) and 'most' \(n, 3\), got none.*#mean"):
        found(path)
    with pytest.raises(ConfigError, match="got 'least'"):
        found(f"{path}#least")
    np.testing.assert_allclose(embedded(f"{path}#mean"), MEANS, rtol=1e-5)
    np.testing.assert_array_equal(embedded(f"{path}#most"), pixels().max(axis=(1, 2)))
    assert found(f"{path}#mean").fingerprint != found(f"{path}#most").fingerprint


def test_the_only_output_may_be_named_and_is_the_same_backbone(write: Write) -> None:
    path = write(POOL)
    assert found(f"{path}#y").fingerprint == found(path).fingerprint


def test_a_folder_takes_the_name_of_an_output_too(write: Write) -> None:
    path = write(TWO, outputs=OUTPUTS)
    path.rename(path.with_name("model.onnx"))
    np.testing.assert_allclose(embedded(f"{path.parent}#mean"), MEANS, rtol=1e-5)


CAST = [
    node("Cast", "x", "f", to=TensorProto.FLOAT),
    node("ReduceMean", "f", "y", axes=[2, 3], keepdims=0),
]


def test_uint8_inputs_get_the_pixels_as_they_are(write: Write) -> None:
    path = write(CAST, kind=TensorProto.UINT8)
    np.testing.assert_allclose(embedded(path), MEANS, rtol=1e-5)


def test_uint8_inputs_beside_a_normalisation_are_refused(write: Write) -> None:
    path = write(CAST, kind=TensorProto.UINT8, do_rescale=True)
    with pytest.raises(DataError, match="set do_rescale and do_normalize to false"):
        found(path).load(CPU)


def test_float16_in_and_out(write: Write) -> None:
    half = TensorProto.FLOAT16
    path = write([*POOL], kind=half, kind_out=half, do_rescale=True)
    values = embedded(path)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, MEANS / 255, rtol=1e-2)


def test_whole_numbers_are_no_embedding(write: Write) -> None:
    nodes = [node("ArgMax", "x", "m", axis=1, keepdims=0), node("Flatten", "m", "y")]
    with pytest.raises(DataError, match="expected floats"):
        found(write(nodes, kind_out=TensorProto.INT64)).load(CPU)


def test_a_batch_that_mixes_its_images_is_run_one_at_a_time(write: Write) -> None:
    nodes = [
        node("ReduceMean", "x", "all", axes=[0], keepdims=1),
        node("Add", "x all", "sum"),
        node("ReduceMean", "sum", "y", axes=[2, 3], keepdims=0),
    ]
    path = write(nodes)
    np.testing.assert_allclose(embedded(path), 2 * MEANS, rtol=1e-5)
    fixed = write(nodes, [4, *NCHW[1:]])
    with pytest.raises(DataError, match="depend on the image alone"):
        found(fixed).load(CPU)


def test_a_batch_that_may_not_be_larger_than_one_is_run_one_at_a_time(write: Write) -> None:
    nodes = [node("Reshape", "x shape", "r"), node("ReduceMean", "r", "y", axes=[2], keepdims=0)]
    path = write(nodes, weights={"shape": np.array([1, 3, SIDE * SIDE])})
    np.testing.assert_allclose(embedded(path), MEANS, rtol=1e-5)


def test_other_numbers_for_the_same_image_are_refused(write: Write) -> None:
    nodes = [
        node("RandomUniformLike", "x", "noise", high=200.0),
        node("Add", "x noise", "sum"),
        node("ReduceMax", "sum", "y", axes=[2, 3], keepdims=0),
    ]
    with pytest.raises(DataError, match="in evaluation mode"):
        found(write(nodes)).load(CPU)


def test_an_error_of_the_first_batch_names_the_file(write: Write) -> None:
    nodes = [node("Reshape", "x shape", "y")]
    with pytest.raises(DataError, match=r"runs on images.*m\.onnx.*Reshape") as caught:
        found(write(nodes, weights={"shape": np.array([-1, 7])})).load(CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "an empty file"),
        (b"<!doctype html><html></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"no model", "another kind"),
        (b"\x08\x08", "another kind"),
        (None, "cut short"),
    ],
)
def test_what_is_no_model_is_named_before_any_work(
    write: Write, data: bytes | None, what: str
) -> None:
    path = write(TWO, outputs=OUTPUTS)
    path.write_bytes(path.read_bytes()[:-20] if data is None else data)
    with pytest.raises(DataError, match=rf"expected an ONNX model, got .*m\.onnx.*{what}"):
        found(path)


@pytest.fixture
def external(write: Write) -> Path:
    """A model whose weights are in two files, one of a name of its own."""
    weights = {name: np.full((1, 3, 1, 1), 2, dtype=np.float32) for name in ("a", "b")}
    nodes = [node("Mul", "x a", "t"), node("Mul", "t b", "u")]
    path = write([*nodes, node("ReduceMean", "u", "y", axes=[2, 3], keepdims=0)], weights=weights)
    model = onnx.load(path)
    for tensor, name in zip(model.graph.initializer, ("weights.bin", "more/rest"), strict=True):
        file = path.parent / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(tensor.raw_data)
        onnx.external_data_helper.set_external_data(tensor, name)
        tensor.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", ["weights.bin", "more/rest"])
def test_a_changed_file_of_weights_is_another_backbone(external: Path, name: str) -> None:
    np.testing.assert_allclose(embedded(external), 4 * MEANS, rtol=1e-5)
    before = found(external).fingerprint
    (external.parent / name).write_bytes(np.full(3, 3, dtype=np.float32).tobytes())
    assert found(external).fingerprint != before
    np.testing.assert_allclose(embedded(external), 6 * MEANS, rtol=1e-5)


def test_a_missing_file_of_weights_is_named(external: Path) -> None:
    (external.parent / "weights.bin").unlink()
    with pytest.raises(DataError, match=r"expected the weights 'weights\.bin' beside .*m\.onnx"):
        found(external)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../b"])
def test_weights_outside_the_folder_are_refused(external: Path, location: str) -> None:
    model = onnx.load(external, load_external_data=False)
    model.graph.initializer[0].external_data[0].value = location
    external.write_bytes(model.SerializeToString())
    with pytest.raises(DataError, match="lies elsewhere"):
        found(external)


def test_weights_inside_a_node_count_too(external: Path) -> None:
    model = onnx.load(external, load_external_data=False)
    tensor = model.graph.initializer.pop(0)
    model.graph.node.insert(0, helper.make_node("Constant", [], ["a"], value=tensor))
    external.write_bytes(model.SerializeToString())
    before = found(external).fingerprint
    (external.parent / "weights.bin").write_bytes(b"0" * 12)
    assert found(external).fingerprint != before


def test_files_beside_the_model_do_not_count(write: Write) -> None:
    path = write(POOL)
    before = found(path).fingerprint
    path.with_name("m.onnx.bak").write_bytes(b"old")
    assert found(path).fingerprint == before


def test_a_network_is_tried_with_batches_where_they_agree(write: Write) -> None:
    network = found(write(POOL)).load(CPU)
    assert isinstance(network, OnnxNetwork)
    assert network.batch is None
