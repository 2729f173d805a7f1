"""Local Contexts labels and notices by code, and what each keeps from being done. Pure: no Django, no database.

Names, codes and categories are those of Local Contexts (localcontexts.org); their texts and icons are theirs and not
copied. A label says what a community wants to be known; which uses it keeps from here is this project's reading, of
which docs/care.md gives the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SHOW = frozenset({"display_members", "display_public", "peer_review"})
TRAIN = frozenset({"train_noncommercial", "train_commercial"})
PUBLISH = frozenset({"display_public", "release_dataset", "release_adapter"})
EVERYTHING = frozenset(
    {
        *SHOW,
        *TRAIN,
        *PUBLISH,
        "credit_name",
        "research",
        "evaluate_models",
        "process_outside_country",
    }
)
# What stays among members: seeing and checking each other's words.
OUTSIDE = EVERYTHING - {"display_members", "peer_review", "credit_name"}
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Label:
    """One label or notice."""

    code: str
    name: str
    category: str
    """provenance, protocol or permission; notice for notices."""
    blocks: frozenset[str] = NOTHING
    """Purposes for which nothing under it may be used."""
    is_seasonal: bool = False
    """Whether it blocks only outside the days that it names."""

    @property
    def is_notice(self) -> bool:
        """Notices come from institutions and researchers; labels from the community alone."""
        return self.category == "notice"


def _all(*labels: Label) -> dict[str, Label]:
    return {label.code: label for label in labels}


LABELS = _all(
    Label("tka", "TK Attribution (TK A)", "provenance"),
    Label("tkcl", "TK Clan (TK CL)", "provenance"),
    Label("tkf", "TK Family (TK F)", "provenance"),
    Label("tkmc", "TK Multiple Communities (TK MC)", "provenance"),
    Label("tkcv", "TK Community Voice (TK CV)", "provenance"),
    Label("tkcr", "TK Creative (TK CR)", "provenance"),
    Label("tkv", "TK Verified (TK V)", "protocol"),
    Label("tknv", "TK Non-Verified (TK NV)", "protocol", PUBLISH),
    Label("tks", "TK Seasonal (TK S)", "protocol", EVERYTHING, is_seasonal=True),
    Label("tkwg", "TK Women General (TK WG)", "protocol", OUTSIDE),
    Label("tkmg", "TK Men General (TK MG)", "protocol", OUTSIDE),
    Label("tkmr", "TK Men Restricted (TK MR)", "protocol", EVERYTHING),
    Label("tkwr", "TK Women Restricted (TK WR)", "protocol", EVERYTHING),
    Label("tkcs", "TK Culturally Sensitive (TK CS)", "protocol", OUTSIDE),
    Label("tkss", "TK Secret / Sacred (TK SS)", "protocol", EVERYTHING),
    Label("tkoc", "TK Open to Commercialization (TK OC)", "permission"),
    Label("tknc", "TK Non-Commercial (TK NC)", "permission", frozenset({"train_commercial"})),
    Label("tkco", "TK Community Use Only (TK CO)", "permission", OUTSIDE),
    Label("tko", "TK Outreach (TK O)", "permission"),
    Label("tkcb", "TK Open to Collaboration (TK CB)", "permission"),
    Label("bcp", "BC Provenance (BC P)", "provenance"),
    Label("bcmc", "BC Multiple Communities (BC MC)", "provenance"),
    Label("bccl", "BC Clan (BC CL)", "provenance"),
    Label("bccv", "BC Consent Verified (BC CV)", "protocol"),
    Label("bccnv", "BC Consent Non-Verified (BC CNV)", "protocol", OUTSIDE),
    Label("bccb", "BC Open to Collaboration (BC CB)", "permission"),
    Label("bcoc", "BC Open to Commercialization (BC OC)", "permission"),
    Label("bcr", "BC Research Use (BC R)", "permission"),
    Label("bco", "BC Outreach (BC O)", "permission"),
    Label("bcnc", "BC Non-Commercial (BC NC)", "permission", frozenset({"train_commercial"})),
    Label("biocultural", "Biocultural (BC) Notice", "notice"),
    Label("traditional_knowledge", "Traditional Knowledge (TK) Notice", "notice"),
    Label("attribution_incomplete", "Attribution Incomplete Notice", "notice", PUBLISH),
    Label("open_to_collaborate", "Open to Collaborate Notice", "notice"),
)


def label_of(code: str) -> Label:
    """The label of that code; one that nobody knows here keeps from everything, until somebody says what it means."""
    return LABELS.get(code) or Label(code, code, "unknown", EVERYTHING)


def blocked_by(codes: Iterable[str], *, in_season: bool = False) -> frozenset[str]:
    """The purposes for which nothing under these labels may be used; seasonal ones block nothing in their season."""
    found = [label_of(code) for code in codes]
    return frozenset().union(*(one.blocks for one in found if not (one.is_seasonal and in_season)))
