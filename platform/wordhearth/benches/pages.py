"""`script/bench pages`: what a speaker's first visit weighs, as a real browser loads it.

A new browser with an empty cache signs in and opens the page to translate on. Counted are the bytes of the bodies
as they come over the wire (gzip), which Chromium reports for each request.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from playwright.sync_api import Page, sync_playwright
from rich.table import Table

from annotation.projects.models import Project
from wordhearth.browsing import ARGUMENTS, find_chromium
from wordhearth.demo import community as stage
from wordhearth.measuring import answers, free_port, seconds_until

BUDGET = {"total_gzip_bytes": 60_000, "js_gzip_bytes": 15_000, "css_gzip_bytes": 10_000}


def run() -> dict[str, Any]:
    """Serve the demo community, visit it as a speaker, and add up what came over the wire."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright keeps an event loop in this thread
    project, password = _demo_project()
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "wordhearth.wsgi:application", "--bind", address, "--threads", "4"]
    paths = os.pathsep.join([str(settings.BASE_DIR / "platform"), str(settings.BASE_DIR)])
    site = subprocess.Popen(
        [*command, "--log-level", "warning"], env={**os.environ, "PYTHONPATH": paths}, stdin=subprocess.DEVNULL
    )
    try:
        if seconds_until(lambda: answers(f"http://{address}/about/"), within=60) is None:
            raise RuntimeError("The site did not start.")
        return _measure(f"http://{address}", project, password)
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


def _measure(base: str, project: Project, password: str) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        try:
            page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
            requests = _count(page)
            page.goto(f"{base}/accounts/login/", wait_until="networkidle")
            page.fill("[name=login]", stage.SPEAKERS[0])
            page.fill("[name=password]", password)
            page.press("[name=password]", "Enter")
            page.wait_for_load_state("networkidle")
            page.goto(f"{base}/c/{stage.SLUG}/speak/work/{project.pk}/", wait_until="networkidle")
            if page.locator("textarea").count() == 0:
                raise RuntimeError("The page to translate on did not come up.")
            return _facts(list(requests.values()))
        finally:
            browser.close()


def _count(page: Page) -> dict[str, dict[str, Any]]:
    """Requests by id, filled while the page loads: path, kind, gzipped bytes of the body."""
    requests: dict[str, dict[str, Any]] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def answered(event: dict[str, Any]) -> None:
        response = event["response"]
        if response["url"].startswith("http"):
            requests[event["requestId"]] = {
                "path": urlsplit(response["url"]).path,
                "kind": Path(urlsplit(response["url"]).path).suffix.lstrip(".") or "html",
                "bytes": 0,
                "head": response.get("encodedDataLength", 0),
            }

    def finished(event: dict[str, Any]) -> None:
        if (known := requests.get(event["requestId"])) is not None:
            # The first number is what the head took; the last one is head and body together.
            known["bytes"] = max(0, int(event["encodedDataLength"]) - int(known.pop("head", 0)))

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", finished)
    return requests


def _facts(requests: list[dict[str, Any]]) -> dict[str, Any]:
    def weight(*kinds: str) -> int:
        return sum(row["bytes"] for row in requests if not kinds or row["kind"] in kinds)

    for row in requests:
        row.pop("head", None)
    return {
        "total_gzip_bytes": weight(),
        "js_gzip_bytes": weight("js", "mjs"),
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
