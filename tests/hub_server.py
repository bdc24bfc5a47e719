"""A hub that runs here: as much of the Hugging Face hub's HTTP interface as bundles need."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

WRITER, READER = "hf_writer", "hf_reader"
LARGE = (".onnx", ".safetensors", ".bin", ".parquet")
Files = dict[str, bytes]


@dataclass
class Repo:
    """Its commits in order; branches and tags by name."""

    private: bool = False
    gated: bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, ref: str = "main") -> str:
        name = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[name] = files
        self.refs[ref] = name
        return name

    def find(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.refs.get(revision)


class Hub(ThreadingHTTPServer):
    """Repositories and large files in memory; what was asked stands in `log`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repos: dict[str, Repo] = {}
        self.large: dict[str, bytes] = {}
        self.log: list[str] = []
        self.messages: list[str] = []
        self.dropped_puts = 0
        """So many uploads are cut off in the middle."""
        self.status = 0
        """Every answer has this status, if it is not 0."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, kind: str) -> list[str]:
        """What was asked with a method."""
        return [line.partition(" ")[2] for line in self.log if line.startswith(f"{kind} ")]

    def handle_error(self, *_: object) -> None:
        """A connection that is cut off is part of the tests."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        self._begin()
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            owner, name, *rest = path.removeprefix("/api/models/").split("/")
            repo = self._readable(f"{owner}/{name}")
            if repo is not None:
                self._about(f"{owner}/{name}", repo, rest)
            return
        owner, name, _, rest_of = path.strip("/").split("/", 3)
        repo = self._readable(f"{owner}/{name}")
        if repo is not None:
            self._file(repo, *_split(repo, rest_of))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._begin()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        if path == "/api/validate-yaml":
            self._send({"errors": [], "warnings": []})
        elif not self._may_write():
            return
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif path == "/verify":
            self._send({}, 200 if json.loads(body)["oid"] in self.server.large else 404)
        else:
            owner, name, action, ref = path.removeprefix("/api/models/").split("/", 3)
            repo = self.server.repos[f"{owner}/{name}"]
            {"preupload": self._preupload, "commit": self._commit}[action](repo, ref, body)

    def do_PUT(self) -> None:
        self._begin()
        length = int(self.headers["Content-Length"])
        if self.server.dropped_puts > 0:
            self.server.dropped_puts -= 1
            self.rfile.read(length // 2)
            self.close_connection = True
            self.connection.close()
            return
        content = self.rfile.read(length)
        name = self.path.rpartition("/")[2]
        right = hashlib.sha256(content).hexdigest() == name
        if right:
            self.server.large[name] = content
        self._send({}, 200 if right else 400)

    def _begin(self) -> None:
        self.server.log.append(f"{self.command} {unquote(urlsplit(self.path).path)}")

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _may_write(self) -> bool:
        if self._token() == WRITER:
            return True
        status = 403 if self._token() == READER else 401
        self._send({"error": "You do not have the rights"}, status)
        return False

    def _readable(self, name: str) -> Repo | None:
        repo = self.server.repos.get(name)
        if repo is None or (repo.private and self._token() not in (WRITER, READER)):
            status = 404 if self._token() else 401
            self._send({"error": "Repository not found"}, status, code="RepoNotFound")
            return None
        if repo.gated:
            self._send({"error": "Access is restricted"}, 403, code="GatedRepo")
            return None
        return repo

    def _about(self, name: str, repo: Repo, rest: list[str]) -> None:
        revision = "/".join(rest[1:]) or "main"
        commit = repo.find(revision)
        if commit is None:
            self._send({"error": "Invalid rev id"}, 404, code="RevisionNotFound")
            return
        files = repo.commits[commit]
        if rest[:1] == ["tree"]:
            self._send([_tree_entry(path, content) for path, content in files.items()])
        else:
            siblings = [{"rfilename": path} for path in files]
            about = {"id": name, "sha": commit, "private": repo.private, "siblings": siblings}
            self._send(about)

    def _file(self, repo: Repo, commit: str, path: str) -> None:
        content = repo.commits[commit].get(path)
        if content is None:
            self._send({}, 404, code="EntryNotFound")
            return
        etag = hashlib.sha256(path.encode() + content).hexdigest()
        self._send_bytes(content, {"ETag": f'"{etag}"', "X-Repo-Commit": commit})

    def _create(self, about: dict[str, Any]) -> None:
        name = f"{about['organization']}/{about['name']}"
        there = name in self.server.repos
        if not there:
            private = about.get("visibility") == "private" or about.get("private") is True
            self.server.repos[name] = Repo(private=private)
            self.server.repos[name].commit({".gitattributes": b""})
        self._send({"url": f"{self.server.address}/{name}"}, 409 if there else 200)

    def _preupload(self, repo: Repo, ref: str, body: bytes) -> None:
        files = repo.commits[repo.refs[ref]]
        about = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if each["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
                "oid": _object_name(each["path"], files.get(each["path"])),
            }
            for each in json.loads(body)["files"]
        ]
        self._send({"files": about})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for each in asked["objects"]:
            upload = {"href": f"{self.server.address}/large/{each['oid']}"}
            verify = {"href": f"{self.server.address}/verify"}
            new = each["oid"] not in self.server.large
            objects.append(
                {**each, **({"actions": {"upload": upload, "verify": verify}} if new else {})}
            )
        self._send({"objects": objects, "transfer": "basic"})

    def _commit(self, repo: Repo, ref: str, body: bytes) -> None:
        files = dict(repo.commits[repo.refs[ref]])
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "header":
                self.server.messages.append(value["summary"])
                if value.get("parentCommit") not in (None, repo.refs[ref]):
                    self._send({"error": "A commit has happened since"}, 412)
                    return
            elif item["key"] == "deletedFile":
                del files[value["path"]]
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            else:
                files[value["path"]] = base64.b64decode(value["content"])
        commit = repo.commit(files, ref)
        (name,) = [name for name, each in self.server.repos.items() if each is repo]
        address = f"{self.server.address}/{name}/commit/{commit}"
        self._send({"success": True, "commitOid": commit, "commitUrl": address})

    def _send(self, content: object, status: int = 200, code: str = "") -> None:
        headers = {"Content-Type": "application/json"}
        self._send_bytes(
            json.dumps(content).encode(), headers | ({"X-Error-Code": code} if code else {}), status
        )

    def _send_bytes(self, content: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(self.server.status or status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _split(repo: Repo, revision_and_path: str) -> tuple[str, str]:
    """Return the commit and the path; a revision may have a slash."""
    for ref in (*repo.commits, *repo.refs):
        if revision_and_path.startswith(f"{ref}/"):
            return str(repo.find(ref)), revision_and_path.removeprefix(f"{ref}/")
    raise KeyError(revision_and_path)


def _tree_entry(path: str, content: bytes) -> dict[str, Any]:
    name = hashlib.sha1(content).hexdigest()
    entry = {"type": "file", "path": path, "size": len(content), "oid": name}
    if path.endswith(LARGE):
        digest = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 100}
    return entry


def _object_name(path: str, content: bytes | None) -> str | None:
    """Return what a client compares with its own file, to send it only where it differs."""
    if content is None:
        return None
    if path.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
