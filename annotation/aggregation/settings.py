"""Settings that a community may change, read from plain values and refused with the name of the wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class RuleError(ValueError):
    """A setting that cannot be used; the message names it and says what is allowed."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


def read_settings(kind: type[Settings], given: Any) -> Settings:
    """Make the dataclass `kind` from a mapping; what is left out gets its default.

    Raises:
        RuleError: it is no mapping, it has a setting that `kind` does not know or lacks one that it needs, or `kind`
            refuses a value.
    """
    if not isinstance(given, Mapping):
        raise RuleError("", f"The rule must be a table of settings, not {given!r}.")
    known: dict[str, Field[Any]] = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise RuleError(str(name), f"The setting {name!r} is unknown; known are: {', '.join(known)}.")
    for name, entry in known.items():
        if entry.default is MISSING and name not in given:
            raise RuleError(name, f"The setting {name!r} is missing.")
    return kind(**given)


def check_whole(setting: str, value: Any, *, least: int, most: int) -> None:
    """Refuse what is not a whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(setting, f"{setting} must be a whole number from {least} to {most}, not {value!r}.")
