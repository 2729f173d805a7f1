"""A speaker's first visit is light, as `script/bench pages` counts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from tests.migrated import a_copy

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_first_visit_stays_within_its_budget(django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock(), a_copy("weighed") as address:
        done = subprocess.run(
            [sys.executable, "manage.py", "bench", "pages", "--json"],
            env={**os.environ, "DATABASE_URL": address},
            cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
    facts = json.loads(done.stdout.splitlines()[-1])

    sent = {row["path"]: row["bytes"] for row in facts["requests"]}
    assert any(path.startswith("/c/demo-otomi/speak/work/") and size for path, size in sent.items())
    assert facts["budget"] == {"total_gzip_bytes": 60_000, "js_gzip_bytes": 15_000, "css_gzip_bytes": 10_000}
    for name, most in facts["budget"].items():
        assert 0 < facts[name] <= most, name
