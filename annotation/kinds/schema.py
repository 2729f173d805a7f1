"""Label sets that a project defines: names, words for people, and colours by number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.kinds.contract import UnusableSettings
from annotation.text.clean import UnusableText, clean_text

MOST_LABELS = 50


def check_labels(given: Any, setting: str = "labels") -> list[dict[str, str]]:
    """[{"name", "words"}] from a list of names, or of such objects. Raises UnusableSettings."""
    if not isinstance(given, list) or not given:
        raise UnusableSettings("%(setting)s needs at least one label.", setting=setting)
    if len(given) > MOST_LABELS:
        raise UnusableSettings("%(setting)s may name %(most)s labels at most.", setting=setting, most=MOST_LABELS)
    labels = [_label(entry, setting) for entry in given]
    names = [label["name"] for label in labels]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UnusableSettings("%(setting)s names %(name)s twice.", setting=setting, name=repeated)
    return labels


def _label(entry: Any, setting: str) -> dict[str, str]:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping) or not set(entry) <= {"name", "words"}:
        raise UnusableSettings(
            "%(setting)s is a list of names, each with words that explain it if you like.", setting=setting
        )
    name, words = entry.get("name"), entry.get("words", "")
    if not (isinstance(name, str) and isinstance(words, str)) or not name.strip():
        raise UnusableSettings("Every one of the %(setting)s needs a name.", setting=setting)
    if len(name) > 40 or len(words) > 200:
        raise UnusableSettings(
            "The label %(name)s is too long: 40 characters for its name, 200 for its words.", name=name[:40]
        )
    try:
        clean_text(name + words)
    except UnusableText as error:
        raise UnusableSettings(error.message, **error.values) from error
    return {"name": name.strip(), "words": words.strip()}


def names_of(settings: Mapping[str, Any], setting: str = "labels") -> list[str]:
    """The labels' names."""
    return [label["name"] for label in settings.get(setting, [])]


def described(settings: Mapping[str, Any]) -> str:
    """The labels with their words, as a request to a model names them: "PER (people), LOC (places)"."""
    return ", ".join(
        f"{label['name']} ({label['words']})" if label["words"] else label["name"]
        for label in settings.get("labels", [])
    )
