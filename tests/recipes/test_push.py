"""A packed adapter is pushed with the hub's own client; the hub is a small server that takes notes."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest

from training.recipes.push import CannotPush, push


class Hub(BaseHTTPRequestHandler):
    """Says of every file that it is small, and remembers what was committed."""

    asked: list = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.path, self.headers.get("Authorization"), body))
        site = f"http://localhost:{self.server.server_port}/community/adapter"
        if self.headers.get("Authorization") != "Bearer good":
            return self._say(401, {"error": "Who are you?"})
        if self.path == "/api/repos/create":
            return self._say(200, {"url": site})
        if "/preupload/" in self.path:
            files = [{**row, "uploadMode": "regular", "shouldIgnore": False} for row in json.loads(body)["files"]]
            return self._say(200, {"files": files})
        return self._say(200, {"success": True, "commitOid": "c" * 40, "commitUrl": f"{site}/commit/{'c' * 40}"})

    def do_GET(self):
        if self.headers.get("Authorization") != "Bearer good":
            return self._say(401, {"error": "Who are you?"})
        return self._say(200, {"sha": "a" * 40, "id": "community/adapter", "siblings": []})

    def _say(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(Hub, "asked", [])
    server = ThreadingHTTPServer(("localhost", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


@pytest.fixture
def packed(tmp_path):
    (tmp_path / "PROVENANCE.json").write_text(json.dumps({"adapter_sha256": "ab" * 32, "form": "adapter"}))
    (tmp_path / "adapter_config.json").write_text("{}")
    return tmp_path


def test_a_folder_is_one_commit_in_a_private_repository(hub, packed):
    said = push(packed, "community/adapter", token="good", endpoint=hub)
    assert said.endswith("/community/adapter/commit/" + "c" * 40)
    made = json.loads(Hub.asked[0][2])
    assert (Hub.asked[0][0], made["name"], made["organization"]) == ("/api/repos/create", "adapter", "community")
    assert made.get("private") is True or made.get("visibility") == "private"
    path, token, body = Hub.asked[-1]
    assert (path, token) == ("/api/models/community/adapter/commit/main", "Bearer good")
    lines = [json.loads(line) for line in body.splitlines()]
    assert lines[0]["value"]["summary"] == "Adapter abababababab as adapter"
    sent = {row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in lines if row["key"] == "file"}
    assert sent == {path.name: path.read_bytes() for path in packed.iterdir()}


def test_without_token_provenance_or_leave_of_the_hub_nothing_is_sent(hub, packed):
    with pytest.raises(CannotPush, match="no token"):
        push(packed, "community/adapter", token="", endpoint=hub)
    with pytest.raises(CannotPush, match="did not take it"):
        push(packed, "no name at all", token="good", endpoint=hub)
    assert Hub.asked == []
    with pytest.raises(CannotPush, match="did not take it"):
        push(packed, "community/adapter", token="bad", endpoint=hub)
    assert [path for path, *_ in Hub.asked] == ["/api/repos/create"]
    with pytest.raises(CannotPush, match="did not take it"):
        push(packed, "community/adapter", token="good", endpoint="http://localhost:9")
    (packed / "PROVENANCE.json").unlink()
    with pytest.raises(CannotPush, match=r"PROVENANCE\.json"):
        push(packed, "community/adapter", token="good", endpoint=hub)
