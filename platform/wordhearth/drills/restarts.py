"""`script/drill restarts`: every process of `manage.py up` is killed once, and then the whole group is stopped.

The site runs on data of its own in a temporary folder, with a PostgreSQL and a Valkey of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from rich.table import Table

from wordhearth.measuring import answers, free_port, seconds_until

# As `manage.py up` names them.
NAMES = ("web", "worker", "beat", "training", "playground")
# Of this installation, and none of the drill's business.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "DJANGO_ALLOWED_HOSTS", "DJANGO_SECRET_KEY", "WORDHEARTH_HTTPS"}
START_SECONDS, BACK_SECONDS, STOP_SECONDS = 180.0, 60.0, 120.0


def run() -> dict[str, Any]:
    """Start the site, kill each process, stop the group; seconds, exit code and what was left behind."""
    with tempfile.TemporaryDirectory(prefix="wordhearth-drill-") as folder:
        site = Site(Path(folder).resolve())
        try:
            started = seconds_until(lambda: site.is_whole() or site.has_ended(), within=START_SECONDS)
            if started is None or site.has_ended():
                return judged({"children": {}, "site_output": site.said()[-2000:]})
            children = {name: kill(site, name) for name in NAMES}
            return judged({"seconds_to_start": round(started, 1), "children": children, **stop(site)})
        finally:
            site.clean_up()


class Site:
    """`manage.py up` on a free port, with everything it makes in a folder of its own."""

    def __init__(self, var: Path) -> None:
        self.var, self.log = var, var / "up.log"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/about/"
        env = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "up", "--port", str(port)],
                env={**env, "WORDHEARTH_VAR": str(var)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """What the group has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def pid(self, name: str) -> int | None:
        """The process that now has the name in the group, if it lives."""
        started = re.findall(rf"^{name} *\| started \(process (\d+)\)", self.said(), re.MULTILINE)
        return int(started[-1]) if started and is_alive(int(started[-1])) else None

    def answers(self) -> bool:
        """Whether a page that needs the database is answered."""
        return answers(self.address)

    def is_whole(self) -> bool:
        """Whether every process is there and the site answers."""
        return all(self.pid(name) for name in NAMES) and self.answers()

    def has_ended(self) -> bool:
        """Whether the group itself is over."""
        return self.process.poll() is not None

    def leftovers(self) -> list[psutil.Process]:
        """Living processes that belong to the folder: by their environment, arguments or working directory."""
        return [process for process in psutil.process_iter() if belongs_to(process, self.var)]

    def clean_up(self) -> None:
        """Leave nothing, whatever went wrong before."""
        for process in self.leftovers():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def belongs_to(process: psutil.Process, var: Path) -> bool:
    """Whether a process works for the installation in `var`; servers blank their environment, so all is asked."""
    here = str(var)
    for ask in (lambda: process.environ().get("WORDHEARTH_VAR", ""), lambda: " ".join(process.cmdline()), process.cwd):
        with contextlib.suppress(psutil.Error, OSError):
            if here in ask() and is_alive(process.pid):
                return True
    return False


def kill(site: Site, name: str) -> dict[str, Any]:
    """Kill one process; seconds until there is a new one, and until the site answers if it is the web server."""
    old = site.pid(name)
    if old is None:
        return {"killed": None, "seconds_to_process": None}
    os.kill(old, signal.SIGKILL)
    facts: dict[str, Any] = {"killed": old, "seconds_to_process": None}
    began = time.monotonic()
    if seconds_until(lambda: site.pid(name) not in {None, old}, within=BACK_SECONDS) is not None:
        facts["seconds_to_process"] = round(time.monotonic() - began, 2)
    if name == "web":
        back = seconds_until(site.answers, within=BACK_SECONDS)
        facts["seconds_to_answer"] = None if back is None else round(time.monotonic() - began, 2)
    return facts


def stop(site: Site) -> dict[str, Any]:
    """Tell the group to end, as `kill` or systemd does; what it took and what is left."""
    site.process.send_signal(signal.SIGTERM)
    seconds = seconds_until(site.has_ended, within=STOP_SECONDS)
    return {
        "seconds_to_stop": None if seconds is None else round(seconds, 2),
        "exit_code": site.process.returncode,
        "left_behind": sorted(f"{process.name()} ({process.pid})" for process in site.leftovers()),
    }


def judged(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with `clean_exit`, and with a sentence in `failures` for everything that did not come back."""
    failures = [
        f"{name} did not come back within {BACK_SECONDS:.0f} s."
        for name, child in facts["children"].items()
        if child["seconds_to_process"] is None or child.get("seconds_to_answer", 0.0) is None
    ]
    if not facts["children"]:
        failures.append(f"The site did not start:\n{facts['site_output']}")
    elif facts["exit_code"] != 0:
        failures.append(f"The group ended with {facts['exit_code']} when it was told to stop.")
    if facts.get("left_behind"):
        failures.append(f"Left behind: {', '.join(facts['left_behind'])}.")
    clean = facts.get("exit_code") == 0 and not facts.get("left_behind")
    return {**facts, "clean_exit": clean, "failures": failures}


def table(facts: dict[str, Any]) -> Table:
    """The same for people."""

    def seconds(value: float | None) -> str:
        return "never" if value is None else f"{value:.1f}"

    shown = Table(title="Each process killed, then the group stopped", title_justify="left")
    shown.add_column("what")
    shown.add_column("seconds until a new process", justify="right")
    shown.add_column("seconds until it answers", justify="right")
    for name, child in facts["children"].items():
        answered = seconds(child["seconds_to_answer"]) if "seconds_to_answer" in child else ""
        shown.add_row(name, seconds(child["seconds_to_process"]), answered)
    shown.add_section()
    shown.add_row("SIGTERM until all ended", seconds(facts.get("seconds_to_stop")), "")
    shown.add_row("exit code", str(facts.get("exit_code")), "")
    shown.add_row("left behind", ", ".join(facts.get("left_behind", [])) or "nothing", "")
    return shown
