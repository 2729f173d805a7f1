"""CARE: what people consent to, and how a community decides. One file for each subject."""

from care.models.ages import AgeBand, AgeRule
from care.models.agreements import Agreement, AgreementEvent, AgreementNotice, AgreementToken, Commitment
from care.models.consent import (
    NEEDED,
    Grant,
    Policy,
    PolicyDraft,
    Purpose,
    Receipt,
    Rendering,
    RenderingObjection,
)
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
from care.models.hub import HubLabel, HubProject
from care.models.restrictions import Restriction
from care.models.withdrawals import AccountErasure, Erasure, Withdrawal, WithdrawalStage

__all__ = [
    "NEEDED",
    "AccountErasure",
    "AdoptedRules",
    "AgeBand",
    "AgeRule",
    "Agreement",
    "AgreementEvent",
    "AgreementNotice",
    "AgreementToken",
    "Appeal",
    "BrokenGlass",
    "Commitment",
    "ConflictDeclaration",
    "Decision",
    "Delegation",
    "Erasure",
    "Grant",
    "HarmReport",
    "HubLabel",
    "HubProject",
    "Matter",
    "Policy",
    "PolicyDraft",
    "Proposal",
    "ProposalEvent",
    "ProposalRemark",
    "Purpose",
    "Receipt",
    "Rendering",
    "RenderingObjection",
    "Restriction",
    "StewardNotice",
    "Suspension",
    "Vote",
    "Withdrawal",
    "WithdrawalStage",
]
