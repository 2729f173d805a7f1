"""A limit stops a script, counts each hour anew, and never stops anybody when the cache is gone."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from redis.exceptions import ConnectionError as NoConnection

from people.limits import count_act
from people.refusals import TooMany
from tests.conftest import NOW


def test_the_act_after_the_last_is_refused_until_the_next_hour(ben):
    for _ in range(3):
        count_act(ben, "test", most=3, now=NOW)
    with pytest.raises(TooMany):
        count_act(ben, "test", most=3, now=NOW)
    count_act(ben, "another", most=3, now=NOW)
    count_act(ben, "test", most=3, now=NOW + timedelta(hours=1))


def test_without_a_cache_nobody_is_held_up(ben, monkeypatch):
    def gone(*_args, **_more):
        raise NoConnection

    monkeypatch.setattr("people.limits.cache", SimpleNamespace(add=gone))
    count_act(ben, "test", most=0, now=NOW)
