"""How much one person may do in an hour, counted where all web servers see it."""

from __future__ import annotations

import logging
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from people.models import Community, Person
from people.refusals import TooMany

HOUR = 3600
log = logging.getLogger(__name__)


def count_act(person: Person, act: str, *, most: int, now: datetime) -> None:
    """Count one act of the person in this hour. Raises TooMany after `most` of them.

    The counter is one atomic increment, so acts at the same moment are all counted. Without a cache nobody is held
    up: a limit is there against scripts, and speakers must not pay for an outage.
    """
    _count(f"limit:{act}:{person.pk}:{now:%Y%m%d%H}", most)


def count_visits(community: Community, act: str, *, most: int, now: datetime) -> None:
    """Count one act of people without an account on a community in this hour, all of them together.

    Nothing of the visitor is looked at, so that nothing of them is kept. Raises TooMany after `most` of them.
    """
    _count(f"limit:{act}:of:{community.pk}:{now:%Y%m%d%H}", most)


def _count(key: str, most: int) -> None:
    try:
        cache.add(key, 0, timeout=2 * HOUR)
        count = cache.incr(key)
    except (RedisError, ValueError):
        log.warning("an act was not counted: the cache does not answer")
        return
    if count > most:
        raise TooMany("That is a great deal for one hour. Please take a rest; your text stays on this page.")
