"""Codes of the Data Use Ontology beside the words of an agreement, for catalogues that read them.

Codes, shorthands and names are those of EBISPOT/DUO (`duo.csv`, CC BY 4.0), `DUO:0000042` and on; what each means in
an agreement here is in our words. Left out are those on health, disease, genetics and ancestry, which text is not
about, and NRES, since no use here is without restriction. What the words say is what is agreed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from people.refusals import Invalid


@dataclass(frozen=True)
class Code:
    """One code: its number in the ontology, shorthand, the ontology's own name, and what it means here."""

    number: str
    shorthand: str
    name: str
    meaning: Any

    @property
    def identifier(self) -> str:
        """As the ontology writes it: DUO:0000042."""
        return f"DUO:{self.number}"


OFFERED = (
    Code("0000042", "GRU", "general research use", _("for research of any kind")),
    Code("0000012", "RS", "research specific restrictions", _("for research of one kind alone")),
    Code("0000015", "NMDS", "no general methods research", _("not for developing methods or software")),
    Code("0000027", "PS", "project specific restriction", _("for one project alone")),
    Code("0000028", "IS", "institution specific restriction", _("inside one institution alone")),
    Code("0000022", "GS", "geographical restriction", _("in some countries alone")),
    Code("0000046", "NCU", "non-commercial use only", _("for nobody’s profit")),
    Code("0000045", "NPU", "not for profit organisation use only", _("by organisations that seek no profit")),
    Code(
        "0000018",
        "NPUNCU",
        "not for profit, non commercial use only",
        _("for nobody’s profit, by organisations that seek none"),
    ),
    Code("0000021", "IRB", "ethics approval required", _("with the approval of a board of ethics")),
    Code("0000020", "COL", "collaboration required", _("together with the community")),
    Code("0000019", "PUB", "publication required", _("what is found is published")),
    Code("0000024", "MOR", "publication moratorium", _("nothing is published before an agreed day")),
    Code("0000029", "RTN", "return to database or resource", _("what is made from the words is given back")),
)
# True of every agreement, so nobody ticks them: it names its people, and it ends.
ALWAYS = (
    Code("0000026", "US", "user specific restriction", _("by the people who are named")),
    Code("0000025", "TS", "time limit on use", _("until a day that is named")),
)
NO_PROFIT, NO_COMPANY = frozenset({"NCU", "NPUNCU"}), frozenset({"NPU", "NPUNCU"})


def require_fitting(shorthands: Collection[str], *, purposes: Collection[str], tier: str) -> None:
    """Raise Invalid for a code that is not offered, or does not fit commercial training or a company that asks."""
    against = (NO_PROFIT if "train_commercial" in purposes else set()) | (NO_COMPANY if tier == "company" else set())
    offered = {code.shorthand for code in OFFERED}
    for one in shorthands:
        if one in against or one not in offered:
            raise Invalid("The code %(code)s does not fit what is asked for.", field="duo", code=one)


def codes_of(shorthands: Collection[str]) -> list[Code]:
    """The codes that an agreement bears, those that always hold included."""
    return [*(code for code in OFFERED if code.shorthand in shorthands), *ALWAYS]


def as_json(shorthands: Collection[str]) -> list[dict[str, str]]:
    """The same for programs, in the ontology's words."""
    return [{"code": one.identifier, "shorthand": one.shorthand, "name": one.name} for one in codes_of(shorthands)]
