"""A pytest plugin (`-p tests.embedded_services`): PostgreSQL, Valkey and catalogues, before Django reads its settings.

pytest-django imports the settings before any conftest.py, so a fixture would come too late.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

from wordhearth import embedded  # noqa: E402
from wordhearth.catalogues import compile_catalogues  # noqa: E402

compile_catalogues()
getattr(embedded, "provide", lambda: None)()
