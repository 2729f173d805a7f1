"""Licences, by what a work made from what stands under them may be published as. Pure: no Django.

Answers to a text (a translation, labels, a simplification) adapt it, so what matters is under which licences an
adaptation may be shared. Several sources may stand in one data set when at least one licence suits them all. After
the charts of Creative Commons (its FAQ, "If I derive or adapt material", and wiki, "compatible licences") and the
texts of the Open Data Commons licences. It is no legal advice, and stewards may know of other permissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

BY, BY_NC, BY_SA, BY_NC_SA = "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"
ODBL = "ODbL-1.0"
# Under each: what an adaptation may be shared as. A later version of a share-alike licence suits the earlier one.
ADAPTED_AS: dict[str, frozenset[str]] = {
    "CC-BY-NC-3.0": frozenset({BY_NC, BY_NC_SA}),
    "CC-BY-NC-4.0": frozenset({BY_NC, BY_NC_SA}),
    "CC-BY-SA-3.0": frozenset({BY_SA}),
    "CC-BY-SA-4.0": frozenset({BY_SA}),
    "CC-BY-NC-SA-3.0": frozenset({BY_NC_SA}),
    "CC-BY-NC-SA-4.0": frozenset({BY_NC_SA}),
    "CC-BY-ND-3.0": frozenset(),
    "CC-BY-ND-4.0": frozenset(),
    "CC-BY-NC-ND-3.0": frozenset(),
    "CC-BY-NC-ND-4.0": frozenset(),
    "ODbL-1.0": frozenset({ODBL}),
}
# These ask for no more than the authors' names: an adaptation may be shared as anything, own terms included.
FREE = frozenset({"CC0-1.0", "PDDL-1.0", "CC-BY-3.0", "CC-BY-4.0", "ODC-By-1.0"})

_CREATIVE_COMMONS = re.compile(
    r"\bcc[\s_-]*by(?P<parts>(?:[\s_-]*(?:nc|sa|nd)\b)*)[\s_-]*v?(?P<version>3\.0|4\.0)?", re.I
)
_OTHERS = {
    "CC0-1.0": re.compile(r"\bcc[\s-]*0\b|\bcc zero\b|\bpublic domain\b", re.I),
    "PDDL-1.0": re.compile(r"\bpddl\b", re.I),
    "ODC-By-1.0": re.compile(r"\bodc[\s-]*by\b", re.I),
    "ODbL-1.0": re.compile(r"\bodbl\b", re.I),
}


@dataclass(frozen=True)
class Clash:
    """Two terms under which nothing made from both may be shared; twice the same where one forbids it alone."""

    one: str
    other: str


def code_of(terms: str) -> str:
    """The licence that somebody wrote down, by its SPDX code; empty for terms of one's own."""
    found = _CREATIVE_COMMONS.search(terms)
    if found:
        parts = [part for part in ("nc", "sa", "nd") if re.search(rf"\b{part}\b", found["parts"], re.I)]
        return "-".join(["CC", "BY", *(part.upper() for part in parts), found["version"] or "4.0"])
    return next((code for code, pattern in _OTHERS.items() if pattern.search(terms)), "")


def adapted_as(terms: str) -> frozenset[str] | None:
    """As what an adaptation may be shared; None for anything. Own terms suit themselves and what is free."""
    code = code_of(terms)
    if code in FREE:
        return None
    return ADAPTED_AS.get(code, frozenset({terms.strip()}))


def find_clash(all_terms: Iterable[str]) -> Clash | None:
    """The first two terms that do not suit each other, in alphabetical order; None when one licence suits all."""
    known = {terms: allowed for terms in sorted(set(all_terms)) if (allowed := adapted_as(terms)) is not None}
    for one, allowed in known.items():
        for other, others in known.items():
            if not allowed & others:
                return Clash(one, other)
    return None
