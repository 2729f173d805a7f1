"""Which base models may be brought in: source, revision and licence of each, and the sizes that it has.

No torch here: the site reads the list, too, to say what each would take.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("bases.toml")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
SOURCE = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
REVISION = re.compile(r"[0-9a-f]{40}")


class BadList(ValueError):
    """The list cannot be read, or pins nothing; the message says where."""


def listed(path: Path = LIST) -> dict[str, dict[str, Any]]:
    """The bases that may be brought in, by name. Raises BadList where the list says something impossible."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadList(f"The list {path} cannot be read: {error}.") from error
    for name, about in found.items():
        is_right = (
            isinstance(about, dict)
            and NAME.fullmatch(name)
            and SOURCE.fullmatch(str(about.get("source", "")))
            and ".." not in about["source"]
            and REVISION.fullmatch(str(about.get("revision", "")))
            and str(about.get("licence", "")).strip()
            and isinstance(about.get("config"), dict)
        )
        if not is_right:
            raise BadList(f"{name} in {path.name} needs source, revision (40 hex digits), licence and config.")
    return found
