"""A consent text in the languages of those who read it: kept as a draft, rendered, and checked by a second speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from care.models import Policy, PolicyDraft, Rendering
from care.services import check_purposes, sha256_of, terms_to_agree
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

LONGEST = 20_000


@transaction.atomic
def keep_draft(
    *,
    community: Community,
    text: str,
    purposes: Sequence[str],
    kept_by: Person,
    now: datetime,
    terms: Mapping[str, Any] | None = None,
    is_material: bool = True,
) -> PolicyDraft:
    """Keep the next consent text while it is rendered and checked; a new draft replaces the one before.

    Renderings belong to the text, so they hold while its words stay. Raises Invalid, UnknownPurpose, NotAllowed.
    """
    require_role(kept_by, community, Role.STEWARD)
    check_purposes(purposes)
    if not text.strip():
        raise Invalid("Write the text first.", field="text")
    draft, _ = PolicyDraft.objects.update_or_create(
        community=community,
        defaults={
            "text": text,
            "text_sha256": sha256_of(text),
            "purposes": list(purposes),
            "terms": terms_to_agree(community, terms or {}),
            "is_material": is_material,
            "kept_by": kept_by,
            "kept_at": now,
        },
    )
    _record("policy.drafted", f"community:{community.pk}", community, kept_by, now, text_sha256=draft.text_sha256)
    return draft


@transaction.atomic
def write_rendering(
    *, community: Community, text_sha256: str, language: str, text: str, written_by: Person, now: datetime
) -> Rendering:
    """Write the draft's text in a language; it replaces an earlier one, which must be checked anew.

    A text that is in the language already is its own rendering. Raises Invalid, Conflicting, NotAllowed.
    """
    require_role(written_by, community, Role.STEWARD, Role.EXPERT, Role.SPEAKER)
    if not PolicyDraft.objects.filter(community=community, text_sha256=text_sha256).exists():
        raise Conflicting("The draft has changed since. Reload, and render what it says now.")
    if not text.strip() or len(text) > LONGEST:
        raise Invalid("Write the text, in at most %(most)s letters.", field="rendering", most=LONGEST)
    written = Rendering.objects.filter(community=community, text_sha256=text_sha256, language=language).first()
    if written and Policy.objects.filter(community=community, renderings__contains=[written.sha256]).exists():
        # Receipts name it: what people read when they agreed is kept.
        raise Conflicting("This was written anew or checked meanwhile. Reload to see how it is now.")
    rendering, _ = Rendering.objects.update_or_create(
        community=community,
        text_sha256=text_sha256,
        language=language,
        defaults={
            "text": text,
            "sha256": hashlib.sha256(f"{language}\n{text}".encode()).hexdigest(),
            "written_by": written_by,
            "written_at": now,
            "checked_by": None,
            "checked_at": None,
            "objection": "",
        },
    )
    _record("rendering.written", f"rendering:{rendering.pk}", community, written_by, now, sha256=rendering.sha256)
    return rendering


@transaction.atomic
def check_rendering(*, rendering: Rendering, sha256: str, checked_by: Person, objection: str, now: datetime) -> None:
    """A second speaker says that a rendering says the same as its text, or what is wrong with it.

    `sha256` is that of what the speaker read; after an objection it is written anew first. Raises NotAllowed for
    whoever wrote it, and Conflicting when it was written anew, checked or objected to meanwhile.
    """
    current = Rendering.objects.select_for_update().get(pk=rendering.pk)
    require_role(checked_by, current.community, Role.SPEAKER)
    if current.written_by_id == checked_by.pk:
        raise NotAllowed("You wrote this. Somebody else who speaks the language checks it.")
    if current.sha256 != sha256 or current.checked_by_id is not None or current.objection:
        raise Conflicting("This was written anew or checked meanwhile. Reload to see how it is now.")
    current.objection = objection.strip()[:500]
    if not current.objection:
        current.checked_by, current.checked_at = checked_by, now
    current.save(update_fields=["objection", "checked_by", "checked_at"])
    _record(
        "rendering.checked",
        f"rendering:{current.pk}",
        current.community,
        checked_by,
        now,
        private={"objection": current.objection},
        sha256=current.sha256,
        agrees=not current.objection,
    )


def renderings_of_draft(community: Community) -> QuerySet[Rendering]:
    """The renderings of the community's present draft."""
    draft = PolicyDraft.objects.filter(community=community)
    return Rendering.objects.filter(community=community, text_sha256__in=draft.values("text_sha256"))


def renderings_to_check(community: Community, person: Person) -> QuerySet[Rendering]:
    """Renderings of the draft that wait for somebody like this person: not the writer, and nothing objected to."""
    return renderings_of_draft(community).filter(checked_by__isnull=True, objection="").exclude(written_by=person)


def rendering_to_read(policy: Policy | None) -> Rendering | None:
    """The policy in the community's language, if it was published with a checked rendering in it."""
    if policy is None:
        return None
    of_language = Rendering.objects.filter(community=policy.community_id, language=policy.community.language_tag)
    return of_language.filter(sha256__in=policy.renderings).first()


def _record(
    action: str,
    subject: str,
    community: Community,
    actor: Person,
    now: datetime,
    *,
    private: Mapping[str, Any] | None = None,
    **details: Any,
) -> None:
    append_entry(
        action=action,
        subject=subject,
        community=community.slug,
        actor=str(actor.pk),
        now=now,
        details=details,
        private=private or {},
    )
