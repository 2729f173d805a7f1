"""The kinds of refusal. Every named exception of a service is one of these, and its message is for the person.

Pages show the message beside the form; the API answers with problem details (RFC 9457) and the kind's status.
"""

from __future__ import annotations


class Refusal(Exception):
    """An act was refused and nothing was changed."""

    status = 400


class Invalid(Refusal):
    """What was sent cannot be used; `field` names the part, when there is one."""

    status = 422

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
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
