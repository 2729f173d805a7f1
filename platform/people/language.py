"""The language as its community sets it: varieties, ways of writing, its own words; and what each person speaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from ledger.services import append_entry
from people.models import Community, LanguageProfile, Orthography, Person, Role, Variety
from people.refusals import Invalid
from people.services import require_role

LONGEST_WORDS = 80
_Row = TypeVar("_Row", Orthography, Variety)


@transaction.atomic
def save_orthography(
    *, community: Community, saved_by: Person, now: datetime, name: str, script: str, characters: str, pk: int | None
) -> Orthography:
    """Change a way of writing, or add one (`pk` None). Raises Invalid, NotAllowed, Orthography.DoesNotExist."""
    row = community.orthographies.get(pk=pk) if pk else Orthography(community=community)
    row.name, row.script, row.characters = name, script, " ".join(characters.split())
    return _save(row, community, saved_by, now, "orthography")


@transaction.atomic
def save_variety(
    *, community: Community, saved_by: Person, now: datetime, code: str, name: str, pk: int | None
) -> Variety:
    """Change a variety, or add one (`pk` None). Raises Invalid, NotAllowed, Variety.DoesNotExist."""
    row = community.varieties.get(pk=pk) if pk else Variety(community=community)
    row.code, row.name = code, name
    return _save(row, community, saved_by, now, "variety")


def _save(row: _Row, community: Community, saved_by: Person, now: datetime, what: str) -> _Row:
    require_role(saved_by, community, Role.STEWARD)
    try:
        row.full_clean()
    except ValidationError as error:
        field = next(iter(error.message_dict))
        raise Invalid(error.message_dict[field][0], field=field) from error
    row.save()
    append_entry(
        action=f"community.{what}_saved",
        subject=f"{what}:{row.pk}",
        community=community.slug,
        actor=str(saved_by.pk),
        now=now,
        private={"name": str(row)},
    )
    return row


@transaction.atomic
def set_own_words(
    *, community: Community, words: Mapping[str, str], known: Collection[str], set_by: Person, now: datetime
) -> None:
    """Keep the community's own words for those of the site; empty ones go back to the site's. Raises Invalid."""
    require_role(set_by, community, Role.STEWARD)
    cleaned = {word: " ".join(own.split()) for word, own in words.items() if word in known}
    for word, own in cleaned.items():
        if len(own) > LONGEST_WORDS or "\x00" in own:
            raise Invalid("“%(word)s”: at most %(most)s letters.", word=word, most=LONGEST_WORDS)
    community.own_words = {word: own for word, own in cleaned.items() if own}
    community.save(update_fields=["own_words"])
    append_entry(
        action="community.words_set",
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(set_by.pk),
        now=now,
        details={"number": len(community.own_words)},
    )


@transaction.atomic
def set_language_profile(
    *, person: Person, community: Community, varieties: Collection[Variety], orthographies: Collection[Orthography]
) -> LanguageProfile:
    """Say which varieties and orthographies a person uses, so that only such work comes to them."""
    require_role(person, community)
    profile, _created = LanguageProfile.objects.get_or_create(person=person, community=community)
    profile.varieties.set(row for row in varieties if row.community_id == community.pk)
    profile.orthographies.set(row for row in orthographies if row.community_id == community.pk)
    return profile
