"""CARE: what people consent to, and how a community decides. One file for each subject."""

from care.models.consent import NEEDED, Grant, Policy, Purpose, Receipt
from care.models.restrictions import Restriction

__all__ = ["NEEDED", "Grant", "Policy", "Purpose", "Receipt", "Restriction"]
