"""What a contributor is called outside this installation."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from people.models import Community


def pseudonym(person_id: int, community: Community) -> str:
    """A stable name for a contributor that only this installation can trace back (keyed hash)."""
    return salted_hmac("wordhearth.contributor", f"{community.slug}:{person_id}", algorithm="sha256").hexdigest()[:16]


def voters_pseudonym(person_id: int, community: Community) -> str:
    """The same for somebody who voted, and another name than theirs as a contributor: a vote's line says how reliable
    its voter is, and whoever knows one sentence's author must not learn that of them."""
    return salted_hmac("wordhearth.voter", f"{community.slug}:{person_id}", algorithm="sha256").hexdigest()[:16]


def seal_of(receipt: str) -> str:
    """What stands in a manifest for the receipt of somebody who voted."""
    return salted_hmac("wordhearth.voters-receipt", receipt, algorithm="sha256").hexdigest()[:32]
