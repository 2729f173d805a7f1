"""A group of processes lives and ends together, and what dies is started again."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from tests.guards.tree import ROOT
from wordhearth import supervision
from wordhearth.supervision import Group

# Runs a group in a process of its own, as `manage.py up` does, because a group takes over the signals.
RUNNER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from wordhearth import supervision
supervision.GRACE_SECONDS = float(sys.argv[2])
sys.exit(supervision.Group(json.loads(sys.argv[3])).run())
"""
WAITS = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
DEAF = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{WAITS}"
# Starts a process that would outlive it.
PARENT = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {DEAF!r}])\n{WAITS}"


class Running:
    """A group in a process of its own, and what it has said so far."""

    def __init__(self, grace=20.0, **programs):
        children = {name: [sys.executable, "-c", program] for name, program in programs.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(ROOT / "platform"), str(grace), json.dumps(children)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = []

    def until(self, pattern, times=1):
        """Read until a line with the pattern was said that often; returns the last match."""
        found = [match for line in self.lines if (match := re.search(pattern, line))]
        while len(found) < times:
            line = self.process.stdout.readline()
            assert line, f"it ended without saying {pattern!r}: {self.lines}"
            self.lines.append(line.rstrip("\n"))
            if match := re.search(pattern, line):
                found.append(match)
        return found[-1]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.lines += rest.splitlines()
        return self.process.returncode


def ended(process, seconds=5):
    """Whether the process is gone, or only waits for somebody to take note of its end."""
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def start():
    """start(name=program, ...) runs a group; whatever is left of it is killed afterwards."""
    running = []

    def make(**given):
        running.append(Running(**given))
        return running[-1]

    yield make
    for group in running:
        left = psutil.Process(group.process.pid).children(recursive=True) if group.process.poll() is None else []
        for process in [*left, group.process]:
            process.kill()
        group.process.wait()
        group.process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_all_and_the_group_returns_zero(start, number):
    group = start(web=WAITS, worker=WAITS)
    group.until("ready", times=2)
    children = psutil.Process(group.process.pid).children()

    assert len(children) == 2
    assert group.end(number) == 0
    assert not any(child.is_running() for child in children)


def test_every_line_carries_the_name_of_its_process(start):
    group = start(web="print('hello from web')\nprint('and more')\n" + WAITS, playground=WAITS)
    group.until("and more")
    group.until("playground .*ready")
    group.end()

    assert all(re.match(r"(web       |playground) \| ", line) for line in group.lines)
    assert "web        | hello from web" in group.lines
    assert "playground | ready" in group.lines


def test_letters_that_are_no_utf8_do_not_end_the_copying(start):
    group = start(web="import sys\nsys.stdout.buffer.write(b'a\\xffb\\n')\n" + WAITS)
    group.until("ready")
    group.end()
    assert "web | a�b" in group.lines


def test_a_child_that_was_killed_is_started_again_and_the_others_stay(start):
    group = start(web=WAITS, worker=WAITS)
    group.until("ready", times=2)
    web = int(group.until(r"web .*started \(process (\d+)\)")[1])
    worker = int(group.until(r"worker .*started \(process (\d+)\)")[1])

    os.kill(web, signal.SIGKILL)
    again = int(group.until(r"web .*started \(process (\d+)\)", times=2)[1])

    assert again != web
    assert psutil.pid_exists(worker)
    assert any("web    | ended with code -9; starting again in 2 s" in line for line in group.lines)
    assert group.end() == 0


def test_what_a_killed_child_had_started_is_killed_before_the_next_begins(start):
    group = start(web=PARENT)
    group.until("ready", times=2)
    web = int(group.until(r"started \(process (\d+)\)")[1])
    (orphan,) = psutil.Process(web).children()

    os.kill(web, signal.SIGKILL)
    group.until(r"started \(process (\d+)\)", times=2)

    assert ended(orphan)


def test_a_stubborn_child_is_killed_and_the_group_returns_one(start):
    group = start(grace=0.5, web=WAITS, worker=DEAF)
    group.until("ready", times=2)
    children = psutil.Process(group.process.pid).children()

    assert group.end() == 1
    assert "worker | did not end in time and was killed" in group.lines
    assert not any("web" in line and "killed" in line for line in group.lines)
    assert not any(child.is_running() for child in children)


def test_a_stubborn_child_takes_what_it_started_with_it(start):
    group = start(grace=0.5, web=PARENT + "\n" + DEAF)
    group.until("ready", times=2)
    family = psutil.Process(group.process.pid).children(recursive=True)

    group.end()

    assert len(family) == 2
    assert all(ended(member) for member in family)


@pytest.fixture
def fast(monkeypatch):
    """A clock that runs forty times as fast, and the signals as they were."""
    began = time.monotonic()
    monkeypatch.setattr(supervision.time, "monotonic", lambda: began + (REAL() - began) * 40)
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


REAL = time.monotonic


class Said(io.StringIO):
    """Keeps what the group says, and stops the group when it has said a thing often enough."""

    def __init__(self, pattern, times):
        super().__init__()
        self.pattern, self.times, self.group = pattern, times, None

    def found(self):
        return re.findall(self.pattern, self.getvalue())

    def flush(self):
        if len(self.found()) >= self.times:
            self.group.stop()


def run(program, said):
    """Run one child in this thread until enough was said."""
    said.group = Group({"web": [sys.executable, "-S", "-c", program]}, output=said)
    assert said.group.run() == 0
    return [int(seconds) for seconds in said.found()]


def test_the_pause_doubles_while_a_child_keeps_dying(fast, monkeypatch):
    monkeypatch.setattr(supervision, "STEADY_SECONDS", 10_000)
    said = Said(r"ended with code 3; starting again in (\d+) s", times=6)
    assert run("raise SystemExit(3)", said) == [2, 4, 8, 16, 30, 30]


def test_a_child_that_ran_steadily_starts_again_without_a_long_pause(fast, monkeypatch):
    monkeypatch.setattr(supervision, "STEADY_SECONDS", 4)
    said = Said(r"ended with code 0; starting again in (\d+) s", times=2)
    assert run("import time; time.sleep(0.4)", said) == [1, 1]


def test_a_program_that_is_not_there_does_not_leave_the_others_running(start):
    marker = "pass\nimport time; time.sleep(60)"
    code = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(ROOT / "platform")!r})
        from wordhearth.supervision import Group
        Group({{"web": [sys.executable, "-c", {marker!r}], "worker": ["/nowhere/program"]}}).run()
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40, check=False)

    assert done.returncode != 0
    assert "/nowhere/program" in done.stderr
    (web,) = re.findall(r"web .*started \(process (\d+)\)", done.stdout)
    assert not psutil.pid_exists(int(web))
