"""The kinds of refusal. Every named exception of a service is one of these, and its message is for the person.

Pages show the message beside the form; the API answers with problem details (RFC 9457) and the kind's status.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.formats import number_format
from django.utils.translation import gettext


class Refusal(Exception):
    """An act was refused and nothing was changed.

    `message` is a template that is written out where the refusal is raised, so that the catalogues find it; `str`
    says it, filled with the `values`, in the language of whoever reads.
    """

    status = 400

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def __str__(self) -> str:
        return said(self.message, self.values)


class Invalid(Refusal):
    """What was sent cannot be used; `field` names the part, when there is one."""

    status = 422

    def __init__(self, message: str, *, field: str = "", **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class NotAllowed(Refusal):
    """The person may not do this, or not yet."""

    status = 403


class Conflicting(Refusal):
    """The act does not fit the present state: somebody was faster, or it was done before."""

    status = 409


class TooMany(Refusal):
    """The person does this more often than people do."""

    status = 429


class TooLate(Refusal):
    """The time for this act is over."""

    status = 410


def said(message: str, values: Mapping[str, object]) -> str:
    """A template in the language of the reader, with its values; without any, a lone % needs no doubling."""
    words = gettext(message)
    return words % {name: _shown(value) for name, value in values.items()} if values else words


def _shown(value: object) -> object:
    """Whole numbers with the signs that the reader's language puts between thousands."""
    if isinstance(value, int) and not isinstance(value, bool):
        return number_format(value, force_grouping=True)
    if isinstance(value, Exception) and hasattr(value, "message") and hasattr(value, "values"):
        # A reason inside of a refusal, in the same form.
        return said(value.message, value.values)
    return value
