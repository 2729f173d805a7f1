"""Nobody learns over the API who wrote what; an ended role opens nothing; what is hidden is as if it were not there."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from care.models import AgeBand
from people.models import Community, Person
from people.services import end_membership
from tests.conftest import NOW
from tests.guards.addresses import addresses, send

pytestmark = pytest.mark.django_db
# They wrote and checked, and hold no post; whoever leads, decides or trains does so by name.
AUTHORS = ("filipa", "goran")
SECRETS = ("email", "ip_address", "remote_addr", "band", "of_age_in", "birth", "display_name")
# Where one reads what is kept of oneself.
OF_ONESELF = ("/api/v1/me/", "/api/v1/ages/")


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["ben", "esi"])
def test_the_api_tells_peers_and_researchers_nobody_who_wrote(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], request: Any, reader: str
) -> None:
    """A6: every address of the API, what it answers to POST, too: no author's name, shown or not, nobody's e-mail or
    age, and no field for them but where one reads about oneself."""
    for person in Person.objects.all():
        person.email, person.display_name = f"{person.username}@canary.example", f"Canary {person.username.upper()}"
        person.save()
    for author in Person.objects.filter(username__in=AUTHORS):
        band = {"band": "young", "of_age_in": "2032-07", "stated_at": NOW}
        AgeBand.objects.create(person=author, community=furnished.community, **band)
    names = "|".join(name for author in AUTHORS for name in (author, f"Canary {author.upper()}"))
    client.force_login(request.getfixturevalue(reader))
    client.raise_request_exception = False
    told, read = [], Counter[str]()
    for address in addresses():
        path = address.filled(furnished.arguments)
        if not path.startswith("/api/v1/") or "schema" in path or not address.is_ours:
            continue
        for method in {"get", "post"} & address.methods:
            with transaction.atomic():
                response = send(client, method, path, body)
                transaction.set_rollback(True)
            read[method] += response.status_code < 300
            said = response.content.decode()
            leaks = re.findall(rf"\b(?:{names})\b|2032-07", said)
            leaks += [one for one in re.findall(r"\w+@canary\.example", said) if one != f"{reader}@canary.example"]
            if not path.startswith(OF_ONESELF):
                leaks += [field for field in SECRETS if f'"{field}"' in said]
            told += [f"{method} {path}: {leak}" for leak in leaks]
    assert read["get"] >= 45
    assert read["post"] >= 5
    assert told == []


def test_a_role_that_ends_opens_nothing_at_the_next_request(
    client: Client, community: Community, ben: Person, aroha: Person
) -> None:
    """A5: nothing of who may what is kept in the session."""
    pages = ("/c/test-otomi/speak/", "/c/test-otomi/", "/api/v1/communities/test-otomi/")
    client.force_login(ben)
    assert [client.get(page).status_code for page in pages] == [200, 200, 200]
    end_membership(membership=community.memberships.get(person=ben), ended_by=aroha, now=NOW)
    assert [client.get(page).status_code for page in pages] == [404, 404, 404]


def test_an_account_that_is_closed_is_out_at_the_next_request(
    client: Client, community: Community, ben: Person
) -> None:
    client.force_login(ben)
    assert client.get("/c/test-otomi/speak/").status_code == 200
    Person.objects.filter(pk=ben.pk).update(is_active=False)
    assert client.get("/c/test-otomi/speak/").status_code == 302
    assert client.get("/api/v1/communities/test-otomi/").status_code in {401, 403}


@pytest.mark.slow
def test_what_is_of_others_answers_as_what_is_not_there(
    client: Client, furnished: SimpleNamespace, body: dict[str, Any], dana: Person
) -> None:
    """A7, but for the timing: an outsider cannot tell a row of others from a number that nobody has."""
    client.force_login(dana)
    client.raise_request_exception = False
    different, compared = [], 0
    for address in addresses():
        numbers = [name for name, _ in address.nouns() if name == "pk"]
        if not numbers or not address.is_ours:
            continue
        there = address.filled(furnished.arguments)
        number = str(next(value for key, value in _arguments(address, furnished.arguments) if key == "pk"))
        missing = there.replace(number, "987654321" if number.isdecimal() else f"{7:032x}"[: len(number)], 1)
        if len(number) == 36:
            missing = there.replace(number, "00000000-0000-4000-8000-000000000007", 1)
        if there.count(number) != 1:
            continue
        for method in ("get", "post"):
            one, other = send(client, method, there, body), send(client, method, missing, body)
            compared += 1
            if (one.status_code, _plain(one, there)) != (other.status_code, _plain(other, missing)):
                different.append(f"{method} {there}: {one.status_code} and {other.status_code}")
    assert compared > 60
    assert different == []


def _arguments(address: Any, arguments: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, arguments[noun if noun in arguments else name]) for name, noun in address.nouns()]


def _plain(response: Any, path: str) -> str:
    """What a response says, without its own address, tokens and nonces."""
    said = response.content.decode().replace(path, "…")
    return re.sub(r'(nonce|value|csrf_token|trace|instance)="?:? ?"[^"]*"', "", said)
