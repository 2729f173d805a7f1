"""The first process of a checkout starts a server, and the last one to leave stops it."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from tests.guards.tree import ROOT
from wordhearth.embedded import sharing
from wordhearth.embedded.errors import EmbeddedServiceError

# A process that uses a pretended server until its input ends; what happens to the server is written to a file.
USER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from wordhearth.embedded.sharing import join

class Written:
    name = "pretended"
    def start(self):
        self.write("start")
        return "url"
    def stop(self):
        self.write("stop")
    def write(self, word):
        with open(sys.argv[3], "a") as file:
            file.write(word + "\\n")

print(join(Written(), run_folder=Path(sys.argv[2])), flush=True)
sys.stdin.read()
"""


class Pretended:
    """A server that only counts."""

    name = "pretended"

    def __init__(self):
        self.started = self.stopped = 0

    def start(self):
        self.started += 1
        return "url"

    def stop(self):
        self.stopped += 1


@pytest.fixture
def leave(monkeypatch):
    """join() registers here instead of at exit; calling it is leaving."""
    registered = []
    monkeypatch.setattr(sharing.atexit, "register", lambda function, *given: registered.append((function, given)))

    def all_of_them():
        for function, given in registered:
            function(*given)

    return all_of_them


@pytest.fixture
def neighbour():
    """Another living process."""
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


def register(folder, *users):
    (folder / "pretended.users").write_text(json.dumps(users))


def registered(folder):
    return [pid for pid, _ in json.loads((folder / "pretended.users").read_text())]


def user(process):
    return process.pid, psutil.Process(process.pid).create_time()


def test_joining_starts_the_server_and_signs_on(tmp_path, leave):
    server = Pretended()
    assert sharing.join(server, run_folder=tmp_path) == "url"
    assert (server.started, server.stopped) == (1, 0)
    assert registered(tmp_path) == [os.getpid()]


def test_the_last_one_stops_the_server(tmp_path, leave):
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    leave()
    assert server.stopped == 1
    assert registered(tmp_path) == []


def test_it_goes_on_while_somebody_else_uses_it(tmp_path, leave, neighbour):
    register(tmp_path, user(neighbour))
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    leave()
    assert server.stopped == 0
    assert registered(tmp_path) == [neighbour.pid]


def test_whoever_was_killed_is_forgotten(tmp_path, leave, neighbour):
    register(tmp_path, user(neighbour))
    neighbour.kill()  # not waited for: a zombie is gone too
    while psutil.Process(neighbour.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    leave()
    assert server.stopped == 1


def test_a_new_process_with_the_old_number_is_somebody_else(tmp_path, leave, neighbour):
    pid, started = user(neighbour)
    register(tmp_path, (pid, started - 60))
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    leave()
    assert server.stopped == 1


def test_joining_twice_counts_once(tmp_path, leave):
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    sharing.join(server, run_folder=tmp_path)
    assert registered(tmp_path) == [os.getpid()]


def test_a_forked_child_does_not_sign_its_parent_off(tmp_path, leave, monkeypatch):
    server = Pretended()
    sharing.join(server, run_folder=tmp_path)
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    leave()
    assert server.stopped == 0
    assert registered(tmp_path) == [parent]


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": 1}', '[["x", "y"]]'])
def test_a_broken_register_keeps_nobody_out(tmp_path, leave, content):
    (tmp_path / "pretended.users").write_text(content)
    sharing.join(Pretended(), run_folder=tmp_path)
    assert registered(tmp_path) == [os.getpid()]


def test_leaving_after_the_folder_was_removed_is_quiet(tmp_path, leave):
    server = Pretended()
    (tmp_path / "run").mkdir()
    sharing.join(server, run_folder=tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    (tmp_path / "run").rmdir()
    leave()
    assert server.stopped == 0


def test_a_lock_that_cannot_be_opened_says_whose_folder_it_is(tmp_path, leave):
    (tmp_path / "pretended.lock").mkdir()
    with pytest.raises(EmbeddedServiceError, match="belongs to another user"):
        sharing.join(Pretended(), run_folder=tmp_path)


def test_real_processes_share_and_the_last_stops_it(tmp_path):
    written = tmp_path / "written"
    command = [sys.executable, "-c", USER, str(ROOT / "platform"), str(tmp_path), str(written)]
    users = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.stdout.readline() for process in users] == ["url\n"] * 3

    users[0].communicate()
    users[1].kill()
    users[1].communicate()
    assert written.read_text().split() == ["start"] * 3

    users[2].communicate()
    assert written.read_text().split() == ["start"] * 3 + ["stop"]
