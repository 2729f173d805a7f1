"""`script/bench pages`: what a speaker's first visit weighs, as a real browser loads it.

A new browser with an empty cache signs in and opens the page to translate on. Counted are the bytes of the bodies
that the server sends (gzip), also to the service worker, which puts aside what the phone needs offline.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, sync_playwright
from rich.table import Table

from annotation.projects.models import Project
from wordhearth.browsing import launch
from wordhearth.demo import community as stage
from wordhearth.measuring import answers, free_port, seconds_until

LOG_LINE = "%(U)s %({content-length}o)s %({content-type}o)s"
KINDS = {"javascript": "js", "svg+xml": "svg"}
BUDGET = {"total_gzip_bytes": 60_000, "js_gzip_bytes": 15_000, "css_gzip_bytes": 10_000}


def run() -> dict[str, Any]:
    """Serve the demo community, visit it as a speaker, and add up what came over the wire."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps an event loop in this thread
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            return _measure(browser)
        finally:
            browser.close()


def _measure(browser: Browser) -> dict[str, Any]:
    project, password = _demo_project()
    address = f"127.0.0.1:{free_port()}"
    paths = os.pathsep.join([str(settings.BASE_DIR / "platform"), str(settings.BASE_DIR)])
    with NamedTemporaryFile(suffix=".log") as log:
        site = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "wordhearth.wsgi:application", "--bind", address),
                *("--threads", "4", "--log-level", "warning"),
                *("--access-logfile", log.name, "--access-logformat", LOG_LINE),
            ],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
        )
        try:
            if seconds_until(lambda: answers(f"http://{address}/about/"), within=60) is None:
                raise RuntimeError("The site did not start.")
            # Our own question is logged a moment after its answer; it is no part of the visit.
            seconds_until(lambda: _sent(Path(log.name)), within=10)
            before = len(_sent(Path(log.name)))
            _visit(browser, f"http://{address}", project, password)
            return _facts(_sent(Path(log.name))[before:])
        finally:
            site.terminate()
            site.wait(timeout=30)


def _demo_project() -> tuple[Project, str]:
    """The demo's project, made without training when the demo has not run."""
    password = stage.demo_password()
    cast = stage.make_accounts(password)
    community = stage.make_community(cast)
    stage.make_policy(community, cast)
    stage.import_corpus(community, cast)
    return stage.make_project(community, cast), password


def _visit(browser: Browser, base: str, project: Project, password: str) -> None:
    """Sign in and open a task with an empty cache, and wait until it has put aside what it needs offline."""
    page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
    page.goto(f"{base}/accounts/login/", wait_until="networkidle")
    page.fill("[name=login]", stage.SPEAKERS[0])
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("networkidle")
    page.goto(f"{base}/c/{stage.SLUG}/speak/work/{project.pk}/", wait_until="networkidle")
    if page.locator("textarea").count() == 0:
        raise RuntimeError("The page to translate on did not come up.")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.wait_for_load_state("networkidle")


def _sent(log: Path) -> list[dict[str, Any]]:
    """What the server has sent so far: path, kind, bytes of the body."""
    rows = []
    for line in log.read_text(encoding="utf-8").splitlines():
        path, size, kind = line.split(" ", 2)
        short = kind.split(";")[0].rsplit("/", 1)[-1]
        rows.append({"path": path, "kind": KINDS.get(short, short), "bytes": int(size) if size.isdigit() else 0})
    return rows


def _facts(requests: list[dict[str, Any]]) -> dict[str, Any]:
    def weight(*kinds: str) -> int:
        return sum(row["bytes"] for row in requests if not kinds or row["kind"] in kinds)

    return {
        "total_gzip_bytes": weight(),
        "js_gzip_bytes": weight("js"),
        "css_gzip_bytes": weight("css"),
        "budget": BUDGET,
        "requests": requests,
    }


def table(facts: dict[str, Any]) -> Table:
    """The same for people."""
    shown = Table(title="A speaker's first visit: sign in, then translate", title_justify="left")
    shown.add_column("what")
    shown.add_column("bytes over the wire", justify="right")
    shown.add_column("budget", justify="right")
    for row in facts["requests"]:
        shown.add_row(row["path"], f"{row['bytes']:,}", "")
    shown.add_section()
    for name, budget in BUDGET.items():
        shown.add_row(name, f"{facts[name]:,}", f"{budget:,}")
    return shown
