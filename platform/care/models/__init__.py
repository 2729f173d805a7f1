"""CARE: what people consent to, and how a community decides. One file for each subject."""

from care.models.agreements import Agreement, AgreementEvent, AgreementNotice, AgreementToken, Commitment
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
from care.models.restrictions import Restriction

__all__ = [
    "NEEDED",
    "AdoptedRules",
    "Agreement",
    "AgreementEvent",
    "AgreementNotice",
    "AgreementToken",
    "Appeal",
    "Commitment",
    "ConflictDeclaration",
    "Decision",
    "Delegation",
    "Grant",
    "Matter",
    "Policy",
    "Proposal",
    "ProposalEvent",
    "ProposalRemark",
    "Purpose",
    "Receipt",
    "Restriction",
    "Suspension",
    "Vote",
]
