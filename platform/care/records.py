"""Consent records and receipts with the fields of ISO/IEC TS 27560:2023, as the DPV profile names them, and signed.

Sources: W3C Data Privacy Vocabulary, guide "Consent Records for ISO/IEC TS 27560" (its MUST fields), EDPB Guidelines
05/2020. `care/consent_receipt.schema.json` is the shape; `python -m care.verify_receipt FILE` checks a signature.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils.crypto import salted_hmac

from care.models import Grant, Policy, Purpose, Receipt, Rendering
from care.services import terms_of
from care.terms import Terms
from ledger.sealing import read_seed

SCHEMA_VERSION = "ISO-IEC-TS-27560:2023"
# Purposes by the identifiers of the Data Privacy Vocabulary 2 and, for data sets, of the Data Use Ontology.
OF_VOCABULARY = {
    Purpose.DISPLAY_MEMBERS: "dpv:ServiceProvision",
    Purpose.DISPLAY_PUBLIC: "dpv:CommunicationManagement",
    Purpose.CREDIT_NAME: "dpv:IdentityVerification",
    Purpose.PEER_REVIEW: "dpv:ServiceOptimisation",
    Purpose.RESEARCH: "duo:DUO_0000042",
    Purpose.EVALUATE_MODELS: "dpv:ResearchAndDevelopment",
    Purpose.TRAIN_NONCOMMERCIAL: "duo:DUO_0000046",
    Purpose.TRAIN_COMMERCIAL: "dpv:CommercialResearch",
    Purpose.RELEASE_DATASET: "dpv:PublicBenefit",
    Purpose.RELEASE_ADAPTER: "dpv:PublicBenefit",
    Purpose.PROCESS_OUTSIDE_COUNTRY: "dpv:ServiceProvision",
}
RIGHTS = ("access", "rectification", "erasure", "portability", "withdraw consent", "complain to an authority")


def record_of(receipt: Receipt) -> dict[str, Any]:
    """The consent record behind a receipt: who, to whom, to what, under which text, and what happened to it since."""
    policy, terms = receipt.policy, terms_of(receipt.policy)
    return {
        "schema_version": SCHEMA_VERSION,
        "record_id": str(receipt.pk),
        "pii_principal_id": salted_hmac("care.principal", str(receipt.person_id), algorithm="sha256").hexdigest()[:32],
        "processes": [_process(grant, policy, terms) for grant in receipt.grants.order_by("pk")],
        "parties": [
            {
                "identifier": f"community:{receipt.community.slug}",
                "name": terms.controller,
                "role": "pii_controller",
                "type": "language community",
                "contact": terms.contact,
                "address": terms.address,
            }
        ],
        "events": _events(receipt),
    }


def _process(grant: Grant, policy: Policy, terms: Terms) -> dict[str, Any]:
    months, read = terms.retention_months, grant.receipt.rendering_sha256
    rendering = Rendering.objects.filter(community=policy.community_id, sha256=read).first() if read else None
    notice = f"policy:{policy.pk}:{policy.version}:sha256:{policy.content_sha256 or policy.text_sha256}"
    return {
        "privacy_notice": f"{notice}:rendering:sha256:{read}" if read else notice,
        "language": rendering.language if rendering else policy.community.language_tag,
        "purpose": grant.purpose,
        "purpose_type": OF_VOCABULARY[Purpose(grant.purpose)],
        "lawful_basis": "explicit consent",
        "pii_information": [
            {"pii_type": "words that the person writes", "pii_optional": False, "sensitive": False},
            {"pii_type": "account name", "pii_optional": grant.purpose != Purpose.CREDIT_NAME, "sensitive": False},
        ],
        "pii_controllers": [f"community:{policy.community.slug}"],
        "collection_method": "written in a form by the person",
        "processing_method": "stored, checked by members, and used for the purpose",
        "storage_locations": list(terms.storage_countries),
        "retention_period": f"{months} months" if months else "until withdrawn",
        "processing_locations": list(terms.processing_countries),
        "jurisdiction": terms.jurisdiction,
        "recipient_third_parties": list(terms.recipients) or ["none"],
        "withdrawal_method": terms.withdrawal,
        "privacy_rights": list(RIGHTS),
        "codes_of_conduct": ["CARE Principles for Indigenous Data Governance"],
        "state": state_of(grant),
    }


def state_of(grant: Grant) -> str:
    """The state of one purpose, by the vocabulary's name (`care.eligibility.Consent`)."""
    if grant.withdrawn_at is not None:
        return "withdrawn"
    if grant.overtaken_at is None:
        return "given"
    return "invalidated" if grant.renewed_at is None else "renewed_given"


def _events(receipt: Receipt) -> list[dict[str, Any]]:
    """One event for what was given, and one for all that happened to a purpose since."""
    duration = "until withdrawn"
    common = {"entity_id": "self", "validity_duration": duration, "channel": "web"}
    given = {"event_time": _text(receipt.given_at), "event_type": "explicit", "event_state": "given", **common}
    ended = [
        {
            "event_time": _text(at),
            "event_type": "implied by wider terms" if state == "invalidated" else "explicit",
            "event_state": state,
            "purpose": grant.purpose,
            **common,
        }
        for grant in receipt.grants.order_by("pk")
        for state, at in (
            ("invalidated", grant.overtaken_at),
            ("renewed_given", grant.renewed_at),
            ("withdrawn", grant.withdrawn_at),
        )
        if at is not None
    ]
    if receipt.guardian_at is not None:
        ended.append(
            {**given, "event_time": _text(receipt.guardian_at), "entity_id": "guardian", "channel": "before a steward"}
        )
    return [given, *sorted(ended, key=lambda event: str(event["event_time"]))]


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def signing_seed() -> bytes:
    """The installation's signing key, which signs the ledger's checkpoints, too."""
    return read_seed(settings.LEDGER_KEY, settings.LEDGER_KEY_FILE)


def signed_receipt(receipt: Receipt, *, seed: bytes, now: datetime) -> dict[str, Any]:
    """The receipt that its holder keeps: the record, when it was drawn up, and a signature over its canonical JSON."""
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "receipt_id": str(receipt.pk),
        "created": _text(now),
        "records": [str(receipt.pk)],
        "record": record_of(receipt),
        "fingerprint": receipt.sha256,
    }
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return {
        "receipt": body,
        "signature": {
            "algorithm": "Ed25519 over RFC 8785",
            "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "value": base64.b64encode(key.sign(rfc8785.dumps(body))).decode(),
        },
    }
