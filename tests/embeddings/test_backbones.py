"""Backbones of every kind give the embeddings that their own library gives."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    FlavaConfig,
    FlavaModel,
    ViTConfig,
    ViTMAEConfig,
    ViTMAEModel,
    ViTModel,
)

from fairage._files import file_hash
from fairage.embeddings.backbones.registry import find_backbone
from fairage.embeddings.backbones.transformers import PooledModel, TorchNetwork, check_alone
from fairage.embeddings.embed_options import BackboneSpec
from fairage.embeddings.runtime import Runtime, has_compiler
from fairage.exceptions import ConfigError, DataError

CPU = Runtime("cpu", "fp32", batch_size=4, images=4)


def pixels(n: int = 4, side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def normalised(batch: np.ndarray) -> torch.Tensor:
    return torch.from_numpy((batch / 255 - 0.5) / 0.25).permute(0, 3, 1, 2).float().contiguous()


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_folder_gives_what_transformers_gives(resnet: Path) -> None:
    found = find_backbone(str(resnet)).load(CPU)(pixels())
    with torch.no_grad():
        model = AutoModel.from_pretrained(resnet).eval()
        wanted = model(normalised(pixels())).pooler_output.flatten(1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_an_onnx_folder_and_its_file_give_what_onnxruntime_gives(onnx_folder: Path) -> None:
    session = onnxruntime.InferenceSession(str(onnx_folder / "model.onnx"))
    wanted = session.run(None, {"pixels": normalised(pixels()).numpy()})[0].reshape(4, 5)
    folder, file = find_backbone(str(onnx_folder)), find_backbone(str(onnx_folder / "model.onnx"))
    np.testing.assert_allclose(folder.load(CPU)(pixels()), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(file.load(CPU)(pixels()), wanted, rtol=1e-4, atol=1e-5)
    assert folder.fingerprint == file.fingerprint


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("images", [4, 10**12])
def test_fast_ways_agree_with_the_plain_one(
    resnet: Path, precision: str, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    backbone = find_backbone(str(resnet))
    plain = backbone.load(CPU)(pixels())
    fast = backbone.load(Runtime("cpu", precision, 4, images))(pixels())
    assert fast.dtype == np.float32
    assert cosine(fast, plain).min() > 0.999


@pytest.mark.slow
def test_compiled_network_agrees_and_has_its_batch_norm_folded(resnet: Path) -> None:
    backbone = find_backbone(str(resnet))
    plain = backbone.load(CPU)(pixels())
    network = backbone.load(Runtime("cpu", "fp32", 4, 10**12))
    assert cosine(network(pixels()), plain).min() > 0.999
    with torch.profiler.profile() as profile:
        network(pixels())
    names = {event.key for event in profile.key_averages()}
    assert not any("batch_norm" in name for name in names)
    if has_compiler("cpu") and torch.backends.mkldnn.is_available():
        assert any("_convolution_pointwise" in name for name in names), "weights are not frozen"


def test_a_compiler_that_fails_is_passed_over(
    resnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> object:
        def run(_: object) -> object:
            raise RuntimeError("no compiler")

        return run

    monkeypatch.setattr(torch, "compile", failing)
    backbone = find_backbone(str(resnet))
    fast = backbone.load(Runtime("cpu", "fp32", 4, 10**12))(pixels())
    np.testing.assert_array_equal(fast, backbone.load(CPU)(pixels()))


def test_the_place_in_a_batch_does_not_matter(resnet: Path, onnx_folder: Path) -> None:
    for folder in (resnet, onnx_folder):
        network = find_backbone(str(folder)).load(CPU)
        np.testing.assert_array_equal(network(pixels())[::-1], network(pixels()[::-1].copy()))


def test_fingerprint_follows_weights_not_names(resnet: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in resnet.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert find_backbone(str(copy)).fingerprint == find_backbone(str(resnet)).fingerprint
    weights = load_file(copy / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, copy / "model.safetensors", {"format": "pt"})
    assert find_backbone(str(copy)).fingerprint != find_backbone(str(resnet)).fingerprint


def vit(folder: Path, *, pooler: bool) -> Path:
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
    )
    ViTModel(config, add_pooling_layer=pooler).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"size": 32, "do_normalize": False})
    )
    return folder


def test_a_pooler_without_weights_is_not_used(tmp_path: Path) -> None:
    folder = vit(tmp_path / "bare", pooler=False)
    found = find_backbone(str(folder)).load(CPU)(pixels())
    batch = torch.from_numpy(pixels()).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        model = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
        wanted = model(batch).last_hidden_state[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


def test_a_trained_pooler_is_used(tmp_path: Path) -> None:
    folder = vit(tmp_path / "pooled", pooler=True)
    found = find_backbone(str(folder)).load(CPU)(pixels())
    batch = torch.from_numpy(pixels()).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        wanted = ViTModel.from_pretrained(folder).eval()(batch).pooler_output
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)


class Outputs:
    pooler_output = None

    def __init__(self, hidden: torch.Tensor) -> None:
        self.last_hidden_state = hidden


class Plain(torch.nn.Module):
    def forward(self, pixel_values: torch.Tensor) -> Outputs:
        return Outputs(pixel_values)


class WithClassToken(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.cls_token = torch.nn.Parameter(torch.zeros(1))


def test_outputs_without_a_pooler_are_pooled_by_their_shape() -> None:
    places, tokens = torch.rand(2, 3, 4, 4), torch.rand(2, 5, 3)
    torch.testing.assert_close(PooledModel(Plain())(places), places.mean((2, 3)))
    torch.testing.assert_close(PooledModel(Plain())(tokens), tokens.mean(1))
    torch.testing.assert_close(PooledModel(WithClassToken())(tokens), tokens[:, 0])


def test_missing_weights_are_refused(resnet: Path, tmp_path: Path) -> None:
    for path in resnet.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match="weights missing"):
        find_backbone(str(tmp_path)).load(CPU)


def test_broken_weights_are_named(resnet: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(resnet, tmp_path / "broken")
    whole = (folder / "model.safetensors").read_bytes()
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n"
    for broken in (pointer, whole[: len(whole) // 2], b"<!DOCTYPE html><html>", b"", b"\xff" * 99):
        (folder / "model.safetensors").write_bytes(broken)
        with pytest.raises(DataError, match=r"expected whole weights in .*broken"):
            find_backbone(str(folder)).load(CPU)


@pytest.mark.parametrize(
    "changes",
    [
        *({"hidden_sizes": value} for value in ("x", 5, [], ["a", "b"], [8, -16], [8, 10**30])),
        *({"embedding_size": value} for value in ("8", 1e300, 10**400, None)),
        *({"model_type": value} for value in (5, "nope", {})),
        *({"id2label": 5}, {"num_labels": "x"}, {"quantization_config": 5}, {"layer_type": "x"}),
        *("[]", "3", "null", "{", "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "", "\udcff"),
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_configuration_of_the_wrong_kind_is_named(
    changes: dict[str, object] | str, resnet: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(resnet, tmp_path / "odd")
    text = changes
    if not isinstance(changes, str):
        text = json.dumps(json.loads((folder / "config.json").read_text()) | changes)
    (folder / "config.json").write_bytes(str(text).encode(errors="surrogateescape"))
    with pytest.raises(DataError, match="odd") as error:
        find_backbone(str(folder)).load(CPU)
    assert "\n" not in str(error.value)


def test_outputs_have_names_whatever_the_file_says(resnet: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(resnet, tmp_path / "tuples")
    config = json.loads((folder / "config.json").read_text()) | {"return_dict": False}
    (folder / "config.json").write_text(json.dumps(config))
    network, expected = (find_backbone(str(each)).load(CPU) for each in (folder, resnet))
    assert np.array_equal(network(pixels()), expected(pixels()))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"size": 32, "rescale_factor": 1' + "0" * 400 + "}"]
)
def test_a_processor_of_the_wrong_kind_is_named(text: str, resnet: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(resnet, tmp_path / "odd")
    (folder / "preprocessor_config.json").write_text(text)
    with pytest.raises(DataError, match=r"preprocessor_config\.json"):
        find_backbone(str(folder))


@pytest.mark.parametrize("change", [{"depths": [1, 10**9]}, {"num_hidden_layers": 10**9}])
def test_a_config_of_a_billion_layers_is_refused_at_once(
    change: dict, resnet: Path, tmp_path: Path
) -> None:
    for path in resnet.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(DataError, match=next(iter(change))):
        find_backbone(str(tmp_path)).load(CPU)


def test_an_empty_folder_a_bad_onnx_and_a_bad_name_are_named(
    tmp_path: Path, onnx_folder: Path
) -> None:
    with pytest.raises(DataError, match=r"expected config\.json and model\.safetensors"):
        find_backbone(str(tmp_path))
    (tmp_path / "model.onnx").write_bytes(b"no model")
    processor = (onnx_folder / "preprocessor_config.json").read_text()
    (tmp_path / "preprocessor_config.json").write_text(processor)
    with pytest.raises(DataError, match="expected an ONNX model"):
        find_backbone(str(tmp_path)).load(CPU)
    for name in ("./missing", "/no/such/folder", "resnet", "a/b/c", "missing/model.onnx"):
        with pytest.raises(ConfigError, match="expected a backbone"):
            find_backbone(name)


def test_onnx_of_another_size_is_refused(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes((onnx_folder / "model.onnx").read_bytes())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 64}))
    with pytest.raises(DataError, match="correct its size"):
        find_backbone(str(tmp_path)).load(CPU)


def test_network_keeps_no_gradients(resnet: Path) -> None:
    network = find_backbone(str(resnet)).load(CPU)
    assert isinstance(network, TorchNetwork)
    assert not any(p.requires_grad for p in network.module.parameters())


@pytest.mark.parametrize(
    ("text", "name", "view"),
    [
        ("embedded", "embedded", "whole"),
        ("a/b@crop:0.7", "a/b", "crop:0.7"),
        ("./at@home/model", "./at@home/model", "whole"),
    ],
)
def test_backbone_texts(text: str, name: str, view: str) -> None:
    assert BackboneSpec.parse(text) == BackboneSpec(name, view)


def test_backbone_texts_with_an_unknown_view_or_no_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected a view"):
        BackboneSpec.parse("a/b@middle")
    with pytest.raises(ConfigError, match="name"):
        BackboneSpec.parse("@whole")


@pytest.fixture
def masking(tmp_path: Path) -> Path:
    sizes = {"image_size": 32, "patch_size": 4, "intermediate_size": 32, "hidden_size": 16}
    decoder = {"decoder_hidden_size": 16, "decoder_intermediate_size": 16}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": 0.5}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTMAEModel(ViTMAEConfig(**sizes, **decoder, **layers)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 32}))
    return tmp_path


def test_a_model_that_masks_at_random_sees_the_whole_image_each_time(masking: Path) -> None:
    config = json.loads((masking / "config.json").read_text())
    assert config["mask_ratio"] == 0.75, "as it is published"
    backbone = find_backbone(str(masking))
    first, second = backbone.load(CPU)(pixels()), backbone.load(CPU)(pixels())
    np.testing.assert_array_equal(first, second)
    model = AutoModel.from_pretrained(masking, mask_ratio=0.0).eval()
    batch = backbone.preprocessing.normalised(torch.from_numpy(pixels()))
    with torch.no_grad():
        wanted = model(pixel_values=batch).last_hidden_state[:, 0]
    np.testing.assert_allclose(first, wanted, rtol=1e-3, atol=1e-4)


class NeighbourMixing(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pixel_values: torch.Tensor) -> Outputs:
        return Outputs(pixel_values + pixel_values.roll(1, 0))


class Changing(NeighbourMixing):
    sign = 1

    def forward(self, pixel_values: torch.Tensor) -> Outputs:
        self.sign = -self.sign
        return Outputs(self.sign * pixel_values)


class WantsWords(NeighbourMixing):
    def forward(self, pixel_values: torch.Tensor, input_ids: None = None) -> Outputs:
        raise ValueError("You must specify input_ids\nor something else")


@pytest.mark.parametrize("model", [NeighbourMixing(), Changing()])
def test_a_model_that_gives_one_picture_two_embeddings_is_refused(model: torch.nn.Module) -> None:
    with pytest.raises(DataError, match=f"whatever stands beside it, got {type(model).__name__}"):
        check_alone(PooledModel(model), 8, 8)


def test_a_model_that_wants_words_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match=r"got WantsWords \(You must specify input_ids\), choose"):
        check_alone(PooledModel(WantsWords()), 8, 8)


def test_the_images_part_of_a_model_of_images_and_words_is_taken(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    small |= {"intermediate_size": 16}
    config = FlavaConfig(
        image_config=small | {"image_size": 32},
        text_config=small,
        multimodal_config=small,
        image_codebook_config={"hidden_size": 4, "num_groups": 1},
    )
    model = FlavaModel(config).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 32, "crop_size": 32}))
    backbone = find_backbone(str(tmp_path))
    batch = backbone.preprocessing.normalised(torch.from_numpy(pixels()))
    with torch.no_grad():
        wanted = model.image_model(pixel_values=batch).pooler_output
    np.testing.assert_allclose(backbone.load(CPU)(pixels()), wanted, rtol=1e-3, atol=1e-4)


def test_embeddings_of_masked_images_are_not_found_again(masking: Path) -> None:
    plain = file_hash([masking / "config.json", masking / "model.safetensors"])
    assert find_backbone(str(masking)).fingerprint != plain
