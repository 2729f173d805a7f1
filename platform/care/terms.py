"""The terms beside a consent text, as facts: what a machine can compare when a text changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from care.labels import EVERYTHING, OUTSIDE
from people.refusals import Invalid

COUNTRY = re.compile(r"^[A-Z]{2}$")
UNTIL_WITHDRAWN = 0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Who answers for the words, where they are kept and for how long, and who else gets them."""

    controller: str
    contact: str
    address: str
    jurisdiction: str
    """ISO 3166-1 code of the country whose law applies; ZZ where nobody has said so yet."""
    storage_countries: tuple[str, ...]
    processing_countries: tuple[str, ...]
    recipients: tuple[str, ...] = ()
    """Who gets the words beside the community and whoever runs the site."""
    retention_months: int = UNTIL_WITHDRAWN
    """How long words are kept; 0: until their author takes them back."""
    withdrawal: str = "In “Consent” on every page, at any time, in one step."

    @classmethod
    def read(cls, given: Mapping[str, Any], *, default: Terms) -> Terms:
        """Terms from a form or the API; what is left out is as before. Raises Invalid."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise Invalid("There is no such term.", field=unknown[0])
        merged = {**asdict(default), **given}
        for name in ("storage_countries", "processing_countries", "recipients"):
            merged[name] = tuple(sorted({str(value).strip() for value in merged[name] if str(value).strip()}))
        for name in ("controller", "contact", "address", "withdrawal"):
            merged[name] = str(merged[name]).strip()
            if not merged[name]:
                raise Invalid("This cannot be left out: people must know whom to ask.", field=name)
        countries = (*merged["storage_countries"], *merged["processing_countries"], merged["jurisdiction"])
        if not all(COUNTRY.match(country) for country in countries):
            raise Invalid("Write countries as two capital letters (ISO 3166), such as MX.", field="storage_countries")
        if not merged["storage_countries"] or not merged["processing_countries"]:
            raise Invalid("Say in which countries the words are kept and processed.", field="storage_countries")
        if not isinstance(merged["retention_months"], int) or merged["retention_months"] < 0:
            raise Invalid(
                "Retention is a number of months; 0 means until somebody takes words back.", field="retention_months"
            )
        return cls(**merged)


def overtaken(old: Terms, new: Terms) -> frozenset[str]:
    """The purposes that a consent to the old terms does not cover under the new ones.

    New recipients or countries concern every use beyond the members; keeping longer, a weaker or another way to
    withdraw, and somebody else who answers concern every use. What becomes narrower overtakes nothing.
    """
    everything = new.controller != old.controller or new.withdrawal != old.withdrawal or _is_longer(old, new)
    if everything:
        return EVERYTHING
    wider = any(
        set(getattr(new, name)) - set(getattr(old, name))
        for name in ("recipients", "storage_countries", "processing_countries")
    )
    return OUTSIDE if wider or new.jurisdiction != old.jurisdiction else frozenset()


def _is_longer(old: Terms, new: Terms) -> bool:
    if old.retention_months == UNTIL_WITHDRAWN:
        return False
    return new.retention_months == UNTIL_WITHDRAWN or new.retention_months > old.retention_months
