"""Every address of the site, taken from the URL conf and filled with ids of rows that are really there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Address:
    """One URL pattern: its full name, and its path with `%(name)s` where an argument goes."""

    name: str
    path: str
    parameters: tuple[str, ...]
    view: Any

    @property
    def methods(self) -> set[str]:
        """The methods that the view answers for anybody at all; for the others 405 is right, whoever asks."""
        if actions := getattr(self.view, "actions", None):
            return set(actions)
        view_class = getattr(self.view, "view_class", getattr(self.view, "cls", None))
        return {method for method in METHODS if view_class is None or hasattr(view_class, method)}

    @property
    def answered(self) -> list[str]:
        """Those, in one order."""
        return [method for method in METHODS if method in self.methods]

    @property
    def tried(self) -> list[str]:
        """The methods that are answered, and one that is not, for the rest go the same way."""
        return self.answered + [method for method in METHODS if method not in self.methods][:1]

    @property
    def is_ours(self) -> bool:
        """False for the apps of others: accounts and administration."""
        return not self.name.startswith(("admin:", "account_"))

    def nouns(self) -> list[tuple[str, str]]:
        """(argument, the path segment before it): `runs/<int:pk>/` wants the pk of a run."""
        found = []
        for parameter in self.parameters:
            before = re.search(rf"([\w-]*)/%\({parameter}\)s", self.path)
            found.append((parameter, before[1] if before else ""))
        return found

    def filled(self, arguments: Mapping[str, Any]) -> str:
        """The address with real ids: by the segment before an argument, else by the argument's own name."""
        values = {}
        for parameter, noun in self.nouns():
            key = noun if noun in arguments else parameter
            if key not in arguments:
                pytest.fail(
                    f"{self.name} (/{self.path}) wants {parameter!r} after {noun!r}, and the guard has no such row. "
                    "Make one in tests/guards/conftest.py and name it in `arguments`."
                )
            values[parameter] = arguments[key]
        return "/" + self.path % values


@cache
def addresses() -> tuple[Address, ...]:
    """All of the site."""
    return tuple(_under(get_resolver()))


def _under(resolver: URLResolver, prefix: str = "", names: tuple[str, ...] = ()) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        pattern = prefix + entry.pattern.regex.pattern.removeprefix("^").removesuffix("\\Z")
        if isinstance(entry, URLResolver):
            inner = (*names, entry.namespace) if entry.namespace else names
            yield from _under(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            path, parameters = normalize(pattern)[0]
            yield Address(":".join([*names, entry.name or "?"]), path, tuple(parameters), entry.callback)


def send(client: Client, method: str, path: str, body: Mapping[str, Any]) -> HttpResponse:
    """One request; the body goes as a form, which pages and API both read."""
    if method == "get":
        return client.get(path)  # type: ignore[return-value]
    if "file" in body:
        body["file"].seek(0)
    return client.generic(method.upper(), path, encode_multipart(BOUNDARY, dict(body)), MULTIPART_CONTENT)  # type: ignore[return-value]
