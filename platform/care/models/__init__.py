"""CARE: what people consent to, and how a community decides. One file for each subject."""

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
from care.models.withdrawals import Erasure, Withdrawal, WithdrawalStage

__all__ = [
    "NEEDED",
    "AdoptedRules",
    "Appeal",
    "ConflictDeclaration",
    "Decision",
    "Delegation",
    "Erasure",
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
    "Withdrawal",
    "WithdrawalStage",
]
