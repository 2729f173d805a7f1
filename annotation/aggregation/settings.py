"""Settings that a community may change, read from plain values and refused with the name of the wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from annotation.worded import Worded

Settings = TypeVar("Settings")


class RuleError(Worded):
    """A setting that cannot be used; the message names it and says what is allowed."""

    def __init__(self, message: str, *, setting: str, **values: object) -> None:
        super().__init__(message, setting=setting, **values)
        self.setting = setting


def read_settings(kind: type[Settings], given: Any) -> Settings:
    """Make the dataclass `kind` from a mapping; what is left out gets its default.

    Raises:
        RuleError: it is no mapping, it has a setting that `kind` does not know or lacks one that it needs, or `kind`
            refuses a value.
    """
    if not isinstance(given, Mapping):
        raise RuleError("The rule must be a table of settings, not %(given)r.", setting="", given=given)
    known: dict[str, Field[Any]] = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise RuleError(
                "The setting %(setting)r is unknown; known are: %(known)s.", setting=str(name), known=", ".join(known)
            )
    for name, entry in known.items():
        if entry.default is MISSING and name not in given:
            raise RuleError("The setting %(setting)r is missing.", setting=name)
    return kind(**given)


def check_whole(setting: str, value: Any, *, least: int, most: int) -> None:
    """Refuse what is not a whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(
            "%(setting)s must be a whole number from %(least)s to %(most)s, not %(given)s.",
            setting=setting,
            least=least,
            most=most,
            given=repr(value),
        )
