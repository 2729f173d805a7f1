"""A real Chromium, people in front of it, and threads that do what workers do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from playwright.sync_api import Browser, Error, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from people.tenants import every_community
from tests.browser.visitor import HEIGHT, PHONE, Visitor
from tests.recipes.conftest import place_base
from training.playground.engine import engine
from training.runs import supervisor
from wordhearth.browsing import ARGUMENTS, find_chromium

# A busy machine is slow, not wrong; the usual five seconds are soon over where three tests share two processors.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """The site. pytest-django serves static files only where their app goes by Django's own name; ours has another."""
    server = LiveServer("localhost", start=False)
    server.thread.static_handler = StaticFilesHandler
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A running browser. Without one the tests are skipped, but where CI is set they fail."""
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which makes Django fear for its connections.
        environment.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        except Error as error:
            stop = pytest.fail if os.environ.get("CI", "").lower() in {"1", "true"} else pytest.skip
            stop(f"No Chromium starts here (WORDHEARTH_CHROMIUM may name one): {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Callable[..., Visitor]]:
    """visit("ben", width=360) sits a person down at a browser of their own; what goes wrong in it fails the test."""
    visitors: list[Visitor] = []

    def sit_down(name: str, *, width: int = PHONE, scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": HEIGHT}, java_script_enabled=scripts, accept_downloads=True
        )
        visitors.append(Visitor(context.new_page(), live_server.url, width, name, scripts))
        return visitors[-1]

    yield sit_down
    for visitor in visitors:
        visitor.page.context.close()
    assert [(visitor.name, fault) for visitor in visitors for fault in visitor.faults()] == []


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Future[Any]]]:
    """worker(job, ...) does a job in a thread of its own, in place of a Celery worker."""

    def work(job: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            with every_community():
                return job(*args, **kwargs)
        finally:
            connections.close_all()

    # The processes of the recipes share a small machine with a browser.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with ThreadPoolExecutor() as pool:
        yield lambda job, *args, **kwargs: pool.submit(work, job, *args, **kwargs)
        # A run that a failed test left going is stopped, as when a worker goes down.
        supervisor.worker_is_leaving.set()
    supervisor.worker_is_leaving.clear()
    engine.stop()


@pytest.fixture
def base_model(settings: Any) -> Path:
    """The tiny model as the default base model."""
    return place_base(Path(settings.MODELS_DIR))
