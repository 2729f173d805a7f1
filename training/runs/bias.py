"""How an adapter leans between groups of people, on the pairs of sentences that its community wrote (task kind
`contrast`): which pairs may be used, and asking for a reading.

What a worker found is kept by the hash of the pairs' ids, so that it is seen when one was taken back or added since.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from annotation.answers.models import Answer
from care.models import Purpose
from people.models import Community, Person
from people.refusals import Invalid
from training.runs.models import Adapter, AdapterReading
from training.runs.readings import ask_for_reading

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
def ask_for_bias(*, adapter: Adapter, asked_by: Person, now: datetime) -> AdapterReading:
    """Have an adapter read on the pairs that may be used now (`training.runs.readings`). Raises Invalid, NotAllowed."""
    reading = ask_for_reading(adapter=adapter, kind=AdapterReading.Kind.BIAS, asked_by=asked_by, now=now)
    if not pairs_for(adapter):
        raise Invalid("The community has written no pairs of sentences yet.")
    return reading
