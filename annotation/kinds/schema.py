"""Label sets that a project defines: names, words for people, and colours by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.kinds.contract import UnusableSettings

MOST_LABELS = 50


def check_labels(given: Any, setting: str = "labels") -> list[dict[str, str]]:
    """[{"name", "words"}] from a list of names, or of such objects. Raises UnusableSettings."""
    if not isinstance(given, list) or not given:
        raise UnusableSettings(f"{setting} needs at least one label.")
    if len(given) > MOST_LABELS:
        raise UnusableSettings(f"{setting} may name {MOST_LABELS} labels at most.")
    labels = [_label(entry, setting) for entry in given]
    names = [label["name"] for label in labels]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UnusableSettings(f"{setting} names {repeated} twice.")
    return labels


def _label(entry: Any, setting: str) -> dict[str, str]:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping) or not set(entry) <= {"name", "words"}:
        raise UnusableSettings(f"{setting} is a list of names, each with words that explain it if you like.")
    name, words = entry.get("name"), entry.get("words", "")
    if not (isinstance(name, str) and isinstance(words, str)) or not name.strip():
        raise UnusableSettings(f"Every one of the {setting} needs a name.")
    if len(name) > 40 or len(words) > 200:
        raise UnusableSettings(f"The label {name[:40]} is too long: 40 characters for its name, 200 for its words.")
    return {"name": name.strip(), "words": words.strip()}


def names_of(settings: Mapping[str, Any], setting: str = "labels") -> list[str]:
    """The labels' names."""
    return [label["name"] for label in settings.get(setting, [])]
