"""PURE: the kinds of task, one folder each. A folder with a `kind.py` is found by itself: copy one to add a kind."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from annotation.kinds.contract import Kind


def _found() -> dict[str, Kind]:
    folders = sorted(module.name for module in iter_modules(__path__) if module.ispkg)
    return {name: import_module(f"{__name__}.{name}.kind").KIND for name in folders}


KINDS: dict[str, Kind] = _found()


def kind_named(slug: str) -> Kind:
    """The kind with that slug. Raises KeyError."""
    return KINDS[slug]


__all__ = ["KINDS", "Kind", "kind_named"]
