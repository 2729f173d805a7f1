"""PURE: errors whose message is for a person, in a form that a catalogue can translate."""

from __future__ import annotations


class Worded(ValueError):
    """Something was refused, and `message` says why: a %-template, with the `values` that fill it.

    The template is written out where the error is raised, so that the catalogues find it. `str` is the English; a
    service passes template and values on (`people.refusals`), which are then said in the language of the reader.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values

    def __str__(self) -> str:
        return filled(self.message, self.values)


def filled(message: str, values: dict[str, object]) -> str:
    """The template with its values; without any it is left as it is, so that a lone % needs no doubling."""
    return message % {name: _grouped(value) for name, value in values.items()} if values else message


def _grouped(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
