"""Exported models: one graph that gives the ages of the bundle, and what stands beside it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import polars as pl
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.prediction.bundle_factory import EVERY_HEAD, random_pictures, save
from tests.prediction.tables_file import read_tables
from tests.tiny_backbones import PROCESSOR, SIDE, onnx_model, resnet
from typer.testing import CliRunner

from fairage._bundle_files import note_files, read_bundle_config
from fairage._random import torch_seed
from fairage.cli.app import app
from fairage.cli.export import _lines
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.models import Calibration
from fairage.prediction import Model, load, torch_export
from fairage.prediction.age_map import AgeMap
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.face_input import distinct_inputs
from fairage.prediction.graph import FORMAT, GraphNetwork
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.torch_network import TorchNetwork

RISING = Calibration((20.0, 45.0, 46.0, 80.0), (18.0, 45.0, 49.0, 75.0))
FILES = {"model.onnx", "export.json", "intervals.bin", "config.json", "README.md", "run.py"}
PLAIN = {"head": "regression", "options": {"hidden": []}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds two backbones: `resnet`, of transformers, and `onnx`."""
    folder = tmp_path_factory.mktemp("backbones")
    for name, make in (("resnet", resnet), ("onnx", onnx_model)):
        (folder / name).mkdir()
        make(folder / name)
    return folder


def calibrated(model: Model) -> Model:
    """The model with intervals, narrow ones for young faces."""
    rng = np.random.default_rng(0)
    predictions = rng.uniform(0, 90, 600)
    ages = np.clip(predictions + rng.normal(0, 2 + predictions / 10), 0, 120)
    intervals = ConformalAges.fit(CalibrationRows(predictions, ages, ages))
    return Model(model.network, model.detector, model.config, intervals, folder=model.folder)


@pytest.fixture(scope="module")
def bundle(home: Path) -> Path:
    """Three backbones, two of them with one view, and every kind of head behind a gate."""
    backbones = [
        (home / "resnet", "whole", True),
        (home / "onnx", "crop:0.7", False),
        (home / "onnx", "whole", True),
    ]
    return save(home / "bundle", backbones, calibration=RISING)


@pytest.fixture(scope="module")
def exported(bundle: Path) -> Path:
    calibrated(load(bundle, device="cpu")).export(bundle.parent / "exported")
    return bundle.parent / "exported"


@pytest.fixture(scope="module")
def about(exported: Path) -> dict[str, Any]:
    return dict(json.loads((exported / "export.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("n", [1, 3, 33])
def test_ages_and_embeddings_are_those_of_torch(bundle: Path, exported: Path, n: int) -> None:
    graph, network = GraphNetwork(exported), TorchNetwork(bundle, device="cpu")
    pixels = [np.stack(random_pictures(n, SIDE, SIDE)), np.stack(random_pictures(n, SIDE, SIDE))]
    pixels[1] = pixels[1][::-1].copy()
    given = [pixels[place] for place in distinct_inputs(network.inputs)[1]]
    ages, spreads = network.estimate(given)
    assert len(ages) == len(spreads) == n
    np.testing.assert_allclose(graph.estimate(pixels), [ages, spreads], atol=1e-3)
    np.testing.assert_allclose(graph.embed(pixels), network.embed(given), atol=1e-4)
    if n > 3:
        assert ages.std() > 0.5, "the ages are not all the same"
        assert spreads.min() > 1, "nor are the spreads those of a model without any"


def test_a_loaded_export_gives_the_ages_and_intervals_of_the_bundle(
    bundle: Path, exported: Path
) -> None:
    pictures = random_pictures(4)
    one, other = calibrated(load(bundle, device="cpu")), load(exported)
    expected, got = (each.predict(pictures, crops=True) for each in (one, other))
    np.testing.assert_allclose(got.ages, expected.ages, atol=1e-3)
    for a, b in zip(got, expected, strict=True):
        assert (a.low, a.high, a.level) == (
            pytest.approx(b.low, abs=0.01),
            pytest.approx(b.high, abs=0.01),
            0.9,
        )


def test_the_graph_itself_gives_the_intervals(bundle: Path, exported: Path) -> None:
    graph = GraphNetwork(exported)
    pixels = [np.stack(random_pictures(20, SIDE, SIDE))] * 2
    age, low, high, spread = graph._run(("age", "low", "high", "spread"), pixels)
    intervals = calibrated(load(bundle, device="cpu")).intervals
    assert intervals is not None
    expected = intervals.interval(age.astype(np.float64), spread.astype(np.float64), level=0.9)
    np.testing.assert_allclose([low, high], expected, atol=1e-4)


def test_backbones_that_see_the_same_share_an_input(about: dict[str, Any]) -> None:
    assert [(each["name"], each["crop"]) for each in about["inputs"]] == [
        ("face0", "whole"),
        ("face1", "crop:0.7"),
    ]


def test_the_folder_holds_all_that_is_needed_and_its_hashes(exported: Path) -> None:
    assert {path.name for path in exported.iterdir()} == FILES | {"calibration.parquet"}
    config = read_bundle_config(exported)
    assert set(config["files"]) == FILES - {"config.json"} | {"calibration.parquet"}
    assert config["target"] == "apparent"


def test_export_json_says_what_the_graph_is(exported: Path, about: dict[str, Any]) -> None:
    digest = hashlib.sha256((exported / "model.onnx").read_bytes()).hexdigest()
    assert about["sha256"] == digest
    assert (about["format"], about["opset"], about["precision"]) == (FORMAT, 18, "fp32")
    assert (about["level"], about["target"]) == (0.9, "apparent")
    assert about["outputs"] == ["age", "low", "high", "spread", "embedding"]
    assert set(about["versions"]) == {"fairage", "torch", "transformers", "onnx", "onnxruntime"}
    assert about["difference"]["largest_years"] < 1e-3
    assert read_tables(exported).level == 0.9


def test_the_graph_is_valid_has_any_batch_and_no_path_of_this_machine(exported: Path) -> None:
    onnx.checker.check_model(str(exported / "model.onnx"), full_check=True)
    model = onnx.load(exported / "model.onnx")
    for each in (*model.graph.input, *model.graph.output):
        assert each.type.tensor_type.shape.dim[0].dim_param, each.name
    data = (exported / "model.onnx").read_bytes()
    assert b"site-packages" not in data
    assert str(exported.parent).encode() not in data


def test_the_outputs_begin_with_those_that_are_promised(exported: Path) -> None:
    names = [each.name for each in onnx.load(exported / "model.onnx").graph.output]
    assert names == ["age", "low", "high", "spread", "embedding", "network_age"]


def test_weights_stand_once_for_mirrored_pictures_too(exported: Path) -> None:
    model = onnx.load(exported / "model.onnx")
    assert sum(list(each.dims) == [8, 3, 7, 7] for each in model.graph.initializer) == 1


def test_the_card_speaks_of_the_graph_and_its_backbones(exported: Path) -> None:
    card = (exported / "README.md").read_text(encoding="utf-8")
    for text in ("A test.", "## The graph", "their licences hold", "Precision: fp32"):
        assert text in card
    assert "inside `model.onnx`" in card
    assert "not in this bundle" not in card


def outside(exported: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Run the script of an export without fairage, and say whether it was imported anyway."""
    code = (
        "import runpy, sys; sys.modules['fairage'] = None; sys.modules['torch'] = None\n"
        f"sys.argv = ['run.py', *{list(names)!r}]\n"
        f"runpy.run_path({str(exported / 'run.py')!r}, run_name='__main__')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=exported.parent,
    )


def written(folder: Path, pictures: list[np.ndarray]) -> list[str]:
    folder.mkdir(exist_ok=True)
    names = [str(folder / f"{number:03d}.png") for number in range(len(pictures))]
    for name, picture in zip(names, pictures, strict=True):
        cv2.imwrite(name, picture[:, :, ::-1])
    return names


def test_the_script_prints_the_ages_without_fairage(exported: Path, tmp_path: Path) -> None:
    whole = random_pictures(3)
    middle = [picture[9:51, 7:42] for picture in whole]
    expected = load(exported).predict(whole, crops=True)
    pairs = zip(written(tmp_path / "a", whole), written(tmp_path / "b", middle), strict=True)
    done = outside(exported, *(name for pair in pairs for name in pair))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for line, estimate in zip(lines, expected, strict=True):
        low = "open" if estimate.low is None else f"{estimate.low:.1f}"
        assert f": {estimate.age:.1f} years, 90% interval {low} to " in line


def test_the_script_says_what_it_takes(exported: Path, tmp_path: Path) -> None:
    done = outside(exported, "--help")
    assert done.returncode == 0
    assert "onnxruntime, numpy and Pillow" in done.stdout
    (name,) = written(tmp_path, random_pictures(1))
    done = outside(exported, name)
    assert done.returncode == 2
    assert "expected 2 pictures a face" in done.stderr
    done = outside(exported, name, str(tmp_path / "none.png"))
    assert "expected a picture, got" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_of_an_export_is_a_copy_with_the_calibration_of_now(
    exported: Path, tmp_path: Path
) -> None:
    plain = load(exported)
    plain.export(tmp_path / "same")
    Model(plain.network, plain.detector, plain.config, folder=plain.folder).export(
        tmp_path / "open"
    )
    for name in ("same", "open"):
        copy = (tmp_path / name / "model.onnx").read_bytes()
        assert copy == (exported / "model.onnx").read_bytes()
    tables = "intervals.bin"
    assert (tmp_path / "same" / tables).read_bytes() == (exported / tables).read_bytes()
    assert read_tables(tmp_path / "open").level is None
    assert {path.name for path in (tmp_path / "open").iterdir()} == FILES
    assert load(tmp_path / "open").predict(random_pictures(1), crops=True)[0].low is None


def test_the_line_of_a_calibration_is_in_the_graph_and_drawn_once(
    exported: Path, tmp_path: Path
) -> None:
    plain = load(exported)
    config = {**plain.config, "age_map": {"offset": 5.0, "slope": 0.5}}
    moved = replace(plain, config=config, age_map=AgeMap(**config["age_map"]))
    moved.export(tmp_path / "moved")
    graph = GraphNetwork(tmp_path / "moved")
    pixels = [np.stack(random_pictures(3, SIDE, SIDE))] * 2
    np.testing.assert_allclose(
        graph._run(("age",), pixels)[0], 5 + graph.estimate(pixels)[0] / 2, rtol=1e-5
    )
    np.testing.assert_array_equal(
        graph.estimate(pixels)[0], GraphNetwork(exported).estimate(pixels)[0]
    )


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A table of 120 faces of two groups."""
    names = written(tmp_path_factory.mktemp("faces"), random_pictures(120, SIDE, SIDE))
    gender = ["female"] * 2 + ["male"] * 4
    return pl.DataFrame({"image": names, "gender": gender * 20, "age": [30.0] * 120})


@pytest.fixture(scope="module")
def int8(exported: Path, faces: pl.DataFrame) -> Path:
    folder = exported.parent / "int8"
    load(exported).export(folder, int8=True, calibration=faces, crops=True)
    return folder


def test_int8_says_what_it_costs_overall_and_by_group(
    exported: Path, int8: Path, faces: pl.DataFrame
) -> None:
    about = json.loads((int8 / "export.json").read_text(encoding="utf-8"))
    cost = about["int8"]
    assert about["precision"] == "int8"
    assert cost["faces_that_set_ranges"] == cost["overall"]["n"] == 60
    assert {name: each["n"] for name, each in cost["groups"]["gender"].items()} == {
        "female": 20,
        "male": 40,
    }
    before, after = (load(folder).predict(faces, crops=True).ages for folder in (exported, int8))
    moved = (after - before)[1::2]
    assert cost["overall"]["mae"] == pytest.approx(np.abs(moved).mean(), abs=1e-4)
    assert cost["overall"]["mean"] == pytest.approx(moved.mean(), abs=1e-4)
    assert 0 < cost["overall"]["mae"] < before.std()
    assert cost["overall"]["least_cosine"] > 0.95
    assert cost["megabytes"]["int8"] < cost["megabytes"]["fp32"]
    assert "int8 moves ages by" in (int8 / "README.md").read_text(encoding="utf-8")


def test_int8_is_in_the_backbones_alone_and_is_not_calibrated(exported: Path, int8: Path) -> None:
    model = onnx.load(int8 / "model.onnx")
    assert {each.domain for each in model.graph.node} <= {"", "ai.onnx"}
    dequantized = {
        each.output[0] for each in model.graph.node if each.op_type == "DequantizeLinear"
    }
    products = [each for each in model.graph.node if each.op_type in ("Conv", "MatMul", "Gemm")]
    for each in products:
        inside = each.name.startswith("backbone")
        assert all((name in dequantized) == inside for name in each.input[:2]), each.name
    assert {each.name.startswith("backbone") for each in products} == {True, False}
    assert read_tables(exported).level == 0.9
    assert read_tables(int8).level is None
    assert load(int8).intervals is None


def test_int8_is_not_done_twice(int8: Path, faces: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="got one that computes in int8 already"):
        load(int8).export(tmp_path / "twice", int8=True, calibration=faces, crops=True)
    assert not (tmp_path / "twice").exists()


def test_int8_takes_a_hundred_faces(exported: Path, faces: pl.DataFrame, tmp_path: Path) -> None:
    model, few = load(exported), faces.head(99)
    with pytest.raises(DataError, match="expected at least 100 faces for int8, got 99 in 99"):
        model.export(tmp_path / "few", int8=True, calibration=few, crops=True)
    with pytest.raises(ConfigError, match="expected faces for int8"):
        model.export(tmp_path / "none", int8=True)
    with pytest.raises(ConfigError, match="expected faces for int8"):
        model.export(tmp_path / "plain", calibration=faces, crops=True)
    assert not list(tmp_path.iterdir())


def half_floats(path: Path) -> None:
    """A file of an older version with half floats, the channels last, and a map in the output."""
    kernel = np.random.default_rng(0).normal(size=(5, 3, 8, 8)).astype(np.float16)
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", ["first", "kernel"], ["y"], strides=[8, 8]),
        ],
        "half",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT16, ["n", 5, 4, 4])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    kernel_opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=kernel_opsets, ir_version=7), path)
    settings = {**PROCESSOR, "do_flip_channel_order": True}
    path.with_name("preprocessor_config.json").write_text(json.dumps(settings))


def test_half_floats_channels_last_tokens_and_bf16(tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    (tmp_path / "half").mkdir()
    half_floats(tmp_path / "half" / "model.onnx")
    config = CLIPVisionConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=SIDE,
        patch_size=16,
    )
    with torch_seed(0, "clip"):
        CLIPVisionModel(config).save_pretrained(tmp_path / "clip")  # its values have our names
    settings = {**PROCESSOR, "image_processor_type": "ViTImageProcessor"}
    (tmp_path / "clip" / "preprocessor_config.json").write_text(json.dumps(settings))
    backbones = [
        (tmp_path / "half", "aligned:1.2", True),
        (tmp_path / "clip", "aligned:1.2", False),
    ]
    save(tmp_path / "bundle", backbones, precision="bf16", **PLAIN)
    about = load(tmp_path / "bundle", device="cpu").export(tmp_path / "out")
    assert about["trained_in"] == ["bf16", "bf16"]
    assert (about["level"], about["opset"]) == (None, 18)
    assert [each["crop"] for each in about["inputs"]] == ["aligned:1.2"]
    network = TorchNetwork(tmp_path / "bundle", device="cpu", precision="fp32")
    pixels = np.stack(random_pictures(5, SIDE, SIDE))
    ages = network.estimate([pixels, pixels])[0]
    np.testing.assert_allclose(
        GraphNetwork(tmp_path / "out").estimate([pixels])[0], ages, atol=0.05
    )
    assert ages.std() > 1


def with_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4


def with_own_operator(model: onnx.ModelProto) -> None:
    model.graph.node[1].op_type, model.graph.node[1].domain = "Gelu", "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_batch, r"take any number of pictures at once, got .*onnx.*, which takes 4"),
        (with_own_operator, r"operators of the ONNX standard alone in .*com\.microsoft\.Gelu"),
    ],
)
def test_files_that_do_not_fit_in_a_graph_are_refused(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], message: str
) -> None:
    path = tmp_path / "onnx" / "model.onnx"
    path.parent.mkdir()
    onnx_model(path.parent)
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    save(tmp_path / "bundle", [(path.parent, "whole", False)], **PLAIN)
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=message):
        load(tmp_path / "bundle", device="cpu").export(tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_backbone_that_is_gone_or_another_is_named(home: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(home / "onnx", moved)
    save(tmp_path / "bundle", [(moved, "whole", False)], **PLAIN)
    model = load(tmp_path / "bundle", device="cpu")
    file = onnx.load(moved / "model.onnx")
    file.producer_name = "another"
    onnx.save(file, moved / "model.onnx")
    with pytest.raises(DataError, match=r"expected the backbone .*moved.*\(its weights differ\)"):
        model.export(tmp_path / "out")
    shutil.rmtree(moved)
    with pytest.raises(ConfigError, match=r"expected the backbone .*moved.*got none"):
        model.export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_torch_cannot_export_is_an_error(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise torch.onnx.OnnxExporterError("no such operator") from ValueError("complex numbers")

    save(tmp_path / "bundle", [(home / "onnx", "whole", False)], **PLAIN)
    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(DataError, match=r"torch can export to ONNX.*\(complex numbers\)"):
        load(tmp_path / "bundle", device="cpu").export(tmp_path / "out")


def test_a_package_that_is_missing_is_named_with_its_extra(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "bundle", [(home / "onnx", "whole", False)], **PLAIN)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingDependencyError, match=r"'onnxscript'.*fairage\[train\]"):
        load(tmp_path / "bundle", device="cpu").export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_graph_with_other_ages_is_not_written(
    exported: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(network: torch_export.TorchNetwork) -> onnx.ModelProto:
        graph = graph_of(network)
        for each in graph.graph.initializer:
            if len(each.dims) == 2 and each.data_type == TensorProto.FLOAT:
                values = numpy_helper.to_array(each)
                each.CopyFrom(numpy_helper.from_array(-values, each.name))
        return graph

    graph_of = torch_export.graph_of
    monkeypatch.setattr(torch_export, "graph_of", another)
    with pytest.raises(DataError, match="expected a graph that gives the ages of the bundle"):
        load(bundle, device="cpu").export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_a_new_folder_or_an_earlier_export_is_written(exported: Path, tmp_path: Path) -> None:
    model = load(exported)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "thesis.txt"):
        with pytest.raises(ConfigError, match=r"expected a (new )?folder, "):
            model.export(folder)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"
    for folder in (exported, exported / "sub", exported.parent):
        with pytest.raises(ConfigError, match="expected a folder beside the bundle"):
            model.export(folder)
    model.export(tmp_path / "again")
    (tmp_path / "again" / "stale.txt").write_text("old")
    model.export(tmp_path / "again")
    assert not (tmp_path / "again" / "stale.txt").exists()


@pytest.mark.parametrize("points", [1, 2, 5])
def test_a_calibration_is_the_same_as_a_sum_of_pieces(points: int) -> None:
    inputs = tuple(np.linspace(15, 70, points))
    calibration = Calibration(inputs, tuple(np.linspace(10, 80, points) ** 1.02))
    ages = torch.linspace(-20, 140, 500)
    torch.testing.assert_close(
        torch_export._corrected(calibration, ages), calibration(ages), rtol=0, atol=1e-4
    )


def test_a_fine_tuned_backbone_in_the_bundle_is_in_the_graph(home: Path, tmp_path: Path) -> None:
    save(tmp_path / "bundle", [(home / "onnx", "whole", False)], **PLAIN, folder="tuned")
    shutil.copytree(home / "onnx", tmp_path / "bundle" / "tuned")
    note_files(tmp_path / "bundle")
    load(tmp_path / "bundle", device="cpu").export(tmp_path / "out")
    shutil.rmtree(tmp_path / "bundle")
    (about,) = read_bundle_config(tmp_path / "out")["backbones"]
    assert (about["fine_tuned"], "folder" in about) == (True, False)
    assert "Fine-tuned: '" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    pixels = [np.stack(random_pictures(2, SIDE, SIDE))]
    assert np.isfinite(GraphNetwork(tmp_path / "out").estimate(pixels)[0]).all()


def test_heads_of_every_kind_are_exported() -> None:
    from fairage.models import HEADS

    assert {str(each["name"]) for each in EVERY_HEAD} | {"experts"} == set(HEADS)


def test_the_command_says_what_it_has_done(exported: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(exported), "--onnx", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "The graph gives the ages of the bundle within" in done.output
    assert f"Wrote {tmp_path / 'out'}" in done.output


def test_the_command_says_what_int8_costs(
    exported: Path, faces: pl.DataFrame, tmp_path: Path
) -> None:
    table, out = str(tmp_path / "faces.csv"), str(tmp_path / "out")
    faces.write_csv(table)
    options = ["--onnx", out, "--int8", "--calibration", table, "--crops"]
    done = CliRunner().invoke(app, ["export", str(exported), *options])
    assert done.exit_code == 0, done.output
    for text in (
        "int8 moves ages by",
        "Cosine of the embeddings",
        "MB",
        "By gender: female ",
        "calibrate it",
    ):
        assert text in done.output
    done = CliRunner().invoke(app, ["export", str(exported), *options, "--json"])
    assert json.loads(done.output)["precision"] == "int8"


def test_a_head_trained_in_bf16_is_said_to_compute_in_fp32() -> None:
    about = {"trained_in": ["bf16", "file"], "level": None}
    (line, _) = _lines(about, Path("out"))
    assert "embeddings in bf16; the graph computes in fp32" in line


def test_exports_are_copied_without_torch_and_onnx(exported: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "from fairage.prediction import load\n"
        f"load({str(exported)!r}).export({str(tmp_path / 'copy')!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy" / "run.py").is_file()


@pytest.mark.real_data
def test_real_backbones_give_the_same_ages_of_real_faces(real_data: Path, tmp_path: Path) -> None:
    from fairage.datasets import prepare_faces
    from fairage.faces_file import read_faces

    backbones = [
        (real_data / "models" / "mobilefacenet", "crop:0.7", True),
        (real_data / "models" / "mobilenet-v1-vggface2", "whole", True),
    ]
    save(tmp_path / "bundle", backbones, **PLAIN)
    model = load(tmp_path / "bundle", device="cpu")
    model.export(tmp_path / "out")
    prepare_faces("appa-real", real_data / "data" / "appa-real", tmp_path / "faces.parquet")
    faces = read_faces(tmp_path / "faces.parquet").frame.head(100)
    ages = model.predict(faces, crops=True).ages
    assert ages.std() > 1
    np.testing.assert_allclose(
        load(tmp_path / "out").predict(faces, crops=True).ages, ages, atol=1e-3
    )
