"""What makes the site an app: manifest, service worker, and the pages that need no connection."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from people.models import Person

pytestmark = pytest.mark.django_db


def test_the_manifest_names_icons_that_exist(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    manifest = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192", "512x512"}
    for name in ("favicon.svg", "app-192.png", "app-512.png"):
        assert finders.find(f"icons/{name}")


def test_the_service_worker_keeps_pages_and_files_that_exist(client: Client) -> None:
    answer = client.get("/service-worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    parts = re.findall(r'"([^"]+)"', re.search(r"PARTS = \[(.*)\]", answer.content.decode())[1])  # type: ignore[index]
    assert "/device/" in parts
    assert len(parts) == 5


def test_the_page_of_the_device_names_nobody(client: Client, ben: Person) -> None:
    client.force_login(ben)
    shown = client.get("/device/").content.decode()
    assert ben.name not in shown.replace("number", "")
    assert "outbox-status" not in shown


def test_online_tells_who_is_signed_in_and_is_never_kept(client: Client, ben: Person) -> None:
    assert client.get("/online/").json()["person"] is None
    client.force_login(ben)
    answer = client.get("/online/")
    assert answer.json()["person"] == str(ben.pk)
    assert len(answer.json()["token"]) == 64
    assert "no-store" in answer["Cache-Control"]
