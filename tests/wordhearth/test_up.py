"""`manage.py up` says what is in the way, and starts the right processes."""

import errno
import socket

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from wordhearth.management.commands import up
from wordhearth.management.commands.up import commands


@pytest.fixture
def no_group(monkeypatch):
    """Nothing is migrated or started; returns what would have been."""
    started = []

    class Group:
        def __init__(self, children, **given):
            started.append(children)

        def run(self):
            return 0

    monkeypatch.setattr(up, "Group", Group)
    monkeypatch.setattr(up, "call_command", lambda *names, **options: None)
    return started


@pytest.fixture
def taken():
    """A port on which somebody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_taken_port_is_said_before_anything_starts(no_group, taken):
    for command in ("up", "demo"):
        with pytest.raises(CommandError, match=rf"Port {taken} is taken\. .* --port {taken + 1}"):
            call_command(command, port=taken)
    assert no_group == []


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("port", [-1, 0, 65_536, 10**9])
def test_a_port_that_does_not_exist_is_said(no_group, command, port):
    with pytest.raises(CommandError, match=f"There is no port {port}: choose one from 1024 to 65535"):
        call_command(command, port=port)
    assert no_group == []


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_that_is_the_administrators_is_not_called_taken(no_group, monkeypatch, command):
    class Guarded(socket.socket):
        def bind(self, address):
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "socket", Guarded)
    with pytest.raises(CommandError, match=r"Port 80 is not for you to open\. Choose another: --port 8000"):
        call_command(command, port=80)
    assert no_group == []


def test_an_address_that_is_not_this_machines_is_refused(no_group):
    with pytest.raises(CommandError, match=r"This machine has no address 203\.0\.113\.7 to listen on"):
        call_command("up", bind="203.0.113.7", port=8000)


def test_a_free_port_starts_the_group_and_tells_the_address(no_group, taken, capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]

    with pytest.raises(SystemExit) as ended:
        call_command("up", port=free)

    assert ended.value.code == 0
    assert f"http://127.0.0.1:{free}" in capsys.readouterr().out
    assert len(no_group) == 1


def test_there_are_five_processes():
    group = commands(bind="127.0.0.1", port=8000, threads=8, no_training=False)
    assert list(group) == ["web", "worker", "beat", "training", "playground"]


def test_without_training_there_are_three():
    group = commands(bind="127.0.0.1", port=8000, threads=8, no_training=True)
    assert list(group) == ["web", "worker", "beat"]


@pytest.mark.parametrize(("bind", "address"), [("0.0.0.0", "0.0.0.0:81"), ("::1", "[::1]:81")])  # noqa: S104
def test_web_listens_where_it_was_told(bind, address):
    web = commands(bind=bind, port=81, threads=3, no_training=True)["web"]
    assert web[web.index("--bind") + 1] == address
    assert web[web.index("--threads") + 1] == "3"


def test_each_worker_takes_one_queue_of_its_own():
    group = commands(bind="127.0.0.1", port=8000, threads=8, no_training=False)
    queues = {name: command[command.index("-Q") + 1] for name, command in group.items() if "-Q" in command}
    assert queues == {"worker": "default", "training": "training", "playground": "playground"}
