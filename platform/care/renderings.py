"""A consent text in the languages of those who read it: kept as a draft, rendered, and checked by a second speaker."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from care.models import Policy, PolicyDraft, Rendering, RenderingObjection
from care.services import check_purposes, sha256_of, terms_to_agree
from ledger.services import append_entry
from people.models import LANGUAGE_TAG, Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

LONGEST = 20_000
LONGEST_TAG = 128


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
    *,
    community: Community,
    text_sha256: str,
    language: str,
    text: str,
    written_by: Person,
    now: datetime,
    answer: str = "",
) -> Rendering:
    """Write the draft's text in a language; it replaces an earlier one, which must be checked anew.

    A text that is in the language already is its own rendering. Whoever objected to the earlier one is answered with
    it, and with `answer`, which may be empty where the wording changed. Raises Invalid, Conflicting, NotAllowed.
    """
    require_role(written_by, community, Role.STEWARD, Role.EXPERT, Role.SPEAKER)
    if not PolicyDraft.objects.filter(community=community, text_sha256=text_sha256).exists():
        raise Conflicting("The draft has changed since. Reload, and render what it says now.")
    if not text.strip() or len(text) > LONGEST:
        raise Invalid("Write the text, in at most %(most)s letters.", field="rendering", most=LONGEST)
    language = language_to_render(community, language)
    of_text = Rendering.objects.select_for_update().filter(community=community, text_sha256=text_sha256)
    written = of_text.filter(language=language).first()
    if written and Policy.objects.filter(community=community, renderings__contains=[written.sha256]).exists():
        # Receipts name it: what people read when they agreed is kept.
        raise Conflicting("This was written anew or checked meanwhile. Reload to see how it is now.")
    sha256 = hashlib.sha256(f"{language}\n{text}".encode()).hexdigest()
    if written:
        _answer_objection(
            written, changed=sha256 != written.sha256, answer=answer.strip()[:500], by=written_by, now=now
        )
    rendering, _ = Rendering.objects.update_or_create(
        community=community,
        text_sha256=text_sha256,
        language=language,
        defaults={
            "text": text,
            "sha256": sha256,
            "written_by": written_by,
            "written_at": now,
            "checked_by": None,
            "checked_at": None,
        },
    )
    _record(
        "rendering.written",
        f"rendering:{rendering.pk}",
        community,
        written_by,
        now,
        private={"answer": answer},
        sha256=rendering.sha256,
    )
    return rendering


def language_to_render(community: Community, tag: str) -> str:
    """The tag as it is written in this house: as the community, or an earlier rendering, writes it. Raises Invalid."""
    if not re.match(LANGUAGE_TAG.regex, tag) or len(tag) > LONGEST_TAG:
        raise Invalid("Write a BCP 47 language tag such as ote, quz-PE or sr-Latn.", field="language")
    rendered = Rendering.objects.filter(community=community).values_list("language", flat=True).distinct()
    known = (community.language_tag, *rendered.order_by("language"))
    return next((one for one in known if one.casefold() == tag.casefold()), tag)


def _answer_objection(written: Rendering, *, changed: bool, answer: str, by: Person, now: datetime) -> None:
    """Whoever objected is answered by another wording, or by words on why it stays. Raises Invalid without both."""
    objected = written.objections.filter(answered_at__isnull=True)
    if not changed and not answer and objected.exists():
        raise Invalid("Change the wording, or say why it stays.", field="answer")
    objected.update(answer=answer, answered_by=by, answered_at=now)


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
    if current.sha256 != sha256 or not Rendering.objects.waiting().filter(pk=current.pk).exists():
        raise Conflicting("This was written anew or checked meanwhile. Reload to see how it is now.")
    words = objection.strip()[:500]
    if words:
        RenderingObjection.objects.create(
            rendering=current, sha256=sha256, words=words, objected_by=checked_by, objected_at=now
        )
    else:
        current.checked_by, current.checked_at = checked_by, now
        current.save(update_fields=["checked_by", "checked_at"])
    _record(
        "rendering.checked",
        f"rendering:{current.pk}",
        current.community,
        checked_by,
        now,
        private={"objection": words},
        sha256=current.sha256,
        agrees=not words,
    )


def renderings_of_draft(community: Community) -> QuerySet[Rendering]:
    """The renderings of the community's present draft."""
    draft = PolicyDraft.objects.filter(community=community)
    return Rendering.objects.filter(community=community, text_sha256__in=draft.values("text_sha256"))


def renderings_to_check(community: Community, person: Person) -> QuerySet[Rendering]:
    """Renderings of the draft that wait for somebody like this person: not the writer, and nothing objected to."""
    waiting = Rendering.objects.waiting().filter(pk__in=renderings_of_draft(community).values("pk"))
    return waiting.exclude(written_by=person)


def renderings_to_read(policy: Policy | None, languages: Sequence[str]) -> list[Rendering]:
    """The checked renderings that a policy was published with, for a reader of these languages, best first.

    What is best is in the first of `languages` that there is, a regional form standing for its language (`es-mx` reads
    `es`); without any, what is in the community's own comes first. The others follow in the order of their tags.
    """
    if policy is None:
        return []
    found = list(Rendering.objects.filter(community=policy.community_id, sha256__in=policy.renderings))
    wanted = [one.casefold() for one in (*languages, policy.community.language_tag)]
    wanted = [tag for one in wanted for tag in (one, one.split("-")[0])]

    def place(rendering: Rendering) -> int:
        tag = rendering.language.casefold()
        return wanted.index(tag) if tag in wanted else len(wanted)

    return sorted(found, key=place)


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
