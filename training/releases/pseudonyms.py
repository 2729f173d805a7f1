"""What a contributor is called outside this installation."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from people.models import Community


def pseudonym(person_id: int, community: Community) -> str:
    """A stable name for a contributor that only this installation can trace back (keyed hash)."""
    return salted_hmac("wordhearth.contributor", f"{community.slug}:{person_id}", algorithm="sha256").hexdigest()[:16]
