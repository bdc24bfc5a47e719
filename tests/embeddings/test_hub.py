"""Backbones by their hub name: downloaded once from a hub that runs here, then from the cache."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fairage.embeddings.backbones.registry import find_backbone
from fairage.exceptions import DataError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "somebody/tiny-resnet"
FIND = (
    "from fairage.embeddings.backbones.registry import find_backbone\n"
    f"found = find_backbone({NAME!r})\n"
    "print(found.kind, found.fingerprint)"
)


class Hub(ThreadingHTTPServer):
    """A hub with one model, beside whose files lies one that nobody needs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.files["pytorch_model.bin"] = b"a pickle"
        self.downloaded: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.rpartition("/")[2]
        if self.path.startswith(f"/api/models/{NAME}/tree/"):
            files = self.server.files.items()
            tree = [
                {"type": "file", "path": path, "size": len(data), "oid": "0" * 40}
                for path, data in files
            ]
            body = json.dumps(tree).encode()
        elif self.path.startswith(f"/api/models/{NAME}"):
            siblings = [{"rfilename": name} for name in self.server.files]
            body = json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode()
        elif self.path.startswith(f"/{NAME}/resolve/") and name in self.server.files:
            body = self.server.files[name]
            if with_body:
                self.server.downloaded.append(name)
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{len(body)}-{name}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(resnet: Path) -> Iterator[Hub]:
    with Hub(resnet) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def found_from(address: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", **more}
    return subprocess.run(
        [sys.executable, "-c", FIND], capture_output=True, text=True, check=False, env=variables
    )


def test_a_hub_name_is_downloaded_once_and_then_found_offline(
    hub: Hub, resnet: Path, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{hub.server_port}"
    first = found_from(address, tmp_path)
    assert first.returncode == 0, first.stderr
    kind, fingerprint = first.stdout.split()
    assert (kind, fingerprint) == ("transformers", find_backbone(str(resnet)).fingerprint)
    wanted = ["config.json", "model.safetensors", "preprocessor_config.json"]
    assert sorted(hub.downloaded) == wanted, "and no pickle"
    again = found_from(address, tmp_path)
    offline = found_from("http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1")
    assert again.stdout == offline.stdout == first.stdout, offline.stderr
    assert sorted(hub.downloaded) == wanted


def test_a_name_that_the_hub_does_not_have_is_an_error(hub: Hub, tmp_path: Path) -> None:
    del hub.files["config.json"]
    done = found_from(f"http://127.0.0.1:{hub.server_port}/other", tmp_path)
    assert (
        "DataError: expected a model 'somebody/tiny-resnet' on the Hugging Face hub" in done.stderr
    )


def test_a_hub_name_offline_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="go online once"):
        find_backbone("somebody/no-such-model")
