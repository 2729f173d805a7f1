"""How an adapter leans between groups of people, on the pairs of sentences that its community wrote (task kind
`contrast`): which pairs may be used, asking for a reading, and the lease of the worker that makes it.

What a worker found is kept by the hash of the pairs' ids, so that it is seen when one was taken back or added since.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.answers.models import Answer
from care.models import Purpose
from people.models import Community, Person, Role
from people.refusals import Invalid
from people.services import require_role
from training.runs.models import Adapter, BiasReading

KIND = "contrast"
# As many as are read in some minutes; of more, the same ones every time.
MOST_PAIRS = 1000


def pairs_by_language(community: Community) -> dict[str, list[str]]:
    """The ids of the community's pairs that may measure models now, by the tag of the language they are in: validated,
    of authors who allow it, in an order that follows from the ids alone."""
    pairs = Answer.objects.filter(task__project__community=community, task__project__kind=KIND)
    found: dict[str, list[str]] = defaultdict(list)
    usable = pairs.eligible_for(Purpose.EVALUATE_MODELS)
    for key, language in usable.values_list("pk", "task__project__target_language_tag"):
        found[language].append(str(key))
    return {
        language: sorted(keys, key=lambda key: hashlib.sha256(key.encode()).digest())[:MOST_PAIRS]
        for language, keys in found.items()
    }


def pairs_for(adapter: Adapter) -> list[str]:
    """The ids of the pairs in the language in which the adapter learnt to answer."""
    return pairs_by_language(adapter.community).get(adapter.run.release.project.target_language_tag, [])


def sha256_of_pairs(keys: Iterable[str]) -> str:
    """The name of a set of pairs: the hash of their ids."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


@transaction.atomic
def ask_for_bias(*, adapter: Adapter, asked_by: Person, now: datetime) -> BiasReading:
    """Have an adapter read on the pairs that may be used now; one that waits or goes on already is returned as it is.

    What was found before stays until there is something new. The caller rings `training.runs.jobs.ring_bias` after
    commit. Raises Invalid, NotAllowed.
    """
    require_role(asked_by, adapter.community, Role.RESEARCHER, Role.STEWARD)
    current: Adapter = Adapter.objects.select_for_update(of=("self",)).select_related("run").get(pk=adapter.pk)
    if current.is_whole_model:
        raise Invalid("This is a whole model, made to be compared with. Only adapters are used.")
    if current.contains_withdrawn or current.deleted_at is not None:
        raise Invalid("This adapter learnt from words that were withdrawn.")
    if not pairs_for(adapter):
        raise Invalid("The community has written no pairs of sentences yet.")
    reading: BiasReading | None = BiasReading.objects.filter(adapter=current).first()
    if reading is not None and reading.is_live:
        return reading
    asked = {"state": BiasReading.State.QUEUED, "failure": "", "asked_by": asked_by, "asked_at": now}
    return BiasReading.objects.update_or_create(adapter=current, defaults=asked)[0]


@transaction.atomic
def claim_bias(*, reading_id: int, owner: str, lease_until: datetime, now: datetime) -> BiasReading | None:
    """Take a waiting reading for one worker; None when another has it, or nothing waits."""
    waiting = BiasReading.objects.select_for_update(skip_locked=True, of=("self",)).waiting(now)
    reading: BiasReading | None = waiting.filter(pk=reading_id).first()
    if reading is not None:
        reading.state, reading.lease_owner, reading.lease_expires_at = BiasReading.State.RUNNING, owner, lease_until
        reading.save(update_fields=["state", "lease_owner", "lease_expires_at"])
    return reading


def renew_lease(*, reading: BiasReading, lease_until: datetime) -> bool:
    """Whether the worker still holds the reading."""
    return bool(_held(reading).update(lease_expires_at=lease_until))


def keep_bias(*, reading: BiasReading, keys: Iterable[str], found: list[dict[str, Any]], now: datetime) -> None:
    """What the worker that holds the reading found on these pairs (`training.evaluation.bias.compare_groups`)."""
    _held(reading).update(
        **{"state": BiasReading.State.FINISHED, "lease_owner": "", "lease_expires_at": None},
        **{"found": found, "pairs_sha256": sha256_of_pairs(keys), "measured_at": now},
    )


def give_up_bias(*, reading: BiasReading, state: str, failure: str = "") -> None:
    """End a reading that this worker holds without a result; QUEUED gives it back."""
    _held(reading).update(state=state, failure=failure[:1000], lease_owner="", lease_expires_at=None)


def _held(reading: BiasReading) -> Any:
    held = {"lease_owner": reading.lease_owner, "state": BiasReading.State.RUNNING}
    return BiasReading.objects.filter(pk=reading.pk, **held)
