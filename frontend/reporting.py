"""The way to a report of harm: an address that says what it is about, and that nobody can make up.

Whoever holds such a link may report with it, with an account or without; it tells nothing about the community.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from people.models import Community

SALT = "wordhearth.report"


@dataclass(frozen=True)
class Subject:
    """What a report is about: kind and key as of a restriction, and the generation in which a model wrote it."""

    community: Community
    kind: str
    key: str
    generation: str = ""


def token_of(subject: Subject) -> str:
    """The subject as a signed word for an address."""
    parts = [subject.community.pk, subject.kind, subject.key, subject.generation]
    return Signer(salt=SALT).sign_object(parts)


def subject_of(token: str) -> Subject | None:
    """What a token is about; None when nobody here made it, or the community is gone."""
    try:
        community_id, kind, key, generation = Signer(salt=SALT).unsign_object(token)
    except (BadSignature, ValueError):
        return None
    community = Community.objects.filter(pk=community_id).first()
    return Subject(community, kind, key, generation) if community else None


def report_address(subject: Subject) -> str:
    """Where the subject is reported."""
    return reverse("public:report_about", args=[token_of(subject)])
