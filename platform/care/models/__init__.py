"""CARE: what people consent to, and how a community decides. One file for each subject."""

from care.models.ages import AgeBand, AgeRule
from care.models.consent import NEEDED, Grant, Policy, Purpose, Receipt
from care.models.decisions import (
    AdoptedRules,
    Appeal,
    ConflictDeclaration,
    Decision,
    Delegation,
    Matter,
    Proposal,
    ProposalEvent,
    ProposalRemark,
    Suspension,
    Vote,
)
from care.models.glass import BrokenGlass
from care.models.harm import HarmReport, StewardNotice
from care.models.restrictions import Restriction

__all__ = [
    "NEEDED",
    "AdoptedRules",
    "AgeBand",
    "AgeRule",
    "Appeal",
    "BrokenGlass",
    "ConflictDeclaration",
    "Decision",
    "Delegation",
    "Grant",
    "HarmReport",
    "Matter",
    "Policy",
    "Proposal",
    "ProposalEvent",
    "ProposalRemark",
    "Purpose",
    "Receipt",
    "Restriction",
    "StewardNotice",
    "Suspension",
    "Vote",
]
