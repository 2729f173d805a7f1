"""Labels from the Local Contexts Hub: read once a day, kept here, in force here.

The Hub (localcontextshub.org, API version 2) says which labels a community has put on a project of its own there.
What was read last stays in force while the Hub is away, and what it no longer has stays until the community lifts it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import requests
from django.conf import settings
from django.db import transaction

from care.labels import label_of
from care.models import HubLabel, HubProject, Restriction
from care.restricting import RestrictedAlready, place_restriction
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role

SECONDS = 20
MOST_BYTES = 2_000_000
# The Hub's names of its types (localcontextshub, helpers.models), with our codes.
TK = {
    "attribution": "tka",
    "clan": "tkcl",
    "family": "tkf",
    "outreach": "tko",
    "tk_multiple_community": "tkmc",
    "non_verified": "tknv",
    "verified": "tkv",
    "non_commercial": "tknc",
    "commercial": "tkoc",
    "culturally_sensitive": "tkcs",
    "community_voice": "tkcv",
    "community_use_only": "tkco",
    "seasonal": "tks",
    "women_general": "tkwg",
    "men_general": "tkmg",
    "men_restricted": "tkmr",
    "women_restricted": "tkwr",
    "secret_sacred": "tkss",
    "open_to_collaboration": "tkcb",
    "creative": "tkcr",
}
BC = {
    "provenance": "bcp",
    "commercialization": "bcoc",
    "non_commercial": "bcnc",
    "collaboration": "bccb",
    "consent_verified": "bccv",
    "consent_non_verified": "bccnv",
    "multiple_community": "bcmc",
    "research": "bcr",
    "clan": "bccl",
    "outreach": "bco",
}
NOTICES = {
    one: one for one in ("biocultural", "traditional_knowledge", "attribution_incomplete", "open_to_collaborate")
}

Ask = Callable[[UUID], Mapping[str, Any]]


class HubIsAway(Exception):
    """The Hub did not answer, or with something else than a project."""


def ask_hub(hub_id: UUID) -> Mapping[str, Any]:
    """The project as the Hub tells it. Raises HubIsAway."""
    if not settings.LOCAL_CONTEXTS_KEY:
        raise HubIsAway("This site has no key to ask it with.")
    address = f"{settings.LOCAL_CONTEXTS_HUB}/projects/{hub_id}/"
    try:
        with requests.get(
            address,
            headers={"X-Api-Key": settings.LOCAL_CONTEXTS_KEY, "Accept": "application/json"},
            timeout=SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise HubIsAway(f"It answered with status {answer.status_code}.")
            content = answer.raw.read(MOST_BYTES + 1, decode_content=True)
        found = json.loads(content) if len(content) <= MOST_BYTES else None
    except (requests.RequestException, OSError, ValueError) as error:
        raise HubIsAway(type(error).__name__) from error
    if not isinstance(found, dict):
        raise HubIsAway("It answered with something else than a project.")
    return found


@transaction.atomic
def follow_project(
    *, community: Community, hub_id: str, kind: str, key: str, followed_by: Person, now: datetime
) -> HubProject:
    """Let the labels of a project at the Hub hold for a subject here; they are read by the next `read_hub`.

    Labels are the community's, so its stewards alone bring them in. Raises Invalid, Conflicting, NotAllowed.
    """
    require_role(followed_by, community, Role.STEWARD)
    try:
        number = UUID(hub_id.strip())
    except ValueError as error:
        raise Invalid("Copy the project's unique id from the Hub: 36 letters with dashes.", field="hub_id") from error
    if HubProject.objects.filter(community=community, hub_id=number, kind=kind, key=key).exists():
        raise Conflicting("Its labels are followed for this already.")
    project = HubProject.objects.create(
        community=community, hub_id=number, kind=kind, key=key, followed_by=followed_by, followed_at=now
    )
    _record("hub.followed", project, followed_by, now)
    return project


@transaction.atomic
def unfollow_project(*, project: HubProject, unfollowed_by: Person, now: datetime) -> None:
    """Ask the Hub no more. Labels that came from it stay until the community lifts them. Raises NotAllowed."""
    require_role(unfollowed_by, project.community, Role.STEWARD)
    _record("hub.unfollowed", project, unfollowed_by, now)
    project.delete()


def read_hub(*, now: datetime, ask: Ask = ask_hub) -> int:
    """Ask the Hub for every project that is followed; returns how many answered. The others keep their labels."""
    answered = 0
    for project in HubProject.objects.select_related("community", "followed_by"):
        try:
            take_over(project=project, told=ask(project.hub_id), now=now)
        except HubIsAway as error:
            failing_since = project.failed_at or now
            HubProject.objects.filter(pk=project.pk).update(failed_at=failing_since, failure=str(error)[:200])
        else:
            answered += 1
    return answered


@transaction.atomic
def take_over(*, project: HubProject, told: Mapping[str, Any], now: datetime) -> None:
    """Keep what the Hub tells of a project, and put the labels that are new. Raises HubIsAway for no project at all."""
    if "unique_id" not in told:
        raise HubIsAway("It answered with something else than a project.")
    current = HubProject.objects.select_for_update().filter(pk=project.pk).first()
    if current is None:
        return  # Followed no more while the Hub was being asked.
    current.title, current.read_at = str(told.get("title", ""))[:300], now
    current.failed_at, current.failure = None, ""
    current.save(update_fields=["title", "read_at", "failed_at", "failure"])
    seen = set()
    for hub_id, fields in _labels_in(told):
        seen.add(hub_id)
        label, is_new = HubLabel.objects.update_or_create(project=current, hub_id=hub_id, defaults=fields)
        if is_new:
            label.restriction = _in_force(current, label.code, now)
            label.save(update_fields=["restriction"])
    current.labels.exclude(hub_id__in=seen).update(is_gone=True)


def _in_force(project: HubProject, code: str, now: datetime) -> Restriction | None:
    """The label's restriction on the subject. The Hub names no days, so a seasonal one blocks until a steward does."""
    subject: dict[str, Any] = {"community": project.community, "kind": project.kind, "key": project.key}
    label: dict[str, Any] = {"cause": Restriction.Cause.LABEL, "code": code}
    try:
        with transaction.atomic():
            return place_restriction(
                **subject, **label, blocks=sorted(label_of(code).blocks), placed_by=project.followed_by, now=now
            )
    except RestrictedAlready:
        return Restriction.objects.live().filter(**subject, **label).first()


def _labels_in(told: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each label and notice of a project, by its id there. A type that nobody knows here has a code of its own, which
    keeps from everything."""
    for prefix, group, codes in (("tk", "tk_labels", TK), ("bc", "bc_labels", BC), ("notice", "notice", NOTICES)):
        listed = told.get(group) or []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise HubIsAway("It answered with something else than labels.")
        for one in listed:
            kind = str(one.get("label_type") or one.get("notice_type") or "")
            words = {
                "name": str(one.get("name", ""))[:300],
                "text": str(one.get("label_text") or one.get("default_text") or ""),
                "translations": list(one.get("translations") or ()),
            }
            content = json.dumps(words, sort_keys=True, ensure_ascii=False)
            yield (
                str(one.get("unique_id") or kind)[:40],
                {
                    **words,
                    "code": codes.get(kind, f"{prefix}:{kind}"[:40]),
                    "language": str(one.get("language") or "")[:100],
                    "updated": str(one.get("updated") or "")[:40],
                    "sha256": hashlib.sha256(content.encode()).hexdigest(),
                    "is_gone": False,
                },
            )


def _record(action: str, project: HubProject, actor: Person, now: datetime) -> None:
    append_entry(
        action=action,
        subject=f"hub_project:{project.pk}",
        community=project.community.slug,
        actor=str(actor.pk),
        now=now,
        private={"hub_id": str(project.hub_id)},
    )
