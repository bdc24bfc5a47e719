"""Bundles on the hub: pushed whole or not at all, fetched as they were pushed, or refused."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from huggingface_hub import ModelCard, constants
from tests.hub_server import READER, WRITER, Hub, Repo, running_hub
from tests.prediction.graph_bundles import write_graph_bundle

from fairage._bundle_files import read_bundle_config, write_bundle_config
from fairage._files import sealed
from fairage.auditing import audit
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.prediction import hub as hub_module
from fairage.prediction import load
from fairage.prediction.graph import FORMAT
from fairage.prediction.hub import fetch, push

# huggingface_hub uploads in a way that its HTTP client has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

NAME = "hub:me/ages"
REPO = "me/ages"
CLOSED = "http://127.0.0.1:9"
SIDE = 4


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, and a user who may write; nothing waits between two tries."""
    with running_hub() as hub:
        use(hub.address, monkeypatch)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield hub


def use(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


def write_bundle(folder: Path, scale: float = 0.1, **more: object) -> Path:
    """A graph whose age is the scaled sum of the pixels, with all that a bundle may have."""
    folder.mkdir()
    write_graph(folder / "model.onnx", scale)
    settings = {"height": SIDE, "width": SIDE, "resize": None, "resample": "bilinear"}
    views = {"photograph": "aligned", "crop": "whole"}
    about = {"name": "face", **views, "preprocessing": settings}
    (folder / "export.json").write_text(json.dumps({"format": FORMAT, "inputs": [about]}))
    (folder / "intervals.bin").write_bytes(b"\0" * 8)
    (folder / "backbone").mkdir()
    (folder / "backbone" / "config.json").write_text("{}")
    (folder / "README.md").write_text("# A card")
    training = {"description": "Sums.", "scores": {"mae": 4.25, "average_bias": None}}
    write_bundle_config({"target": "real", "training": training, **more}, folder)
    return folder


def write_graph(path: Path, scale: float) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["face"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["floats", "axes"], ["embedding"], keepdims=0),
            helper.make_node("ReduceMean", ["embedding", "last"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "scale"], ["age"]),
            helper.make_node("Mul", ["mean", "zero"], ["none"]),
            helper.make_node("Add", ["none", "one"], ["spread"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("face", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [
            helper.make_tensor_value_info("age", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("spread", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3]),
        ],
        [
            numpy_helper.from_array(np.array([1, 2]), "axes"),
            numpy_helper.from_array(np.array([1]), "last"),
            numpy_helper.from_array(np.float32(scale), "scale"),
            numpy_helper.from_array(np.float32(0), "zero"),
            numpy_helper.from_array(np.float32(1), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pixels() -> list[np.ndarray]:
    return [np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)]


def test_what_is_pushed_is_fetched_elsewhere(hub: Hub, bundle: Path) -> None:
    address = push(bundle, NAME, message="First")
    (commit,) = set(hub.repos[REPO].commits) & set(address.split("/"))
    folder = fetch(NAME)
    assert folder.name == commit == fetch(f"{NAME}@{commit}").name
    sent, got = contents(bundle), contents(folder)
    assert hub.messages == ["First"]
    assert {**sent, "config.json": b"", "README.md": b""} == {
        **got,
        "config.json": b"",
        "README.md": b"",
    }
    about, own = read_bundle_config(folder), read_bundle_config(bundle)
    for changed in ("hash", "files"):
        del about[changed], own[changed]
    assert about == own


def test_a_model_from_the_hub_gives_the_same_ages(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    model = load(NAME)
    assert model.target == "real"
    np.testing.assert_array_equal(
        model.network.estimate(pixels())[0], load(bundle).network.estimate(pixels())[0]
    )


def test_a_model_pushes_its_bundle(hub: Hub, bundle: Path) -> None:
    load(bundle).push(NAME, private=True)
    assert hub.repos[REPO].private
    assert "model.onnx" in contents(fetch(NAME))


def test_the_card_on_the_hub_has_metadata_that_the_hub_understands(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    (files,) = [files for files in hub.repos[REPO].commits.values() if "README.md" in files]
    card = ModelCard(files["README.md"].decode())
    assert card.data.library_name == "fairage"
    assert [result.metric_value for result in card.data.eval_results] == [4.25]
    assert 'fairage.load("hub:me/ages")' in card.content


def test_audits_give_the_card_results_by_group(hub: Hub, bundle: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, 200)
    own = {"gender": rng.choice(["f", "m"], 200)}
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        estimates = ages + rng.normal(0, 3, 200)
        result = replace(audit(ages, estimates, own), name=name)
        result.save(tmp_path / name / "audit.json")
    push(bundle, NAME, audits=[tmp_path / "here", tmp_path / "there" / "audit.json"])
    (files,) = [files for files in hub.repos[REPO].commits.values() if "README.md" in files]
    card = ModelCard(files["README.md"].decode())
    assert {each.dataset_name for each in card.data.eval_results} == {"here", "there"}
    assert "MAE where gender is f, years" in {each.metric_name for each in card.data.eval_results}
    assert "## Results by group: there" in card.content
    assert read_bundle_config(fetch(NAME))["audits"][0]["faces"] == "here"


def test_an_audit_of_two_models_is_refused(hub: Hub, bundle: Path, tmp_path: Path) -> None:
    ages = np.arange(20.0, 60.0)
    frame = pl.DataFrame({"age": ages, "a": ages + 1, "b": ages})
    audit(frame, age="age", prediction=["a", "b"]).save(tmp_path / "audit.json")
    with pytest.raises(ConfigError, match="one of 2 models"):
        push(bundle, NAME, audits=[tmp_path])
    with pytest.raises(DataError, match="give the folder that it wrote"):
        push(bundle, NAME, audits=[bundle])
    assert REPO not in hub.repos


def test_an_export_is_pushed_without_its_script(hub: Hub, tmp_path: Path) -> None:
    model = load(write_graph_bundle(tmp_path / "red"))
    model.export(tmp_path / "exported")
    with pytest.warns(UserWarning, match=r"not pushed.*run\.py"):
        push(tmp_path / "exported", NAME)
    assert (tmp_path / "exported" / "run.py").is_file()
    (files,) = [files for files in hub.repos[REPO].commits.values() if "README.md" in files]
    assert "model.onnx" in files
    assert not [name for name in files if name.endswith(".py")]
    red = [np.full((1, 16, 16, 3), 100, dtype=np.uint8)]
    np.testing.assert_allclose(load(NAME).network.estimate(red)[0], model.network.estimate(red)[0])


def test_no_path_of_this_machine_is_published(hub: Hub, tmp_path: Path) -> None:
    names = ["/home/me/net.onnx#pooled", "./models/vit", "facebook/dinov2-small"]
    folder = write_bundle(tmp_path / "own", backbones=[{"name": name} for name in names])
    push(folder, NAME)
    published = [each["name"] for each in read_bundle_config(fetch(NAME))["backbones"]]
    assert published == ["net.onnx#pooled", "vit", "facebook/dinov2-small"]


def test_a_card_that_is_edited_on_the_hub_does_no_harm(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    repo = hub.repos[REPO]
    repo.commit({**repo.commits[repo.refs["main"]], "README.md": b"# Better words"})
    assert fetch(NAME).name == repo.refs["main"]


def test_what_the_bundle_does_not_list_stays_at_home_and_is_named(hub: Hub, bundle: Path) -> None:
    (bundle / "notes.txt").write_text("private")
    (bundle / "photos").mkdir()
    (bundle / "photos" / "me.jpg").write_bytes(b"a face")
    with pytest.warns(UserWarning, match=r"not pushed.*'notes\.txt', 'photos/me\.jpg'"):
        push(bundle, NAME)
    assert not {"notes.txt", "photos/me.jpg"} & set(contents(fetch(NAME)))
    assert not any(b"private" in content for content in hub.large.values())


def test_a_damaged_bundle_is_not_pushed(hub: Hub, bundle: Path) -> None:
    flip_last_byte(bundle / "model.onnx")
    with pytest.raises(DataError, match=r"missing or other \['model\.onnx'\]"):
        push(bundle, NAME)
    assert not hub.log


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_pickle_is_not_pushed_even_if_the_bundle_lists_it(hub: Hub, bundle: Path) -> None:
    (bundle / "pytorch_model.bin").write_bytes(b"a pickle")
    write_bundle_config(read_bundle_config_anyway(bundle), bundle)
    with pytest.raises(DataError, match=r"got \['pytorch_model\.bin'\], leave them out"):
        push(bundle, NAME)
    assert not hub.log


def read_bundle_config_anyway(folder: Path) -> dict[str, object]:
    return dict(json.loads((folder / "config.json").read_text()))


def test_a_pickle_that_is_added_on_the_hub_is_not_downloaded(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    repo = hub.repos[REPO]
    files = repo.commits[repo.refs["main"]]
    repo.commit({**files, "pytorch_model.bin": b"a pickle", "custom.py": b"import os"})
    hub.log.clear()
    assert not {"pytorch_model.bin", "custom.py"} & set(contents(fetch(NAME)))
    asked = [Path(path).name for path in (*hub.of("GET"), *hub.of("HEAD"))]
    assert not {"pytorch_model.bin", "custom.py"} & set(asked)
    assert "model.onnx" in asked


@pytest.mark.parametrize("name", ["model.pkl", "pytorch_model.bin", "custom.py", "../up.sh"])
def test_a_pickle_that_a_bundle_on_the_hub_lists_is_refused(
    hub: Hub, bundle: Path, name: str
) -> None:
    config = read_bundle_config_anyway(bundle)
    config["files"] = {**config["files"], name: "0" * 64}
    del config["hash"]
    evil = json.dumps(sealed(config)).encode()
    hub.repos[REPO] = Repo()
    hub.repos[REPO].commit({**contents(bundle), "config.json": evil, name: b"a pickle"})
    with pytest.raises(DataError, match="expected a bundle's files in 'hub:me/ages'"):
        fetch(NAME)
    assert not [path for path in hub.of("GET") if path.endswith(name)]


def test_a_file_with_another_byte_on_the_hub_is_refused(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    repo = hub.repos[REPO]
    files = repo.commits[repo.refs["main"]]
    repo.commit({**files, "model.onnx": files["model.onnx"][:-1] + b"\0"})
    with pytest.raises(DataError, match=r"got other or missing \['model\.onnx'\]"):
        fetch(NAME)
    with pytest.raises(DataError, match=r"other or missing"):
        load(NAME)


def test_an_upload_that_is_cut_off_publishes_nothing_and_may_be_repeated(
    hub: Hub, bundle: Path
) -> None:
    push(write_bundle(bundle.with_name("earlier"), scale=0.2), NAME)
    before = hub.repos[REPO].refs["main"]
    hub.dropped_puts = 100
    with pytest.raises(DataError, match="run it again: what is there already is not sent again"):
        push(bundle, NAME)
    assert hub.repos[REPO].refs["main"] == before
    assert load(NAME).network.estimate(pixels())[0][0] > 20, "the earlier one is still whole"
    hub.dropped_puts = 0
    hub.log.clear()
    push(bundle, NAME)
    assert len(hub.of("PUT")) == 1, "the file that differs, once"
    assert load(NAME).network.estimate(pixels())[0][0] < 20


def test_a_connection_that_breaks_once_is_made_again(hub: Hub, bundle: Path) -> None:
    hub.dropped_puts = 1
    push(bundle, NAME)
    assert "model.onnx" in contents(fetch(NAME))


def test_pushing_the_same_again_makes_no_commit(hub: Hub, bundle: Path) -> None:
    assert push(bundle, NAME).rpartition("/")[2] == push(bundle, NAME).rpartition("/")[2]
    assert len(hub.messages) == 1


def test_files_of_an_earlier_bundle_go_and_others_stay(hub: Hub, bundle: Path) -> None:
    earlier = write_bundle(bundle.with_name("earlier"))
    (earlier / "model.safetensors").write_bytes(b"a head")
    write_bundle_config(read_bundle_config_anyway(earlier), earlier)
    push(earlier, NAME)
    repo = hub.repos[REPO]
    repo.commit({**repo.commits[repo.refs["main"]], "figure.png": b"mine"})
    push(bundle, NAME)
    files = set(repo.commits[repo.refs["main"]])
    assert files == {*contents(bundle), ".gitattributes", "figure.png"}


def test_a_repository_with_another_model_is_left_alone(hub: Hub, bundle: Path) -> None:
    hub.repos[REPO] = Repo()
    before = hub.repos[REPO].commit({"config.json": b'{"model_type": "resnet"}'})
    with pytest.raises(ConfigError, match=r"got one with another config\.json, give another name"):
        push(bundle, NAME)
    assert hub.repos[REPO].refs["main"] == before


def test_private_is_not_promised_where_the_repository_is_public(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    with pytest.raises(ConfigError, match="expected a private repository 'hub:me/ages', got a pub"):
        push(bundle, NAME, private=True)
    push(bundle, "hub:me/mine", private=True)
    assert hub.repos["me/mine"].private
    assert push(bundle, "hub:me/mine"), "and it stays private"


def test_somebody_who_pushes_meanwhile_is_not_mixed_in(
    hub: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(write_bundle(bundle.with_name("earlier"), scale=0.2), NAME)
    repo = hub.repos[REPO]
    from huggingface_hub import HfApi

    create_commit = HfApi.create_commit

    def late(self: HfApi, *args: object, **options: object) -> object:
        repo.commit({**repo.commits[repo.refs["main"]], "figure.png": b"theirs"})
        return create_commit(self, *args, **options)

    monkeypatch.setattr(HfApi, "create_commit", late)
    with pytest.raises(DataError, match="expected nobody else to change 'hub:me/ages', got 412"):
        push(bundle, NAME)


def test_a_branch_is_pushed_to_and_fetched(hub: Hub, bundle: Path) -> None:
    push(write_bundle(bundle.with_name("earlier"), scale=0.2), NAME)
    repo = hub.repos[REPO]
    repo.refs["trial/1"] = repo.refs["v1"] = repo.refs["main"]
    push(bundle, NAME, revision="trial/1")
    assert len({repo.refs["main"], repo.refs["trial/1"]}) == 2
    on_branch, on_main, tagged = fetch(f"{NAME}@trial/1"), fetch(NAME), fetch(f"{NAME}@v1")
    assert on_main == tagged
    assert contents(on_branch)["model.onnx"] == contents(bundle)["model.onnx"]
    assert contents(on_main)["model.onnx"] != contents(bundle)["model.onnx"]
    with pytest.raises(DataError, match="expected a revision that is there in 'hub:me/ages', got"):
        push(bundle, NAME, revision="trial/2")


@pytest.mark.parametrize(
    "name",
    [
        "hub:ages",
        "hub:",
        "hub:a/b/c",
        "me/ages",
        "hub:me/ages@",
        "hub:me/ages@../x",
        "hub:me/../x",
        "hub:me /ages",
        "hub:me/a--b",
    ],
)
def test_what_is_no_name_is_a_mistake_of_one_line(hub: Hub, bundle: Path, name: str) -> None:
    for use_it in (fetch, lambda name: push(bundle, name)):
        with pytest.raises(ConfigError, match="expected hub:ORG/NAME") as caught:
            use_it(name)
        assert "\n" not in str(caught.value)
    assert not hub.log


def test_a_name_to_push_to_has_no_revision(hub: Hub, bundle: Path) -> None:
    with pytest.raises(ConfigError, match="give the branch as revision"):
        push(bundle, f"{NAME}@v1")


def test_what_is_not_there_is_said(hub: Hub, bundle: Path) -> None:
    with pytest.raises(DataError, match=r"a repository that is there.*'hub:me/none', got"):
        fetch("hub:me/none")
    push(bundle, NAME)
    with pytest.raises(DataError, match="expected a revision that is there in 'hub:me/ages@v9'"):
        fetch(f"{NAME}@v9")
    with pytest.raises(DataError, match=r"expected .*'hub:me/ages@0000"):
        fetch(f"{NAME}@{'0' * 40}")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.json": b'{"model_type": "resnet"}', "model.safetensors": b"0"},
        {"config.json": b"no json"},
    ],
)
def test_a_repository_that_holds_no_bundle_is_told_apart(hub: Hub, files: dict[str, bytes]) -> None:
    hub.repos[REPO] = Repo()
    hub.repos[REPO].commit({".gitattributes": b"", **files})
    with pytest.raises(DataError, match="expected a bundle that fairage pushed in 'hub:me/ages'"):
        fetch(NAME)
    assert not [path for path in hub.of("GET") if path.endswith("safetensors")]


def test_a_private_repository_needs_a_token(
    hub: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bundle, NAME, private=True)
    monkeypatch.setenv("HF_TOKEN", READER)
    assert fetch(NAME)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/token")
    with pytest.raises(DataError, match="log in with a token that may: hf auth login, or set HF_T"):
        fetch(NAME)


def test_a_gated_repository_says_where_to_ask(hub: Hub) -> None:
    hub.repos[REPO] = Repo(gated=True)
    with pytest.raises(DataError, match="expected leave to use 'hub:me/ages', got 403"):
        fetch(NAME)


@pytest.mark.parametrize("token", [READER, "hf_wrong"])
def test_a_token_that_may_not_write_is_refused_before_anything_is_sent(
    hub: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(DataError, match="log in with a token that may") as caught:
        push(bundle, NAME)
    assert "\n" not in str(caught.value)
    assert not hub.repos
    assert not hub.large


def test_without_a_network_the_copy_in_the_cache_is_used_and_named(
    hub: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bundle, NAME)
    online = fetch(NAME)
    use(CLOSED, monkeypatch)
    with pytest.warns(UserWarning, match=f"did not answer.*in the cache, of commit {online.name}"):
        assert fetch(NAME) == online
    assert fetch(f"{NAME}@{online.name}") == online, "a commit is the same everywhere"
    with pytest.raises(DataError, match="'hub:me/other' on the hub or whole in its cache"):
        fetch("hub:me/other")
    with pytest.raises(DataError, match="an answer of the hub for 'hub:me/ages', got none"):
        push(bundle, NAME)


def test_a_hub_that_is_down_leaves_the_cache(hub: Hub, bundle: Path) -> None:
    push(bundle, NAME)
    online = fetch(NAME)
    hub.status = 503
    with pytest.warns(UserWarning, match="did not answer.*503"):
        assert fetch(NAME) == online


def test_half_a_copy_in_the_cache_is_not_used(
    hub: Hub, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(bundle, NAME)
    (fetch(NAME) / "intervals.bin").unlink()
    use(CLOSED, monkeypatch)
    with pytest.raises(DataError, match="whole"):
        fetch(NAME)


def test_without_the_package_the_error_says_what_to_install(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for use_it in (fetch, lambda name: push(bundle, name)):
        with pytest.raises(MissingDependencyError, match="run: pip install huggingface-hub, or"):
            use_it(NAME)


def fairage(*arguments: object, address: str, home: Path) -> subprocess.CompletedProcess[str]:
    variables = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(
        [sys.executable, "-m", "fairage", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **variables, "HF_TOKEN": WRITER},
    )


def test_the_command_pushes_and_prints_where(hub: Hub, bundle: Path, tmp_path: Path) -> None:
    (bundle / "notes.txt").write_text("mine")
    done = fairage("push", bundle, NAME, "--json", address=hub.address, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    commit = hub.repos[REPO].refs["main"]
    assert json.loads(done.stdout) == {"url": f"{hub.address}/{REPO}/commit/{commit}", "name": NAME}
    assert "not pushed, as they are no part of a published bundle: ['notes.txt']" in done.stderr


def test_fetching_needs_no_torch(hub: Hub, bundle: Path, tmp_path: Path) -> None:
    push(bundle, NAME)
    code = (
        "import sys\nfrom importlib.util import module_from_spec, spec_from_file_location as find\n"
        "sys.modules['torch'] = sys.modules['transformers'] = None\n"
        f"spec = find('hub', {hub_module.__file__!r})\nmodule = module_from_spec(spec)\n"
        f"spec.loader.exec_module(module)\nprint(module.fetch({NAME!r}).name)"
    )
    variables = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **variables, "HF_HUB_DISABLE_XET": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hub.repos[REPO].refs["main"]
